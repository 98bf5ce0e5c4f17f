// The managed interface: a running node with a port, and, unless it is given one, an actor system of its own.
#include "actors/port/port.hpp"
#include "actors/running_node.hpp"
#include "persistence/file_system.hpp"
#include "troupe/node.hpp"
#include "troupe/node_port.hpp"

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <random>
#include <utility>

namespace troupe {

namespace {

/// The default. No destructors: actors are running, and nothing that was promised needs them.
void end_process(const node_end& end) {
  std::fprintf(stderr, "troupe: %s\n", end.words.c_str());
  std::_Exit(1);
}

endpoint parse_address(const std::string& name, const std::string& text) {
  if (auto parsed = parse_endpoint(text))
    return *std::move(parsed);
  throw std::invalid_argument{"node_config: " + name + ": \"" + text + "\" is no address; HOST:PORT or [V6]:PORT is"};
}

void require(bool holds, const std::string& words) {
  if (!holds)
    throw std::invalid_argument{"node_config: " + words};
}

void require_sound(const node_config& config) {
  require(config.id != nobody, "id is 0, which is nobody; a node's id is from 1");
  require(config.peers.contains(config.id), "peers does not name this node, " + std::to_string(config.id.value()));
  require(!config.peers.contains(nobody), "peers names 0, which is nobody");
  require(!config.data_directory.empty(), "data_directory is empty");
  require(!config.cluster.empty(), "cluster is empty");
  constexpr auto least_segment = std::size_t{4} << 10;
  constexpr auto most_segment = std::size_t{1} << 30;
  require(config.segment_bytes >= least_segment && config.segment_bytes <= most_segment,
          "segment_bytes (" + std::to_string(config.segment_bytes) + ") must be from 4 KiB to 1 GiB");
  if (const auto words = misfit(config.options); !words.empty())
    throw std::invalid_argument{"node_config: options: " + words};
  // A frame of a link holds 64 MiB; a request or a lot, and what goes with it, must fit in one.
  constexpr auto largest_message = std::size_t{32} << 20;
  const auto& limits = config.options.limits;
  require(limits.request_bytes <= largest_message && limits.proposal_bytes <= largest_message,
          "options.limits.request_bytes and proposal_bytes must be at most 32 MiB");
  const auto& gather = config.gather;
  require(gather.lot_bytes > 0 && gather.waiting_bytes > 0 && gather.unanswered_bytes > operation_cost_bytes
              && gather.lot_answer_bytes > 0 && gather.answer_bytes > 0,
          "gather has a bound so small that nothing could ever pass");
  require(config.gather.lot_bytes <= limits.proposal_bytes,
          "gather.lot_bytes (" + std::to_string(config.gather.lot_bytes)
              + ") must be at most options.limits.proposal_bytes (" + std::to_string(limits.proposal_bytes)
              + "): a full lot would always be refused");
}

/// Chance enters here, and nowhere below.
node_options options_of(const node_config& config) {
  require_sound(config);
  std::random_device dice;
  node_options options;
  options.cluster = config.cluster;
  options.self = config.id;
  for (const auto& [id, address] : config.peers)
    options.peers.emplace(id, parse_address("peers: " + std::to_string(id.value()), address));
  options.listen = config.listen.empty() ? options.peers.at(config.id) : parse_address("listen", config.listen);
  options.insecure = config.insecure;
  options.data_directory = config.data_directory;
  options.segment_bytes = config.segment_bytes;
  options.peer = config.options;
  if (!config.keep_seed)
    options.peer.seed = std::uint64_t{dice()} << 32 | dice();
  options.fresh_uuid = draw_uuid(dice);
  return options;
}

caf::actor_system& require_io(caf::actor_system& system) {
  if (!system.has_middleman())
    throw std::invalid_argument{"node: the actor system has no I/O; load<caf::io::middleman>() in its configuration"};
  return system;
}

void require_machine(const std::shared_ptr<state_machine>& machine) {
  if (!machine)
    throw std::invalid_argument{"node: there is no state machine"};
}

/// An actor system that was made for one node.
struct own_system {
  node_system_config config;
  caf::actor_system system{config};
};

} // namespace

/// Members end in the reverse order: first the node, last what its actors use.
struct node::inside {
  std::unique_ptr<file_system> files = real_file_system();
  std::optional<own_system> own;
  caf::actor_system& system;
  running_node running;
  peer_actor peer;
  node_port_actor port;
  port_actor public_port;
  std::string bound;
  std::once_flag stopped;

  inside(caf::actor_system* given, const node_config& config, std::shared_ptr<state_machine> machine)
      : system{given ? *given : own.emplace().system}, running{system, *files, options_of(config), std::move(machine),
                                                               config.on_end ? config.on_end : end_process},
        peer{running.peer()}, port{spawn_port(system, placement::io, peer, {config.gather})},
        public_port{port}, bound{to_string(running.bound())} {}

  ~inside() { stop(); }

  // Handles stay as they are: other threads may be about to use them.
  // Plain threads may call at the same time, and have no mailbox to take turns in: the later ones wait here.
  void stop() {
    std::call_once(stopped, [this] {
      running.stop();
      running.await_end();
      // The port hears of the peer's end, and answers what still waits.
      caf::scoped_actor self{system};
      self->monitor(port);
      self->receive([](const caf::down_msg&) {});
    });
  }

  void ask(operation what, std::string content, std::function<void(outcome)> then) const {
    caf::anon_send(port, call{what, std::move(content), std::make_shared<awaited_outcome>(std::move(then))});
  }
};

node::node(node_config config, std::shared_ptr<state_machine> machine) {
  require_machine(machine);
  inside_ = std::make_unique<inside>(nullptr, config, std::move(machine));
}

node::node(caf::actor_system& system, node_config config, std::shared_ptr<state_machine> machine) {
  require_machine(machine);
  inside_ = std::make_unique<inside>(&require_io(system), config, std::move(machine));
}

node::~node() = default;

void node::submit(std::string command, std::function<void(outcome)> then) {
  inside_->ask(operation::command, std::move(command), std::move(then));
}

void node::read(std::string query, std::function<void(outcome)> then) {
  inside_->ask(operation::query, std::move(query), std::move(then));
}

// A plain thread has no mailbox: here, and only here, one waits behind a std::promise.
std::future<outcome> node::submit(std::string command) {
  auto promised = std::make_shared<std::promise<outcome>>();
  submit(std::move(command), [promised](outcome how) { promised->set_value(std::move(how)); });
  return promised->get_future();
}

std::future<outcome> node::read(std::string query) {
  auto promised = std::make_shared<std::promise<outcome>>();
  read(std::move(query), [promised](outcome how) { promised->set_value(std::move(how)); });
  return promised->get_future();
}

peer_state node::state() const {
  caf::scoped_actor self{inside_->system};
  peer_state answer;
  self->request(inside_->peer, caf::infinite, ask_state{})
      .receive([&](peer_state& state) { answer = std::move(state); },
               [&](const caf::error&) { answer.role = "stopped"; });
  return answer;
}

std::string node::listening_at() const {
  return inside_->bound;
}

void node::stop() {
  inside_->stop();
}

const port_actor& port_of(const node& node) {
  return node.internals().public_port;
}

} // namespace troupe
