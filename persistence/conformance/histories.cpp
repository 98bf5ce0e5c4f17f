#include "persistence/conformance/histories.hpp"

#include "persistence/conformance/writes.hpp"

#include <algorithm>
#include <string>

namespace troupe::conformance {

namespace {

/// One content in eight is large enough to fill files; one in three is zeros, which must not be taken for nothing.
std::string draw_content(chance& luck) {
  const auto size = luck.once_in(8) ? luck.below(6000) : luck.below(40);
  return std::string(size, luck.once_in(3) ? '\0' : static_cast<char>('a' + luck.below(26)));
}

entry_batch draw_batch(chance& luck, const group_image& group) {
  std::vector<draft> entries;
  for (auto count = 1 + luck.below(4); count > 0; --count)
    entries.push_back({draw_content(luck), luck.once_in(6) ? entry_kind::no_op : entry_kind::command});
  const auto time_before = group.entries.empty() ? group.start.time : group.entries.back().leader_time;
  return batch(group.vote.current_term.value(), group.last().value() + 1, entries,
               time_before + static_cast<std::int64_t>(luck.below(3)));
}

/// Now and then the log begins behind its newest snapshot, or further back, if it has what is between; and only then
/// may a snapshot be outdated. Nothing is forgotten that no snapshot stands for.
std::optional<log_start> draw_start(chance& luck, const group_image& group) {
  if (group.snapshots.empty() || !luck.once_in(6))
    return std::nullopt;
  const auto& newest = group.snapshots.rbegin()->second.mark;
  if (newest.at.index < group.start.before.index)
    return std::nullopt;
  log_start start{newest.at, newest.time, newest.at.index};
  if (luck.once_in(2))
    start.oldest_snapshot =
        std::next(group.snapshots.begin(), static_cast<std::ptrdiff_t>(luck.below(group.snapshots.size())))->first;
  if (const auto room = newest.at.index - group.start.before.index; group.has(newest.at) && luck.once_in(2))
    if (const auto index = newest.at.index.value() - luck.below(room + 1); log_index{index} >= group.first()) {
      const auto& entry = group.at(log_index{index});
      start.before = {entry.term, log_index{index}};
      start.time = entry.leader_time;
    }
  return start;
}

log_write draw_write(chance& luck, group_id which, group_image group) {
  log_write write{which, std::nullopt, std::nullopt, {}};
  if (group.vote.current_term == term_number{} || luck.once_in(5)) {
    write.vote = hard_state{group.vote.current_term + (1 + luck.below(3)), peer_id{luck.below(4)}};
    group.vote = *write.vote;
  } else if (group.vote.voted_for == nobody && luck.once_in(3)) {
    write.vote = hard_state{group.vote.current_term, peer_id{1 + luck.below(3)}};
    group.vote = *write.vote;
  }
  if (const auto start = draw_start(luck, group)) {
    write.start = start;
    perform(group, starting(which, *start));
  }
  if (!group.entries.empty() && luck.once_in(4)) {
    const auto most = luck.once_in(10) ? group.entries.size() : std::min<std::size_t>(group.entries.size(), 6);
    write.truncate_from = log_index{group.last().value() - luck.below(most)};
    group.entries.resize(*write.truncate_from - group.first());
  }
  for (auto batches = luck.below(3); batches > 0; --batches) {
    write.append.push_back(draw_batch(luck, group));
    perform(group, appending(which, {write.append.back()}));
  }
  return write;
}

} // namespace

std::optional<snapshot_image> draw_snapshot(chance& luck, const group_image& group) {
  if (group.vote.current_term == term_number{})
    return std::nullopt; // Nothing was ever committed.
  auto earliest = std::max(log_index{1}, group.start.before.index);
  if (!group.snapshots.empty())
    earliest = std::max(earliest, group.snapshots.rbegin()->first);
  snapshot_image drawn;
  if (earliest >= group.first() && earliest <= group.last() && !luck.once_in(4)) {
    const auto index = earliest + luck.below(group.last() - earliest + 1);
    drawn.mark = {{group.at(index).term, index}, group.at(index).leader_time, 0};
  } else {
    const auto last_time = group.entries.empty() ? group.start.time : group.entries.back().leader_time;
    const auto index = std::max(earliest, group.last()) + (1 + luck.below(9));
    drawn.mark = {{group.vote.current_term, index}, last_time, 0};
  }
  if (const auto there = group.snapshots.find(drawn.mark.at.index);
      there != group.snapshots.end() && there->second.mark.at != drawn.mark.at)
    return std::nullopt; // Two entries at one index are not both committed.
  drawn.content = snapshot_text(luck.below(1000), 1 + (luck.once_in(6) ? luck.below(200'000) : luck.below(300)));
  return drawn;
}

std::uint64_t chance::next() {
  state_ += 0x9e3779b97f4a7c15ull;
  auto x = state_;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

std::vector<log_write> draw_writes(chance& luck, const store_image& held, std::uint32_t groups) {
  auto planned = held;
  std::vector<log_write> writes;
  for (auto count = 1 + luck.below(4); count > 0; --count) {
    const group_id which{static_cast<std::uint32_t>(luck.below(groups))};
    writes.push_back(draw_write(luck, which, planned[which]));
    perform(planned[which], writes.back());
  }
  return writes;
}

} // namespace troupe::conformance
