/// \file
/// Where the next segment of a log comes from, and whether there is room for one.
///
/// A disk that is full is met here and nowhere else: when a file for a segment to come cannot be made. That is a state,
/// not a failure, for nothing was begun that would now be cut short. Three things stand between it and a log that
/// cannot go on: the spare, room that is still free, and the reserve, which is used for nothing else.
#pragma once

#include "persistence/file_system.hpp"
#include "persistence/segment.hpp"
#include "troupe/storage.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace troupe {

/// Makes segments, and keeps a spare and a reserve for them.
class segment_supply {
public:
  /// Segments of `segment_bytes`, unless a header says otherwise. `prewrite`: spares are made before they are needed.
  segment_supply(file_system& files, std::string directory, std::uint64_t segment_bytes, bool prewrite);

  /// Looks for what an earlier life left, and finds out whether there is room where something is missing. What is
  /// found is spare and reserve once the first chore has read it.
  void take_stock();

  /// Makes the first segment of a new log, in which nobody waits yet. Nothing if there is no room.
  [[nodiscard]] std::unique_ptr<file> make_first(const segment_header& header);

  /// Makes the segment that `header` describes: of the spare, of free room, or else of the reserve. Nothing if there is
  /// none of these.
  [[nodiscard]] std::unique_ptr<file> make_next(const segment_header& header);

  /// Gives the room of the reserve to others. False if there was no reserve.
  bool give_up_reserve();

  /// Was there no room when a file was to be made last? Until spare and reserve are there again.
  [[nodiscard]] bool lacks_room() const { return lacks_room_; }
  [[nodiscard]] bool has_spare() const { return has_spare_; }
  [[nodiscard]] bool has_reserve() const { return has_reserve_; }

  /// The chore that is due when `used_bytes` of the current segment are used: making what is missing of spare and
  /// reserve. After one that found no room there is none for a while, unless it `is_urgent`: then at the asker's pace.
  [[nodiscard]] std::optional<chore> next_chore(std::uint64_t used_bytes, bool is_urgent);

  /// A chore that takes segments from `first` to before `behind` out of the log, in one step each, and then makes what
  /// is missing of them, or removes them. Whatever instant it is cut short at, none of them may be missed.
  [[nodiscard]] chore retire(std::uint32_t first, std::uint32_t behind);

  /// The chore that was given out is done.
  void chore_done();

private:
  /// What a chore has made; written by its thread, read when it is done.
  struct outcome {
    bool spare = false;
    bool reserve = false;
    bool found_room = false;
  };

  file_system& files_;
  std::string directory_;
  std::uint64_t segment_bytes_;
  bool prewrite_;
  bool has_spare_ = false;
  /// There is one that has not been read yet.
  bool finds_spare_ = false;
  bool has_reserve_ = false;
  bool lacks_room_ = false;
  /// Bytes used when it was given out.
  std::uint64_t tried_at_bytes_ = 0;
  std::shared_ptr<outcome> under_way_;
  /// The chore under way is about one file, and fails for lack of room only.
  bool is_attempt_ = false;
};

} // namespace troupe
