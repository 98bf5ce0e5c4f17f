#include "app/demo_command.hpp"

#include "app/demo_cluster.hpp"
#include "app/demo_once.hpp"
#include "app/stop_signals.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iomanip>
#include <iostream>

namespace troupe {

namespace {

using namespace std::chrono_literals;

constexpr duration start_patience = 30s;
constexpr duration look_every = 200ms;

exit_code fail(const std::string& why) {
  std::cout.flush();
  std::cerr << "troupe demo: " << why << std::endl;
  return exit_code::failed;
}

// Where the data goes: as asked for, and then it stays; or a fresh directory that is removed when all went well.
struct workplace {
  std::string path;
  bool is_ours = false;

  static std::optional<workplace> open(const std::string& wanted, std::string& why) {
    std::error_code fault;
    if (!wanted.empty()) {
      std::filesystem::create_directories(wanted, fault);
      why = wanted + ": " + fault.message();
      return fault ? std::nullopt : std::optional{workplace{wanted, false}};
    }
    auto pattern = (std::filesystem::temp_directory_path(fault) / "troupe-demo-XXXXXX").string();
    if (!fault && ::mkdtemp(pattern.data()) != nullptr)
      return workplace{pattern, true};
    why = pattern + ": " + (fault ? fault.message() : std::strerror(errno));
    return std::nullopt;
  }

  void remove() const {
    std::error_code ignored;
    if (is_ours)
      std::filesystem::remove_all(path, ignored);
  }
};

void print_addresses(demo_cluster& cluster) {
  for (auto& each : cluster.members())
    std::cout << "  node " << each.id.value() << "   client " << to_string(each.client) << "   peer "
              << to_string(each.peer) << "   pid " << each.process->id() << '\n';
  std::cout.flush();
}

// The program as it can be typed here.
std::string typed(const std::filesystem::path& program) {
  std::error_code fault;
  auto near = std::filesystem::proximate(program, fault).string();
  return fault || near.starts_with("..") ? program.string() : near.find('/') == near.npos ? "./" + near : near;
}

void print_what_to_try(demo_cluster& cluster) {
  auto port = [&](std::size_t i) {
    return std::to_string(cluster.members()[i % cluster.members().size()].client.port);
  };
  std::cout << "\ntry\n"
            << "  redis-cli -p " << port(0) << " set greeting hello\n"
            << "  redis-cli -p " << port(1) << " get greeting\n"
            << "  redis-cli -p " << port(2) << " incr visits\n"
            << "  redis-benchmark -p " << port(0) << " -t set,get -P 32 -q\n"
            << "  " << typed(cluster.program()) << " status --at " << to_string(cluster.members()[0].client) << "\n"
            << "  kill -9 PID          (of the leader; then write on)\n"
            << "Ctrl-C stops all nodes that run by then.\n"
            << std::endl;
}

// Watches a running cluster and says what changes.
class watch {
public:
  explicit watch(demo_cluster& cluster) : cluster_{cluster} {}

  [[nodiscard]] bool has_lost_any() const { return has_lost_any_; }

  // False once nothing is left to watch.
  bool look() {
    bool any_running = false;
    for (auto& each : cluster_.members()) {
      if (each.process && each.process->ended())
        tell_end(each);
      any_running |= each.process.has_value();
    }
    tell_leader();
    return any_running;
  }

private:
  std::ostream& line() const {
    auto since = std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
    return std::cout << '[' << std::fixed << std::setprecision(1) << std::setw(8) << since << " s] ";
  }

  void tell_end(demo_cluster::member& one) {
    has_lost_any_ = true;
    line() << "node " << one.id.value() << " has ended: " << one.process->ended()->words() << "; its log is " << one.log
           << "\n             to have it back: " << typed(cluster_.program());
    for (const auto& word : cluster_.flags(one))
      std::cout << ' ' << word;
    std::cout << std::endl;
    one.process.reset();
  }

  void tell_leader() {
    auto found = cluster_.leader();
    auto id = found ? found->id : nobody;
    auto term = found ? found->term : term_;
    if (id == leader_ && term == term_)
      return;
    if (id == nobody)
      line() << "no leader" << std::endl;
    else
      line() << "node " << id.value() << " leads in term " << term.value() << std::endl;
    leader_ = id;
    term_ = term;
  }

  demo_cluster& cluster_;
  instant began_ = std::chrono::steady_clock::now();
  peer_id leader_;
  term_number term_;
  bool has_lost_any_ = false;
};

exit_code run_until_stopped(demo_cluster& cluster, stop_signals& stop, bool& keep_data) {
  if (auto wrong = cluster.start_all(start_patience))
    return fail(*wrong);
  print_addresses(cluster);
  print_what_to_try(cluster);
  watch watched{cluster};
  while (!stop.wait_for(look_every))
    if (!watched.look())
      return fail("all nodes have ended");
  // A node that has ended may have been started again by hand, on its data; and its log may be wanted.
  keep_data = watched.has_lost_any();
  std::cout << "stopping" << std::endl;
  if (auto wrong = cluster.stop_all(start_patience))
    return fail(*wrong);
  return exit_code::ok;
}

exit_code run_once(demo_cluster& cluster, stop_signals& stop) {
  if (auto wrong = prove_once(cluster, stop))
    return fail(*wrong);
  std::cout << "ok: every acknowledged write survived" << std::endl;
  return exit_code::ok;
}

} // namespace

exit_code run_demo(const demo_settings& settings) {
  stop_signals stop;
  std::string why;
  auto place = workplace::open(settings.directory, why);
  if (!place)
    return fail(why);
  std::error_code fault;
  auto program = std::filesystem::read_symlink("/proc/self/exe", fault);
  if (fault)
    return fail("/proc/self/exe: " + fault.message());
  auto code = exit_code::failed;
  bool keep_data = false;
  {
    demo_cluster cluster{{settings.peers, place->path, static_cast<std::uint16_t>(settings.client_port), {}},
                         program.string()};
    std::cout << "troupe demo: " << settings.peers << " nodes, data and logs in " << place->path << '\n' << std::endl;
    code = settings.once ? run_once(cluster, stop) : run_until_stopped(cluster, stop, keep_data);
  }
  if (code == exit_code::ok && !keep_data)
    place->remove();
  else if (place->is_ours)
    std::cerr << "troupe demo: data and logs are left in " << place->path << std::endl;
  return code;
}

} // namespace troupe
