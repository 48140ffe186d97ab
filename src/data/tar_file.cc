#include "data/tar_file.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>  // NOLINT(modernize-deprecated-headers): uselocale is POSIX's

#include "base/check.h"
#include "base/text.h"
#include "data/decode_picture.h"
#include "data/tar_stream.h"

namespace armada {
namespace {

constexpr size_t kSniffBytes = 16;
constexpr size_t kMostNameBytes = 4096;
constexpr size_t kMostShownBytes = 100;  // of a name in a fault
constexpr size_t kMostShownNames = 5;
// Of headers before one member (long names, pax records, sparse maps): libarchive holds them.
constexpr int64_t kMostHeaderBytes = 4 << 20;
constexpr la_ssize_t kReadError = -1;

// libarchive converts the names of pax archives to the locale's encoding. In the C locale it can't,
// and leaves their bytes as they are: the same names everywhere.
class CLocale {
 public:
  CLocale() {
    static const locale_t kPlain = newlocale(LC_ALL_MASK, "C", nullptr);
    before_ = uselocale(kPlain);
  }
  CLocale(const CLocale&) = delete;
  CLocale& operator=(const CLocale&) = delete;
  ~CLocale() { uselocale(before_); }

 private:
  locale_t before_;
};

std::string_view LastPart(std::string_view name) { return name.substr(name.rfind('/') + 1); }

// What the members of a sample have in common.
std::string_view KeyOf(std::string_view name) {
  return name.substr(0, name.size() - LastPart(name).size() +
                            std::min(LastPart(name).find('.'), LastPart(name).size()));
}

std::string FieldOf(std::string_view name) {
  return LowerCase(name.substr(std::min(KeyOf(name).size() + 1, name.size())));
}

// Metadata of whatever made the archive.
bool IsHidden(std::string_view name) {
  bool first = true;
  for (const std::string_view part : Split(name, '/')) {
    if (part.starts_with('.') && part != "." && part != "..") return true;
    const bool is_folder = part.data() + part.size() != name.data() + name.size();
    if (is_folder && (part == "PaxHeader" || part.starts_with("PaxHeaders."))) return true;
    if (first && is_folder && part == "__MACOSX") return true;
    first = first && (part == "." || part.empty());
  }
  return false;
}

std::string Shown(std::string_view name) {
  const std::string_view part = LastPart(name);
  return part.size() <= kMostShownBytes ? Printable(part)
                                        : Printable(part.substr(0, kMostShownBytes)) + "…";
}

struct Member {
  int64_t begin = 0;  // its first header's position
  std::string name;
  int64_t size = 0;  // as the header says
  std::string odd;   // why its content can't be trusted
};

}  // namespace

// At a member whose header was read, or at the archive's end.
struct TarFile::State {
  State(std::unique_ptr<TarStream> of, const TarLimits& bounds)
      : stream(std::move(of)), limits(bounds) {}

  Status Start(int64_t from);
  Status Seek(int64_t begin);
  Result<bool> ReadHeader(int64_t begin);
  Result<int64_t> EndOfMember();
  Result<bool> ReadBlock(std::vector<std::byte>* held);
  Result<std::vector<std::byte>> ReadStart();
  Status TakeMember(TarSample* sample);
  Status TakeSample(TarSample* sample);
  std::unexpected<Error> Failed(int code);
  static la_ssize_t Feed(archive* reader, void* self, const void** bytes);
  static la_int64_t Skip(archive* reader, void* self, la_int64_t bytes);

  std::unique_ptr<TarStream> stream;
  TarLimits limits;

  ArchiveReader reader;      // of one member
  int64_t fed = 0;           // up to here libarchive has been given the stream
  int64_t header_bytes = 0;  // how much more it may read for a header; < 0: any
  bool hit_end = false;      // it asked for more than there is
  std::optional<Error> error;

  bool at_member = false;
  Member member;
  int64_t end = 0;  // of the archive, once it is reached
  bool has_picture = false;
  size_t members = 0;  // of the current sample
  std::vector<std::string> shown;
  std::optional<Error> failure;
};

la_ssize_t TarFile::State::Feed(archive* /*reader*/, void* self, const void** bytes) {
  auto* state = static_cast<State*>(self);
  if (state->header_bytes == 0) {
    state->error = Error{ErrorCode::kCorrupt, "the headers before a member are too long", {}};
    return kReadError;
  }
  auto window = state->stream->From(state->fed);
  if (!window) {
    state->error = std::move(window).error();
    return kReadError;
  }
  const auto size = static_cast<int64_t>(window->size());
  if (state->header_bytes > 0)
    state->header_bytes = std::max<int64_t>(state->header_bytes - size, 0);
  state->hit_end = size == 0;
  state->fed += size;
  *bytes = window->data();
  return size;
}

la_int64_t TarFile::State::Skip(archive* /*reader*/, void* self, la_int64_t bytes) {
  auto* state = static_cast<State*>(self);
  const int64_t skipped = state->stream->Skippable(state->fed, bytes);
  state->fed += skipped;
  return skipped;
}

// The error for libarchive's `code` while reading the current member.
std::unexpected<Error> TarFile::State::Failed(int code) {
  if (error && error->code != ErrorCode::kCorrupt) return std::unexpected(*error);
  if (reader != nullptr && !error && archive_errno(reader.get()) == ENOMEM)
    return Fail(ErrorCode::kLimit, "{}: out of memory", stream->path());
  std::string reason;
  if (error)
    reason = error->message;
  else if (hit_end)
    reason = "the file ends in the middle of a member";
  else if (code == ARCHIVE_RETRY)
    reason = "no header of a tar member follows";
  else
    reason = ArchiveReason(reader.get(), "malformed header");
  return Fail(ErrorCode::kInvalid, "{}: damaged after byte {} ({})", stream->path(),
              WithThousands(member.begin), reason);
}

// Reads the header at `begin` with a libarchive reader of its own: nothing that earlier members
// said can change what this one is. False at the archive's end.
Result<bool> TarFile::State::ReadHeader(int64_t begin) {
  member = {};
  member.begin = begin;
  fed = begin;
  header_bytes = kMostHeaderBytes;
  hit_end = false;
  reader.reset(archive_read_new());
  if (reader == nullptr) return Fail(ErrorCode::kLimit, "{}: out of memory", stream->path());
  CHECK(archive_read_set_format(reader.get(), ARCHIVE_FORMAT_TAR) == ARCHIVE_OK);
  archive_read_set_read_callback(reader.get(), Feed);
  archive_read_set_skip_callback(reader.get(), Skip);
  archive_read_set_callback_data(reader.get(), this);
  archive_entry* entry = nullptr;
  int code = archive_read_open1(reader.get());
  if (code == ARCHIVE_OK) code = archive_read_next_header(reader.get(), &entry);
  header_bytes = -1;
  if (code == ARCHIVE_EOF) {
    end = begin;
    return false;
  }
  if (code != ARCHIVE_OK && code != ARCHIVE_WARN) return Failed(code);
  // A warning with this code: too many headers before the member, which was not reached.
  if (code == ARCHIVE_WARN && archive_errno(reader.get()) == EINVAL) return Failed(code);

  const char* name = archive_entry_pathname(entry);
  if (name != nullptr) member.name = name;
  // A name that the C locale has no characters for is no oddity.
  if (code == ARCHIVE_WARN && archive_errno(reader.get()) != EILSEQ)
    member.odd = "has a damaged header: " + ArchiveReason(reader.get(), "no reason given");
  const bool is_file = archive_entry_filetype(entry) == AE_IFREG &&
                       archive_entry_hardlink(entry) == nullptr &&
                       archive_entry_symlink(entry) == nullptr;
  if (member.name.empty() && (is_file || !member.odd.empty())) {
    error = Error{ErrorCode::kCorrupt, "a member without a name", {}};
    return Failed(code);
  }
  member.size = archive_entry_size(entry);
  if (member.odd.empty() && (member.size < 0 || archive_entry_sparse_count(entry) > 0))
    member.odd = "is a sparse file";
  at_member = is_file && !IsHidden(member.name);
  return true;
}

// Passes over the rest of the member; says where the next header is.
Result<int64_t> TarFile::State::EndOfMember() {
  const int code = archive_read_data_skip(reader.get());
  if (code != ARCHIVE_OK && code != ARCHIVE_EOF) return Failed(code);
  return member.begin + archive_filter_bytes(reader.get(), 0);
}

// Goes to the first member of a sample at `begin` or after it.
Status TarFile::State::Seek(int64_t begin) {
  at_member = false;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, ReadHeader(begin));
    if (!found || at_member) return {};
    ASSIGN_OR_RETURN(begin, EndOfMember());
  }
}

Status TarFile::State::Start(int64_t from) {
  auto window = stream->From(from);
  if (!window && window.error().code != ErrorCode::kCorrupt)
    return std::unexpected(std::move(window).error());
  const bool empty = window && window->empty();
  if (empty && from == 0)
    return Fail(ErrorCode::kInvalid, "{}: empty, no tar archive", stream->path());
  if (empty && stream->known_end() < from)
    return Fail(ErrorCode::kInvalid, "{}: ends at byte {}, before {} where it is to be read",
                stream->path(), WithThousands(stream->known_end()), WithThousands(from));
  Status status;
  if (window) {
    status = Seek(from);
  } else {
    error = std::move(window).error();
    member.begin = stream->known_end();
    status = Failed(ARCHIVE_FATAL);
  }
  if (status) return {};
  if (status.error().code != ErrorCode::kInvalid) return status;
  if (from == 0 && member.begin == 0)
    return Fail(ErrorCode::kInvalid, "{}: no tar archive{}", stream->path(),
                error ? fmt::format(" ({})", error->message) : "");
  failure = std::move(status).error();
  return {};
}

// Appends the next bytes of the member; false at its end.
Result<bool> TarFile::State::ReadBlock(std::vector<std::byte>* held) {
  const void* block = nullptr;
  size_t size = 0;
  la_int64_t offset = 0;
  const int code = archive_read_data_block(reader.get(), &block, &size, &offset);
  if (code == ARCHIVE_EOF) return false;
  if (code != ARCHIVE_OK && code != ARCHIVE_WARN) return Failed(code);
  const auto* bytes = static_cast<const std::byte*>(block);
  held->insert(held->end(), bytes, bytes + size);
  return true;
}

// Enough of the member to see whether it is a picture.
Result<std::vector<std::byte>> TarFile::State::ReadStart() {
  std::vector<std::byte> held;
  bool more = true;
  while (more && held.size() < kSniffBytes) {
    ASSIGN_OR_RETURN(more, ReadBlock(&held));
  }
  return held;
}

// Reads the member into the sample, or says in its fault why not.
Status TarFile::State::TakeMember(TarSample* sample) {
  ++members;
  if (shown.size() < kMostShownNames) shown.push_back(Shown(member.name));
  const auto fault = [&](std::string why) {
    if (sample->fault.empty()) sample->fault = std::move(why);
    return Status();
  };
  if (member.name.size() > kMostNameBytes)
    return fault(fmt::format("{}: its name has {} bytes, more than {}", Shown(member.name),
                             WithThousands(static_cast<int64_t>(member.name.size())),
                             WithThousands(kMostNameBytes)));
  if (!member.odd.empty()) return fault(fmt::format("{} {}", Shown(member.name), member.odd));
  ASSIGN_OR_RETURN(std::vector<std::byte> held, ReadStart());
  const bool is_picture = !has_picture && SniffPicture(held) != PictureFormat::kNone;
  if (has_picture && member.name == sample->name)
    return fault(fmt::format("{} is there twice", Shown(member.name)));
  if (is_picture) {
    has_picture = true;
    sample->name = member.name;
  }
  if (!is_picture && sample->fields.size() >= static_cast<size_t>(limits.fields))
    return fault(
        fmt::format("more than {} members beside its picture", WithThousands(limits.fields)));
  const int64_t most = is_picture ? limits.member_bytes : limits.field_bytes;
  if (member.size > most)
    return fault(fmt::format("{} has {} bytes, more than {}", Shown(member.name),
                             WithThousands(member.size), WithThousands(most)));
  held.reserve(static_cast<size_t>(member.size));
  bool more = true;
  while (more && static_cast<int64_t>(held.size()) < member.size) {
    ASSIGN_OR_RETURN(more, ReadBlock(&held));
  }
  if (static_cast<int64_t>(held.size()) != member.size)
    return fault(fmt::format("{} is a sparse file", Shown(member.name)));
  if (is_picture) {
    sample->bytes = std::move(held);
  } else {
    std::string text(reinterpret_cast<const char*>(held.data()), held.size());
    if (!sample->fields.emplace(FieldOf(member.name), std::move(text)).second)
      return fault(fmt::format("{} is there twice", Shown(member.name)));
  }
  return {};
}

// Reads the sample that begins with the current member.
Status TarFile::State::TakeSample(TarSample* sample) {
  has_picture = false;
  members = 0;
  shown.clear();
  sample->begin = member.begin;
  sample->name = member.name;
  const std::string key(KeyOf(member.name));
  while (at_member && KeyOf(member.name) == key) {
    RETURN_IF_ERROR(TakeMember(sample));
    ASSIGN_OR_RETURN(const int64_t next, EndOfMember());
    RETURN_IF_ERROR(Seek(next));
  }
  sample->end = at_member ? member.begin : end;
  if (!has_picture && sample->fault.empty()) {
    sample->fault = fmt::format("no picture in it: {}", fmt::join(shown, ", "));
    if (members > shown.size())
      sample->fault += fmt::format(" and {} more", members - shown.size());
  }
  if (!sample->fault.empty()) sample->bytes = {};
  if (sample->name.size() > kMostNameBytes) {
    sample->name.resize(kMostNameBytes);
    sample->name += fmt::format("…#{}", sample->begin);
  }
  return {};
}

TarFile::TarFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
TarFile::~TarFile() = default;

Result<std::unique_ptr<TarFile>> TarFile::Open(const std::string& path, int64_t from,
                                               const TarLimits& limits) {
  CHECK(from >= 0);
  const CLocale c_locale;
  ASSIGN_OR_RETURN(
      std::unique_ptr<TarStream> stream,
      TarStream::Open(path, {.free_bytes = limits.unpacked_bytes, .expansion = limits.expansion}));
  auto state = std::make_unique<State>(std::move(stream), limits);
  RETURN_IF_ERROR(state->Start(from));
  return std::unique_ptr<TarFile>(new TarFile(std::move(state)));
}

Result<bool> TarFile::Next(TarSample* sample) {
  *sample = {};
  if (state_->failure) return std::unexpected(*state_->failure);
  if (!state_->at_member) return false;
  const CLocale c_locale;
  if (Status status = state_->TakeSample(sample); !status) {
    *sample = {};
    state_->failure = std::move(status).error();
    return std::unexpected(*state_->failure);
  }
  return true;
}

const FileStamp& TarFile::stamp() const { return state_->stream->stamp(); }
Status TarFile::CheckUnchanged() const { return state_->stream->CheckUnchanged(); }
bool TarFile::compressed() const { return state_->stream->compressed(); }

}  // namespace armada
