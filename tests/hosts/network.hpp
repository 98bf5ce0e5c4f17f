/// \file
/// A network on one machine: hosts in network namespaces, and a router between them that can be told to misbehave.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace troupe::testing {

/// A network namespace. It lives as long as this, or a process in it, does.
class network_namespace {
public:
  /// Makes a new one. Throws `std::system_error` where that is not allowed.
  network_namespace();
  network_namespace(network_namespace&& other) noexcept;
  network_namespace& operator=(network_namespace&&) = delete;
  ~network_namespace();

  [[nodiscard]] int descriptor() const { return descriptor_; }

private:
  int descriptor_ = -1;
};

/// While it lives, what this thread does it does in there: sockets it makes and processes it starts stay there.
class inside {
public:
  explicit inside(const network_namespace& where);
  ~inside();
  inside(const inside&) = delete;
  inside& operator=(const inside&) = delete;

private:
  int home_;
};

/// Why there can be no such network here, in words; nothing if there can.
[[nodiscard]] std::optional<std::string> no_network_because();

/// Hosts 1 to n, each on a cable of its own to a router. All is well with a new one.
class host_network {
public:
  explicit host_network(std::size_t hosts);

  [[nodiscard]] std::size_t size() const { return hosts_.size(); }
  [[nodiscard]] const network_namespace& at(std::size_t host) const { return hosts_.at(host - 1); }
  /// The host's address; that of a host beyond the last leads nowhere: the router swallows what is sent to it.
  [[nodiscard]] static std::string address_of(std::size_t host) { return prefix_of(host) + ".2"; }

  /// Pulls the cable of a host, or puts it back. What is sent meanwhile is lost, or the sender is told there is no way.
  void unplug(std::size_t host);
  void plug(std::size_t host);

  /// The router swallows, or passes again, what `from` sends to `to`. The other way is another matter.
  void swallow(std::size_t from, std::size_t to);
  void pass(std::size_t from, std::size_t to);

  /// Takes the address away from a host, as a lost lease does, or gives it back.
  void remove_address(std::size_t host);
  void restore_address(std::size_t host);

  /// All cables in, nothing swallowed, every host has its address.
  void heal();

private:
  static std::string prefix_of(std::size_t host) { return "10.77." + std::to_string(host); }
  void lay_cable(std::size_t host);

  network_namespace router_;
  std::vector<network_namespace> hosts_;
};

} // namespace troupe::testing
