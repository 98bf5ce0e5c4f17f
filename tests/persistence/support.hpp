/// \file
/// What the tests of persistence share: batches made in one line, and a model of what a log should hold.
#pragma once

#include "persistence/log_storage.hpp"
#include "stage/simulated_disk.hpp"

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace troupe::test {

inline const disk_identity owner{uuid_of_name("troupe"), uuid_of_name("a disk"), peer_id{1}};

inline log_options small_segments(std::size_t bytes = 4096) {
  return {bytes, true, owner};
}

/// Entries of one term with the given contents.
inline entry_batch batch(std::uint64_t term, std::uint64_t first, const std::vector<std::string>& contents) {
  entry_block_builder builder;
  for (const auto& each : contents)
    builder.add(entry_kind::command, each);
  return entry_batch::stamp(builder.take(), term_number{term}, log_index{first}, static_cast<std::int64_t>(first));
}

inline log_write appending(group_id group, std::vector<entry_batch> batches) {
  return {group, std::nullopt, std::nullopt, std::move(batches)};
}

/// Begins the log behind an entry; snapshots from `oldest` on are needed.
inline log_write beginning(group_id group, std::uint64_t term, std::uint64_t index, std::uint64_t oldest = 0) {
  log_write write{group, std::nullopt, std::nullopt, {}};
  write.start = log_start{{term_number{term}, log_index{index}}, static_cast<std::int64_t>(index), log_index{oldest}};
  return write;
}

inline log_write voting(group_id group, std::uint64_t term, std::uint64_t candidate = 0) {
  return {group, hard_state{term_number{term}, peer_id{candidate}}, std::nullopt, {}};
}

/// What a snapshot at a position has in it.
inline std::string to_text(const log_position& at) {
  return "all up to " + std::to_string(at.index.value()) + " of term " + std::to_string(at.term.value());
}

/// What a group's log holds, entry by entry: term and content.
struct model_entry {
  std::uint64_t term;
  std::string content;
  friend bool operator==(const model_entry&, const model_entry&) = default;
};

struct model_group {
  hard_state vote;
  std::vector<model_entry> entries; ///< The one behind the start first.
  log_start start = {};
  friend bool operator==(const model_group&, const model_group&) = default;

  [[nodiscard]] std::uint64_t last() const { return start.before.index.value() + entries.size(); }
  [[nodiscard]] std::uint64_t last_term() const {
    return entries.empty() ? start.before.term.value() : entries.back().term;
  }
};

using model = std::map<std::uint32_t, model_group>;

inline void perform(model_group& group, const log_write& write) {
  if (write.vote)
    group.vote = *write.vote;
  if (write.start) {
    const auto forgotten = write.start->before.index.value() - group.start.before.index.value();
    const auto is_there = forgotten == 0
        || (forgotten <= group.entries.size() && group.entries[forgotten - 1].term == write.start->before.term.value());
    group.entries.erase(group.entries.begin(),
                        is_there ? group.entries.begin() + static_cast<std::ptrdiff_t>(forgotten)
                                 : group.entries.end());
    group.start = *write.start;
  }
  if (write.truncate_from && write.truncate_from->value() <= group.last())
    group.entries.resize(write.truncate_from->value() - 1 - group.start.before.index.value());
  for (const auto& each : write.append)
    for (const auto entry : each)
      group.entries.push_back({each.term().value(), std::string{entry.content}});
}

inline void perform(model& all, const std::vector<log_write>& writes) {
  for (const auto& each : writes)
    perform(all[each.group.value()], each);
}

/// All of a group's log, by its terms and a tail without limit.
inline model_group contents(log_storage& log, std::uint32_t group) {
  const auto found = log.recover(group_id{group}, std::size_t{1} << 40);
  model_group result;
  result.vote = found.vote;
  result.start = found.start;
  for (const auto& each : found.tail)
    for (const auto entry : each)
      result.entries.push_back({each.term().value(), std::string{entry.content}});
  return result;
}

/// Submits as a peer does: what a start forgets, a snapshot stands for, and it is durable before.
inline void submit(
    storage& log, const std::vector<log_write>& writes, std::function<void()> done = [] {}) {
  for (const auto& each : writes)
    if (each.start) {
      const auto sink = log.plan_snapshot(each.group, {each.start->before, each.start->time})();
      sink->append(to_text(each.start->before));
      sink->finish();
    }
  log.submit(writes, std::move(done));
}

/// Random writes that a peer could make: terms rise, votes are cast once, truncations stay above a commit index.
class history {
public:
  history(std::uint64_t seed, std::uint32_t groups, std::size_t largest_content, bool compacts = true)
      : random_{seed}, groups_{groups}, largest_content_{largest_content}, compacts_{compacts} {}

  std::vector<log_write> next() {
    std::vector<log_write> writes;
    for (auto count = 1 + random_() % 4; count > 0; --count) {
      auto one = next_write();
      perform(planned_[one.group.value()], one);
      writes.push_back(std::move(one));
    }
    return writes;
  }

  /// What the log must hold once everything given out is written.
  [[nodiscard]] const model& planned() const { return planned_; }

private:
  log_write next_write() {
    log_write write;
    write.group = group_id{static_cast<std::uint32_t>(random_() % groups_)};
    auto group = planned_[write.group.value()];
    if (group.vote.current_term == term_number{} || random_() % 5 == 0) {
      write.vote = hard_state{group.vote.current_term.next(), peer_id{random_() % 3}};
      perform(group, {write.group, write.vote, std::nullopt, {}});
    }
    if (compacts_ && random_() % 6 == 0) {
      write.start = next_start(group);
      auto alone = log_write{write.group, std::nullopt, std::nullopt, {}};
      alone.start = write.start;
      perform(group, alone);
    }
    if (!group.entries.empty() && random_() % 4 == 0) {
      write.truncate_from = log_index{1 + group.last() - random_() % std::min<std::size_t>(group.entries.size(), 6)};
      perform(group, {write.group, std::nullopt, write.truncate_from, {}});
    }
    for (auto batches = random_() % 3; batches > 0; --batches) {
      std::vector<std::string> texts;
      for (auto count = 1 + random_() % 4; count > 0; --count)
        texts.push_back(text());
      auto next = batch(group.vote.current_term.value(), group.last() + 1, texts);
      perform(group, appending(write.group, {next}));
      write.append.push_back(std::move(next));
    }
    return write;
  }

  /// Most often an entry of the log; sometimes one it lacks, as when a leader sends its snapshot.
  log_start next_start(const model_group& group) {
    const auto was = group.start.before;
    const auto older = group.start.oldest_snapshot;
    const auto old = older + random_() % (was.index.value() - older.value() + 1);
    if (random_() % 8 == 0)
      return {{group.vote.current_term, log_index{group.last() + 1 + random_() % 5}}, 5, old};
    const auto forgotten = random_() % (group.entries.size() + 1);
    if (forgotten == 0)
      return was.index == log_index{} ? log_start{{group.vote.current_term, log_index{1 + group.last()}}, 6, {}}
                                      : log_start{was, group.start.time, old};
    return {{term_number{group.entries[forgotten - 1].term}, was.index + forgotten}, 7, old};
  }

  /// Zeros too: what a torn write leaves must be told from content.
  std::string text() {
    const auto size = random_() % 8 == 0 ? random_() % largest_content_ : random_() % 40;
    return std::string(size, random_() % 3 == 0 ? '\0' : static_cast<char>('a' + random_() % 26));
  }

  std::mt19937_64 random_;
  std::uint32_t groups_;
  std::size_t largest_content_;
  bool compacts_;
  model planned_;
};

} // namespace troupe::test
