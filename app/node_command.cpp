#include "app/node_command.hpp"

#include "actors/logging.hpp"
#include "actors/running_node.hpp"
#include "app/kv/store.hpp"
#include "app/resp/gateway.hpp"
#include "app/stop_signals.hpp"
#include "persistence/errors.hpp"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <random>
#include <stdexcept>
#include <vector>

namespace troupe {

namespace {

constexpr std::size_t log_queue_lines = 8192;
// Files of the log, links, CAF's own: far more than they are.
constexpr std::uint64_t other_descriptors = 128;
// What a last word and the log's last lines may take.
constexpr unsigned last_seconds = 3;
// What clients and peers may take to hear of the end.
constexpr auto farewell = std::chrono::seconds{1};

// Logging never blocks Raft: lines wait in a queue for a thread that writes them, and if that one is slower, the oldest
// are overwritten.
void set_up_logging(const std::string& level) {
  spdlog::init_thread_pool(log_queue_lines, 1);
  auto logger =
      std::make_shared<spdlog::async_logger>("troupe", std::make_shared<spdlog::sinks::stderr_sink_mt>(),
                                             spdlog::thread_pool(), spdlog::async_overflow_policy::overrun_oldest);
  logger->set_pattern("time=%Y-%m-%dT%H:%M:%S.%fZ level=%l %v", spdlog::pattern_time_type::utc);
  logger->set_level(spdlog::level::from_str(level));
  log_to(std::move(logger));
}

// The last line on stderr. Written past the queue of the log: nothing may come between it and the end.
void say_last(const std::string& words) {
  auto line = "troupe node: " + words + '\n';
  [[maybe_unused]] auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

template <exit_code code>
void exit_now(int) {
  ::_exit(static_cast<int>(code));
}

// From here on the process ends with that code, soon, even if nobody reads its stderr.
template <exit_code code>
void end_soon() {
  ::signal(SIGALRM, exit_now<code>);
  ::alarm(last_seconds);
}

// Ends the process from whatever thread has found that the node cannot go on. Nothing is cleaned up: what was promised
// is on the disk, and everything else is better left unsaid.
[[noreturn]] void end_at_once(const node_end& end) {
  const bool bad_data = end.why == node_end::reason::bad_data;
  bad_data ? end_soon<exit_code::bad_data>() : end_soon<exit_code::failed>();
  say_last(end.words);
  ::_exit(static_cast<int>(bad_data ? exit_code::bad_data : exit_code::failed));
}

// Ends a process whose node has stopped. Its actors are not taken down one by one: a broker of CAF 0.17 that has ended
// keeps what still reaches it, and with it the sender, so the actor system might wait for ever; and whatever was
// promised is on the disk.
[[noreturn]] void leave() {
  end_soon<exit_code::ok>();
  // Not spdlog::shutdown: actors that are still ending may log, and would find no logger. Nor can an asynchronous
  // logger be asked to wait for its last line.
  while (spdlog::thread_pool()->queue_size() > 0)
    ::poll(nullptr, 0, 1);
  ::_exit(static_cast<int>(exit_code::ok));
}

// Waits until these have ended, a second each at most.
void await_end(caf::actor_system& system, const std::vector<caf::actor>& actors) {
  caf::scoped_actor self{system};
  for (const auto& each : actors)
    self->monitor(each);
  for (std::size_t i = 0; i < actors.size(); ++i)
    self->receive([](const caf::down_msg&) {}, caf::after(farewell) >> [] {});
}

// Every client takes a file descriptor, and without one left the node could not even write its log. Raises the limit as
// far as the system lets us; returns how many clients that leaves room for.
std::uint64_t make_room_for_clients(std::uint64_t clients) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    throw std::runtime_error{"cannot ask for the limit of open files"};
  if (limit.rlim_cur < clients + other_descriptors) {
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, clients + other_descriptors);
    (void)::setrlimit(RLIMIT_NOFILE, &limit);
    (void)::getrlimit(RLIMIT_NOFILE, &limit);
  }
  if (limit.rlim_cur >= clients + other_descriptors)
    return clients;
  if (limit.rlim_cur <= other_descriptors)
    throw std::runtime_error{"the limit of open files, " + std::to_string(limit.rlim_cur)
                             + ", leaves none for clients; raise it above " + std::to_string(other_descriptors)
                             + " (ulimit -n)"};
  logs().warn("event=few_descriptors max_clients={} limit={} remedy=\"raise ulimit -n\"",
              limit.rlim_cur - other_descriptors, limit.rlim_cur);
  return limit.rlim_cur - other_descriptors;
}

// Chance enters the program here and nowhere below: the disk's identity, and the seed of everything random.
node_options options_of(const node_settings& settings) {
  std::random_device dice;
  node_options options;
  options.cluster = settings.cluster;
  options.self = settings.id;
  for (const auto& each : settings.peers)
    options.peers.emplace(each.id, each.address);
  options.listen = settings.listen;
  options.insecure = settings.insecure;
  options.data_directory = settings.data_directory;
  options.segment_bytes = settings.segment_bytes;
  options.peer = settings.peer;
  options.peer.seed = std::uint64_t{dice()} << 32 | dice();
  options.fresh_uuid = draw_uuid(dice);
  return options;
}

resp::gateway_options gateway_options_of(const node_settings& settings, std::uint64_t max_clients) {
  resp::gateway_options options;
  options.listen = settings.client;
  options.insecure = settings.insecure;
  options.limits = settings.client_limits;
  options.together.output_bytes = settings.max_output_all;
  options.gather = settings.gather;
  options.max_clients = max_clients;
  options.together.input_bytes = settings.max_input_all;
  options.vanished_after = settings.client_vanished_after;
  return options;
}

// Serves until a signal comes, and ends the process. Throws what `running_node` throws.
[[noreturn]] void serve(const node_settings& settings, std::uint64_t max_clients, stop_signals& stop) {
  node_system_config config;
  auto files = real_file_system(); // Outlives every actor that writes.
  caf::actor_system system{config};
  running_node node{system, *files, options_of(settings), std::make_shared<kv::store>(), end_at_once};
  auto opened = resp::spawn_gateway(system, node.peer(), gateway_options_of(settings, max_clients));
  if (auto words = std::get_if<std::string>(&opened))
    throw listen_error{*words};
  auto& door = std::get<resp::gateway_door>(opened);
  std::cout << "ready id=" << settings.id.value() << " client=" << to_string(door.bound)
            << " peer=" << to_string(node.bound()) << std::endl;
  auto signal = stop.wait();
  logs().info("event=stopping signal={} sender={}", signal.number, signal.sender);
  // An impatient second signal ends what may hold this up.
  stop.let_go();
  const auto gateway = caf::actor_cast<caf::actor>(door.gateway);
  const auto peer = caf::actor_cast<caf::actor>(node.peer());
  caf::anon_send_exit(gateway, caf::exit_reason::user_shutdown);
  node.stop();
  await_end(system, {gateway, peer});
  leave();
}

} // namespace

exit_code run_node(const node_settings& settings) {
  stop_signals stop;
  set_up_logging(settings.log_level);
  auto code = exit_code::failed;
  std::string words;
  try {
    serve(settings, make_room_for_clients(settings.max_clients), stop);
  } catch (const storage_error& fault) {
    code = exit_code::bad_data;
    words = fault.what();
  } catch (const std::exception& fault) {
    words = fault.what();
  }
  spdlog::shutdown();
  say_last(words);
  return code;
}

} // namespace troupe
