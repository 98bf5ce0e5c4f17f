#include "persistence/conformance/model.hpp"

#include <algorithm>

namespace troupe::conformance {

namespace {

void truncate(group_image& group, log_index from) {
  if (from <= group.last())
    group.entries.resize(from - group.first());
}

void begin(group_image& group, const log_start& start) {
  if (group.has(start.before))
    group.entries.erase(group.entries.begin(),
                        group.entries.begin() + static_cast<std::ptrdiff_t>(start.before.index.next() - group.first()));
  else
    group.entries.clear();
  group.start = start;
  group.snapshots.erase(group.snapshots.begin(), group.snapshots.lower_bound(start.oldest_snapshot));
}

/// The first difference between the snapshots; empty if there is none.
std::string difference(const std::map<log_index, snapshot_image>& expected,
                       const std::map<log_index, snapshot_image>& found) {
  for (const auto& [index, wanted] : expected) {
    const auto at = found.find(index);
    if (at == found.end())
      return "expected the snapshot at " + words_of(wanted.mark) + ", found none there";
    if (at->second.mark != wanted.mark)
      return "expected the snapshot at " + words_of(wanted.mark) + ", found one at " + words_of(at->second.mark);
    if (at->second.content != wanted.content)
      return "the snapshot at " + words_of(wanted.mark) + " has another content";
  }
  for (const auto& [index, extra] : found)
    if (!expected.contains(index))
      return "expected no snapshot at " + words_of(extra.mark) + ", found one";
  return {};
}

std::string hexadecimal(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const auto each : bytes.substr(0, 16)) {
    text += digits[static_cast<unsigned char>(each) >> 4];
    text += digits[static_cast<unsigned char>(each) & 15];
  }
  return bytes.size() > 16 ? text + ".." : text;
}

} // namespace

bool group_image::has(const log_position& position) const {
  if (position.index == start.before.index)
    return position.term == start.before.term;
  return position.index >= first() && position.index <= last() && at(position.index).term == position.term;
}

void perform(group_image& group, const log_write& write) {
  if (write.vote)
    group.vote = *write.vote;
  if (write.start)
    begin(group, *write.start);
  if (write.truncate_from)
    truncate(group, *write.truncate_from);
  for (const auto& batch : write.append)
    for (const auto entry : batch)
      group.entries.push_back({batch.term(), batch.leader_time(), entry.kind, std::string{entry.content}});
}

void perform(store_image& all, const std::vector<log_write>& writes) {
  for (const auto& each : writes)
    perform(all[each.group], each);
}

std::vector<term_run> runs_of(const group_image& group) {
  std::vector<term_run> runs;
  for (std::size_t i = 0; i < group.entries.size(); ++i)
    if (runs.empty() || runs.back().term != group.entries[i].term)
      runs.push_back({group.first() + i, group.entries[i].term});
  return runs;
}

std::size_t payload_bytes(const group_image& group, log_index first, log_index last) {
  std::size_t bytes = 0;
  for (auto index = first; index <= last; index = index.next())
    bytes += entry_overhead_bytes + group.at(index).content.size();
  return bytes;
}

bool may_remain(const group_image& before, const std::vector<log_write>& under_way, group_id group,
                const group_image& found) {
  std::vector<hard_state> votes{before.vote};
  for (const auto& each : under_way)
    if (each.group == group && each.vote)
      votes.push_back(*each.vote);
  auto log = before;
  std::size_t votes_needed = 0;
  const auto matches = [&] {
    return log.start == found.start && log.entries == found.entries && log.snapshots == found.snapshots
        && std::find(votes.begin() + static_cast<std::ptrdiff_t>(votes_needed), votes.end(), found.vote) != votes.end();
  };
  if (matches())
    return true;
  std::size_t votes_so_far = 0;
  for (const auto& each : under_way) {
    if (each.group != group)
      continue;
    votes_so_far += each.vote ? 1 : 0;
    votes_needed = votes_so_far;
    if (each.start) {
      begin(log, *each.start);
      if (matches())
        return true;
    }
    if (each.truncate_from) {
      truncate(log, *each.truncate_from);
      if (matches())
        return true;
    }
    for (const auto& batch : each.append)
      for (const auto entry : batch) {
        log.entries.push_back({batch.term(), batch.leader_time(), entry.kind, std::string{entry.content}});
        if (matches())
          return true;
      }
  }
  return false;
}

std::string difference(const group_image& expected, const group_image& found) {
  if (expected.vote != found.vote)
    return "expected " + words_of(expected.vote) + ", found " + words_of(found.vote);
  if (expected.start != found.start)
    return "expected the log to begin " + words_of(expected.start) + ", found it to begin " + words_of(found.start);
  const auto both = std::min(expected.entries.size(), found.entries.size());
  for (std::size_t i = 0; i < both; ++i)
    if (expected.entries[i] != found.entries[i])
      return "at index " + std::to_string((expected.first() + i).value()) + " expected an "
          + words_of(expected.entries[i]) + ", found an " + words_of(found.entries[i]);
  if (expected.entries.size() != found.entries.size())
    return "expected " + std::to_string(expected.entries.size()) + " entries, found "
        + std::to_string(found.entries.size());
  return difference(expected.snapshots, found.snapshots);
}

std::string words_of(const hard_state& vote) {
  return "term " + std::to_string(vote.current_term.value()) + " with "
      + (vote.voted_for == nobody ? "no vote" : "a vote for " + std::to_string(vote.voted_for.value()));
}

std::string words_of(const entry_image& entry) {
  return "entry of term " + std::to_string(entry.term.value()) + ", time " + std::to_string(entry.leader_time)
      + ", kind " + std::to_string(static_cast<int>(entry.kind)) + ", " + std::to_string(entry.content.size())
      + " bytes " + hexadecimal(entry.content);
}

std::string words_of(const std::vector<term_run>& runs) {
  std::string text = "[";
  for (const auto& each : runs)
    text += (text.size() > 1 ? ", term " : "term ") + std::to_string(each.term.value()) + " from "
        + std::to_string(each.first.value());
  return text + "]";
}

std::string words_of(const log_start& start) {
  return "behind index " + std::to_string(start.before.index.value()) + " of term "
      + std::to_string(start.before.term.value()) + ", time " + std::to_string(start.time) + ", oldest snapshot "
      + std::to_string(start.oldest_snapshot.value());
}

std::string words_of(const snapshot_mark& mark) {
  return "index " + std::to_string(mark.at.index.value()) + " of term " + std::to_string(mark.at.term.value())
      + ", time " + std::to_string(mark.time) + ", " + std::to_string(mark.size_bytes) + " bytes";
}

} // namespace troupe::conformance
