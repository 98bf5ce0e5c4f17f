/// \file
/// A node on each host of a network, and what a test asks of them.
#pragma once

#include "app/child_process.hpp"
#include "app/node_status.hpp"
#include "tests/hosts/network.hpp"
#include "tests/process/program.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <vector>

/// Leaves a test that needs hosts where there can be none; ctest knows the word.
#define TROUPE_NEEDS_HOSTS()                                                                                           \
  if (const auto why = troupe::testing::no_network_because()) {                                                        \
    std::printf("skipped: this test needs network namespaces: %s\n", why->c_str());                                    \
    return;                                                                                                            \
  }

namespace troupe::testing {

using namespace std::chrono_literals;

/// Whatever must come comes by then; only what is broken takes as long.
inline constexpr duration patience = 60s;

/// The longest a node waits for a leader before it stands for election, as these nodes are started.
inline constexpr duration election_timeout = 1s;

using host_number = std::size_t;

/// Nodes 1 to n on hosts 1 to n. What still runs when this goes is killed.
class hosted_cluster {
public:
  /// Starts nothing yet. `members` may be more than there are hosts, and nobody answers at the addresses of the others,
  /// or fewer, and the last hosts are clients only.
  explicit hosted_cluster(std::size_t hosts, std::size_t members = 0);

  host_network network;

  [[nodiscard]] std::size_t size() const { return network.size(); }

  /// Starts the node of a host and waits until it is ready. It stands for election after at most `election_timeout`,
  /// unless the flags say otherwise.
  void start(host_number host, const std::vector<std::string>& flags = {});
  void start_all(const std::vector<std::string>& flags = {});
  void kill_hard(host_number host);

  /// A client of the node on `host`, from the host `from`.
  [[nodiscard]] resp_client client(host_number host, host_number from);
  [[nodiscard]] resp_client client(host_number host) { return client(host, host); }

  /// Says one command to a host's node, on the spot.
  [[nodiscard]] resp_reply call(host_number host, const std::vector<std::string>& words, duration timeout = 20s);

  /// Writes through whichever of `hosts` takes it, until one has.
  void must_set(const std::vector<host_number>& hosts, const std::string& key, const std::string& value);

  /// What a host's node says of itself, if it answers soon.
  [[nodiscard]] std::optional<node_status> status_of(host_number host);

  /// Waits until one of `hosts` leads, in a term above `above`, and a majority of them follows it; who that is.
  [[nodiscard]] node_status await_leader(const std::vector<host_number>& hosts, term_number above = {},
                                         duration within = patience);
  [[nodiscard]] node_status await_leader() { return await_leader(all()); }

  /// Waits until every host's node has applied what `leader` has committed by then.
  void await_agreement();

  [[nodiscard]] std::vector<host_number> all() const { return all_but(0); }
  [[nodiscard]] std::vector<host_number> all_but(host_number left_out) const;

  /// What a host's node has logged so far.
  [[nodiscard]] std::string log_of(host_number host) const { return contents(log_path(host)); }

private:
  [[nodiscard]] std::string log_path(host_number host) const {
    return directory_ / ("node-" + std::to_string(host) + ".log");
  }

  std::size_t members_;
  scratch_directory directory_;
  std::vector<std::optional<child_process>> nodes_;
};

/// That host's number, of a node that leads.
[[nodiscard]] inline host_number host_of(const node_status& leader) {
  return leader.id.value();
}

} // namespace troupe::testing
