/// \file
/// The walk over the segments of a log, record by record, and the verdict on the first bad one: what recovery.hpp
/// promises, carried out. Used once.
#pragma once

#include "persistence/readable_part.hpp"
#include "persistence/recovery.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Something is not what was written, or is gone. The operator is told to keep the directory.
[[nodiscard]] storage_error damage_at(std::string file, std::optional<std::uint64_t> offset, std::string reason,
                                      std::optional<lsn_range> records = {}, damage kind = damage::corrupt);

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
  recovered_log read_good_part(const storage_error& cause, bool may_be_draft);

private:
  [[nodiscard]] std::vector<std::uint32_t> find_segments();
  [[nodiscard]] readable_part read_segment(std::uint32_t number, const std::string& path);
  [[nodiscard]] std::optional<segment_header> find_header(std::uint32_t number, const std::string& path,
                                                          const readable_part& part) const;
  [[nodiscard]] std::optional<segment_header> find_next_header() const;
  void require_next(const segment_header& header, const std::string& path) const;
  void enter(const segment_header& header);
  [[nodiscard]] std::optional<bad_record> walk(const std::string& path, const readable_part& part);
  [[nodiscard]] std::optional<bad_record> take(const std::string& path, const readable_part& part,
                                               const decoded_header& found);
  [[nodiscard]] std::optional<bad_record> take_entries(const std::string& path, std::string_view bytes,
                                                       const record_header& header);
  [[nodiscard]] std::optional<bad_record> take_start(const std::string& path, std::string_view bytes,
                                                     const record_header& header);
  void take_truncation(const std::string& path, const record_header& header);
  [[nodiscard]] std::optional<torn_tail> judge(const std::string& path, const readable_part& part,
                                               const bad_record& bad, std::uint32_t last);
  [[nodiscard]] bool is_continued_by(const segment_header& next) const;
  [[nodiscard]] bool is_followed() const;
  void require_whole(const std::string& path) const;
  void require_beginnings(const std::string& path);
  [[nodiscard]] std::string find_segment(std::uint32_t number, bool may_be_draft) const;
  [[nodiscard]] bool take_good(std::uint32_t number, const std::string& path);
  [[nodiscard]] group_log& group(group_id id) { return log_.groups.try_emplace(id, is_partial_).first->second; }
  /// The records from where the log ends now up to the highest that is known.
  [[nodiscard]] lsn_range missing_records() const;
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
