#include "tests/process/register_history.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <random>

using namespace troupe;

namespace {

using kind = register_operation::kind;

register_operation operation(kind what, const std::string& value, int asked, int answered) {
  return {"x", what, value, instant{std::chrono::milliseconds{asked}}, instant{std::chrono::milliseconds{answered}}};
}

// By trying every order: slow, and too simple to be wrong.
bool is_linearizable_by_search(std::vector<register_operation> left, const std::string& held) {
  if (std::none_of(left.begin(), left.end(), [](const auto& each) { return each.what != kind::unknown_write; }))
    return true;
  for (std::size_t i = 0; i < left.size(); ++i) {
    const auto next = left[i];
    const bool is_first = std::none_of(left.begin(), left.end(), [&](const auto& other) {
      return other.what != kind::unknown_write && other.answered < next.asked;
    });
    if (!is_first || (next.what == kind::read && next.value != held))
      continue;
    auto rest = left;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
    if (is_linearizable_by_search(rest, next.what == kind::read ? held : next.value))
      return true;
  }
  return false;
}

} // namespace

TEST_CASE("Reads during a write may find the old or the new value, but after the new one never the old one") {
  const auto old_write = operation(kind::write, "old", 0, 10);
  const auto new_write = operation(kind::write, "new", 20, 50);
  const auto finds_new = operation(kind::read, "new", 25, 30);
  CHECK_FALSE(find_violation({old_write, new_write, finds_new, operation(kind::read, "old", 22, 40)}));
  CHECK(find_violation({old_write, new_write, finds_new, operation(kind::read, "old", 35, 40)}));
  CHECK(find_violation({old_write, new_write, operation(kind::read, "old", 51, 60)}));
  CHECK(find_violation({old_write, new_write, operation(kind::read, "", 51, 60)}));
  CHECK(find_violation({old_write, operation(kind::read, "new", 11, 15), new_write}));
}

TEST_CASE("A write of unknown outcome may take effect late, or never, but only once") {
  const auto first = operation(kind::write, "first", 0, 10);
  const auto unknown = operation(kind::unknown_write, "unknown", 20, 0);
  const auto second = operation(kind::write, "second", 30, 40);
  const auto finds = [](const std::string& value, int at) { return operation(kind::read, value, at, at + 1); };
  CHECK_FALSE(find_violation({first, unknown, second, finds("second", 50)}));
  CHECK_FALSE(find_violation({first, unknown, second, finds("second", 50), finds("unknown", 60)}));
  CHECK(find_violation({first, unknown, second, finds("unknown", 50), finds("second", 60), finds("unknown", 70)}));
  CHECK(find_violation({first, operation(kind::refused_write, "unknown", 20, 25), finds("unknown", 50)}));
  CHECK(find_violation({first, finds("nobody's", 50)}));
}

TEST_CASE("The judgement of histories is the one that a search through all orders comes to") {
  std::mt19937_64 dice{20261122};
  auto any = [&](int below) { return static_cast<int>(dice() % static_cast<std::uint64_t>(below)); };
  int judged_bad = 0;
  for (int round = 0; round < 3000; ++round) {
    std::vector<register_operation> history;
    const int writes = 1 + any(3);
    for (int i = 0; i < writes; ++i) {
      const int at = 2 * any(12);
      history.push_back(
          operation(any(4) == 0 ? kind::unknown_write : kind::write, std::to_string(i), at, at + 1 + 2 * any(6)));
    }
    for (int i = any(5); i > 0; --i) {
      const int at = 2 * any(16);
      const int value = any(writes + 1);
      history.push_back(operation(kind::read, value == writes ? "" : std::to_string(value), at, at + 1 + 2 * any(6)));
    }
    const bool is_good = !find_violation(history);
    judged_bad += is_good ? 0 : 1;
    REQUIRE_MESSAGE(is_good == is_linearizable_by_search(history, ""), "round ", round);
  }
  CHECK(judged_bad > 300);
  CHECK(judged_bad < 2700);
}
