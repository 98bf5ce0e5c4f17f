#include "persistence/segment_supply.hpp"

#include "troupe/assert.hpp"

#include <cerrno>
#include <utility>

namespace troupe {

namespace {

/// The next segment is prepared when this part of the current one is used.
constexpr std::uint64_t prepare_after_part = 4;

/// Until it is urgent, room is looked for again when this part of the current segment was used meanwhile.
constexpr std::uint64_t try_again_after_part = 64;

/// Is there a file of that size? One of another size, left by other settings, is removed.
bool finds(file_system& files, const std::string& path, std::uint64_t size_bytes) {
  if (!files.exists(path))
    return false;
  if (files.open(path, open_mode::read)->size() == size_bytes)
    return true;
  files.remove(path);
  return false;
}

/// Has a file of zeros there. What an earlier life left is taken up if it is one: a bit that flipped in it since would
/// look like a record. If it is none only its name goes, and no byte of it is touched: where power went between the two
/// halves of a rename, the name is the second one of a segment that is in use.
bool provide_zeros(file_system& files, const std::string& path, std::uint64_t size_bytes) {
  if (files.exists(path)) {
    if (holds_only_zeros(files, path))
      return true;
    files.remove(path);
  }
  return prepare_zeros(files, path, size_bytes);
}

} // namespace

segment_supply::segment_supply(file_system& files, std::string directory, std::uint64_t segment_bytes, bool prewrite)
    : files_{files}, directory_{std::move(directory)}, segment_bytes_{segment_bytes}, prewrite_{prewrite} {}

void segment_supply::take_stock() {
  finds_spare_ = finds(files_, spare_path(directory_), segment_bytes_);
  if (finds(files_, reserve_path(directory_), segment_bytes_))
    return;
  // It was used, or given up so that this start could be written down: the node must know before it takes on work.
  const auto draft = reserve_path(directory_) + ".tmp";
  try {
    files_.open(draft, open_mode::create)->allocate(segment_bytes_);
  } catch (const io_error& failure) {
    if (!failure.is_lack_of_room())
      throw;
    lacks_room_ = true;
  }
  if (files_.exists(draft))
    files_.remove(draft);
}

std::unique_ptr<file> segment_supply::make_first(const segment_header& header) {
  return make_segment(files_, directory_, header, prewrite_ ? segment_source::prewritten : segment_source::allocated);
}

std::unique_ptr<file> segment_supply::make_next(const segment_header& header) {
  const auto is_usual = header.size_bytes == segment_bytes_;
  if (is_usual && has_spare_) {
    has_spare_ = false;
    return make_segment(files_, directory_, header, segment_source::spare);
  }
  // Without a spare there is no time to write zeros: those who wait for this write would wait for them.
  if (auto made = make_segment(files_, directory_, header, segment_source::allocated))
    return made;
  lacks_room_ = true;
  if (!is_usual || !has_reserve_)
    return nullptr;
  has_reserve_ = false;
  try {
    return make_segment(files_, directory_, header, segment_source::reserve);
  } catch (const io_error& failure) {
    if (failure.number() != ENOENT)
      throw;
    return nullptr; // The data directory has given it up for its own needs.
  }
}

bool segment_supply::give_up_reserve() {
  if (!std::exchange(has_reserve_, false) || !files_.exists(reserve_path(directory_)))
    return false;
  lacks_room_ = true;
  files_.remove(reserve_path(directory_));
  files_.sync_directory(directory_);
  return true;
}

std::optional<chore> segment_supply::next_chore(std::uint64_t used_bytes, bool is_urgent) {
  TROUPE_ASSERT(!under_way_, "one chore at a time");
  const auto is_soon =
      used_bytes >= tried_at_bytes_ && used_bytes < tried_at_bytes_ + segment_bytes_ / try_again_after_part;
  if (lacks_room_ && !finds_spare_ && !is_urgent && is_soon)
    return std::nullopt;
  const auto is_due = prewrite_ && used_bytes >= segment_bytes_ / prepare_after_part;
  const auto wants_spare = !has_spare_ && (is_due || lacks_room_ || finds_spare_);
  if (!wants_spare && has_reserve_)
    return std::nullopt;
  under_way_ = std::make_shared<outcome>();
  is_attempt_ = true;
  tried_at_bytes_ = used_bytes;
  return [&files = files_, directory = directory_, size_bytes = segment_bytes_, wants_spare,
          wants_reserve = !has_reserve_, made = under_way_] {
    if (wants_spare)
      made->spare = provide_zeros(files, spare_path(directory), size_bytes);
    if (wants_reserve && made->spare == wants_spare)
      made->reserve = provide_zeros(files, reserve_path(directory), size_bytes);
    made->found_room = made->spare == wants_spare && made->reserve == wants_reserve;
  };
}

chore segment_supply::retire(std::uint32_t first, std::uint32_t behind) {
  TROUPE_ASSERT(!under_way_, "one chore at a time");
  under_way_ = std::make_shared<outcome>();
  is_attempt_ = false;
  return [&files = files_, directory = directory_, first, behind, size_bytes = segment_bytes_,
          wants_spare = !has_spare_ && (prewrite_ || lacks_room_), wants_reserve = !has_reserve_, made = under_way_] {
    const auto retired = [&](std::uint32_t number) { return directory + "/" + retired_name(number); };
    for (auto number = first; number < behind; ++number)
      files.rename(directory + "/" + segment_name(number), retired(number));
    files.sync_directory(directory);
    for (auto number = first; number < behind; ++number) {
      const auto is_usual = files.open(retired(number), open_mode::read)->size() == size_bytes;
      if (is_usual && wants_reserve && !made->reserve) {
        made->reserve = recycle(files, retired(number), reserve_path(directory));
        if (!made->reserve)
          files.remove(retired(number));
      } else if (is_usual && wants_spare && !made->spare) {
        made->spare = recycle(files, retired(number), spare_path(directory));
        if (!made->spare)
          files.remove(retired(number));
      } else {
        files.remove(retired(number));
      }
    }
  };
}

void segment_supply::chore_done() {
  if (const auto made = std::exchange(under_way_, nullptr)) {
    has_spare_ = has_spare_ || made->spare;
    finds_spare_ = false;
    has_reserve_ = has_reserve_ || made->reserve;
    lacks_room_ = lacks_room_ || (std::exchange(is_attempt_, false) && !made->found_room);
  }
  if (has_spare_ && has_reserve_)
    lacks_room_ = false;
}

} // namespace troupe
