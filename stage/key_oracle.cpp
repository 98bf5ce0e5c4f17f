#include "stage/key_oracle.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

namespace {

std::string text(log_index index) {
  return std::to_string(index.value());
}

} // namespace

void key_oracle::fail(const std::string& what) {
  if (broken_)
    return;
  broken_ = what;
  if (on_broken_)
    on_broken_(*broken_);
}

// -- what clients do -------------------------------------------------------------------------------------------------

void key_oracle::invoked(operation_id id, std::string_view key, register_command command, event_ordinal at) {
  auto found = keys_.find(key);
  if (found == keys_.end()) {
    found = keys_.emplace(key, chain{}).first;
    found->second.key = key;
  }
  auto& of = found->second;
  if (!command.is_read())
    of.writers.push_back(id);
  auto one = asked{&of, std::move(command), at, of.floor, of.answered_from_floor};
  if (!operations_.emplace(id, std::move(one)).second)
    fail(name(id) + " is asked for twice");
}

key_oracle::asked* key_oracle::ends(operation_id id, fate how) {
  const auto found = operations_.find(id);
  if (found == operations_.end()) {
    fail(name(id) + " ends, which nobody has asked for");
    return nullptr;
  }
  if (std::exchange(found->second.end, how) == fate::open)
    return &found->second;
  fail(name(id) + " ends twice");
  return nullptr;
}

void key_oracle::completed(operation_id id, const register_answer& answer, event_ordinal at) {
  const auto* one = ends(id, fate::completed);
  if (one == nullptr)
    return;
  if (one->command.is_read())
    check_read(id, *one, answer, at);
  else
    check_write(id, *one, answer, at);
}

void key_oracle::refused(operation_id id) {
  const auto* one = ends(id, fate::refused);
  if (one != nullptr && one->place != 0)
    fail(name(id) + " is refused, but has taken effect at index " + text(one->of->versions[one->place].index));
}

void key_oracle::lost(operation_id id) {
  ends(id, fate::lost);
}

// -- what they are answered ------------------------------------------------------------------------------------------

void key_oracle::check_read(operation_id id, const asked& read, const register_answer& answer, event_ordinal at) {
  const auto& versions = read.of->versions;
  for (auto place = read.floor; place < versions.size(); ++place)
    if (effect_of(read.command, versions[place].value).answer == answer)
      return raise_floor(*read.of, place, id);
  fail(name(id) + " is answered " + words_of(answer) + " at " + std::to_string(at) + ": " + why_not(read, answer));
}

void key_oracle::check_write(operation_id id, const asked& write, const register_answer& answer, event_ordinal at) {
  const auto told = [&] { return name(id) + " is answered " + words_of(answer) + " at " + std::to_string(at); };
  if (write.place == 0)
    return fail(told() + ", and is not committed");
  const auto& before = write.of->versions[write.place - 1];
  const auto right = effect_of(write.command, before.value).answer;
  if (right != answer)
    return fail(told() + ", but took effect at index " + text(write.of->versions[write.place].index) + " behind "
                + name(before) + ", where the answer is " + words_of(right));
  raise_floor(*write.of, write.place, id);
}

void key_oracle::raise_floor(chain& of, std::size_t place, operation_id answered) {
  if (place <= of.floor)
    return;
  of.floor = place;
  of.answered_from_floor = answered;
}

std::string key_oracle::why_not(const asked& read, const register_answer& answer) const {
  const auto& versions = read.of->versions;
  for (auto place = read.floor; place > 0; --place)
    if (effect_of(read.command, versions[place - 1].value).answer == answer)
      return "that is stale, it is of " + name(versions[place - 1]) + "; before it was invoked, "
          + name(read.answered_from_floor) + " had been answered from " + name(versions[read.floor]);
  for (const auto id : read.of->writers) {
    const auto& writer = operations_.at(id);
    const auto after = effect_of(writer.command, versions.back().value).after;
    if (writer.place == 0 && effect_of(read.command, after).answer == answer)
      return "that is what " + name(id) + " asks for, which is not committed"
          + (writer.end == fate::refused ? " and was refused" : "");
  }
  return "no version was like that, and nobody has asked for one; the newest is of " + name(versions.back());
}

// -- what takes effect -----------------------------------------------------------------------------------------------

void key_oracle::committed(log_index index, operation_id id, std::string_view key, const register_command& command) {
  const auto found = operations_.find(id);
  if (found == operations_.end())
    return fail(name(id) + " takes effect at index " + text(index) + ", which nobody has asked for");
  auto& one = found->second;
  auto& versions = one.of->versions;
  if (one.of->key != key || one.command != command)
    return fail(name(id) + " takes effect at index " + text(index) + " as " + words_of(command) + " of "
                + std::string{key});
  if (one.command.is_read())
    return;
  if (one.place != 0) {
    if (const auto before = versions[one.place].index; before != index)
      fail(name(id) + " takes effect twice, at index " + text(before) + " and at index " + text(index));
    return;
  }
  if (one.end == fate::refused)
    return fail(name(id) + " takes effect at index " + text(index) + ", though it was refused");
  if (index <= versions.back().index)
    return fail(name(id) + " takes effect at index " + text(index) + " after " + name(versions.back()));
  one.place = versions.size();
  auto after = effect_of(command, versions.back().value).after;
  versions.push_back({index, id, std::move(after)});
}

// -- words -----------------------------------------------------------------------------------------------------------

std::string key_oracle::name(operation_id id) const {
  const auto number = "operation " + std::to_string(id.value());
  const auto found = operations_.find(id);
  if (found == operations_.end())
    return number;
  const auto& one = found->second;
  return number + " (" + words_of(one.command) + " of " + one.of->key + ", invoked at " + std::to_string(one.invoked)
      + ')';
}

std::string key_oracle::name(const version& of) const {
  return of.index == log_index{} ? std::string{"the beginning"} : name(of.by) + " at index " + text(of.index);
}

} // namespace troupe
