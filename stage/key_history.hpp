/// \file
/// Keeps what clients did to some keys, for a search in it.
#pragma once

#include "stage/history.hpp"
#include "stage/register_model.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe {

/// Is told the same as the key oracle, but nothing of the log. What is lost need not be told: an operation of which
/// nothing more is heard stays open.
class key_history {
public:
  void invoked(operation_id id, std::string_view key, register_command command, event_ordinal at);
  void completed(operation_id id, register_answer answer, event_ordinal at);
  /// It must not have taken effect, so it is left out from now on.
  void refused(operation_id id);

  /// The keys, in the order of their bytes.
  [[nodiscard]] std::vector<std::string> keys() const;
  /// What was done to a key: for `linearize<register_model>`.
  [[nodiscard]] std::vector<client_call<register_operation>> of(std::string_view key) const;

private:
  struct kept {
    client_call<register_operation> call;
    bool is_refused = false;
  };
  using calls = std::vector<kept>;

  /// An operation that was told of; asserts that it was.
  kept& find(operation_id id);

  std::map<std::string, calls, std::less<>> keys_;
  std::unordered_map<operation_id, std::pair<calls*, std::size_t>> places_;
};

} // namespace troupe
