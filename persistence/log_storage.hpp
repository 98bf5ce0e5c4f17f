/// \file
/// Troupe's own log: a `storage` of append-only segments, shared by all groups of a node.
///
/// Start reading at record.hpp (the bytes), then segment.hpp (the files), recovery.hpp (what is believed after a
/// crash), group_log.hpp (the index in memory) and vote_file.hpp (terms and votes).
#pragma once

#include "persistence/file_system.hpp"
#include "persistence/group_log.hpp"
#include "persistence/record.hpp"
#include "persistence/record_reader.hpp"
#include "persistence/recovery.hpp"
#include "persistence/segment.hpp"
#include "persistence/snapshot_store.hpp"
#include "persistence/vote_file.hpp"
#include "troupe/storage.hpp"

#include <array>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe {

/// How a log is laid out, and whose it is.
struct log_options {
  /// Bytes of a segment file, header included; from 4 KiB to 1 GiB. A batch that does not fit gets a larger segment of
  /// its own. Segments of other sizes that are there already stay as they are.
  std::size_t segment_bytes = std::size_t{64} << 20;
  /// Write zeros to a segment before it is used: a sync in a prewritten file moves no metadata and is about a third
  /// faster. Off, segments are sparse.
  bool prewrite = true;
  /// Written into every file, and compared when they are opened.
  disk_identity identity;
  /// There was a log before: if it is missing now, that is damage.
  bool must_exist = false;
};

/// The log of all groups of a node.
///
/// Durability: see `storage`. Per `submit` the log costs one fdatasync, however many writes, groups and entries there
/// are; a changed term or vote costs one of the vote file more (again one for all groups); the last submit into a
/// segment costs that segment's. Terms and votes are durable before any entry written after them reaches the log file,
/// so no log ever holds an entry of a term its peer has forgotten.
///
/// Errors: `io_error` and `storage_error`. After any of them from `write`, `sync` or `submit` the object refuses all
/// further work: what the disk holds is then unknown, and only a recovery from scratch may find out.
///
/// Memory: 24 bytes per entry batch in the log, 16 per change of term, about 200 per group. No payloads.
class log_storage final : public storage {
public:
  /// Makes the log if the directory has none, else recovers it. Throws `storage_error` if what is there cannot be
  /// trusted or belongs to someone else. `files` must outlive this and everything it hands out.
  log_storage(file_system& files, std::string directory, log_options options);
  ~log_storage() override;

  [[nodiscard]] recovered_group recover(group_id group, std::size_t tail_bytes) override;

  /// `write`, `sync` and then `done`, all before it returns.
  void submit(std::vector<log_write> writes, std::function<void()> done) override;

  /// Hands `writes` to the file system. What it wrote is durable after the next `sync`. Syncs by itself in two cases
  /// only: terms and votes before log records that follow them, and a segment that is left for the next.
  void write(std::vector<log_write> writes);

  /// Makes everything written durable.
  void sync();

  [[nodiscard]] read_plan plan_read(const log_range& range) override;

  /// Prewrites the next segment once the current one is a quarter full; removes snapshots that a durable start has
  /// declared outdated.
  [[nodiscard]] std::optional<chore> next_chore() override;
  void chore_done() override;

  [[nodiscard]] bool keeps_snapshots() const override { return true; }
  [[nodiscard]] snapshot_write_plan plan_snapshot(group_id group, const snapshot_mark& at) override;
  [[nodiscard]] snapshot_read_plan plan_snapshot_read(group_id group, log_index index) override;

  /// What recovery found and did. Worth a line in the log of the node; more if `cut` is set or a snapshot is damaged.
  [[nodiscard]] const recovery_report& report() const { return report_; }

  /// Groups that have a vote or an entry, in no particular order.
  [[nodiscard]] std::vector<group_id> groups() const;

private:
  void recover_snapshots();
  void require_no_gap(group_id group, const found_snapshots& found) const;
  [[nodiscard]] log_start start_of(group_id group) const;
  void write_votes(const std::vector<log_write>& writes);
  void write_records(const std::vector<log_write>& writes);
  void begin(group_id group, const log_start& start);
  void truncate(group_id group, log_index from);
  void append(group_id group, const entry_batch& batch);
  void make_room(std::uint64_t record_bytes);
  record_place add_record(record_header header, std::string_view payload);
  void flush();
  void sync_segment();
  void roll(std::size_t record_bytes);
  void open_segment(std::uint32_t number, std::uint64_t size_bytes, segment_source source);
  [[nodiscard]] resolved_read resolve(const log_range& range) const;
  void check_usable() const;

  file_system& files_;
  std::string directory_;
  log_options options_;
  vote_file votes_;
  snapshot_store snapshots_;
  recovery_report report_;
  std::unordered_map<group_id, group_log> groups_;
  /// Where the log goes on.
  log_end end_;
  std::unordered_map<std::uint32_t, std::uint32_t> salts_;
  std::unique_ptr<file> segment_;
  /// Was the segment written since its last sync?
  bool unsynced_ = false;
  /// Highest sequence known to be durable.
  std::uint64_t synced_upto_ = 0;
  /// Records encoded and not yet handed to the file system: they begin here in the current segment.
  std::uint64_t pending_at_ = segment_header_bytes;
  std::deque<std::array<char, record_header_bytes>> pending_headers_;
  std::deque<std::array<char, start_payload_bytes>> pending_starts_;
  std::vector<std::string_view> pending_parts_;
  /// Groups with snapshots that a start written, but not synced yet, has no use for: those below the index.
  std::unordered_map<group_id, log_index> outdated_;
  /// Work that may be done now, since what it rests on is durable.
  std::deque<chore> removals_;
  bool spare_ready_ = false;
  bool spare_under_way_ = false;
  bool chore_running_ = false;
  bool failed_ = false;
};

} // namespace troupe
