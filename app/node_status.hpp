/// \file
/// What a node says of itself through `TROUPE STATUS`, read back.
#pragma once

#include "app/resp_client.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace troupe {

struct follower_status {
  peer_id id;
  log_index match;
  std::uint64_t lag = 0; ///< Entries of the leader's log that it is not known to have.
  bool connected = false;
  bool has_say = true; ///< As far as it has told this leader.
};

struct node_status {
  peer_id id;
  std::string role;
  term_number term;
  peer_id leader; ///< `nobody` if the node knows none.
  log_index commit;
  log_index applied;
  log_index last;
  log_index log_start; ///< Entries up to here are forgotten: the log begins behind it.
  log_index snapshot;
  std::uint64_t snapshot_bytes = 0;
  bool is_disk_full = false;
  bool has_say = true;                    ///< False: its log is to be repaired first.
  std::vector<follower_status> followers; ///< Only from a leader.
  std::string json;                       ///< As the node said it.
};

/// Reads the JSON of a node. Nothing if it is not what a node says.
[[nodiscard]] std::optional<node_status> read_status(const std::string& json);

/// As a table for people, with the numbers of the JSON.
[[nodiscard]] std::string status_table_text(const node_status& status);

/// Why there is no status.
struct no_status {
  bool reached = false; ///< Something answered, but not with a status.
  std::string why;
};

/// Asks the node at the other end of `client`.
[[nodiscard]] std::variant<node_status, no_status> ask_status(resp_client& client, duration timeout);

} // namespace troupe
