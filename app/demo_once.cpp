#include "app/demo_once.hpp"

#include <algorithm>
#include <iomanip>
#include <iostream>
#include <numeric>
#include <random>

namespace troupe {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t key_count = 1000;
constexpr std::size_t commands_at_once = 50;
constexpr duration step_patience = 30s;
constexpr duration reply_patience = 10s;

instant now() {
  return std::chrono::steady_clock::now();
}

using problem = std::optional<std::string>;

std::string name(peer_id id) {
  return "node " + std::to_string(id.value());
}

bool has_caught_up(const node_status& own, const node_status& leader) {
  if (own.applied < leader.commit)
    return false;
  for (const auto& each : leader.followers)
    if (each.id == own.id)
      return each.connected && each.match == leader.last;
  return own.id == leader.id;
}

// The proof, one step after the other. A step returns what went wrong.
class proof {
public:
  proof(demo_cluster& cluster, stop_signals& stop) : cluster_{cluster}, stop_{stop} {}

  problem run() {
    for (auto each : {&proof::start, &proof::find_first_leader, &proof::write_all, &proof::kill_leader,
                      &proof::read_all, &proof::restart_killed, &proof::stop_all}) {
      began_ = now();
      if (auto wrong = (this->*each)())
        return wrong;
    }
    return std::nullopt;
  }

private:
  void report(const std::string& what, const std::string& outcome = "") {
    auto took = std::chrono::duration_cast<std::chrono::milliseconds>(now() - began_).count();
    std::cout << "  " << std::left << std::setw(38) << what << std::right << std::setw(7) << took << " ms   " << outcome
              << std::endl;
  }

  // Looks every few milliseconds whether `done` says yes.
  template <class Done>
  problem await(const std::string& what, Done done) {
    auto deadline = now() + step_patience;
    while (!done()) {
      if (auto gone = cluster_.unexpected_end())
        return what + ": " + *gone;
      if (now() > deadline)
        return what + " took more than " + std::to_string(step_patience / 1s) + " s"
            + (last_trouble_.empty() ? "" : "; last trouble: " + last_trouble_);
      if (stop_.wait_for(10ms))
        return "interrupted";
    }
    return std::nullopt;
  }

  problem start() {
    if (auto wrong = cluster_.start_all(step_patience))
      return wrong;
    report(std::to_string(cluster_.members().size()) + " nodes started");
    return std::nullopt;
  }

  problem await_leader_after(term_number term) {
    return await("waiting for a leader after term " + std::to_string(term.value()), [&] {
      auto found = cluster_.leader();
      if (!found || found->term <= term)
        return false;
      leader_ = std::move(*found);
      return true;
    });
  }

  std::string leader_words() const { return name(leader_.id) + ", term " + std::to_string(leader_.term.value()); }

  problem find_first_leader() {
    auto wrong = await_leader_after(term_number{});
    if (!wrong)
      report("first leader", leader_words());
    return wrong;
  }

  problem kill_leader() {
    killed_ = leader_.id;
    cluster_.kill_hard(killed_);
    auto wrong = await_leader_after(leader_.term);
    if (!wrong)
      report("kill -9 of " + name(killed_) + ", next leader", leader_words());
    return wrong;
  }

  // A follower, if possible: it has to ask the leader before it may answer.
  peer_id reader() {
    for (const auto& each : cluster_.members())
      if (each.id != killed_ && each.id != leader_.id)
        return each.id;
    return leader_.id;
  }

  bool reopen(resp_client& client, peer_id to) {
    if (!client.is_open())
      client = resp_client::connect(cluster_.at(to).client, reply_patience);
    if (!client.is_open())
      last_trouble_ = client.trouble();
    return client.is_open();
  }

  static std::string key(std::size_t i) { return "demo:" + std::to_string(i); }
  std::string value(std::size_t i) const { return run_ + ":" + std::to_string(i); }

  // Sends one attempt for each of `left` and keeps those that were not acknowledged.
  void write_some(resp_client& client, std::vector<std::size_t>& left) {
    std::vector<std::size_t> again;
    for (std::size_t from = 0; from < left.size(); from += commands_at_once) {
      std::vector<std::vector<std::string>> commands;
      auto end = std::min(from + commands_at_once, left.size());
      for (auto i = from; i < end; ++i)
        commands.push_back({"SET", key(left[i]), value(left[i])});
      auto replies = client.call_all(commands, reply_patience);
      for (auto i = from; i < end; ++i) {
        const auto& reply = replies[i - from];
        if (reply.is_ok())
          continue;
        again.push_back(left[i]);
        ++(reply.is_lost() || reply.is_error("UNCERTAIN") ? unknown_ : refused_);
        last_trouble_ = reply.text;
      }
    }
    left = std::move(again);
  }

  // Writes until every key is acknowledged. Writing one again is safe whatever became of the first attempt: a SET done
  // twice is a SET done once. An outcome that was unknown is counted and told all the same.
  problem write_all() {
    std::vector<std::size_t> left(key_count);
    std::iota(left.begin(), left.end(), 0);
    resp_client client;
    auto wrong = await("writing 1,000 keys", [&] {
      if (reopen(client, leader_.id))
        write_some(client, left);
      return left.empty();
    });
    if (wrong)
      return wrong;
    auto outcome = "all acknowledged by " + name(leader_.id);
    if (unknown_ + refused_ > 0)
      outcome += "; written again: " + std::to_string(unknown_) + " of unknown outcome, " + std::to_string(refused_)
          + " refused (" + last_trouble_ + ")";
    report("1,000 keys written", outcome);
    last_trouble_.clear();
    return std::nullopt;
  }

  // A read that fails has changed nothing and may be asked again.
  problem read_some(resp_client& client, peer_id from, std::size_t first) {
    std::vector<std::vector<std::string>> commands;
    for (auto i = first; i < first + commands_at_once; ++i)
      commands.push_back({"GET", key(i)});
    std::vector<resp_reply> replies;
    auto wrong = await("reading 1,000 keys from " + name(from), [&] {
      if (!reopen(client, from))
        return false;
      replies = client.call_all(commands, reply_patience);
      return std::none_of(replies.begin(), replies.end(), [&](const auto& reply) {
        bool is_refused = reply.is_lost() || reply.what == resp_reply::kind::error;
        if (is_refused)
          last_trouble_ = reply.text;
        return is_refused;
      });
    });
    for (std::size_t i = 0; i < commands_at_once && !wrong; ++i)
      if (replies[i].what != resp_reply::kind::bulk || replies[i].text != value(first + i))
        wrong = key(first + i) + " was acknowledged as '" + value(first + i) + "' and is read from " + name(from)
            + " as '" + replies[i].text + "'";
    return wrong;
  }

  problem read_all() {
    resp_client client;
    auto from = reader();
    for (std::size_t first = 0; first < key_count; first += commands_at_once)
      if (auto wrong = read_some(client, from, first))
        return wrong;
    report("1,000 keys read back", "from " + name(from) + ", all as acknowledged");
    return std::nullopt;
  }

  problem restart_killed() {
    if (auto wrong = cluster_.start(killed_, step_patience))
      return wrong;
    log_index applied;
    auto wrong = await("catching up by " + name(killed_), [&] {
      auto own = cluster_.status_of(killed_);
      auto leader = cluster_.leader();
      if (!own || !leader || !has_caught_up(*own, *leader))
        return false;
      applied = own->applied;
      return true;
    });
    if (!wrong)
      report(name(killed_) + " restarted and caught up", "applied up to index " + std::to_string(applied.value()));
    return wrong;
  }

  problem stop_all() {
    auto wrong = cluster_.stop_all(step_patience);
    if (!wrong)
      report("all nodes stopped cleanly");
    return wrong;
  }

  demo_cluster& cluster_;
  stop_signals& stop_;
  instant began_;
  node_status leader_;
  peer_id killed_;
  std::size_t unknown_ = 0;
  std::size_t refused_ = 0;
  std::string last_trouble_;
  // Tells this run's values from those of an earlier one on the same data.
  std::string run_ = std::to_string(std::random_device{}());
};

} // namespace

std::optional<std::string> prove_once(demo_cluster& cluster, stop_signals& stop) {
  return proof{cluster, stop}.run();
}

} // namespace troupe
