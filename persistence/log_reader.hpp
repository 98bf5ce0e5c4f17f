/// \file
/// The walk over the segments of a log, record by record, and the verdict on the first bad one: what recovery.hpp
/// promises, carried out. Used once.
#pragma once

#include "persistence/recovery.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// The first record that cannot be believed.
struct bad_record {
  std::uint64_t offset;
  /// Its bytes, if its header is intact.
  std::optional<std::uint64_t> size_bytes;
  std::string why;
  /// Intact, but of another place: no torn write makes this.
  bool is_misplaced = false;
};

struct decoded_header;
struct record_header;

class log_reader {
public:
  log_reader(file_system& files, std::string directory, const disk_identity& owner)
      : files_{files}, directory_{std::move(directory)}, owner_{owner} {}

  recovered_log read();
  std::uint64_t count_good();
  recovered_log read_good_part(const std::string& why);

private:
  [[nodiscard]] std::vector<std::uint32_t> find_segments();
  [[nodiscard]] std::string read_segment(std::uint32_t number, const std::string& path);
  void require_next(const segment_header& header, const std::string& path) const;
  [[nodiscard]] std::optional<bad_record> walk(const std::string& path, std::string_view bytes);
  [[nodiscard]] std::optional<bad_record> take(const std::string& path, std::string_view bytes,
                                               const decoded_header& found);
  [[nodiscard]] std::optional<bad_record> take_entries(const std::string& path, std::string_view bytes,
                                                       const record_header& header);
  [[nodiscard]] std::optional<bad_record> take_start(const std::string& path, std::string_view bytes,
                                                     const record_header& header);
  void take_truncation(const std::string& path, const record_header& header);
  [[nodiscard]] std::optional<torn_tail> judge(const std::string& path, std::string_view bytes, const bad_record& bad,
                                               std::uint32_t last);
  [[nodiscard]] bool is_continued_by(const segment_header& next) const;
  [[nodiscard]] bool is_followed() const;
  void require_whole(const std::string& path) const;
  void require_beginnings(const std::string& path);
  [[nodiscard]] group_log& group(group_id id) { return log_.groups.try_emplace(id, is_partial_).first->second; }
  [[nodiscard]] std::string path_of(std::uint32_t number) const { return directory_ + "/" + segment_name(number); }

  file_system& files_;
  std::string directory_;
  disk_identity owner_;
  recovered_log log_;
  /// The log had records before the first that is there.
  bool is_partial_ = false;
  /// D: the highest lsn that is known to have been durable.
  std::uint64_t durable_ = 0;
};

} // namespace troupe
