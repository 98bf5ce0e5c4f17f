#include "world/cluster.hpp"

#include "bytes.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace world {

namespace {

using namespace std::chrono_literals;

constexpr auto longest_scenario = 120s;
/// For a process to start, or to answer what it answers at once: a busy machine may take its time.
constexpr auto patience = 30s;

std::string name_of(int server) {
  return "server " + std::to_string(server);
}

/// The state machine of the course as of an index: all commands up to there.
std::string encoded_up_to(std::uint64_t index, const std::map<std::uint64_t, std::string>& commands) {
  byte_writer state;
  for (std::uint64_t i = 1; i <= index; ++i)
    state.put_bytes(commands.at(i));
  return state.take();
}

std::map<std::uint64_t, std::string> decoded(std::string_view state) {
  std::map<std::uint64_t, std::string> commands;
  byte_reader reader{state};
  while (!reader.is_at_end() && reader.is_whole())
    commands.emplace(commands.size() + 1, reader.take_sized());
  return reader.is_whole() ? commands : std::map<std::uint64_t, std::string>{};
}

} // namespace

cluster::cluster(int servers, std::uint64_t seed)
    : chance_{seed}, network_{loop_, seed + 1}, places_(static_cast<std::size_t>(servers)) {
  for (int server = 0; server < servers; ++server)
    begin_life(server);
  for (int server = 0; server < servers; ++server)
    await_boot(server);
  for (int server = 0; server < servers; ++server)
    connect(server);
  begun_ = clock::now();
}

cluster::~cluster() = default;

void cluster::connect(int server) {
  at(server).is_connected = true;
  set_ends(server, true);
}

void cluster::disconnect(int server) {
  at(server).is_connected = false;
  set_ends(server, false);
}

void cluster::set_ends(int server, bool on) {
  for (int other = 0; other < servers(); ++other) {
    if (on && !at(other).is_connected)
      continue;
    network_.enable(server, other, on);
    network_.enable(other, server, on);
  }
}

void cluster::begin_life(int server) {
  auto& place = at(server);
  auto living = std::make_shared<life>();
  living->disk = place.disk;
  place.living = living;
  const server_identity who{server, servers(), chance_()};
  living->process = std::make_unique<server_process>(
      loop_, who, [this, server, self = living.get()](frame f) { hear(server, *self, std::move(f)); },
      [this, server, self = living.get()] {
        self->has_ended = true;
        if (!self->is_to_end)
          fail(name_of(server) + " ended by itself: " + self->process->await_end().value_or("exit code 0"));
      });
  living->process->send({.kind = frame_kind::boot, .bytes = place.disk->state, .snapshot = place.disk->snapshot});
  network_.add_server(server,
                      [this, weak = std::weak_ptr{living}](int from, std::string request, network::call_end end) {
                        const auto called = weak.lock();
                        if (!called)
                          return end(std::nullopt);
                        const auto number = ++last_number_;
                        called->serving.emplace(number, std::move(end));
                        called->process->send(
                            {.kind = frame_kind::call, .number = number, .server = from, .bytes = std::move(request)});
                      });
}

void cluster::await_boot(int server) {
  const auto living = at(server).living;
  expect(wait_until([&] { return living->is_booted; }, patience), name_of(server) + " does not start");
}

void cluster::crash(int server) {
  disconnect(server);
  network_.delete_server(server);
  auto& place = at(server);
  if (!place.living)
    return;
  // What the dying instance saves goes where nobody will look.
  place.disk = std::make_shared<persister>(*place.disk);
  if (random(2) == 0)
    kill(server);
  place.living.reset();
}

/// The course's Kill(): the instance has a say in how it ends.
void cluster::kill(int server) {
  const auto living = at(server).living;
  living->is_to_end = true;
  living->process->send({.kind = frame_kind::kill});
  expect(wait_until([&] { return living->has_ended; }, patience), name_of(server) + " does not end when killed");
  const auto how = living->process->await_end();
  expect(!how, name_of(server) + " was to end and did so badly: " + how.value_or(""));
}

void cluster::restart(int server) {
  crash(server);
  begin_life(server);
  await_boot(server);
}

void cluster::hear(int server, life& from, frame f) {
  switch (f.kind) {
  case frame_kind::booted: from.is_booted = true; break;
  case frame_kind::call: place_call(server, f); break;
  case frame_kind::returned:
    if (const auto served = from.serving.extract(f.number))
      served.mapped()(f.yes ? std::optional{std::move(f.bytes)} : std::nullopt);
    break;
  case frame_kind::save: save(from, std::move(f)); break;
  case frame_kind::delivered: deliver(server, from, std::move(f)); break;
  case frame_kind::installed: install(server, from, f); break;
  case frame_kind::started:
  case frame_kind::state: answers_.emplace(f.number, std::move(f)); break;
  default: break;
  }
}

void cluster::place_call(int server, const frame& f) {
  network_.call(server, f.server, f.bytes,
                [weak = std::weak_ptr{at(server).living}, number = f.number](std::optional<std::string> reply) {
                  if (const auto caller = weak.lock())
                    caller->process->send({.kind = frame_kind::returned,
                                           .number = number,
                                           .yes = reply.has_value(),
                                           .bytes = std::move(reply).value_or("")});
                });
}

// The course's persister is a variable. This one takes a few milliseconds, and what it had not answered for is lost in
// a crash: then a promise that is made too early can be seen to be broken.
void cluster::save(life& from, frame f) {
  loop_.after(milliseconds{random(4)}, [weak = from.weak_from_this(), f = std::move(f)] {
    if (const auto saver = weak.lock()) {
      saver->disk->state = f.bytes;
      saver->disk->snapshot = f.snapshot;
      saver->process->send({.kind = frame_kind::saved, .number = f.number});
    }
  });
}

void cluster::deliver(int server, life& to, frame f) {
  const auto where = " at index " + std::to_string(f.index);
  expect(f.index == to.last_delivered + 1, name_of(server) + " delivers out of order" + where);
  to.last_delivered = f.index;
  expect_agreement(server, f.index, f.bytes);
  auto& commands = at(server).delivered;
  commands[f.index] = std::move(f.bytes);
  if (takes_snapshots_ && (f.index + 1) % 10 == 0)
    to.process->send({.kind = frame_kind::take_snapshot, .index = f.index, .bytes = encoded_up_to(f.index, commands)});
}

void cluster::install(int server, life& to, const frame& f) {
  const auto where = " a snapshot of index " + std::to_string(f.index);
  expect(f.index > to.last_delivered,
         name_of(server) + " installs" + where + " when it is at " + std::to_string(to.last_delivered));
  auto commands = decoded(f.bytes);
  expect(commands.size() == f.index, name_of(server) + " installs" + where + " that is of another");
  for (const auto& [index, command] : commands)
    expect_agreement(server, index, command);
  to.last_delivered = f.index;
  at(server).delivered = std::move(commands);
  ++installed_;
}

void cluster::expect_agreement(int server, std::uint64_t index, const std::string& command) const {
  for (int other = 0; other < servers(); ++other) {
    const auto found = at(other).delivered.find(index);
    expect(found == at(other).delivered.end() || found->second == command,
           name_of(server) + " delivers '" + command + "' at index " + std::to_string(index) + ", " + name_of(other)
               + " another command");
  }
}

std::size_t cluster::largest_state_bytes() const {
  std::size_t most = 0;
  for (const auto& place : places_)
    most = std::max(most, place.disk->state.size());
  return most;
}

std::size_t cluster::smallest_snapshot_bytes() const {
  auto least = places_.front().disk->snapshot.size();
  for (const auto& place : places_)
    least = std::min(least, place.disk->snapshot.size());
  return least;
}

std::uint64_t cluster::ask(int server, frame question) {
  question.number = ++last_number_;
  at(server).living->process->send(question);
  return question.number;
}

frame cluster::await_answer(int server, std::uint64_t number) {
  expect(wait_until([&] { return answers_.contains(number); }, patience), name_of(server) + " does not answer");
  return answers_.extract(number).mapped();
}

acceptance cluster::start(int server, const std::string& command) {
  return start_at_once(server, {command}).front();
}

std::vector<acceptance> cluster::start_at_once(int server, const std::vector<std::string>& commands) {
  if (!at(server).living)
    return std::vector<acceptance>(commands.size());
  std::vector<std::uint64_t> numbers;
  for (const auto& command : commands)
    numbers.push_back(ask(server, {.kind = frame_kind::start, .bytes = command}));
  std::vector<acceptance> answers;
  for (const auto number : numbers) {
    const auto f = await_answer(server, number);
    answers.push_back({f.yes, f.index, f.term});
  }
  return answers;
}

std::vector<role> cluster::connected_roles() {
  return roles(true);
}
std::vector<role> cluster::living_roles() {
  return roles(false);
}

std::vector<role> cluster::roles(bool of_connected_only) {
  std::vector<std::pair<int, std::uint64_t>> asked;
  for (int server = 0; server < servers(); ++server)
    if (at(server).living && (at(server).is_connected || !of_connected_only))
      asked.emplace_back(server, ask(server, {.kind = frame_kind::ask_state}));
  std::vector<role> answers;
  for (const auto& [server, number] : asked) {
    const auto f = await_answer(server, number);
    answers.push_back({server, f.yes, f.term});
  }
  return answers;
}

agreement cluster::delivered(std::uint64_t index) const {
  agreement found;
  for (const auto& place : places_)
    if (const auto it = place.delivered.find(index); it != place.delivered.end()) {
      ++found.servers;
      found.command = it->second; // Equal at all: `deliver` has seen to it.
    }
  return found;
}

void cluster::sleep(clock::duration span) {
  (void)wait_until([] { return false; }, span);
}

bool cluster::wait_until(const std::function<bool()>& reached, clock::duration limit) {
  const auto is_reached = loop_.run_until(reached, limit);
  expect(elapsed() <= longest_scenario, "the scenario takes more than 120 s");
  return is_reached;
}

void cluster::end() {
  for (int server = 0; server < servers(); ++server)
    if (at(server).living) {
      disconnect(server);
      kill(server);
      at(server).living.reset();
    }
}

} // namespace world
