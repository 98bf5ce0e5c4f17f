#include "persistence/conformance/model.hpp"

#include <algorithm>

namespace troupe::conformance {

namespace {

void truncate(group_image& group, log_index from) {
  if (from <= group.last())
    group.entries.resize(from.value() - 1);
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

void perform(group_image& group, const log_write& write) {
  if (write.vote)
    group.vote = *write.vote;
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
      runs.push_back({log_index{i + 1}, group.entries[i].term});
  return runs;
}

std::size_t payload_bytes(const group_image& group, log_index first, log_index last) {
  std::size_t bytes = 0;
  for (auto index = first; index <= last; index = index.next())
    bytes += entry_overhead_bytes + group.entries[index.value() - 1].content.size();
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
    return log.entries == found.entries
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
  const auto both = std::min(expected.entries.size(), found.entries.size());
  for (std::size_t i = 0; i < both; ++i)
    if (expected.entries[i] != found.entries[i])
      return "at index " + std::to_string(i + 1) + " expected an " + words_of(expected.entries[i]) + ", found an "
          + words_of(found.entries[i]);
  if (expected.entries.size() != found.entries.size())
    return "expected " + std::to_string(expected.entries.size()) + " entries, found "
        + std::to_string(found.entries.size());
  return {};
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

} // namespace troupe::conformance
