#include "app/options/units.hpp"

#include <doctest/doctest.h>

using namespace troupe;
using namespace std::chrono_literals;

TEST_CASE("Times are read with their unit") {
  CHECK(parse_duration("250us") == 250us);
  CHECK(parse_duration("100ms") == 100ms);
  CHECK(parse_duration("5s") == 5s);
  CHECK(parse_duration("0ms") == 0ms);
  for (auto wrong : {"", "100", "ms", "1.5s", "-1s", " 1s", "1s ", "1 s", "1m", "1h", "1S", "9223372037s",
                     "99999999999999999999s", "0x10ms", "+1s"})
    CHECK_MESSAGE(!parse_duration(wrong), wrong);
}

TEST_CASE("Sizes are read with their unit, in powers of two only") {
  CHECK(parse_size("512B") == 512);
  CHECK(parse_size("4KiB") == 4096);
  CHECK(parse_size("64MiB") == 64u << 20);
  CHECK(parse_size("16GiB") == 16ull << 30);
  for (auto wrong : {"", "64", "64MB", "64kB", "64K", "1.5MiB", "-1B", "MiB", "64 MiB", "18014398509481984KiB"})
    CHECK_MESSAGE(!parse_size(wrong), wrong);
}

TEST_CASE("Counts are digits and nothing else") {
  CHECK(parse_count("0") == 0);
  CHECK(parse_count("18446744073709551615") == ~0ull);
  for (auto wrong : {"", "-1", "1.0", "1e3", "18446744073709551616", " 1", "one"})
    CHECK_MESSAGE(!parse_count(wrong), wrong);
}

TEST_CASE("What is written in units is read back as it was") {
  for (duration time : {duration{0us}, duration{1us}, duration{100ms}, duration{1500ms}, duration{1s}, duration{600s}})
    CHECK(parse_duration(duration_text(time)) == time);
  for (std::uint64_t size : {0ull, 1ull, 4096ull, 4097ull, 64ull << 20, 16ull << 30})
    CHECK(parse_size(size_text(size)) == size);
  CHECK(duration_text(1000ms) == "1s");
  CHECK(duration_text(500ms) == "500ms");
  CHECK(size_text(64u << 20) == "64MiB");
}
