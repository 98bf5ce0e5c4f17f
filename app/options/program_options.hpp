/// \file
/// What the program was asked to do, as plain values: checked, complete, and independent of where each came from.
#pragma once

#include "actors/link/endpoint.hpp"
#include "app/resp/limits.hpp"
#include "troupe/peer_options.hpp"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace troupe {

/// One member of the cluster and the address at which the others reach it.
struct peer_address {
  peer_id id;
  endpoint address;
};

/// `troupe node`.
struct node_settings {
  peer_id id;
  std::vector<peer_address> peers; ///< Sorted by id; this node included.
  endpoint listen;                 ///< Where the peers' links are accepted.
  endpoint client;                 ///< Where Redis clients are accepted.
  std::string data_directory;
  std::string cluster;
  bool insecure = false; ///< Addresses other than loopback are wanted, though nothing is encrypted.
  std::uint64_t segment_bytes = 0;
  std::string log_level;
  peer_options peer;
  std::uint64_t max_clients = 0; ///< Redis connections at a time.
  duration client_vanished_after{};
  resp::client_limits client_limits;
  std::uint64_t max_input_all = 0;  ///< Commands of all of them that are not whole or wait for earlier ones, in bytes.
  std::uint64_t max_output_all = 0; ///< Replies that all of them have not taken, in bytes.
  gather_limits gather;
};

/// `troupe demo`.
struct demo_settings {
  std::uint64_t peers = 3;
  std::string directory;         ///< Empty: a fresh one, removed at the end.
  std::uint64_t client_port = 0; ///< 0: free ports are picked.
  bool once = false;
};

enum class output_format { table, json };

/// `troupe status`.
struct status_settings {
  endpoint at;
  output_format output = output_format::table;
  duration timeout{};
};

/// `troupe log`.
struct log_settings {
  enum class action { dump, verify };
  action what = action::verify;
  std::string directory; ///< A node's data directory.
  output_format output = output_format::table;
};

/// `troupe sim`.
struct sim_settings {
  std::uint64_t seed = 1; ///< 0: the one that the scenario names.
  std::uint64_t seeds = 100;
  std::uint64_t milliseconds = 60'000; ///< Virtual, of the first phase.
  std::uint64_t peers = 0;             ///< 0: by the seed.
  std::string faults = "all";
  double rate = 1.5; ///< Faults per second.
  bool plain_knobs = false;
  std::string plan;     ///< A file; empty: drawn.
  std::string scenario; ///< A file; empty: none.
  std::string mutant;   ///< A bug to be found, in a build that has them.
  std::string out = ".";
  bool tells = false;
  bool no_shrink = false;
  bool coverage = false;
  bool quiet = false;
  bool bench = false;
};

/// What to run: one alternative per verb.
using program_options = std::variant<node_settings, demo_settings, status_settings, log_settings, sim_settings>;

} // namespace troupe
