#include "stage/durable_model.hpp"

#include "stage/state_words.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

namespace {

std::string text(log_index index) {
  return std::to_string(index.value());
}

} // namespace

std::uint32_t checksum_of(const entry_view& entry) {
  return crc32c(entry.content, static_cast<std::uint32_t>(entry.kind));
}

const logged_entry* durable_model::picture::at(log_index index) const {
  return index == log_index{} || index > last() ? nullptr : &log[index.value() - 1];
}

// Where a snapshot takes the place of a log that lacks its entries, these are what was committed there.
void durable_model::picture::begin_behind(log_position before, const durable_model& model) {
  start = std::max(start, before.index);
  const auto* mine = at(before.index);
  if (before.index == log_index{} || (mine != nullptr && mine->term == before.term))
    return;
  log.clear();
  for (auto i = log_index{1}; i <= before.index; i = i.next()) {
    const auto known = model.committed_at ? model.committed_at(i) : std::nullopt;
    log.push_back(known.value_or(logged_entry{i == before.index ? before.term : term_number{}, std::nullopt}));
  }
}

void durable_model::picture::apply(const log_write& write, const durable_model& model) {
  if (write.vote)
    vote = *write.vote;
  if (write.start)
    begin_behind(write.start->before, model);
  if (write.truncate_from && write.truncate_from->value() <= log.size())
    log.resize(write.truncate_from->value() - 1);
  for (const auto& batch : write.append)
    for (const auto entry : batch)
      log.push_back({batch.term(), checksum_of(entry), entry_overhead_bytes + entry.content.size()});
}

std::size_t durable_model::size_bytes() const {
  std::size_t sum = sizeof(hard_state) + sizeof(log_position);
  for (auto i = durable_.start.next(); i <= durable_.last(); i = i.next())
    sum += durable_.at(i)->bytes;
  return sum;
}

void durable_model::submitted(const std::vector<log_write>& writes) {
  for (const auto& write : writes) {
    if (on_written)
      on_written(write);
    written_.apply(write, *this);
    unsynced_.push_back(write);
  }
}

void durable_model::synced() {
  for (const auto& write : unsynced_) {
    if (on_durable)
      on_durable(write);
    durable_.apply(write, *this);
  }
  unsynced_.clear();
}

// A loss is repaired by a write like any other. Else it stays, or there is a later one.
bool durable_model::may_find_loss(std::uint64_t lost) const {
  return lost == durable_.vote.lost || lost > newest_loss_
      || std::any_of(unsynced_.begin(), unsynced_.end(),
                     [lost](const log_write& write) { return write.vote && write.vote->lost == lost; });
}

// A snapshot stands for what it covers; and where it is not of the log that was there, that log is void.
std::optional<std::string> durable_model::lost_since(const picture& found, log_index covered) const {
  if (found.vote.current_term < durable_.vote.current_term)
    return "it was in " + in_words(durable_.vote) + ", and would be in " + in_words(found.vote);
  if (found.vote.current_term == durable_.vote.current_term && durable_.vote.voted_for != nobody
      && found.vote.voted_for != durable_.vote.voted_for)
    return "it was in " + in_words(durable_.vote) + ", and would be in " + in_words(found.vote);
  if (!may_find_loss(found.vote.lost))
    return "it said that it had lost something, loss " + std::to_string(durable_.vote.lost) + ", and now says "
        + std::to_string(found.vote.lost);
  // What was being cut off may be gone or not; what lies before it may not.
  auto kept = durable_.last();
  for (const auto& write : unsynced_)
    if (write.truncate_from && *write.truncate_from <= kept)
      kept = write.truncate_from->before();
  if (covered > log_index{})
    if (const auto* before = durable_.at(covered); before == nullptr || before->term != found.at(covered)->term)
      kept = std::min(kept, covered);
  for (auto i = covered.next(); i <= kept; i = i.next())
    if (const auto* entry = found.at(i); entry == nullptr || entry->term != durable_.at(i)->term)
      return "entry " + text(i) + " is lost";
  return std::nullopt;
}

std::optional<std::string> durable_model::recovered(const recovered_group& group) {
  picture found;
  found.vote = group.vote;
  found.log.assign(
      written_.log.begin(),
      written_.log.begin()
          + static_cast<std::ptrdiff_t>(std::min<std::size_t>(written_.log.size(), group.start.before.index.value())));
  found.begin_behind(group.start.before, *this);
  for (std::size_t run = 0; run < group.terms.size(); ++run) {
    const auto end = run + 1 < group.terms.size() ? group.terms[run + 1].first : group.last.next();
    for (auto i = group.terms[run].first; i < end; i = i.next()) {
      const auto* known = written_.at(i);
      const bool same = known != nullptr && known->term == group.terms[run].term;
      found.log.push_back({group.terms[run].term, same ? known->checksum : std::nullopt, same ? known->bytes : 0});
    }
  }
  if (group.start.before.index > log_index{}
      && (group.snapshots.empty() || group.snapshots.back().at.index < group.start.before.index))
    return "no snapshot stands for what its log has forgotten";
  const auto covered =
      group.snapshots.empty() ? log_index{} : std::max(group.start.before.index, group.snapshots.back().at.index);
  if (!group.snapshots.empty()) // The peer takes it for the log's beginning, if the log does not go that far.
    if (const auto& newest = group.snapshots.back().at;
        found.at(newest.index) == nullptr || found.at(newest.index)->term != newest.term)
      found.begin_behind(newest, *this);
  auto loss = lost_since(found, covered);
  // A loss that is declared is no silent one; whether there was cause for it is another question.
  const bool declares = found.vote.lost > newest_loss_;
  const auto& promised = durable_.vote;
  const bool keeps_vote = found.vote.current_term > promised.current_term // One that was on its way, and came.
      || (found.vote.current_term == promised.current_term
          && (promised.voted_for == nobody || found.vote.voted_for == promised.voted_for));
  if (declares && keeps_vote)
    loss.reset();
  gone_unnoticed_ = is_doubted_ && !is_forgiven_ ? std::exchange(loss, std::nullopt) : std::nullopt;
  if (on_recovered && !is_forgiven_ && !gone_unnoticed_)
    on_recovered(found.vote);
  if (is_forgiven_ || declares || gone_unnoticed_)
    taken_ = durable_;
  newest_loss_ = is_forgiven_ ? found.vote.lost : std::max(newest_loss_, found.vote.lost);
  durable_ = found;
  written_ = std::move(found);
  unsynced_.clear();
  return std::exchange(is_forgiven_, false) ? std::nullopt : loss;
}

} // namespace troupe
