#include "tests/support/course.hpp"

#include "actors/logging.hpp"
#include "stage/transcript.hpp"
#include "tests/support/logs.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace troupe {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Small, so that stories cross the borders of segments.
constexpr std::size_t segment_bytes = 64 << 10;

std::vector<peer_id> first_ids(int servers) {
  std::vector<peer_id> ids;
  for (int i = 0; i < servers; ++i)
    ids.emplace_back(static_cast<std::uint64_t>(i) + 1);
  return ids;
}

shared_bytes bytes_of(const std::string& command) {
  return shared_bytes{command};
}

using commands = std::vector<std::optional<std::string>>;

/// The state of a state machine: all commands up to an index, a line each.
std::string encode(std::uint64_t index, const commands& delivered) {
  std::string state;
  for (std::uint64_t i = 0; i < index; ++i)
    state += delivered[i].value_or("") + "\n";
  return state;
}

std::optional<commands> decode(std::string_view state) {
  commands all;
  while (!state.empty()) {
    const auto end = state.find('\n');
    if (end == state.npos)
      return std::nullopt;
    all.emplace_back(state.substr(0, end));
    state.remove_prefix(end + 1);
  }
  return all;
}

} // namespace

course::course(std::uint64_t seed, course_options options)
    : options_{std::move(options)}, chance_{seed * 1000003 + static_cast<std::uint64_t>(options_.servers)},
      runtime_{chance_.roll()}, network_{runtime_, chance_.fork()}, checker_{runtime_.judge(),
                                                                             first_ids(options_.servers)},
      connected_(static_cast<std::size_t>(options_.servers), 0), delivered_(static_cast<std::size_t>(options_.servers)),
      last_of_life_(static_cast<std::size_t>(options_.servers), 0) {
  log_by_virtual_time(runtime_);
  network_.set_reliable(options_.reliable);
  network_.watch([this](const peer_message& message) {
    if (logs().should_log(spdlog::level::trace))
      logs().trace(describe(message));
    checker_.leaves(message);
  });
  for (int i = 0; i < options_.servers; ++i) {
    std::function<std::shared_ptr<state_machine>(std::shared_ptr<state_machine>)> machine;
    if (options_.machine_of)
      machine = [this, i](auto delivering) { return options_.machine_of(i, std::move(delivering)); };
    nodes_.push_back(std::make_unique<stage_node>(stage_node_parts{
        runtime_, network_, checker_, peer_id{static_cast<std::uint64_t>(i) + 1}, group_id{},
        configuration::of(first_ids(options_.servers)), options_.peers_of ? options_.peers_of(i) : options_.peers,
        options_.real_log ? make_log_disk(chance_.roll(), segment_bytes) : make_memory_disk(), options_.latency,
        chance_.fork(), [this, i](const applied_command& command) { deliver(i, command); },
        [this, i](const installed_snapshot& snapshot) { install(i, snapshot); }, std::move(machine)}));
  }
  if (options_.begin_alone)
    return;
  for (int i = 0; i < options_.servers; ++i)
    nodes_[static_cast<std::size_t>(i)]->start();
  connect_all();
}

course::~course() {
  // Nobody speaks any more: what a story had watching is gone by now.
  for (const auto& node : nodes_)
    if (node->alive())
      node->crash();
  runtime_.strike();
  forget_virtual_time();
}

void course::fail(const std::string& what) {
  throw story_failed{"at " + std::to_string(runtime_.milliseconds()) + " ms: " + what};
}

std::string course::random_command() {
  return std::to_string(chance_.roll() >> 2);
}

void course::deliver(int server, const applied_command& command) {
  const auto at = static_cast<std::size_t>(server);
  const auto index = command.index.value();
  const auto who = "server " + std::to_string(server);
  std::string text{command.command.view()};
  const auto next = std::exchange(last_of_life_[at], index) + 1;
  // A no-op at the start of a term has an index of its own and is not delivered.
  if (options_.peers.term_start_no_op ? index < next : index != next)
    return runtime_.judge().fail(who + " applied out of order: index " + std::to_string(index));
  for (const auto& other : delivered_)
    if (index <= other.size() && other[index - 1] && *other[index - 1] != text)
      return runtime_.judge().fail(who + " committed a different value at index " + std::to_string(index));
  auto& mine = delivered_[at];
  if (mine.size() < index)
    mine.resize(index);
  mine[index - 1] = std::move(text);
  if (options_.snapshots && (index + 1) % 10 == 0)
    node(server).take_snapshot(command.index, encode(index, mine));
}

// What a snapshot holds replaces all that was delivered (section 2, state machine with snapshots).
void course::install(int server, const installed_snapshot& snapshot) {
  const auto at = static_cast<std::size_t>(server);
  auto commands = decode(snapshot.state.view());
  if (!commands || commands->size() != snapshot.index.value())
    return runtime_.judge().fail("server " + std::to_string(server) + " got a snapshot that is not of index "
                                 + std::to_string(snapshot.index.value()));
  for (std::size_t i = 0; i < commands->size(); ++i)
    for (const auto& other : delivered_)
      if (i < other.size() && other[i] && *other[i] != (*commands)[i])
        return runtime_.judge().fail("server " + std::to_string(server) + " got a snapshot with another command at "
                                     + std::to_string(i + 1));
  last_of_life_[at] = snapshot.index.value();
  delivered_[at] = std::move(*commands);
  ++installed_;
}

std::size_t course::largest_state_bytes() const {
  std::size_t most = 0;
  for (const auto& node : nodes_)
    most = std::max(most, node->disk().size_bytes());
  return most;
}

void course::set_connected(int server, bool on) {
  const auto id = node(server).id();
  connected_[static_cast<std::size_t>(server)] = on;
  for (int other = 0; other < servers(); ++other) {
    if (other == server || (on && !connected(other)))
      continue;
    network_.enable(id, node(other).id(), on);
    network_.enable(node(other).id(), id, on);
  }
}

void course::connect(int server) {
  set_connected(server, true);
}

void course::disconnect(int server) {
  set_connected(server, false);
}

void course::connect_all() {
  for (int i = 0; i < servers(); ++i)
    connect(i);
}

void course::crash(int server) {
  disconnect(server);
  node(server).crash();
}

void course::restart(int server) {
  if (node(server).alive())
    crash(server);
  last_of_life_[static_cast<std::size_t>(server)] = 0;
  node(server).start();
}

void course::sleep(duration span) {
  runtime_.run_for(span);
}

int course::check_one_leader() {
  for (int round = 0; round < 10; ++round) {
    sleep(milliseconds{450 + random(100)});
    std::map<std::uint64_t, int> leaders;
    for (int i = 0; i < servers(); ++i) {
      if (!connected(i))
        continue;
      const auto now = state(i);
      if (!now.is_leader)
        continue;
      if (leaders.contains(now.term.value()))
        fail("term " + std::to_string(now.term.value()) + " has two leaders");
      leaders[now.term.value()] = i;
    }
    if (!leaders.empty())
      return leaders.rbegin()->second;
  }
  fail("expected one leader, got none");
}

std::uint64_t course::check_terms() {
  std::optional<std::uint64_t> term;
  for (int i = 0; i < servers(); ++i) {
    if (!connected(i))
      continue;
    const auto theirs = state(i).term.value();
    expect(!term || *term == theirs, "servers disagree on the term");
    term = theirs;
  }
  return term.value_or(0);
}

void course::check_no_leader() {
  for (int i = 0; i < servers(); ++i)
    if (connected(i))
      expect(!state(i).is_leader, "server " + std::to_string(i) + " claims to lead, and nobody can");
}

commitment course::committed(std::uint64_t index) {
  commitment found;
  for (const auto& log : delivered_) {
    if (index > log.size() || !log[index - 1])
      continue;
    if (found.servers > 0 && found.command != *log[index - 1])
      fail("committed values differ at index " + std::to_string(index));
    ++found.servers;
    found.command = *log[index - 1];
  }
  return found;
}

start_reply course::start(int server, const std::string& command) {
  return node(server).begin_agreement(bytes_of(command)).value_or(start_reply{});
}

std::vector<start_reply> course::start_at_once(int server, const std::vector<std::string>& commands) {
  std::vector<std::shared_ptr<std::optional<start_reply>>> awaited;
  for (const auto& command : commands)
    awaited.push_back(runtime_.post<start_reply>(node(server).peer(), troupe::start{bytes_of(command)}));
  runtime_.settle();
  std::vector<start_reply> replies;
  for (const auto& reply : awaited)
    replies.push_back(reply->value_or(start_reply{}));
  return replies;
}

peer_state course::state(int server) {
  auto found = node(server).state();
  if (!found)
    fail("server " + std::to_string(server) + " does not answer");
  return *std::move(found);
}

script course::agree(std::string command, int expected, bool retry, std::uint64_t* index) {
  const auto deadline = runtime_.now() + seconds{10};
  int next = 0;
  while (runtime_.now() < deadline) {
    start_reply accepted;
    for (int i = 0; i < servers() && !accepted.is_leader; ++i) {
      next = (next + 1) % servers();
      if (connected(next))
        accepted = start(next, command);
    }
    if (!accepted.is_leader) {
      co_await runtime_.sleep(milliseconds{50});
      continue;
    }
    const auto patience = runtime_.now() + seconds{2};
    while (runtime_.now() < patience) {
      const auto found = committed(accepted.index.value());
      if (found.servers > 0 && found.servers >= expected && found.command == command) {
        *index = accepted.index.value();
        co_return;
      }
      co_await runtime_.sleep(milliseconds{20});
    }
    if (!retry)
      fail("no agreement on " + command.substr(0, 20) + " within 2 s");
  }
  fail("no agreement on " + command.substr(0, 20) + " within 10 s");
}

std::uint64_t course::one(const std::string& command, int expected, bool retry) {
  std::uint64_t index = 0;
  auto agreement = agree(command, expected, retry, &index);
  runtime_.finish(agreement);
  return index;
}

bool course::any_beyond(std::uint64_t term) {
  for (int i = 0; i < servers(); ++i)
    if (node(i).alive() && state(i).term.value() > term)
      return true;
  return false;
}

std::optional<std::string> course::wait(std::uint64_t index, int n, std::optional<std::uint64_t> start_term) {
  auto pause = milliseconds{10};
  for (int poll = 0; poll < 30; ++poll) {
    if (committed(index).servers >= n)
      break;
    sleep(pause);
    if (pause < seconds{1})
      pause *= 2;
    if (start_term && any_beyond(*start_term))
      return std::nullopt;
  }
  const auto found = committed(index);
  expect(found.servers >= n,
         "only " + std::to_string(found.servers) + " servers have index " + std::to_string(index) + ", wanted "
             + std::to_string(n));
  return found.command;
}

std::uint64_t course::requests() const {
  std::uint64_t sum = 0;
  for (const auto& node : nodes_)
    sum += network_.requests_received(node->id());
  return sum;
}

void course::end() {
  runtime_.judge().demand();
  expect(runtime_.milliseconds() <= 120'000, "the test took longer than 120 s");
  if (std::getenv("TROUPE_STATISTICS") == nullptr)
    return;
  std::size_t agreed = 0;
  for (const auto& log : delivered_)
    agreed = std::max(agreed, log.size());
  std::printf("  passed: %6.1f s  %d peers  %7llu RPCs  %9llu bytes  %5zu commands  %9llu steps\n",
              static_cast<double>(runtime_.milliseconds()) / 1000, servers(),
              static_cast<unsigned long long>(network_.counts().calls),
              static_cast<unsigned long long>(network_.counts().bytes), agreed,
              static_cast<unsigned long long>(runtime_.steps()));
}

} // namespace troupe
