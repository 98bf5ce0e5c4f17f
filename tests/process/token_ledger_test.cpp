#include "tests/process/token_ledger.hpp"

#include <doctest/doctest.h>

using namespace troupe;

namespace {

using complaints = std::vector<std::string>;

// Three tokens, one after the other: 0 acknowledged as "0,", 1 of unknown outcome, 2 acknowledged.
struct three_written {
  three_written() {
    ledger.is_acknowledged(ledger.asks(), 2);
    (void)ledger.asks();
    ledger.is_acknowledged(ledger.asks());
  }

  complaints judge(std::string_view text) const {
    const auto found = parse_tokens(text);
    REQUIRE(found);
    return ledger.judge(*found);
  }

  token_ledger ledger;
};

} // namespace

TEST_CASE("The ledger of tokens has nothing to say where a token of unknown outcome is there once or not at all") {
  const three_written three;
  CHECK(three.judge("0,2,").empty());
  CHECK(three.judge("0,1,2,").empty());
  CHECK(three.judge("0,2,1,").empty()); // It may yet have taken effect.
}

TEST_CASE("The ledger of tokens finds a lost, a doubled, a foreign, a displaced and a refused token") {
  three_written three;
  CHECK(three.judge("0,") == complaints{"token 2 was acknowledged and is lost"});
  CHECK(three.judge("0,1,1,2,") == complaints{"token 1 is there twice"});
  CHECK(three.judge("0,2,2,") == complaints{"token 2 is there twice"});
  CHECK(three.judge("0,2,7,") == complaints{"token 7 is there and was never written"});
  CHECK(three.judge("2,0,")
        == complaints{"token 0 ends at byte 4, its answer said 2",
                      "token 2 was written after token 0 was acknowledged and stands before it"});
  CHECK(three.judge("1,0,2,").size() == 2);
  three.ledger.is_refused(three.ledger.asks());
  CHECK(three.judge("0,2,").empty());
  CHECK(three.judge("0,2,3,") == complaints{"token 3 is there and was refused as certainly not carried out"});
}

TEST_CASE("Tokens that were written together may be acknowledged in any order, but each stands behind what was known") {
  token_ledger ledger;
  const auto first = ledger.asks();
  const auto second = ledger.asks();
  const auto third = ledger.asks();
  ledger.is_acknowledged(first);
  ledger.is_acknowledged(third);
  CHECK(ledger.judge({{third, 2}, {second, 4}, {first, 6}}).empty());
  const auto later = ledger.asks();
  CHECK(ledger.judge({{first, 2}, {later, 4}, {third, 6}})
        == complaints{"token 3 was written after token 2 was acknowledged and stands before it"});
}

TEST_CASE("A text that ends within a token, or holds anything else, is no list of tokens") {
  CHECK(parse_tokens("").has_value());
  CHECK(parse_tokens("0,12,").value().back().end == 5);
  for (const auto* text : {"0,1", "0,,1,", "x,", "-1,", "0, 1,"})
    CHECK_FALSE(parse_tokens(text).has_value());
}
