/// \file
/// What a connection remembers about its client, and the commands that ask nothing of the cluster.
#pragma once

#include "app/resp/commands.hpp"
#include "troupe/types.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace troupe::resp {

/// What a conversation may ask of whoever holds all of them.
class surroundings {
public:
  virtual ~surroundings() = default;
  /// Now, on the monotonic clock.
  [[nodiscard]] virtual instant now() const = 0;
  /// One line per connection, as CLIENT LIST shows them, in order of id.
  [[nodiscard]] virtual std::string client_list() const = 0;
  /// What CONFIG GET shows: names and values.
  [[nodiscard]] virtual std::span<const std::pair<std::string, std::string>> settings() const = 0;
};

/// A connection, as its node knows it.
struct client_identity {
  std::uint64_t id = 0;      ///< Unique within the life of the node; rises.
  std::string address;       ///< `host:port` of the client.
  std::string local_address; ///< `host:port` it came to.
  instant since;             ///< When it came.
};

/// A client's own settings.
struct session {
  client_identity who;
  std::string name;
  std::string library_name;
  std::string library_version;
  bool resp3 = false;

  /// Its line in CLIENT LIST, with the line end.
  [[nodiscard]] std::string description(instant now) const;
};

/// Carries out a command that this node answers alone (neither INFO nor TROUPE, which need to know the peer's state)
/// and appends the reply in the client's protocol. The command's arity is checked already.
void carry_out_locally(session& client, const surroundings& around, const command_description& command,
                       std::span<const std::string_view> arguments, std::string& out);

} // namespace troupe::resp
