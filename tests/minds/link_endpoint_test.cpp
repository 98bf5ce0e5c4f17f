#include "actors/link/backoff.hpp"
#include "actors/link/endpoint.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace troupe;

TEST_CASE("an endpoint reads as it is written") {
  for (const std::string text :
       {"127.0.0.1:7101", "localhost:0", "node-1.example.org:65535", "[::1]:80", "[fe80::1%eth0]:1"}) {
    const auto parsed = parse_endpoint(text);
    REQUIRE_MESSAGE(parsed, text);
    CHECK(to_string(*parsed) == text);
  }
  CHECK(parse_endpoint("[::1]:80")->host == "::1");
}

TEST_CASE("what is no endpoint is not taken for one") {
  for (const std::string text :
       {"", ":", "7101", "host", "host:", ":7101", "host:65536", "host:-1", "host:7x", "host: 7", "::1:80", "[::1]",
        "[::1:80", "[]:80", "[host]:80", "ho st:80", "host/x:80", "a:b:80", "host\n:80"})
    CHECK_FALSE_MESSAGE(parse_endpoint(text), text);
}

TEST_CASE("loopback is 127.0.0.0/8, ::1 and localhost") {
  for (const std::string host : {"127.0.0.1", "127.255.0.9", "::1", "localhost", "LocalHost", "::ffff:127.0.0.1"})
    CHECK_MESSAGE(is_loopback({host, 1}), host);
  for (const std::string host :
       {"0.0.0.0", "::", "128.0.0.1", "10.0.0.1", "127.1", "example.org", "localhost.example.org"})
    CHECK_FALSE_MESSAGE(is_loopback({host, 1}), host);
}

TEST_CASE("an address that strangers reach needs --insecure, and the refusal says so") {
  CHECK_FALSE(check_exposure({"127.0.0.1", 1}, false));
  CHECK_FALSE(check_exposure({"0.0.0.0", 1}, true));
  const auto words = check_exposure({"0.0.0.0", 7101}, false);
  REQUIRE(words);
  CHECK(words->find("0.0.0.0:7101") != std::string::npos);
  CHECK(words->find("--insecure") != std::string::npos);
}

TEST_CASE("waits double up to a bound, scattered, the same for the same seed, and begin anew after a success") {
  using namespace std::chrono_literals;
  const auto waits = [](std::uint64_t seed) {
    backoff wait{50ms, 1s, seed};
    std::vector<duration> all;
    for (int i = 0; i < 12; ++i)
      all.push_back(wait.after_failure());
    wait.reset();
    all.push_back(wait.after_failure());
    return all;
  };
  const auto one = waits(1);
  duration base = 50ms;
  for (std::size_t i = 0; i < 12; ++i, base = std::min<duration>(1s, 2 * base)) {
    CHECK(one[i] >= base * 3 / 4);
    CHECK(one[i] <= std::min<duration>(1s, base * 5 / 4));
  }
  CHECK(one.back() < 70ms);
  CHECK(one == waits(1));
  CHECK(one != waits(2));
}
