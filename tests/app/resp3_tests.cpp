#include "app/resp/resp3.hpp"

#include <doctest/doctest.h>

#include <random>

using troupe::resp::append_as_resp3;

namespace {

std::string as_resp3(std::string_view reply) {
  auto out = std::string{};
  append_as_resp3(out, reply);
  return out;
}

} // namespace

TEST_CASE("only nulls differ between a RESP2 reply and its RESP3 form") {
  CHECK_EQ(as_resp3("$-1\r\n"), "_\r\n");
  CHECK_EQ(as_resp3("*-1\r\n"), "_\r\n");
  for (const auto* same : {"+OK\r\n", "-ERR x\r\n", ":-1\r\n", "$0\r\n\r\n", "$5\r\n$-1\r\n\r\n", "*0\r\n"})
    CHECK_EQ(as_resp3(same), same);
}

TEST_CASE("nulls inside arrays, nested ones too, are found - the same bytes inside a value are not") {
  CHECK_EQ(as_resp3("*3\r\n$1\r\na\r\n$-1\r\n:1\r\n"), "*3\r\n$1\r\na\r\n_\r\n:1\r\n");
  CHECK_EQ(as_resp3("*2\r\n*2\r\n$-1\r\n+x\r\n$-1\r\n"), "*2\r\n*2\r\n_\r\n+x\r\n_\r\n");
  CHECK_EQ(as_resp3("*2\r\n$7\r\n$-1\r\n$-\r\n$-1\r\n"), "*2\r\n$7\r\n$-1\r\n$-\r\n_\r\n");
}

TEST_CASE("bytes that are no reply pass unchanged") {
  for (const auto* same : {"", "$", "$5\r\nab", "$x\r\n", "*", "$99999999999999999999\r\n", "garbage"})
    CHECK_EQ(as_resp3(same), same);
}
