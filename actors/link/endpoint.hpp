/// \file
/// Where a node listens or is reached. A mind: parses words, touches no network.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// A host and a port. The host is a name or a numeric address, IPv6 ones without their brackets.
struct endpoint {
  std::string host;
  std::uint16_t port = 0; ///< 0: any free one (listening only).

  friend auto operator<=>(const endpoint&, const endpoint&) = default;
};

/// Reads `HOST:PORT` or `[V6]:PORT`. Nothing, if a part is missing, the port is not a number up to 65535, an IPv6
/// address has no brackets or is none, or the host holds a character no host name has.
[[nodiscard]] std::optional<endpoint> parse_endpoint(std::string_view text);

/// The inverse of `parse_endpoint`.
[[nodiscard]] std::string to_string(const endpoint& where);

/// Only this machine can reach it: 127.0.0.0/8, ::1, or `localhost`.
[[nodiscard]] bool is_loopback(const endpoint& where);

/// Whether a node may listen there. A link is not authenticated and not encrypted yet: whoever reaches the port can
/// claim to be a member. So anything but loopback is refused, in words for the operator, unless `insecure` says that
/// the network itself keeps strangers out. Mutual TLS will be the other way to have it allowed, and is asked about
/// here.
[[nodiscard]] std::optional<std::string> check_exposure(const endpoint& where, bool insecure);

} // namespace troupe
