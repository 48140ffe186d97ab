#include "store/s3_objects.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "store/s3_reply.h"

namespace armada {
namespace {

HttpHeaders PinnedTo(std::string_view etag) {
  if (etag.empty()) return {};
  return {{"If-Match", fmt::format("\"{}\"", etag)}};
}

// Not every server heeds If-Match: what came is looked at too.
bool IsAnother(const HttpReply& reply, std::string_view etag) {
  return reply.status == 412 || (!etag.empty() && BareETag(reply.Header("etag")) != etag);
}

}  // namespace

Result<std::unique_ptr<S3Objects>> S3Objects::Open(const std::string& uri,
                                                   const StoreOptions& options) {
  constexpr std::string_view kScheme = "s3://";
  CHECK(uri.starts_with(kScheme));
  const std::string bucket = uri.substr(0, uri.find('/', kScheme.size()));
  ASSIGN_OR_RETURN(S3Location location, ParseS3Location(bucket, S3Endpoint(options)));
  return std::make_unique<S3Objects>(std::move(location), WireS3(options));
}

Result<S3Part> S3Objects::ReadWhole(std::string_view key, std::string_view etag) {
  const S3Request request{.call = S3Call::kGet, .key = key, .query = {}, .headers = PinnedTo(etag)};
  ASSIGN_OR_RETURN(HttpReply reply, session_.Send(request));
  if (reply.status != 200 && reply.status != 412) return session_.Refusal(request, reply);
  if (IsAnother(reply, etag)) return S3Part{.changed = true};
  S3Part part{.etag = std::string(BareETag(reply.Header("etag")))};
  part.object_bytes = static_cast<int64_t>(reply.body.size());
  part.bytes = std::move(reply.body);
  return part;
}

Result<S3Part> S3Objects::Read(std::string_view key, int64_t offset, int64_t length,
                               std::string_view etag) {
  CHECK(offset >= 0 && length > 0);
  S3Request request{.call = S3Call::kGet, .key = key, .query = {}, .headers = PinnedTo(etag)};
  request.headers.emplace_back("Range", fmt::format("bytes={}-{}", offset, offset + length - 1));
  ASSIGN_OR_RETURN(HttpReply reply, session_.Send(request));
  if (reply.status == 416 && offset == 0) return ReadWhole(key, etag);  // it is empty
  if (reply.status == 416) return S3Part{.etag = std::string(etag)};    // behind its end
  if (reply.status != 200 && reply.status != 206 && reply.status != 412)
    return session_.Refusal(request, reply);
  if (IsAnother(reply, etag)) return S3Part{.changed = true};
  S3Part part{.etag = std::string(BareETag(reply.Header("etag")))};
  if (reply.status == 200) {  // ignored the range
    part.object_bytes = static_cast<int64_t>(reply.body.size());
    part.bytes = reply.body.substr(static_cast<size_t>(std::min(offset, part.object_bytes)),
                                   static_cast<size_t>(length));
    return part;
  }
  const auto range = ParseContentRange(reply.Header("content-range"));
  const auto got = static_cast<int64_t>(reply.body.size());
  if (!range || range->begin != offset || got != std::min(length, range->size - offset))
    return Fail(ErrorCode::kUnavailable, "{}: {} bytes came for {} from {}, as '{}'", NameOf(key),
                got, length, offset, Printable(reply.Header("content-range")));
  part.object_bytes = range->size;
  part.bytes = std::move(reply.body);
  return part;
}

Result<ListPage> S3Objects::List(std::string_view prefix, std::string_view after, int limit) {
  ASSIGN_OR_RETURN(S3Listing listing, session_.List(prefix, after, limit));
  const bool goes_on = listing.objects.empty() || listing.objects.front().key > after;
  if (!goes_on || (listing.truncated && listing.objects.empty()) ||
      !std::ranges::is_sorted(listing.objects, {}, &ObjectInfo::key))
    return Fail(ErrorCode::kCorrupt, "{}: a listing that does not go on in order", NameOf(prefix));
  return ListPage{.objects = std::move(listing.objects), .more = listing.truncated};
}

}  // namespace armada
