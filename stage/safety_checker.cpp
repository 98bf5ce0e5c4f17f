#include "stage/safety_checker.hpp"

#include <algorithm>
#include <functional>
#include <type_traits>

namespace troupe {

namespace {

template <class Number>
std::string text(Number n) {
  return std::to_string(n.value());
}

/// Terms and indices of a story are small: one word holds both.
std::uint64_t key(log_index index, term_number term) {
  return term.value() << 32 | index.value();
}

} // namespace

safety_checker::safety_checker(verdict& judge, std::vector<peer_id> members)
    : judge_{judge}, members_{std::move(members)} {
  for (const auto id : members_) {
    auto disk = std::make_shared<durable_model>();
    disk->on_durable = [this, id](const log_write& write) { becomes_durable(id, write); };
    disk->on_recovered = [this, id](const hard_state& vote) { remember_vote(id, vote); };
    disk->on_written = [this, id](const log_write& write) { is_written(id, write); };
    disk->committed_at = [this](log_index index) -> std::optional<logged_entry> {
      if (index == log_index{} || index > committed())
        return std::nullopt;
      const auto& entry = ledger_[index.value() - 1];
      return logged_entry{entry.term, entry.checksum};
    };
    disks_.emplace(id, std::move(disk));
  }
}

void safety_checker::fail(const std::string& what) {
  judge_.fail(what);
}

void safety_checker::fail(const std::string& what, log_index entry) {
  std::string holders;
  for (const auto id : members_) {
    const auto& disk = *disks_.at(id);
    const auto* written = disk.written_at(entry);
    const auto* durable = disk.durable_at(entry);
    holders += (holders.empty() ? "node " : ", node ") + text(id) + ": "
        + (written == nullptr ? "none" : "of term " + text(written->term))
        + (written != nullptr && (durable == nullptr || durable->term != written->term) ? ", not durable" : "");
  }
  std::vector<std::string> details{"entry " + text(entry) + " in the logs, as written: " + holders};
  if (entry > log_index{} && entry <= committed()) {
    const auto& known = ledger_[entry.value() - 1];
    details.push_back(
        "entry " + text(entry) + " is committed as one of term " + text(known.term)
        + (known.committed_in == term_number{} ? "" : ", by an entry of term " + text(known.committed_in)));
  } else {
    details.push_back("entry " + text(entry) + " is not known to be committed; known is up to " + text(committed()));
  }
  judge_.fail(what, std::move(details));
}

void safety_checker::fail(const std::string& what, term_number elected) {
  std::string votes;
  for (const auto& [who, whom] : votes_)
    if (who.second == elected)
      votes += (votes.empty() ? "node " : ", node ") + text(who.first) + " for " + text(whom);
  std::vector<std::string> details{"votes that became durable in term " + text(elected) + ": "
                                   + (votes.empty() ? "none" : votes)};
  std::string knows;
  for (const auto id : members_)
    knows += (knows.empty() ? "node " : ", node ") + text(id) + ": " + text(disks_.at(id)->vote().current_term);
  details.push_back("terms on the disks: " + knows);
  judge_.fail(what, std::move(details));
}

void safety_checker::leaves(const peer_message& message) {
  std::visit(
      [&](const auto& m) {
        using type = std::decay_t<decltype(m)>;
        if constexpr (std::is_same_v<
                          type, timeout_now> || std::is_same_v<type, forward> || std::is_same_v<type, forward_reply>)
          check(m.about, "message");
        else
          check(m);
      },
      message);
}

void safety_checker::check(const envelope& about, std::string_view kind) {
  if (about.term > disks_.at(about.from)->vote().current_term)
    fail("peer " + text(about.from) + " sends a " + std::string{kind} + " of term " + text(about.term)
             + " while its disk knows only term " + text(disks_.at(about.from)->vote().current_term),
         about.term);
}

// I14: whose log may lack what it has acknowledged has no say in elections.
void safety_checker::check_say(peer_id id, const std::string& what) {
  if (disks_.at(id)->vote().lost != 0)
    fail("I14: peer " + text(id) + " " + what + ", and its log may lack what it has acknowledged");
}

void safety_checker::check(const request_vote& message) {
  check_say(message.about.from, "runs for leader");
  if (message.pre_vote)
    return;
  check(message.about, "request for votes");
  const auto own = votes_.find({message.about.from, message.about.term});
  if (own == votes_.end() || own->second != message.about.from)
    fail("peer " + text(message.about.from) + " asks for votes in term " + text(message.about.term)
             + " before its own vote is durable",
         message.about.term);
}

void safety_checker::check(const vote_reply& message) {
  check(message.about, "vote");
  if (message.granted)
    check_say(message.about.from, "grants a vote");
  if (message.pre_vote || !message.granted)
    return;
  const auto vote = votes_.find({message.about.from, message.about.term});
  if (vote == votes_.end() || vote->second != message.about.to)
    fail("peer " + text(message.about.from) + " grants a vote in term " + text(message.about.term)
             + " that is not durable",
         message.about.term);
}

void safety_checker::check(const append_entries& message) {
  check(message.about, "AppendEntries");
  check_leader(message);
  auto& sent = sent_[message.about.term];
  if (message.previous.index > log_index{})
    sent[message.previous.index.value()] = message.previous.term;
  auto next = message.previous.index.next();
  for (const auto& batch : message.batches) {
    if (batch.first() != next)
      return fail("peer " + text(message.about.from) + " leaves out entries: it sends " + text(batch.first())
                      + " behind " + text(next.before()),
                  next);
    next = batch.last().next();
    for (auto i = batch.first(); i < next; i = i.next())
      sent[i.value()] = batch.term();
  }
  check_commit(message.about.from, message.about.term, message.commit);
}

void safety_checker::check_leader(const append_entries& message) {
  const auto [leader, is_new] = leaders_.emplace(message.about.term, message.about.from);
  if (leader->second != message.about.from)
    return fail("peers " + text(leader->second) + " and " + text(message.about.from) + " both lead term "
                    + text(message.about.term),
                message.about.term);
  if (!is_new)
    return;
  const auto votes = std::count_if(members_.begin(), members_.end(), [&](peer_id member) {
    const auto cast = votes_.find({member, message.about.term});
    return cast != votes_.end() && cast->second == message.about.from;
  });
  if (!trusts_commits_ && static_cast<std::size_t>(votes) <= members_.size() / 2)
    return fail("peer " + text(message.about.from) + " leads term " + text(message.about.term) + " with "
                    + std::to_string(votes) + " votes of " + std::to_string(members_.size()),
                message.about.term);
  // Leader completeness (§5.4.3): a leader's log holds all that was committed in earlier terms.
  for (auto i = log_index{1}; i <= committed(); i = i.next()) {
    // A leader that won late, of a term that others have left behind, need not have what they committed since.
    if (ledger_[i.value() - 1].committed_in >= message.about.term)
      break;
    const auto* entry = disks_.at(message.about.from)->written_at(i);
    if (entry == nullptr || entry->term != ledger_[i.value() - 1].term)
      return fail("peer " + text(message.about.from) + " leads term " + text(message.about.term)
                      + " without committed entry " + text(i),
                  i);
  }
}

std::optional<term_number> safety_checker::term_in_log_of(peer_id leader, term_number term, log_index index) const {
  if (const auto of_term = sent_.find(term); of_term != sent_.end())
    if (const auto found = of_term->second.find(index.value()); found != of_term->second.end())
      return found->second;
  if (const auto* entry = disks_.at(leader)->written_at(index))
    return entry->term;
  return std::nullopt;
}

const logged_entry* safety_checker::durable_on_quorum(log_index index) const {
  // What a fault took with a disk counts: it was acknowledged while it was there.
  const auto holds = [&](peer_id id, term_number term) {
    const auto is_it = [&](const logged_entry* entry) { return entry != nullptr && entry->term == term; };
    return is_it(disks_.at(id)->durable_at(index)) || is_it(disks_.at(id)->taken_at(index));
  };
  for (const auto id : members_) {
    const auto* mine = disks_.at(id)->durable_at(index);
    if (mine == nullptr)
      continue;
    const auto holders =
        std::count_if(members_.begin(), members_.end(), [&](peer_id other) { return holds(other, mine->term); });
    if (static_cast<std::size_t>(holders) > members_.size() / 2)
      return mine;
  }
  return nullptr;
}

void safety_checker::commit_up_to(log_index index, const std::string& who) {
  const auto* last = durable_on_quorum(index);
  const auto committed_in =
      last == nullptr ? term_number{} : last->term; // Only an own entry commits what is before it.
  while (committed() < index) {
    const auto next = committed().next();
    const auto* entry = durable_on_quorum(next);
    if (entry == nullptr)
      return fail(who + " takes entry " + text(next) + " for committed, which no quorum has on disk", next);
    ledger_.push_back({entry->term, committed_in, entry->checksum});
  }
}

// A leader may be deposed before anybody, its own service included, has been told what it has committed: up to an entry
// of a term that it led, what a quorum acknowledged in that term.
log_index safety_checker::committed_while_leading(peer_id id) const {
  const auto& disk = *disks_.at(id);
  auto furthest = log_index{};
  for (const auto& [term, leader] : leaders_) {
    if (leader != id)
      continue;
    std::vector<log_index> copies{disk.last()};
    for (const auto member : members_)
      if (const auto found = acknowledged_.find({term, member}); found != acknowledged_.end() && member != id)
        copies.push_back(found->second);
    const auto needed = members_.size() / 2 + 1;
    if (copies.size() < needed)
      continue;
    std::sort(copies.begin(), copies.end(), std::greater<>{});
    const auto index = copies[needed - 1];
    if (const auto* entry = disk.durable_at(index); entry != nullptr && entry->term == term)
      furthest = std::max(furthest, index);
  }
  return furthest;
}

void safety_checker::check_commit(peer_id leader, term_number term, log_index commit) {
  if (trusts_commits_)
    return;
  if (commit > committed()) {
    // Only an entry of the leader's own term is committed by counting (§5.4.2, Figure 8).
    if (const auto own = term_in_log_of(leader, term, commit); own != term && commit > committed_while_leading(leader))
      fail("peer " + text(leader) + " commits entry " + text(commit) + " of an earlier term in term " + text(term)
               + " by counting copies",
           commit);
    commit_up_to(commit, "peer " + text(leader));
  }
  if (commit > log_index{} && commit <= committed()) {
    const auto in_log = term_in_log_of(leader, term, commit);
    if (in_log && *in_log != ledger_[commit.value() - 1].term)
      fail("peer " + text(leader) + " says that entry " + text(commit) + " is committed, and holds another one there",
           commit);
  }
}

void safety_checker::check(const append_reply& message) {
  check(message.about, "reply to AppendEntries");
  if (!message.success || message.match == log_index{})
    return;
  const auto* entry = disks_.at(message.about.from)->durable_at(message.match);
  if (entry == nullptr)
    return fail("peer " + text(message.about.from) + " acknowledges up to " + text(message.match)
                    + " while its disk ends at " + text(disks_.at(message.about.from)->last()),
                message.match);
  const auto theirs = term_in_log_of(message.about.to, message.about.term, message.match);
  if (theirs && *theirs != entry->term)
    fail("peer " + text(message.about.from) + " acknowledges entry " + text(message.match)
             + " while its disk holds another one there",
         message.match);
  auto& acknowledged = acknowledged_[{message.about.term, message.about.from}];
  acknowledged = std::max(acknowledged, message.match);
}

// A snapshot stands for what is committed. A leader may have committed entries that are delivered to nobody, and told
// nobody of them yet.
bool safety_checker::may_stand_for(peer_id id, log_position at) {
  if (at.index > committed()) {
    const auto justified = std::max(committed_while_leading(id), committed_by_leader(id));
    commit_up_to(std::min(justified, at.index), "peer " + text(id));
  }
  return at.index == log_index{} || (at.index <= committed() && ledger_[at.index.value() - 1].term == at.term);
}

void safety_checker::check(const install_snapshot& message) {
  check(message.about, "snapshot");
  const auto [leader, is_new] = leaders_.emplace(message.about.term, message.about.from);
  if (leader->second != message.about.from)
    return fail("peers " + text(leader->second) + " and " + text(message.about.from) + " both lead term "
                    + text(message.about.term),
                message.about.term);
  if (trusts_commits_)
    return;
  if (!may_stand_for(message.about.from, message.at))
    fail("peer " + text(message.about.from) + " sends a snapshot at " + text(message.at.index) + " of term "
             + text(message.at.term) + ", which is not what was committed there",
         message.at.index);
}

void safety_checker::check(const snapshot_reply& message) {
  check(message.about, "reply about a snapshot");
  if (message.match == log_index{})
    return;
  const auto& disk = *disks_.at(message.about.from);
  if (message.match > message.at.index || message.match > disk.last())
    fail("peer " + text(message.about.from) + " acknowledges a snapshot up to " + text(message.match)
         + " while its disk ends at " + text(disk.last()));
}

log_index safety_checker::committed_by_leader(peer_id id) const {
  // A leader delivers what it has just committed before anybody is told: what lies at or before an entry of its own
  // term that a quorum has on disk.
  const auto term = disks_.at(id)->vote().current_term;
  const auto leader = leaders_.find(term);
  auto justified = committed();
  if (members_.size() > 1 && (leader == leaders_.end() || leader->second != id))
    return justified;
  for (auto i = committed().next();; i = i.next()) {
    const auto* entry = durable_on_quorum(i);
    if (entry == nullptr)
      return justified;
    if (entry->term == term)
      justified = i;
  }
}

void safety_checker::installs(peer_id id, log_index index) {
  auto& last = delivered_[id];
  if (index < last)
    fail("the state of peer " + text(id) + " goes back from " + text(last) + " to " + text(index));
  last = index;
}

void safety_checker::delivers(peer_id id, log_index index, term_number term, std::string_view command) {
  auto& last = delivered_[id];
  if (index <= last)
    return fail("peer " + text(id) + " delivers entry " + text(index) + " twice", index);
  last = index;
  if (trusts_commits_)
    return;
  const auto who = "peer " + text(id);
  if (index > committed()) {
    auto justified = committed_by_leader(id);
    if (index > justified)
      justified = committed_while_leading(id);
    if (index > justified)
      return fail(who + " delivers entry " + text(index) + ", which nobody had any right to commit", index);
    commit_up_to(justified, who);
  }
  if (index > committed())
    return;
  const auto& entry = ledger_[index.value() - 1];
  if (entry.term != term)
    fail(who + " delivers entry " + text(index) + " of term " + text(term) + ", committed as one of term "
             + text(entry.term),
         index);
  if (entry.checksum && *entry.checksum != crc32c(command, static_cast<std::uint32_t>(entry_kind::command)))
    fail(who + " delivers another command at entry " + text(index) + " than was committed", index);
}

void safety_checker::remember_vote(peer_id id, const hard_state& vote) {
  const auto& before = disks_.at(id)->vote();
  if (vote.current_term < before.current_term)
    fail("the term of peer " + text(id) + " goes back on disk");
  if (vote.voted_for == nobody) {
    if (vote.current_term == before.current_term && before.voted_for != nobody)
      fail("peer " + text(id) + " takes back its vote in term " + text(vote.current_term), vote.current_term);
    return;
  }
  const auto [cast, is_new] = votes_.emplace(std::pair{id, vote.current_term}, vote.voted_for);
  if (cast->second != vote.voted_for)
    fail("peer " + text(id) + " votes twice in term " + text(vote.current_term) + ": for " + text(cast->second)
             + " and for " + text(vote.voted_for),
         vote.current_term);
}

void safety_checker::remember_entries(peer_id id, const log_write& write) {
  if (write.append.empty())
    return;
  const auto* entry_before = disks_.at(id)->written_at(write.append.front().first().before());
  auto before = entry_before == nullptr ? term_number{} : entry_before->term;
  for (const auto& batch : write.append)
    for (const auto view : batch) {
      // Log matching (§5.3): the same place, the same entry, the same predecessor.
      const auto here = place{checksum_of(view), before};
      const auto [known, is_new] = places_.emplace(key(view.index, batch.term()), here);
      if (known->second != here)
        return fail("peer " + text(id) + " holds another entry " + text(view.index) + " of term " + text(batch.term())
                        + " than others do, or has another one before it",
                    view.index);
      before = batch.term();
    }
}

void safety_checker::becomes_durable(peer_id id, const log_write& write) {
  if (on_durable)
    on_durable(id, write);
  if (write.vote)
    remember_vote(id, *write.vote);
  if (write.start && !trusts_commits_) {
    const auto& before = write.start->before;
    if (!may_stand_for(id, before))
      fail("peer " + text(id) + " forgets its log up to " + text(before.index) + " of term " + text(before.term)
               + ", which is not what was committed there",
           before.index);
  }
  if (write.truncate_from) {
    const auto& disk = *disks_.at(id);
    for (auto i = *write.truncate_from; i <= disk.last() && i <= committed(); i = i.next())
      if (disk.durable_at(i)->term == ledger_[i.value() - 1].term)
        return fail("peer " + text(id) + " cuts off entry " + text(i) + ", which is committed", i);
  }
}

void safety_checker::is_written(peer_id id, const log_write& write) {
  if (on_written)
    on_written(id, write);
  remember_entries(id, write);
  const auto leader = leaders_.find(disks_.at(id)->written_vote().current_term);
  if (write.truncate_from && !write.vote && leader != leaders_.end() && leader->second == id)
    fail("peer " + text(id) + " cuts its own log while it leads term " + text(leader->first));
  if (most_uncommitted_bytes_ && leader != leaders_.end() && leader->second == id)
    check_uncommitted(id, leader->first, write);
}

// What a leader has accepted and cannot have committed yet is bounded (I16).
void safety_checker::check_uncommitted(peer_id id, term_number term, const log_write& write) {
  const auto& disk = *disks_.at(id);
  std::size_t bytes = 0;
  for (auto i = std::max(committed(), committed_by_leader(id)).next(); i <= disk.last_written(); i = i.next())
    if (const auto* entry = disk.written_at(i); entry->term == term)
      bytes += entry->bytes;
  for (const auto& batch : write.append)
    if (batch.term() == term)
      bytes += batch.size_bytes();
  if (bytes > *most_uncommitted_bytes_ + entry_overhead_bytes) // The no-op that opens a term goes beside it.
    fail("I16: peer " + text(id) + " has accepted " + std::to_string(bytes)
         + " bytes that are not committed; its bound is " + std::to_string(*most_uncommitted_bytes_));
}

} // namespace troupe
