// ObjectStore: a flat space of immutable objects, the only thing that workers share.
//
// A job's safety rests on Create alone: of any number of creates of one key, at any times, from
// anywhere, exactly one ever wins, and its bytes are what every reader gets from then on.
// store/probe.h tests that of a real store before a job trusts it.
//
// Calls block; implementations are thread-safe. Keys are relative, '/'-separated, of
// [A-Za-z0-9._=/-], without parts that are empty or begin with '.' (store/key.h); no key is another
// key's folder. A bad key is a programmer's error (CHECK).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace armada {

struct ObjectInfo {
  std::string key;
  int64_t size_bytes = 0;
  std::string etag{};  // without quotes; "" where the store has none
};

struct ListPage {
  std::vector<ObjectInfo> objects;  // in byte order of their keys
  bool more = false;                // list again with start_after = the last key
};

struct Suffix {
  std::string bytes;       // the object's last bytes
  int64_t size_bytes = 0;  // of the whole object
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  // Creates the object if the key is absent.
  // ok: these bytes are the object, durably.
  // kExists: the key is taken, perhaps by an earlier send of these very bytes.
  // kUnknownOutcome: it may have happened, or may still: read the key; absent proves nothing: send
  //   the same bytes again.
  // kUnavailable: it certainly did not happen: try later.
  // kDenied: credentials or permissions.
  virtual Status Create(std::string_view key, std::string_view bytes) = 0;

  // Writes the object whether or not it exists. Only for objects with one writer that nothing
  // depends on (heartbeats). The same errors but kExists.
  virtual Status Put(std::string_view key, std::string_view bytes) = 0;

  // The whole object. kNotFound; kUnavailable also for "exists, but could not be read"; kDenied.
  virtual Result<std::string> Get(std::string_view key) = 0;

  // The last `length` bytes (fewer when it is shorter) and the whole size, from one request.
  virtual Result<Suffix> GetSuffix(std::string_view key, int64_t length) = 0;

  // Objects whose key begins with prefix and is greater than start_after, at most `limit` (≤ 1000).
  // What was created before the call is listed. No such objects: an empty page.
  virtual Result<ListPage> List(std::string_view prefix, std::string_view start_after,
                                int limit) = 0;

  // Deletes the object; absent is success. Never called while a job lives.
  virtual Status Delete(std::string_view key) = 0;

  // Where the object's bytes lie as a file, for programs that open files; nullopt where they don't.
  // `key` may also be a folder of keys. Says nothing about whether it exists.
  virtual std::optional<std::string> LocalPath(std::string_view /*key*/) const {
    return std::nullopt;
  }

  // For messages: "/data/photos.armada", "s3://acme-ml/jobs/photos-v3".
  virtual std::string name() const = 0;
};

// All objects below prefix, page by page.
Result<std::vector<ObjectInfo>> ListAll(ObjectStore& store, std::string_view prefix);

// How to reach a store; "": as the environment says (store/s3_store.h). Local folders need nothing.
struct StoreOptions {
  std::string endpoint;  // "https://s3.example.org"
  std::string region;    // "eu-west-1"
  std::string ca_file;   // PEM: the authorities that certificates are checked with
};

// The store at `uri`: a path or file:// URI (made if absent), s3://bucket/prefix (nothing is sent
// yet), or memory:// for tests. kInvalid for others and when a file is in the way, kDenied when the
// folder may not be made.
Result<std::unique_ptr<ObjectStore>> OpenStore(const std::string& uri,
                                               const StoreOptions& options = {});

}  // namespace armada
