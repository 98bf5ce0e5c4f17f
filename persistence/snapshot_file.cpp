#include "persistence/snapshot_file.hpp"

#include "persistence/little_endian.hpp"
#include "troupe/assert.hpp"
#include "troupe/entry.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace troupe {

namespace {

constexpr std::string_view magic = "TROUPSNP";
constexpr std::string_view footer_magic = "TROUPEND";
constexpr std::size_t checksum_at = snapshot_header_bytes - 4;
static_assert(snapshot_header_bytes == snapshot_footer_bytes);

constexpr std::uint32_t smallest_chunk_bytes = 512;
constexpr std::uint32_t largest_chunk_bytes = std::uint32_t{1} << 20;

/// Synced this often, so that a device's queue never holds all of it before a group commit.
constexpr std::uint64_t sync_every_bytes = std::uint64_t{8} << 20;

using chunk_head = std::array<char, snapshot_chunk_header_bytes>;
constexpr std::size_t chunk_checksum_at = snapshot_chunk_header_bytes - 4;

std::string encode(const snapshot_header& header) {
  std::string bytes(snapshot_header_bytes, '\0');
  std::copy(magic.begin(), magic.end(), bytes.begin());
  put_le(bytes.data() + 8, snapshot_format_version);
  put_le(bytes.data() + 12, snapshot_format_version);
  put_le(bytes.data() + 16, static_cast<std::uint32_t>(snapshot_header_bytes));
  put_le(bytes.data() + 20, header.chunk_bytes);
  put_identity(bytes.data() + 24, header.owner);
  put_le(bytes.data() + 64, header.group.value());
  put_le(bytes.data() + 72, header.at.index.value());
  put_le(bytes.data() + 80, header.at.term.value());
  put_le(bytes.data() + 88, header.time);
  put_le(bytes.data() + checksum_at, crc32c({bytes.data(), checksum_at}));
  return bytes;
}

/// `head` is a chunk's header, or at least what of it the checksum covers.
std::uint32_t checksum_of(const char* head, std::string_view content, std::uint32_t seed) {
  return crc32c(content, crc32c({head, chunk_checksum_at}, seed));
}

chunk_head encode_chunk_head(std::uint64_t number, std::string_view content, std::uint32_t seed) {
  chunk_head head;
  put_le(head.data(), number);
  put_le(head.data() + 8, static_cast<std::uint32_t>(content.size()));
  put_le(head.data() + chunk_checksum_at, checksum_of(head.data(), content, seed));
  return head;
}

/// Adds a chunk's checksum to the one over all of them.
std::uint32_t gather(std::uint32_t whole, std::uint32_t chunk_checksum) {
  char bytes[4];
  put_le(bytes, chunk_checksum);
  return crc32c({bytes, sizeof bytes}, whole);
}

class snapshot_writer final : public snapshot_sink {
public:
  snapshot_writer(file_system& files, std::string path, std::string draft, const snapshot_header& header)
      : files_{files}, path_{std::move(path)}, draft_{std::move(draft)}, header_bytes_{encode(header)},
        header_checksum_{get_le<std::uint32_t>(header_bytes_.data() + checksum_at)}, whole_checksum_{header_checksum_},
        chunk_bytes_{header.chunk_bytes} {
    attempt([this] {
      file_ = files_.open(draft_, open_mode::create);
      put(std::array{std::string_view{header_bytes_}});
    });
  }

  snapshot_writer(const snapshot_writer&) = delete;
  snapshot_writer& operator=(const snapshot_writer&) = delete;
  ~snapshot_writer() override { discard(); }

  void append(std::string_view bytes) override {
    require_open();
    attempt([this, bytes] { add(bytes); });
  }

  void finish() override {
    require_open();
    attempt([this] {
      if (!gathered_.empty())
        put_chunk(std::exchange(gathered_, {}));
      put_footer();
      file_->sync_data();
      files_.rename(draft_, path_);
    });
    file_.reset();
    // Not among what may be tried again: after a failed sync nobody knows what the directory holds.
    files_.sync_directory(directory_of(path_));
  }

private:
  void require_open() const { TROUPE_ASSERT(file_, "a snapshot that is finished, or has failed, takes no more"); }

  /// Whatever fails, nothing of it is kept: so even a sync may fail for lack of room and be no more than a failed try.
  template <class Work>
  void attempt(Work work) {
    try {
      work();
    } catch (const io_error& error) {
      discard();
      if (error.is_lack_of_room())
        throw out_of_space{error.what()};
      throw;
    } catch (...) {
      discard();
      throw;
    }
  }

  void discard() noexcept {
    const auto draft_file = std::exchange(file_, nullptr);
    if (!draft_file)
      return;
    try {
      // The handle is asked first: if it is of a machine that has lost power since, the name is not ours to remove.
      static_cast<void>(draft_file->size());
      files_.remove(draft_);
    } catch (...) {
      // It is in nobody's way: the next start removes it.
    }
  }

  void add(std::string_view bytes) {
    while (!bytes.empty()) {
      if (gathered_.empty() && bytes.size() >= chunk_bytes_) {
        put_chunk(bytes.substr(0, chunk_bytes_));
        bytes.remove_prefix(chunk_bytes_);
        continue;
      }
      const auto part = bytes.substr(0, chunk_bytes_ - gathered_.size());
      gathered_ += part;
      bytes.remove_prefix(part.size());
      if (gathered_.size() == chunk_bytes_) {
        put_chunk(gathered_);
        gathered_.clear();
      }
    }
  }

  void put_chunk(std::string_view content) {
    const auto head = encode_chunk_head(chunks_, content, header_checksum_);
    put(std::array{std::string_view{head.data(), head.size()}, content});
    whole_checksum_ = gather(whole_checksum_, get_le<std::uint32_t>(head.data() + chunk_checksum_at));
    content_bytes_ += content.size();
    ++chunks_;
  }

  void put_footer() {
    std::string footer(snapshot_footer_bytes, '\0');
    std::copy(footer_magic.begin(), footer_magic.end(), footer.begin());
    put_le(footer.data() + 8, content_bytes_);
    put_le(footer.data() + 16, chunks_);
    put_le(footer.data() + 24, whole_checksum_);
    put_le(footer.data() + checksum_at, crc32c({footer.data(), checksum_at}, header_checksum_));
    put(std::array{std::string_view{footer}, std::string_view{header_bytes_}});
  }

  template <std::size_t Count>
  void put(const std::array<std::string_view, Count>& parts) {
    file_->write_at(at_, parts);
    for (const auto part : parts) {
      at_ += part.size();
      unsynced_bytes_ += part.size();
    }
    if (unsynced_bytes_ >= sync_every_bytes) {
      file_->sync_data();
      unsynced_bytes_ = 0;
    }
  }

  file_system& files_;
  std::string path_;
  std::string draft_; ///< Where it is until it is whole.
  std::string header_bytes_;
  std::uint32_t header_checksum_;
  std::uint32_t whole_checksum_;
  std::size_t chunk_bytes_;
  /// Open while there is a draft.
  std::unique_ptr<file> file_;
  std::uint64_t at_ = 0;
  std::uint64_t unsynced_bytes_ = 0;
  /// Content that does not make a chunk yet.
  std::string gathered_;
  std::uint64_t content_bytes_ = 0;
  std::uint64_t chunks_ = 0;
};

} // namespace

std::unique_ptr<snapshot_sink> write_snapshot(file_system& files, std::string path, std::string draft,
                                              const snapshot_header& header) {
  TROUPE_ASSERT(header.chunk_bytes >= smallest_chunk_bytes && header.chunk_bytes <= largest_chunk_bytes,
                "a chunk has 512 bytes to 1 MiB");
  return std::make_unique<snapshot_writer>(files, std::move(path), std::move(draft), header);
}

snapshot_file::snapshot_file(file_system& files, std::string path, const disk_identity& owner)
    : path_{std::move(path)}, file_{files.open(path_, open_mode::read)} {
  const auto size = file_->size();
  std::string head(snapshot_header_bytes, '\0');
  std::string tail(snapshot_footer_bytes + snapshot_header_bytes, '\0');
  if (size < head.size() + tail.size())
    throw damaged_snapshot{path_, 0, "damaged: " + std::to_string(size) + " bytes, fewer than its two ends take"};
  const auto tail_at = size - tail.size();
  if (file_->read_at(0, head) != head.size() || file_->read_at(tail_at, tail) != tail.size())
    throw damaged_snapshot{path_, 0, "damaged: the file became shorter while it was read"};
  read_header(head, owner);
  read_footer(std::string_view{tail}.substr(0, snapshot_footer_bytes), tail_at);
  if (!tail.ends_with(head))
    throw damaged_snapshot{path_, tail_at + snapshot_footer_bytes,
                           "damaged: the header at the end is not the one at the front"};
}

void snapshot_file::read_header(std::string_view bytes, const disk_identity& owner) {
  const auto* at = bytes.data();
  header_checksum_ = get_le<std::uint32_t>(at + checksum_at);
  if (!bytes.starts_with(magic) || crc32c({at, checksum_at}) != header_checksum_)
    throw damaged_snapshot{path_, 0, "damaged: the snapshot's header does not match its checksum"};
  if (get_le<std::uint32_t>(at + 12) > snapshot_format_version)
    throw storage_error{path_, 0,
                        "written in snapshot format " + std::to_string(get_le<std::uint32_t>(at + 8))
                            + "; this program reads format " + std::to_string(snapshot_format_version)
                            + ": use the newer program",
                        damage::none};
  require_same_owner(path_, get_identity(at + 24), owner);
  chunk_bytes_ = get_le<std::uint32_t>(at + 20);
  if (chunk_bytes_ < smallest_chunk_bytes || chunk_bytes_ > largest_chunk_bytes)
    throw storage_error{path_, 0,
                        "written in chunks of " + std::to_string(chunk_bytes_)
                            + " bytes, which this program does not read: use the program that wrote it",
                        damage::none};
  group_ = group_id{get_le<std::uint32_t>(at + 64)};
  mark_.at.index = log_index{get_le<std::uint64_t>(at + 72)};
  mark_.at.term = term_number{get_le<std::uint64_t>(at + 80)};
  mark_.time = get_le<std::int64_t>(at + 88);
}

void snapshot_file::read_footer(std::string_view bytes, std::uint64_t at) {
  const auto* from = bytes.data();
  if (!bytes.starts_with(footer_magic)
      || crc32c({from, checksum_at}, header_checksum_) != get_le<std::uint32_t>(from + checksum_at))
    throw damaged_snapshot{path_, at,
                           "damaged: no footer of this snapshot is where it should end; the file was cut or extended, "
                           "or these bytes are not what was written"};
  mark_.size_bytes = get_le<std::uint64_t>(from + 8);
  chunks_ = get_le<std::uint64_t>(from + 16);
  whole_checksum_ = get_le<std::uint32_t>(from + 24);
  // In this order no sum can overflow: the content is shorter than the file.
  const auto is_as_declared = mark_.size_bytes <= at && chunks_ == (mark_.size_bytes + chunk_bytes_ - 1) / chunk_bytes_
      && at == snapshot_header_bytes + chunks_ * snapshot_chunk_header_bytes + mark_.size_bytes;
  if (!is_as_declared)
    throw damaged_snapshot{path_, at,
                           "damaged: the footer declares " + std::to_string(mark_.size_bytes) + " bytes of content in "
                               + std::to_string(chunks_) + " chunks, which would not end here"};
}

std::string_view snapshot_file::chunk(std::uint64_t number) {
  const auto content_bytes = static_cast<std::size_t>(std::min(chunk_bytes_, mark_.size_bytes - number * chunk_bytes_));
  if (loaded_ != number) {
    loaded_.reset();
    loaded_bytes_.resize(snapshot_chunk_header_bytes + content_bytes);
    const auto at = snapshot_header_bytes + number * (snapshot_chunk_header_bytes + chunk_bytes_);
    const auto refuse = [&](const std::string& why) { return damaged_snapshot{path_, at, "damaged: " + why}; };
    if (file_->read_at(at, loaded_bytes_) != loaded_bytes_.size())
      throw refuse("the file ends within chunk " + std::to_string(number));
    const auto* head = loaded_bytes_.data();
    const std::string_view content{head + snapshot_chunk_header_bytes, content_bytes};
    if (checksum_of(head, content, header_checksum_) != get_le<std::uint32_t>(head + chunk_checksum_at))
      throw refuse("chunk " + std::to_string(number) + " does not match its checksum");
    if (get_le<std::uint64_t>(head) != number || get_le<std::uint32_t>(head + 8) != content_bytes)
      throw refuse("chunk " + std::to_string(get_le<std::uint64_t>(head))
                   + " of this snapshot is in the place of chunk " + std::to_string(number));
    loaded_ = number;
  }
  return std::string_view{loaded_bytes_}.substr(snapshot_chunk_header_bytes);
}

std::string snapshot_file::read(std::uint64_t offset, std::size_t max_bytes) {
  std::string bytes;
  if (offset >= mark_.size_bytes)
    return bytes;
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(max_bytes, mark_.size_bytes - offset));
  bytes.reserve(count);
  while (bytes.size() < count) {
    const auto at = offset + bytes.size();
    bytes += chunk(at / chunk_bytes_).substr(static_cast<std::size_t>(at % chunk_bytes_), count - bytes.size());
  }
  return bytes;
}

void snapshot_file::verify() {
  auto whole = header_checksum_;
  for (std::uint64_t number = 0; number < chunks_; ++number) {
    static_cast<void>(chunk(number));
    whole = gather(whole, get_le<std::uint32_t>(loaded_bytes_.data() + chunk_checksum_at));
  }
  if (whole != whole_checksum_)
    throw damaged_snapshot{path_, file_->size() - snapshot_header_bytes - snapshot_footer_bytes,
                           "damaged: each chunk is whole, but they are not those that the footer speaks for"};
}

} // namespace troupe
