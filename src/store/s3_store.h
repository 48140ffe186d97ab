// S3Store: an ObjectStore below a prefix of a bucket, of Amazon S3 or a server that speaks its
// protocol and honours `If-None-Match: *` (store/probe.h finds out).
//
// Create is PutObject with `If-None-Match: *`: 200 is ok, 412 kExists; 409, any 5xx and lost
// replies are kUnknownOutcome at once. Everything else is tried up to 3 times, with pauses.
// Thread-safe; 32 connections at most.
#pragma once

#include <memory>
#include <string>

#include "store/object_store.h"
#include "store/s3_session.h"

namespace armada {

class S3Store final : public ObjectStore {
 public:
  // With connections and credentials of its own. What `options` leaves open is taken from the
  // environment: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL; AWS_CA_BUNDLE; the region and credentials
  // where the AWS SDKs find them. Sends nothing. kInvalid: see ParseS3Location.
  static Result<std::unique_ptr<S3Store>> Open(const std::string& uri, const StoreOptions& options);

  S3Store(S3Location location, S3Wiring wiring)
      : session_(std::move(location), std::move(wiring)) {}

  Status Create(std::string_view key, std::string_view bytes) override;
  Status Put(std::string_view key, std::string_view bytes) override;
  Result<std::string> Get(std::string_view key) override;
  Result<Suffix> GetSuffix(std::string_view key, int64_t length) override;
  Result<ListPage> List(std::string_view prefix, std::string_view start_after, int limit) override;
  Status Delete(std::string_view key) override;
  std::string name() const override { return session_.location().Uri(); }

  S3RequestCounts counts() const { return session_.counts(); }

 private:
  S3Session session_;
};

}  // namespace armada
