#include "actors/log_quotes.hpp"

#include <doctest/doctest.h>

using namespace troupe;

TEST_CASE("nothing in the words of a log line ends its quotes or its line") {
  CHECK(in_log_quotes("") == R"("")");
  CHECK(in_log_quotes("plain words") == R"("plain words")");
  CHECK(in_log_quotes(R"(cluster "blue")") == R"("cluster \"blue\"")");
  CHECK(in_log_quotes(R"(a\" level=critical)") == R"("a\\\" level=critical")");
  CHECK(in_log_quotes("one\ntwo\x1b[31m\x7f") == R"("one\x0atwo\x1b[31m\x7f")");
  CHECK(in_log_quotes("caf\xc3\xa9") == "\"caf\xc3\xa9\"");
}
