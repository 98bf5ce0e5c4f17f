#include "actors/link/endpoint.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace troupe {

namespace {

constexpr std::size_t longest_host = 255; // RFC 1035, and more than any numeric address needs.

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || fault != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return port;
}

bool is_v6(const std::string& host) {
  in6_addr address{};
  return inet_pton(AF_INET6, host.substr(0, host.find('%')).c_str(), &address) == 1;
}

bool is_host_name(std::string_view host) {
  const auto fits = [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_'; };
  return !host.empty() && host.size() <= longest_host && std::all_of(host.begin(), host.end(), fits);
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

} // namespace

std::optional<endpoint> parse_endpoint(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return std::nullopt;
  const auto port = parse_port(text.substr(colon + 1));
  if (!port)
    return std::nullopt;
  auto host = std::string{text.substr(0, colon)};
  if (!host.empty() && host.front() == '[') {
    if (host.size() < 2 || host.back() != ']')
      return std::nullopt;
    host = host.substr(1, host.size() - 2);
    return is_v6(host) ? std::optional{endpoint{std::move(host), *port}} : std::nullopt;
  }
  return is_host_name(host) ? std::optional{endpoint{std::move(host), *port}} : std::nullopt;
}

std::string to_string(const endpoint& where) {
  const auto port = std::to_string(where.port);
  return where.host.find(':') == std::string::npos ? where.host + ':' + port : '[' + where.host + "]:" + port;
}

bool is_loopback(const endpoint& where) {
  in_addr v4{};
  if (inet_pton(AF_INET, where.host.c_str(), &v4) == 1)
    return ntohl(v4.s_addr) >> 24 == 127;
  in6_addr v6{};
  if (inet_pton(AF_INET6, where.host.c_str(), &v6) == 1)
    return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
  return equal_ignoring_case(where.host, "localhost");
}

std::optional<std::string> check_exposure(const endpoint& where, bool insecure) {
  if (insecure || is_loopback(where))
    return std::nullopt;
  return "refusing to listen on " + to_string(where)
      + ": links between nodes are neither authenticated nor encrypted, and other machines can reach this address;"
        " listen on a loopback address, or pass --insecure if the network itself keeps strangers out";
}

} // namespace troupe
