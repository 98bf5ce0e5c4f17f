/// \file
/// Troupe's own log: a `storage` of append-only segments, shared by all groups of a node.
///
/// Start reading at record.hpp (the bytes), then segment.hpp (the files), recovery.hpp (what is believed after a
/// crash), hint_file.hpp (what was durable), log_tail.hpp (where the log goes on), group_log.hpp (the index in memory),
/// segment_supply.hpp (room, and the lack of it) and vote_file.hpp (terms and votes).
#pragma once

#include "persistence/file_system.hpp"
#include "persistence/group_log.hpp"
#include "persistence/hint_file.hpp"
#include "persistence/log_tail.hpp"
#include "persistence/record.hpp"
#include "persistence/record_reader.hpp"
#include "persistence/recovery.hpp"
#include "persistence/segment.hpp"
#include "persistence/segment_supply.hpp"
#include "persistence/snapshot_store.hpp"
#include "persistence/vote_file.hpp"
#include "troupe/storage.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
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
  /// faster. Off, room is only set aside.
  bool prewrite = true;
  /// Written into every file, and compared when they are opened.
  disk_identity identity;
  /// There was a log before: if it is missing now, that is damage.
  bool must_exist = false;
  /// Others can repair it: a log in which bits went bad is cut behind its last good record, once `hard_state::lost` is
  /// durable, instead of being refused (loss.hpp). What only an operator can have done, and can undo, is refused all
  /// the same.
  bool may_lose = false;
};

/// The log of all groups of a node.
///
/// Durability: see `storage`. Per `submit` the log costs one fdatasync, however many writes, groups and entries there
/// are; a changed term or vote costs one of the vote file more (again one for all groups); the last submit into a
/// segment costs that segment's, the next one's header and the hint's. Terms and votes are durable before any entry
/// written after them reaches the log file, so no log ever holds an entry of a term its peer has forgotten.
///
/// A full disk is a state: see `is_full`. Writes for which there is no segment are held, in order, with nothing of the
/// first one that has no room on the disk, until a chore has found room; terms and votes are durable all the same.
///
/// A prefix of the log goes when no group needs it any more, segment by segment.
///
/// Errors: `io_error` and `storage_error`. After any of them from `write`, `sync` or `submit` the object refuses all
/// further work: what the disk holds is then unknown, and only a recovery from scratch may find out.
///
/// Memory: 24 bytes per entry batch in the log, 16 per change of term, about 200 per group. No payloads.
class log_storage final : public storage {
public:
  /// Makes the log if the directory has none, else recovers it. Throws `storage_error` if what is there cannot be
  /// trusted or belongs to someone else: then nothing was changed on the disk. `files` must outlive this and everything
  /// it hands out.
  log_storage(file_system& files, std::string directory, log_options options);
  /// Notes durably how far the log goes.
  ~log_storage() override;

  [[nodiscard]] recovered_group recover(group_id group, std::size_t tail_bytes) override;

  /// `write`, `sync` and then `done`, all before it returns; if writes are held, `done` comes within a `chore_done`.
  void submit(std::vector<log_write> writes, std::function<void()> done) override;

  /// Hands `writes` to the file system. What it wrote is durable after the next `sync`. Syncs by itself in two cases
  /// only: terms and votes before log records that follow them, and a segment that is left for the next.
  void write(std::vector<log_write> writes);

  /// Makes everything written durable.
  void sync();

  [[nodiscard]] read_plan plan_read(const log_range& range) override;

  /// Prepares the next segment once the current one is a quarter full, and the reserve; takes segments out of the log
  /// that no group needs; removes snapshots that a durable start has declared outdated; syncs the hint after so many
  /// syncs of the log.
  [[nodiscard]] std::optional<chore> next_chore() override;
  /// Goes on with the writes that are held, if there is room now.
  void chore_done() override;

  /// No spare can be made for lack of room and the current segment is half full, or the reserve is not whole. Until
  /// both are there again.
  [[nodiscard]] bool is_full() const override;

  /// Are writes held for lack of room? They are neither durable nor readable yet, and nothing more may be written.
  [[nodiscard]] bool is_holding() const { return next_write_ < unwritten_.size(); }

  /// Syncs the hint.
  [[nodiscard]] std::optional<chore> when_idle() override;

  [[nodiscard]] bool keeps_snapshots() const override { return true; }
  [[nodiscard]] snapshot_write_plan plan_snapshot(group_id group, const snapshot_mark& at) override;
  [[nodiscard]] snapshot_read_plan plan_snapshot_read(group_id group, log_index index) override;

  /// What recovery found and did. Worth a line in the log of the node; more if `cut` is set or a snapshot is damaged.
  [[nodiscard]] const recovery_report& report() const { return report_; }

  /// Groups that have a vote, an entry or a start, in no particular order.
  [[nodiscard]] std::vector<group_id> groups() const;

private:
  log_storage(file_system& files, std::string directory, log_options options, recovered_log log);

  void judge(recovered_log& log);
  void judge_snapshots();
  [[nodiscard]] bool is_without_beginning(group_id group) const;
  void tidy_snapshots();
  void begin_anew();
  [[nodiscard]] log_start start_of(group_id group) const;
  void create();
  void adopt(recovered_log log);
  void write_votes();
  void write_records();
  [[nodiscard]] bool write_parts(log_write& write);
  [[nodiscard]] bool begin(group_id group, const log_start& start);
  [[nodiscard]] bool truncate(group_id group, log_index from);
  [[nodiscard]] bool append(group_id group, const entry_batch& batch);
  void repeat_starts();
  [[nodiscard]] bool make_room(std::uint64_t record_bytes);
  void flush();
  void sync_segment();
  [[nodiscard]] bool roll(std::uint64_t record_bytes);
  [[nodiscard]] segment_header next_header(std::uint32_t number, std::uint64_t size_bytes) const;
  void enter(const segment_header& header, std::unique_ptr<file> segment);
  [[nodiscard]] std::optional<chore> retire_prefix();
  [[nodiscard]] std::uint32_t oldest_needed() const;
  [[nodiscard]] log_hint hint() const;
  [[nodiscard]] resolved_read resolve(const log_range& range) const;
  void check_usable() const;

  file_system& files_;
  std::string directory_;
  log_options options_;
  vote_file votes_;
  snapshot_store snapshots_;
  segment_supply supply_;
  std::optional<hint_file> hint_;
  recovery_report report_;
  std::unordered_map<group_id, group_log> groups_;
  /// Where the log goes on.
  log_tail tail_;
  /// From the first of the log to the one it goes on in.
  std::map<std::uint32_t, std::shared_ptr<const segment_in_use>> segments_;
  /// The last loss that the log was cut for, as far as the hint may know.
  std::uint64_t cut_for_ = 0;
  /// Where groups begin anew of whose log nothing is left that is one.
  std::map<group_id, log_start> beginnings_;
  /// A start was written: segments may have become free.
  bool may_retire_ = true;
  /// Writes not yet in the log, from `next_write_` on, and of that one the batches from `next_batch_` on. None between
  /// two calls, unless they are held.
  std::vector<log_write> unwritten_;
  std::size_t next_write_ = 0;
  std::size_t next_batch_ = 0;
  /// Of a submit that is held.
  std::function<void()> done_;
  /// Groups with snapshots that a start written, but not synced yet, has no use for: those below the index.
  std::unordered_map<group_id, log_index> outdated_;
  /// Work that may be done now, since what it rests on is durable.
  std::deque<chore> removals_;
  bool chore_running_ = false;
  bool failed_ = false;
};

} // namespace troupe
