#include "tests/hosts/network.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace troupe::testing {

namespace {

constexpr const char* own_namespace = "/proc/thread-self/ns/net";

[[noreturn]] void fail(const char* what) {
  throw std::system_error{errno, std::generic_category(), what};
}

int open_own_namespace() {
  const int descriptor = ::open(own_namespace, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    fail(own_namespace);
  return descriptor;
}

/// Runs a command line in a namespace; what it has to say goes to the test's stderr.
bool succeeds(const network_namespace& where, const std::string& line) {
  const inside there{where};
  return std::system(("PATH=$PATH:/usr/sbin:/sbin; " + line).c_str()) == 0;
}

/// Lines for `ip`, all in one process: starting it costs more than what it does.
std::string ip(const std::vector<std::string>& lines) {
  auto script = std::string{"printf '%s\\n'"};
  for (const auto& line : lines)
    script += " '" + line + "'";
  return script + " | ip -batch -";
}

void must(const network_namespace& where, const std::vector<std::string>& lines) {
  REQUIRE_MESSAGE(succeeds(where, ip(lines)), lines.front());
}

std::string path_of(const network_namespace& where) {
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(where.descriptor());
}

std::string port_of(std::size_t host) {
  return "port" + std::to_string(host);
}

} // namespace

network_namespace::network_namespace() {
  const int home = open_own_namespace();
  if (::unshare(CLONE_NEWNET) != 0) {
    const int fault = errno;
    ::close(home);
    errno = fault;
    fail("unshare(CLONE_NEWNET)");
  }
  descriptor_ = open_own_namespace();
  const bool back = ::setns(home, CLONE_NEWNET) == 0;
  ::close(home);
  if (!back)
    fail("setns");
}

network_namespace::network_namespace(network_namespace&& other) noexcept
    : descriptor_{std::exchange(other.descriptor_, -1)} {}

network_namespace::~network_namespace() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
}

inside::inside(const network_namespace& where) : home_{open_own_namespace()} {
  if (::setns(where.descriptor(), CLONE_NEWNET) != 0)
    fail("setns");
}

inside::~inside() {
  // There is no going on in the wrong network.
  if (::setns(home_, CLONE_NEWNET) != 0)
    std::abort();
  ::close(home_);
}

std::optional<std::string> no_network_because() {
  try {
    const network_namespace probe;
    {
      const inside there{probe};
      auto forwarding = std::ofstream{"/proc/sys/net/ipv4/ip_forward"};
      if (!(forwarding << 1 << std::flush))
        return "/proc/sys/net cannot be written";
    }
    // What is not allowed is found out by doing it.
    if (!succeeds(probe,
                  "(" + ip({"link add name a type veth peer name b", "rule add iif a to 10.77.0.0/16 blackhole"})
                      + ") 2>/dev/null"))
      return "ip (package iproute2) cannot make a pair of veth interfaces or a rule";
    return std::nullopt;
  } catch (const std::system_error& fault) {
    return fault.what();
  }
}

host_network::host_network(std::size_t hosts) : hosts_(hosts) {
  {
    const inside there{router_};
    std::ofstream{"/proc/sys/net/ipv4/ip_forward"} << 1;
  }
  must(router_, {"link set lo up", "route add blackhole 10.77.0.0/16"});
  for (std::size_t host = 1; host <= hosts; ++host)
    lay_cable(host);
}

void host_network::lay_cable(std::size_t host) {
  const auto port = port_of(host);
  must(router_,
       {"link add name " + port + " type veth peer name eth0 netns " + path_of(at(host)),
        "address add " + prefix_of(host) + ".1/24 dev " + port, "link set " + port + " up"});
  must(at(host), {"link set lo up", "link set eth0 up"});
  restore_address(host);
}

void host_network::unplug(std::size_t host) {
  must(router_, {"link set " + port_of(host) + " down"});
}

void host_network::plug(std::size_t host) {
  must(router_, {"link set " + port_of(host) + " up"});
}

void host_network::swallow(std::size_t from, std::size_t to) {
  must(router_, {"rule add iif " + port_of(from) + " to " + address_of(to) + " blackhole"});
}

void host_network::pass(std::size_t from, std::size_t to) {
  must(router_, {"rule delete iif " + port_of(from) + " to " + address_of(to) + " blackhole"});
}

void host_network::remove_address(std::size_t host) {
  must(at(host), {"address flush dev eth0 scope global"});
}

void host_network::restore_address(std::size_t host) {
  must(at(host),
       {"address replace " + address_of(host) + "/24 dev eth0", "route replace default via " + prefix_of(host) + ".1"});
}

void host_network::heal() {
  must(router_, {"rule flush", "rule add from all lookup main pref 32766"});
  for (std::size_t host = 1; host <= size(); ++host) {
    plug(host);
    restore_address(host);
  }
}

} // namespace troupe::testing
