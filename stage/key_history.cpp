#include "stage/key_history.hpp"

#include "troupe/assert.hpp"

#include <utility>

namespace troupe {

void key_history::invoked(operation_id id, std::string_view key, register_command command, event_ordinal at) {
  auto found = keys_.find(key);
  if (found == keys_.end())
    found = keys_.emplace(key, calls{}).first;
  auto& of = found->second;
  const auto is_new = places_.emplace(id, std::pair{&of, of.size()}).second;
  TROUPE_ASSERT(is_new, "an operation is invoked once");
  of.push_back({{at, never, {std::move(command), std::nullopt}}});
}

key_history::kept& key_history::find(operation_id id) {
  const auto found = places_.find(id);
  TROUPE_ASSERT(found != places_.end(), "an operation is invoked before it ends");
  const auto [of, place] = found->second;
  return (*of)[place];
}

void key_history::completed(operation_id id, register_answer answer, event_ordinal at) {
  auto& call = find(id).call;
  call.returned = at;
  call.what.answer = std::move(answer);
}

void key_history::refused(operation_id id) {
  find(id).is_refused = true;
}

std::vector<std::string> key_history::keys() const {
  std::vector<std::string> keys;
  for (const auto& [key, unused] : keys_)
    keys.push_back(key);
  return keys;
}

std::vector<client_call<register_operation>> key_history::of(std::string_view key) const {
  std::vector<client_call<register_operation>> history;
  if (const auto found = keys_.find(key); found != keys_.end())
    for (const auto& one : found->second)
      if (!one.is_refused)
        history.push_back(one.call);
  return history;
}

} // namespace troupe
