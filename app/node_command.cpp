#include "app/node_command.hpp"

#include "actors/running_node.hpp"
#include "app/kv/store.hpp"
#include "app/resp/gateway.hpp"
#include "app/stop_signals.hpp"
#include "persistence/errors.hpp"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <random>

namespace troupe {

namespace {

constexpr std::size_t log_queue_lines = 8192;
// Files of the log, links, CAF's own: far more than they are.
constexpr std::uint64_t other_descriptors = 512;

// Logging never blocks Raft: lines wait in a queue for a thread that writes them, and if that one is slower, the oldest
// are overwritten.
void set_up_logging(const std::string& level) {
  spdlog::init_thread_pool(log_queue_lines, 1);
  auto logger =
      std::make_shared<spdlog::async_logger>("troupe", std::make_shared<spdlog::sinks::stderr_sink_mt>(),
                                             spdlog::thread_pool(), spdlog::async_overflow_policy::overrun_oldest);
  logger->set_pattern("time=%Y-%m-%dT%H:%M:%S.%fZ level=%l %v", spdlog::pattern_time_type::utc);
  logger->set_level(spdlog::level::from_str(level));
  spdlog::set_default_logger(std::move(logger));
}

// The last line on stderr. Written past the queue of the log: nothing may come between it and the end.
void say_last(const std::string& words) {
  auto line = "troupe node: " + words + '\n';
  [[maybe_unused]] auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

// Ends the process from whatever thread has found that the node cannot go on. Nothing is cleaned up: what was promised
// is on the disk, and everything else is better left unsaid.
[[noreturn]] void end_at_once(const node_end& end) {
  say_last(end.words);
  ::_exit(static_cast<int>(end.why == node_end::reason::bad_data ? exit_code::bad_data : exit_code::failed));
}

// Every client takes a file descriptor. Raises the limit as far as the system lets us, and says if that is not enough.
void make_room_for_clients(std::uint64_t clients) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= clients + other_descriptors)
    return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, clients + other_descriptors);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < clients + other_descriptors)
    spdlog::warn("event=few_descriptors max_clients={} limit={} remedy=\"raise ulimit -n\"", clients, limit.rlim_cur);
}

uuid draw_uuid(std::random_device& dice) {
  uuid drawn;
  std::uniform_int_distribution<int> byte{0, 255};
  for (auto& each : drawn.bytes)
    each = static_cast<std::uint8_t>(byte(dice));
  return drawn;
}

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

resp::gateway_options gateway_options_of(const node_settings& settings) {
  resp::gateway_options options;
  options.listen = settings.client;
  options.insecure = settings.insecure;
  options.limits = settings.client_limits;
  options.gather = settings.gather;
  options.max_clients = settings.max_clients;
  return options;
}

// Serves until a signal comes. Throws what `running_node` throws.
exit_code serve(const node_settings& settings, stop_signals& stop) {
  node_system_config config;
  caf::actor_system system{config};
  auto files = real_file_system();
  running_node node{system, *files, options_of(settings), std::make_shared<kv::store>(), end_at_once};
  auto opened = resp::spawn_gateway(system, node.peer(), gateway_options_of(settings));
  if (auto words = std::get_if<std::string>(&opened))
    throw listen_error{*words};
  auto& door = std::get<resp::gateway_door>(opened);
  std::cout << "ready id=" << settings.id.value() << " client=" << to_string(door.bound)
            << " peer=" << to_string(node.bound()) << std::endl;
  auto signal = stop.wait();
  spdlog::info("event=stopping signal={} sender={}", signal.number, signal.sender);
  caf::anon_send_exit(door.gateway, caf::exit_reason::user_shutdown);
  node.stop();
  // An impatient second signal ends what a stuck disk may hold up.
  stop.let_go();
  return exit_code::ok;
}

} // namespace

exit_code run_node(const node_settings& settings) {
  stop_signals stop;
  set_up_logging(settings.log_level);
  make_room_for_clients(settings.max_clients);
  auto code = exit_code::failed;
  std::string words;
  try {
    code = serve(settings, stop);
  } catch (const storage_error& fault) {
    code = exit_code::bad_data;
    words = fault.what();
  } catch (const std::exception& fault) {
    words = fault.what();
  }
  spdlog::shutdown();
  if (!words.empty())
    say_last(words);
  return code;
}

} // namespace troupe
