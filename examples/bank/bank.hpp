// A bank, as a state machine to be replicated.
#pragma once

#include <troupe/state_machine.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

/// Mistakes that the bank can be made with.
enum class bug {
  none,
  order,   ///< Interest is paid in the order of a hash map.
  save,    ///< A snapshot does not say which interest was paid last.
  overdraw ///< A transfer does not look whether there is enough.
};

/// Accounts hold whole coins and are never in debt. Commands are lines:
///
///     open NAME COINS          answers `ok`, or `no` if there is one of that name
///     move FROM TO COINS       answers `ok`, or `no`
///     interest ROUND POT       one coin to each account, in the order of their names, while the pot lasts; each round
///     once.
///                              Answers who was paid.
///
/// The query `NAME` answers its coins, `nothing` if there is no such account; the query `*` the coins of all together.
[[nodiscard]] std::shared_ptr<troupe::state_machine> make_bank(bug planted);
