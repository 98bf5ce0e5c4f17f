// Plays a scenario, line by line. How it is read: scenario.cpp.
#include "stage/register_workload.hpp"
#include "stage/scenario.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

namespace {

using std::chrono::milliseconds;

std::string text(peer_id id) {
  return std::to_string(id.value());
}

/// How often a cluster is looked at while something is expected of it.
constexpr auto glance = milliseconds{5};

class player {
public:
  player(const scenario& story, stage_world& world, dice chance) : story_{story}, world_{world}, chance_{chance} {}

  void play() {
    for (const auto& [id, past] : story_.pasts)
      world_.preload(id, {past.term.value_or(past.log.empty() ? term_number{} : past.log.back()), nobody}, past.log);
    world_.start_all();
    world_.clients().let_ask(story_.clients_ask);
    for (const auto& each : story_.scenes) {
      scene_ = &each;
      wait();
      std::visit([&](const auto& what) { carry_out(what); }, each.what);
      last_line_ = each.line;
    }
  }

private:
  [[nodiscard]] duration now() { return world_.runtime().now() - world_.runtime().started_at(); }

  [[noreturn]] void fail(const std::string& why) {
    throw story_failed{story_.name + ", line " + std::to_string(scene_->line) + ", at " + to_text(now()) + ": \""
                       + scene_->words + "\", but " + why};
  }

  void wait() {
    if (scene_->is_absolute && now() > scene_->span)
      fail("it was to be at " + to_text(scene_->span) + ": line " + std::to_string(last_line_) + " took until now");
    world_.runtime().run_for(scene_->is_absolute ? scene_->span - now() : scene_->span);
  }

  // -- nodes ---------------------------------------------------------------------------------------------------------

  [[nodiscard]] std::vector<peer_id> ids() const {
    std::vector<peer_id> all;
    for (std::uint64_t id = 1; id <= world_.nodes(); ++id)
      all.emplace_back(id);
    return all;
  }

  [[nodiscard]] bool are_in_touch(peer_id a, peer_id b) {
    const auto& network = world_.network();
    return a == b || (world_.is_alive(a) && world_.is_alive(b) && !network.is_cut(a, b) && !network.is_cut(b, a));
  }

  /// What the nodes say of themselves, now.
  struct cluster {
    std::map<peer_id, peer_state> states;
    peer_id leader = nobody;   ///< With a majority in touch, and no later term among them.
    peer_id claimant = nobody; ///< With or without.
  };

  [[nodiscard]] bool has_majority(const cluster& seen, peer_id id) {
    std::uint64_t count = 0;
    for (const auto other : ids()) {
      if (!are_in_touch(id, other))
        continue;
      ++count;
      if (const auto state = seen.states.find(other);
          state != seen.states.end() && state->second.term > seen.states.at(id).term)
        return false;
    }
    return count > world_.nodes() / 2;
  }

  [[nodiscard]] cluster look() {
    cluster seen;
    for (const auto id : ids())
      if (auto state = world_.state(id))
        seen.states.emplace(id, *std::move(state));
    for (const auto& [id, state] : seen.states) {
      if (!state.is_leader)
        continue;
      if (seen.claimant == nobody || state.term > seen.states.at(seen.claimant).term)
        seen.claimant = id;
      if (has_majority(seen, id) && (seen.leader == nobody || state.term > seen.states.at(seen.leader).term))
        seen.leader = id;
    }
    return seen;
  }

  peer_id need_leader() {
    const auto seen = look();
    const auto id = seen.leader != nobody ? seen.leader : seen.claimant;
    if (id == nobody)
      fail("there is no leader");
    remember_leader(seen, id);
    return id;
  }

  void remember_leader(const cluster& seen, peer_id id) {
    known_leader_ = id;
    known_term_ = seen.states.at(id).term;
  }

  [[nodiscard]] std::vector<peer_id> followers() {
    const auto leader = need_leader();
    std::vector<peer_id> all;
    for (std::uint64_t i = 1; i < world_.nodes(); ++i)
      if (const auto id = peer_id{(leader.value() - 1 + i) % world_.nodes() + 1}; are_in_touch(leader, id))
        all.push_back(id);
    return all;
  }

  std::vector<peer_id> find(const cast_member& member) {
    using kind = cast_member::kind;
    switch (member.what) {
    case kind::number: return {peer_id{member.number}};
    case kind::leader: return {need_leader()};
    case kind::follower: {
      const auto all = followers();
      if (member.number > all.size())
        fail("the leader has only " + std::to_string(all.size()) + " in touch with it");
      return {all[member.number - 1]};
    }
    case kind::any: {
      auto all = ids();
      while (all.size() > member.number)
        all.erase(all.begin() + static_cast<std::ptrdiff_t>(chance_.below(all.size())));
      return all;
    }
    case kind::called: return {called_.at(member.name)};
    case kind::followers: return followers();
    case kind::all: break;
    }
    return ids();
  }

  std::vector<peer_id> find(const cast_list& list) {
    std::vector<peer_id> found;
    for (const auto& member : list)
      for (const auto id : find(member))
        if (std::find(found.begin(), found.end(), id) == found.end())
          found.push_back(id);
    return found;
  }

  // -- what is done --------------------------------------------------------------------------------------------------

  void strike(const std::string& nodes, const scene_fault& f) {
    auto read = std::get<fault>(parse_fault("at 0s " + f.verb + nodes + f.rest));
    read.at = now();
    if (read.lasts == duration::zero())
      read.lasts = for_good;
    world_.strike(read);
  }

  void carry_out(const scene_fault& f) {
    // Who that is, before any of it befalls.
    const auto nodes = find(f.nodes);
    const auto others = find(f.others);
    if (f.verb == "network")
      return strike("", f);
    if (f.verb == "split") {
      std::string side;
      for (const auto id : nodes)
        side += (side.empty() ? " " : ",") + text(id);
      return strike(side, f);
    }
    if (f.others.empty()) {
      for (const auto id : nodes)
        strike(' ' + text(id), f);
      return;
    }
    std::set<std::pair<peer_id, peer_id>> ways;
    for (const auto one : nodes)
      for (const auto other : others)
        if (one != other) {
          ways.emplace(one, other);
          if (f.both_ways)
            ways.emplace(other, one);
        }
    for (const auto& [from, to] : ways)
      strike(' ' + text(from) + " -> " + text(to), f);
  }

  void carry_out(const scene_healing& healing) {
    const auto nodes = find(healing.nodes);
    const auto is_one = [&](peer_id id) { return std::find(nodes.begin(), nodes.end(), id) != nodes.end(); };
    world_.end_faults([&](const fault& f) {
      return (healing.kinds.empty() || healing.kinds.contains(f.what))
          && (nodes.empty() || is_one(f.node) || is_one(f.other) || std::any_of(f.side.begin(), f.side.end(), is_one));
    });
  }

  void carry_out(const scene_question& question) {
    if (std::exchange(is_batch_over_, false))
      batch_.clear();
    for (const auto id : find(question.nodes))
      for (std::uint64_t i = 0; i < question.count; ++i) {
        const auto asked = world_.clients().ask_once(id, next_request(question.what));
        if (!asked)
          fail("node " + text(id) + " is down");
        batch_.emplace_back(*asked, question.what);
      }
  }

  workload::request next_request(operation what) {
    const auto key = "k" + std::to_string(chance_.below(3));
    if (what == operation::query)
      return {what, "get " + key, "get " + key};
    const auto words = "s" + std::to_string(++values_);
    auto value = words;
    value.resize(std::max(value.size(), story_.knobs.value_bytes), '.');
    return {what, "set " + key + ' ' + value, "set " + key + ' ' + words};
  }

  void carry_out(const scene_naming& naming) { called_[naming.name] = find(naming.node).front(); }

  // -- what is expected ----------------------------------------------------------------------------------------------

  void carry_out(const expectation& e) {
    is_batch_over_ = true;
    expected_ = find(e.nodes);
    changes_before_ = world_.leader_changes();
    const auto begin = now();
    if (e.what == expectation::subject::same_leader && known_leader_ == nobody)
      fail("no line before has met a leader");
    while (true) {
      const auto seen = look();
      const auto trouble = trouble_with(e, seen);
      const bool is_last = now() >= begin + e.span;
      if (e.when == expectation::mode::within ? !trouble.empty() && is_last : !trouble.empty())
        fail(trouble + ". " + in_words(seen));
      if (trouble.empty() && (is_last || e.when == expectation::mode::within)) {
        if (seen.leader != nobody && speaks_of_leader(e))
          remember_leader(seen, seen.leader);
        return;
      }
      world_.runtime().run_for(std::min<duration>(glance, begin + e.span - now()));
    }
  }

  static bool speaks_of_leader(const expectation& e) {
    using subject = expectation::subject;
    return e.what == subject::leader || e.what == subject::leader_is || e.what == subject::not_leader
        || e.what == subject::same_leader;
  }

  /// What is there instead of what is expected; nothing if it is what is expected.
  std::string trouble_with(const expectation& e, const cluster& seen) {
    using subject = expectation::subject;
    const auto if_not = [](bool holds, const std::string& otherwise) { return holds ? std::string{} : otherwise; };
    const auto who = seen.leader == nobody ? std::string{"nobody leads with a majority in touch"}
                                           : "node " + text(seen.leader) + " leads";
    switch (e.what) {
    case subject::leader: return if_not(seen.leader != nobody, who);
    case subject::no_leader:
      if (seen.claimant != nobody)
        return "node " + text(seen.claimant) + " believes to lead";
      return if_not(e.when != expectation::mode::throughout || world_.leader_changes() == changes_before_,
                    "somebody led meanwhile");
    case subject::leader_is: return if_not(seen.leader == expected_.front(), who);
    case subject::not_leader: return if_not(seen.leader != nobody && seen.leader != expected_.front(), who);
    case subject::same_leader:
      if (seen.leader != known_leader_)
        return who + ", and not node " + text(known_leader_);
      return if_not(seen.states.at(seen.leader).term == known_term_,
                    who + " term " + std::to_string(seen.states.at(seen.leader).term.value()) + ", and not term "
                        + std::to_string(known_term_.value()) + " any more");
    case subject::agreement: return trouble_with_agreement(seen, who);
    case subject::operations: return trouble_with_operations(e);
    case subject::quantity: return trouble_with_quantity(e, seen);
    case subject::log: return trouble_with_logs(e);
    case subject::seen: break;
    }
    for (std::size_t mark = 0; mark < sometimes_count; ++mark)
      if (name_of(static_cast<sometimes>(mark)) == e.word)
        return if_not(world_.marks().of(static_cast<sometimes>(mark)) > 0, "that was not seen");
    return "that is unknown";
  }

  std::string trouble_with_agreement(const cluster& seen, const std::string& who) {
    if (seen.leader == nobody)
      return who;
    const auto& leader = seen.states.at(seen.leader);
    for (const auto id : ids()) {
      if (!are_in_touch(seen.leader, id))
        continue;
      const auto found = seen.states.find(id);
      if (found == seen.states.end())
        return "node " + text(id) + " stands still";
      const auto& state = found->second;
      if (state.term != leader.term || state.leader != seen.leader)
        return "node " + text(id) + " does not follow node " + text(seen.leader);
      if (state.applied < world_.checker().committed() || state.applied != state.commit)
        return "node " + text(id) + " has applied " + std::to_string(state.applied.value()) + " of "
            + std::to_string(world_.checker().committed().value()) + " entries that are committed";
    }
    return {};
  }

  std::string trouble_with_operations(const expectation& e) {
    using outcome = expectation::outcome;
    using fate = operation_ledger::fate;
    std::map<std::string, std::uint64_t> tally;
    std::uint64_t all = 0;
    std::uint64_t count = 0;
    for (const auto& [id, what] : batch_) {
      const auto end = world_.ledger().end_of(id);
      const bool is_committed = world_.ledger().is_applied(id);
      ++tally[end == fate::open           ? "open"
                  : end == fate::answered ? "answered"
                  : end == fate::refused  ? "refused"
                                          : "uncertain"];
      tally["committed"] += is_committed ? 1 : 0;
      all += e.end != outcome::committed || what == operation::command ? 1 : 0;
      count += (e.end == outcome::committed && is_committed) || (e.end == outcome::answered && end == fate::answered)
              || (e.end == outcome::refused && end == fate::refused)
              || (e.end == outcome::uncertain && end == fate::uncertain)
          ? 1
          : 0;
    }
    if (e.count == 0 ? count == 0 : count >= e.count.value_or(all))
      return {};
    auto words = "of " + std::to_string(batch_.size()) + " operations";
    for (const auto& [what, number] : tally)
      words += (words.ends_with("operations") ? " " : ", ") + std::to_string(number) + " are " + what;
    return words;
  }

  std::string trouble_with_quantity(const expectation& e, const cluster& seen) {
    using measure = expectation::measure;
    std::uint64_t value = 0;
    if (e.of == measure::term)
      for (const auto& [id, state] : seen.states)
        value = std::max(value, state.term.value());
    else if (e.of == measure::commit)
      value = world_.checker().committed().value();
    else
      for (const auto id : ids())
        value = std::max<std::uint64_t>(value, world_.disk(id).size_bytes());
    const bool holds = e.comparison == "=" ? value == e.value
        : e.comparison == "!="             ? value != e.value
        : e.comparison == "<"              ? value < e.value
        : e.comparison == "<="             ? value <= e.value
        : e.comparison == ">"              ? value > e.value
                                           : value >= e.value;
    return holds ? std::string{} : "it is " + std::to_string(value);
  }

  std::string trouble_with_logs(const expectation& e) {
    for (const auto id : expected_) {
      const auto& disk = world_.disk(id);
      const auto count = disk.last().value();
      std::string log;
      bool holds = count == e.terms.size() || (e.and_more && count > e.terms.size());
      for (std::uint64_t i = 1; i <= count; ++i) {
        const auto term = disk.durable_at(log_index{i})->term;
        log += ' ' + std::to_string(term.value());
        holds = holds && (i > e.terms.size() || term == e.terms[i - 1]);
      }
      if (!holds)
        return "the log of node " + text(id) + " is" + (log.empty() ? " empty" : ":" + log);
    }
    return {};
  }

  std::string in_words(const cluster& seen) {
    std::string all;
    for (const auto id : ids()) {
      all += (all.empty() ? "Node " : "; ") + text(id) + ' ';
      const auto found = seen.states.find(id);
      if (found == seen.states.end()) {
        all += world_.is_alive(id) ? "stands still" : "is down";
        continue;
      }
      const auto& state = found->second;
      all += state.role;
      if (!state.is_leader && state.leader != nobody)
        all += " of " + text(state.leader);
      all += ", term " + std::to_string(state.term.value()) + ", log " + std::to_string(state.last.value())
          + ", commit " + std::to_string(state.commit.value()) + ", applied " + std::to_string(state.applied.value());
    }
    return all;
  }

  const scenario& story_;
  stage_world& world_;
  dice chance_;
  const scene* scene_ = nullptr;
  std::size_t last_line_ = 0;
  std::map<std::string, peer_id> called_;
  peer_id known_leader_ = nobody;
  term_number known_term_;
  /// What the lines since the last expectation have asked.
  std::vector<std::pair<operation_id, operation>> batch_;
  bool is_batch_over_ = false;
  std::uint64_t values_ = 0;
  // Of the expectation that is looked at.
  std::vector<peer_id> expected_;
  std::uint64_t changes_before_ = 0;
};

} // namespace

run_result play_scenario(const scenario& story, std::uint64_t seed, bool tells) {
  world_options options;
  options.knobs = story.knobs;
  options.tells = tells;
  const auto clients = [](const stage_knobs& knobs) {
    return make_register_workload(5, knobs.read_percent, knobs.value_bytes);
  };
  return play(seed, options, clients, [&](stage_world& world) { player{story, world, dice{~seed}}.play(); });
}

} // namespace troupe
