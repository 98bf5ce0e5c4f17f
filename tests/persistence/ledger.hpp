/// \file
/// What a store has promised, and whether one that was found after a crash keeps it.
#pragma once

#include "snapshots.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace troupe::test {

/// All that was done must be there; of what was under way, each group's last vote or none, and the first so many
/// records, these only with all votes. Snapshots that were finished must be there as long as a durable start needs
/// them, and nothing else may be there but the one that was being written.
class ledger {
public:
  /// Submits as a peer does: first the snapshots that starts rely on.
  void submit(log_storage& log, std::vector<log_write> writes) {
    for (const auto& each : writes)
      if (each.start)
        save(log, each.group, {each.start->before, each.start->time});
    under_way_ = std::move(writes);
    log.submit(under_way_, [this] { is_done(); });
  }

  /// Writes a snapshot whose content follows from its place.
  void save(log_storage& log, group_id group, const snapshot_mark& at) {
    saving_ = {group.value(), at.at};
    test::save(log, group.value(), at, content_of(at.at));
    saved_.insert(*std::exchange(saving_, std::nullopt));
  }

  /// Is something submitted and not done?
  [[nodiscard]] bool is_waiting() const { return !under_way_.empty(); }
  [[nodiscard]] const model& done() const { return done_; }

  /// What is wrong with what was found; no words if it is allowed.
  [[nodiscard]] std::string objection(log_storage& found) const {
    model all;
    for (const auto& [group, content] : votes_after())
      all[group] = contents(found, group);
    if (!is_allowed(all))
      return "votes or entries are missing, or nobody wrote them";
    for (const auto& [group, content] : all)
      if (auto wrong = objection_to_snapshots(found, group); !wrong.empty())
        return wrong;
    return {};
  }

private:
  using place = std::pair<std::uint32_t, log_position>;

  /// Some have several chunks.
  static std::string content_of(const log_position& at) {
    return to_text(at) + (at.index.value() % 16 == 7 ? noise(at.index.value(), 70'000) : std::string{});
  }

  static model_group group_of(const model& all, std::uint32_t group) {
    const auto found = all.find(group);
    return found == all.end() ? model_group{} : found->second;
  }

  void is_done() {
    perform(done_, under_way_);
    under_way_.clear();
  }

  /// What is done, with the votes that are under way.
  [[nodiscard]] model votes_after() const {
    auto all = done_;
    for (const auto& each : under_way_) {
      auto& group = all[each.group.value()];
      if (each.vote)
        group.vote = *each.vote;
    }
    return all;
  }

  [[nodiscard]] bool is_allowed(const model& found) const {
    auto expected = done_;
    bool has_all_votes = true;
    for (const auto& [group, content] : votes_after()) {
      const auto vote = group_of(found, group).vote;
      if (vote != content.vote && vote != group_of(done_, group).vote)
        return false;
      has_all_votes = has_all_votes && vote == content.vote;
      expected[group].vote = vote;
    }
    if (found == expected)
      return true;
    if (!has_all_votes)
      return false;
    const auto matches_after = [&](log_write part) {
      part.vote = std::nullopt;
      perform(expected[part.group.value()], part);
      return found == expected;
    };
    for (const auto& each : under_way_) {
      auto start = log_write{each.group, std::nullopt, std::nullopt, {}};
      start.start = each.start;
      if (matches_after(start) || matches_after({each.group, std::nullopt, each.truncate_from, {}}))
        return true;
      for (const auto& one : each.append)
        if (matches_after(appending(each.group, {one})))
          return true;
    }
    return false;
  }

  [[nodiscard]] std::string objection_to_snapshots(log_storage& log, std::uint32_t group) const {
    const auto found = log.recover(group_id{group}, 0);
    std::set<place> there;
    for (std::size_t i = 0; i < found.snapshots.size(); ++i) {
      const auto& each = found.snapshots[i];
      const auto at = to_text(each.at);
      const place here{group, each.at};
      there.insert(here);
      if (!saved_.contains(here) && saving_ != here)
        return "a snapshot of " + at + " is there, which nobody wrote";
      if (each.at.index < found.start.oldest_snapshot)
        return "a snapshot of " + at + " is spoken of, though it is outdated";
      // Of two terms at one index, which no cluster has, the later one is read.
      const auto is_read = i + 1 == found.snapshots.size() || found.snapshots[i + 1].at.index != each.at.index;
      if (is_read && test::content_of(log, group, each.at.index.value()) != content_of(each.at))
        return "the snapshot of " + at + " has another content";
    }
    for (const auto& each : saved_)
      if (each.first == group && each.second.index >= found.start.oldest_snapshot && !there.contains(each))
        return "the snapshot of " + to_text(each.second) + " is missing";
    return {};
  }

  model done_;
  std::vector<log_write> under_way_;
  std::set<place> saved_;
  std::optional<place> saving_;
};

} // namespace troupe::test
