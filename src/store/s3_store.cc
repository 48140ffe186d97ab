#include "store/s3_store.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "store/key.h"
#include "store/s3_reply.h"

namespace armada {
namespace {

// Pages of one List that hold no object of ours; what is foreign is passed over.
constexpr int kMaxForeignPages = 100;

// The end of a whole object.
Suffix SuffixOf(std::string whole, int64_t length) {
  const auto size = static_cast<int64_t>(whole.size());
  whole.erase(0, static_cast<size_t>(size - std::min(length, size)));
  return {std::move(whole), size};
}

}  // namespace

Result<std::unique_ptr<S3Store>> S3Store::Open(const std::string& uri,
                                               const StoreOptions& options) {
  ASSIGN_OR_RETURN(S3Location location, ParseS3Location(uri, S3Endpoint(options)));
  return std::make_unique<S3Store>(std::move(location), WireS3(options));
}

Status S3Store::Create(std::string_view key, std::string_view bytes) {
  CHECK(IsKey(key));
  const S3Request request{.call = S3Call::kCreate,
                          .key = key,
                          .query = {},
                          .headers = {{"If-None-Match", "*"}},
                          .body = bytes};
  ASSIGN_OR_RETURN(const HttpReply reply, session_.Send(request));
  if (reply.status == 200) return {};
  if (reply.status == 412) return Fail(ErrorCode::kExists, "{} exists", session_.NameOf(key));
  if (reply.status < 300)  // not what S3 says when an object is durably there
    return Fail(ErrorCode::kUnknownOutcome, "{}: HTTP {}", session_.NameOf(key), reply.status);
  return session_.Refusal(request, reply);
}

Status S3Store::Put(std::string_view key, std::string_view bytes) {
  CHECK(IsKey(key));
  const S3Request request{
      .call = S3Call::kPut, .key = key, .query = {}, .headers = {}, .body = bytes};
  ASSIGN_OR_RETURN(const HttpReply reply, session_.Send(request));
  if (reply.status == 200) return {};
  return session_.Refusal(request, reply);
}

Result<std::string> S3Store::Get(std::string_view key) {
  CHECK(IsKey(key));
  const S3Request request{.call = S3Call::kGet, .key = key};
  ASSIGN_OR_RETURN(HttpReply reply, session_.Send(request));
  if (reply.status == 200) return std::move(reply.body);
  return session_.Refusal(request, reply);
}

Result<Suffix> S3Store::GetSuffix(std::string_view key, int64_t length) {
  CHECK(IsKey(key));
  CHECK(length >= 0);
  // There is no range of the last 0 bytes.
  const int64_t asked = std::max<int64_t>(length, 1);
  const S3Request request{.call = S3Call::kGet,
                          .key = key,
                          .query = {},
                          .headers = {{"Range", fmt::format("bytes=-{}", asked)}}};
  ASSIGN_OR_RETURN(HttpReply reply, session_.Send(request));
  if (reply.status == 200) return SuffixOf(std::move(reply.body), length);  // ignored the range
  if (reply.status == 416) {
    // No suffix of an object can be out of range but that of an empty one.
    const auto fault = ParseS3Fault(reply.body);
    if (fault && fault->code == "InvalidRange" && fault->object_bytes <= 0) return Suffix{};
  }
  if (reply.status != 206) return session_.Refusal(request, reply);
  const auto range = ParseContentRange(reply.Header("content-range"));
  const auto got = static_cast<int64_t>(reply.body.size());
  if (!range || range->end != range->size - 1 || got != range->size - range->begin ||
      got != std::min(asked, range->size))
    return Fail(ErrorCode::kUnavailable, "{}: {} bytes came for the last {}, as '{}'",
                session_.NameOf(key), got, asked, Printable(reply.Header("content-range")));
  Suffix suffix = SuffixOf(std::move(reply.body), length);
  suffix.size_bytes = range->size;
  return suffix;
}

Result<ListPage> S3Store::List(std::string_view prefix, std::string_view start_after, int limit) {
  CHECK(limit >= 1 && limit <= 1000);
  const std::string& below = session_.location().prefix;
  ListPage page;
  std::string after = start_after.empty() ? "" : below + std::string(start_after);
  for (int pages = 0; pages < kMaxForeignPages; ++pages) {
    ASSIGN_OR_RETURN(S3Listing listing, session_.List(below + std::string(prefix), after, limit));
    const std::string before = after;
    for (ObjectInfo& object : listing.objects) {
      if (!object.key.starts_with(below)) continue;
      after = object.key;
      object.key.erase(0, below.size());
      const bool is_ours = IsKey(object.key) && object.key.starts_with(prefix) &&
                           std::string_view(object.key) > start_after;
      if (is_ours) page.objects.push_back(std::move(object));
    }
    page.more = listing.truncated;
    if (!page.more || !page.objects.empty()) return page;
    if (after <= before)
      return Fail(ErrorCode::kCorrupt, "{}: a listing that does not go on", name());
  }
  return FailWith(ErrorCode::kInvalid,
                  fmt::format("{}: too many objects that are not Armada's", name()),
                  "give the job a prefix of its own");
}

Status S3Store::Delete(std::string_view key) {
  CHECK(IsKey(key));
  const S3Request request{.call = S3Call::kDelete, .key = key};
  ASSIGN_OR_RETURN(const HttpReply reply, session_.Send(request));
  if (reply.status == 204 || reply.status == 200) return {};
  const auto fault = ParseS3Fault(reply.body);
  if (fault && fault->code == "NoSuchKey") return {};
  return session_.Refusal(request, reply);
}

}  // namespace armada
