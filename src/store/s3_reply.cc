#include "store/s3_reply.h"

#include <algorithm>
#include <charconv>

#include <pugixml.hpp>

#include "base/text.h"
#include "platform/http.h"

namespace armada {
namespace {

constexpr size_t kMaxCodeBytes = 100;
constexpr size_t kMaxMessageBytes = 500;

// The text of a child of that name; "" when there is none.
std::string_view TextOf(const pugi::xml_node& node, const char* child) {
  return node.child(child).text().get();
}

std::string Safe(std::string_view text, size_t most) { return Printable(text.substr(0, most)); }

// Digits alone; nullopt otherwise, or when it is too large.
std::optional<int64_t> NumberOf(std::string_view text) {
  int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc() || stopped != end || value < 0) return std::nullopt;
  return value;
}

bool Load(pugi::xml_document* document, std::string_view xml) {
  // Entities of a document's own are not expanded by pugixml, so nothing grows.
  return static_cast<bool>(document->load_buffer(xml.data(), xml.size()));
}

// With encoding-type=url a blank is a '+'.
std::string KeyOf(std::string_view text, bool encoded) {
  std::string key(text);
  if (!encoded) return key;
  std::ranges::replace(key, '+', ' ');
  return PercentDecode(key);
}

}  // namespace

std::optional<S3Fault> ParseS3Fault(std::string_view xml) {
  pugi::xml_document document;
  if (!Load(&document, xml)) return std::nullopt;
  pugi::xml_node error = document.document_element();
  if (std::string_view(error.name()) == "ErrorResponse") error = error.child("Error");
  if (std::string_view(error.name()) != "Error" || TextOf(error, "Code").empty())
    return std::nullopt;
  S3Fault fault;
  fault.code = Safe(TextOf(error, "Code"), kMaxCodeBytes);
  fault.message = Safe(TextOf(error, "Message"), kMaxMessageBytes);
  fault.region = Safe(TextOf(error, "Region"), kMaxCodeBytes);
  fault.object_bytes = NumberOf(TextOf(error, "ActualObjectSize")).value_or(-1);
  return fault;
}

Result<S3Listing> ParseS3Listing(std::string_view xml) {
  pugi::xml_document document;
  if (!Load(&document, xml)) return Fail(ErrorCode::kCorrupt, "a listing that is no XML");
  const pugi::xml_node root = document.document_element();
  if (std::string_view(root.name()) != "ListBucketResult")
    return Fail(ErrorCode::kCorrupt, "a listing that begins with <{}>", Safe(root.name(), 100));
  const std::string_view truncated = TextOf(root, "IsTruncated");
  if (truncated != "true" && truncated != "false")
    return Fail(ErrorCode::kCorrupt, "a listing that does not say whether it is whole");
  const bool encoded = TextOf(root, "EncodingType") == "url";
  S3Listing listing;
  listing.truncated = truncated == "true";
  for (const pugi::xml_node& object : root.children("Contents")) {
    const std::optional<int64_t> size = NumberOf(TextOf(object, "Size"));
    std::string key = KeyOf(TextOf(object, "Key"), encoded);
    if (!size || key.empty())
      return Fail(ErrorCode::kCorrupt, "a listing with an object without its name or size");
    listing.objects.push_back(
        {std::move(key), *size, Safe(BareETag(TextOf(object, "ETag")), kMaxCodeBytes)});
  }
  return listing;
}

std::string_view BareETag(std::string_view etag) {
  if (etag.size() >= 2 && etag.starts_with('"') && etag.ends_with('"'))
    return etag.substr(1, etag.size() - 2);
  return etag;
}

std::optional<ContentRange> ParseContentRange(std::string_view header) {
  constexpr std::string_view kUnit = "bytes ";
  if (!header.starts_with(kUnit)) return std::nullopt;
  header.remove_prefix(kUnit.size());
  const size_t dash = header.find('-'), slash = header.find('/');
  if (dash == header.npos || slash == header.npos || slash < dash) return std::nullopt;
  const auto begin = NumberOf(header.substr(0, dash));
  const auto end = NumberOf(header.substr(dash + 1, slash - dash - 1));
  const auto size = NumberOf(header.substr(slash + 1));
  if (!begin || !end || !size || *begin > *end || *end >= *size) return std::nullopt;
  return ContentRange{*begin, *end, *size};
}

}  // namespace armada
