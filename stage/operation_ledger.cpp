#include "stage/operation_ledger.hpp"

#include "troupe/assert.hpp"

#include <cstring>
#include <string>

namespace troupe {

namespace {

constexpr std::size_t number_bytes = sizeof(std::uint64_t);

std::string with_number(std::uint64_t number, std::string_view content) {
  std::string text(number_bytes, '\0');
  std::memcpy(text.data(), &number, number_bytes);
  text += content;
  return text;
}

/// Nothing if there is no number in front.
std::optional<std::uint64_t> number_of(std::string_view text) {
  if (text.size() < number_bytes)
    return std::nullopt;
  std::uint64_t number = 0;
  std::memcpy(&number, text.data(), number_bytes);
  return number;
}

std::string text(std::uint64_t n) {
  return std::to_string(n);
}

std::string text(operation_id id) {
  return std::to_string(id.value());
}

std::string name(operation what, operation_id id) {
  return (what == operation::command ? "command " : "query ") + text(id);
}

} // namespace

// -- clients ---------------------------------------------------------------------------------------------------------

std::pair<operation_id, std::string> operation_ledger::asks(operation what, std::string_view content, instant now,
                                                            peer_id at) {
  asked_operation asked;
  asked.what = what;
  asked.is_logged = what == operation::command;
  asked.floor = seen_;
  asked.floor_by = seen_by_;
  asked.at = at;
  asked.asked_at = now;
  operations_.push_back(asked);
  commands_asked_ += what == operation::command ? 1 : 0;
  ++tally_.asked;
  const operation_id id{operations_.size()};
  return {id, with_number(id.value(), content)};
}

void operation_ledger::goes_by_log(operation_id id) {
  operations_.at(id.value() - 1).is_logged = true;
}

std::optional<std::pair<std::uint64_t, std::string_view>> operation_ledger::parts_of(std::string_view answer) {
  const auto position = number_of(answer);
  if (!position)
    return std::nullopt;
  return std::pair{*position, answer.substr(number_bytes)};
}

std::string_view operation_ledger::is_answered(operation_id id, std::string_view answer, instant now) {
  const auto parts = parts_of(answer);
  if (!parts) {
    broken(name(at(id).what, id) + " is answered with what no state machine says");
    return {};
  }
  is_answered(id, parts->first, parts->second, now);
  return parts->second;
}

void operation_ledger::is_answered(operation_id id, std::uint64_t position, std::string_view words, instant now) {
  auto& asked = operations_.at(id.value() - 1);
  const auto who = name(asked.what, id);
  if (asked.end != fate::open)
    return broken(who + " ends twice", {id});
  asked.end = fate::answered;
  asked.ended_at = now;
  asked.seen = position;
  ++tally_.answered;
  if (asked.is_logged) {
    if (position == 0 || position > places_.size() || places_[position - 1].id != id)
      broken(who + " is answered with the answer to another", {id});
    else if (places_[position - 1].answer_hash != std::hash<std::string_view>{}(words))
      broken(who + " is answered differently than it was when it was applied first", {id});
    if (position <= asked.floor)
      broken(who + " takes effect at place " + text(position) + " of the history, and an answer from behind place "
                 + text(asked.floor) + " had come before it was asked",
             {id, asked.floor_by});
  } else {
    if (position < asked.floor)
      broken(who + " is stale: it sees the first " + text(position)
                 + " commands of the history, and an answer that sees " + text(asked.floor)
                 + " had come before it was asked",
             {id, asked.floor_by});
    if (position > places_.size())
      broken(who + " sees commands that nobody has applied", {id});
  }
  if (position > seen_) {
    seen_ = position;
    seen_by_ = id;
  }
}

void operation_ledger::is_refused(operation_id id, refusal why, instant now) {
  auto& asked = operations_.at(id.value() - 1);
  const auto who = name(asked.what, id);
  if (asked.end != fate::open)
    return broken(who + " ends twice", {id});
  asked.ended_at = now;
  const bool may_be_applied = asked.what == operation::command && why == refusal::uncertain;
  asked.end = may_be_applied ? fate::uncertain : fate::refused;
  ++(may_be_applied ? tally_.uncertain : tally_.refused);
  if (asked.what == operation::command && !may_be_applied && asked.position != 0)
    broken(who + " is refused as certainly not carried out, and is number " + text(asked.position) + " of the history",
           {id});
}

void operation_ledger::is_cut_off(operation_id id) {
  auto& asked = operations_.at(id.value() - 1);
  if (asked.end != fate::open)
    return;
  asked.end = fate::uncertain;
  ++tally_.uncertain;
}

std::optional<std::string> operation_ledger::overdue(instant now, duration patience) const {
  while (ended_before_ < operations_.size() && operations_[ended_before_].end != fate::open)
    ++ended_before_;
  if (ended_before_ == operations_.size() || now - operations_[ended_before_].asked_at <= patience)
    return std::nullopt;
  const auto& late = operations_[ended_before_];
  return name(late.what, operation_id{ended_before_ + 1}) + " has waited "
      + text(static_cast<std::uint64_t>(
          std::chrono::duration_cast<std::chrono::milliseconds>(now - late.asked_at).count()))
      + " ms and has no end";
}

// -- what is known of operations -------------------------------------------------------------------------------------

void operation_ledger::broken(const std::string& what, const std::vector<operation_id>& about) {
  std::vector<std::string> details;
  for (const auto id : about)
    if (id != operation_id{})
      details.push_back(biography(id));
  judge_.fail(what, std::move(details));
}

std::string operation_ledger::biography(operation_id id) const {
  const auto& life = at(id);
  const auto when = [&](instant then) {
    return text(
               static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(then - began_).count()))
        + " ms";
  };
  const auto place_of = [&](std::uint64_t position) {
    const auto& there = places_[position - 1];
    return "place " + text(position) + " of the history, index " + text(there.index.value()) + " of term "
        + text(there.term.value());
  };
  auto words = name(life.what, id) + ": asked";
  if (life.at != nobody)
    words += " at node " + text(life.at.value());
  words += " at " + when(life.asked_at);
  if (life.position != 0)
    words += ", applied first at " + place_of(life.position);
  switch (life.end) {
  case fate::open: words += ", has no end yet"; break;
  case fate::refused: words += ", refused at " + when(life.ended_at); break;
  case fate::uncertain: words += ", its client does not know"; break;
  case fate::answered:
    words += ", answered at " + when(life.ended_at);
    if (life.seen != life.position && life.seen != 0 && life.seen <= places_.size())
      words += " from behind " + place_of(life.seen) + " ("
          + name(at(places_[life.seen - 1].id).what, places_[life.seen - 1].id) + ')';
    else if (life.seen == 0)
      words += " from the empty state";
  }
  return words;
}

// -- services --------------------------------------------------------------------------------------------------------

void operation_ledger::first_applied(std::uint64_t position, operation_id id, const command& what,
                                     std::string_view content, std::string_view answer,
                                     std::optional<std::uint64_t> state_hash) {
  if (id == operation_id{} || id.value() > operations_.size() || !at(id).is_logged)
    return broken("a command is applied at index " + text(what.index.value()) + " that nobody has asked for");
  auto& asked = operations_[id.value() - 1];
  if (asked.position != 0)
    return broken(name(asked.what, id) + " is applied twice: as number " + text(asked.position) + " of the history and "
                      + text(position) + " (index " + text(what.index.value()) + ")",
                  {id});
  if (asked.end == fate::refused && asked.what == operation::command)
    return broken(name(asked.what, id) + " is applied, and its client was told that it certainly is not carried out",
                  {id});
  asked.position = position;
  places_.push_back({id, what.index, what.term, std::hash<std::string_view>{}(answer), state_hash});
  if (on_applied)
    on_applied(id, content, answer);
}

void operation_ledger::applies(peer_id node, std::uint64_t position, const command& what, std::string_view answer,
                               std::optional<std::uint64_t> state_hash) {
  const operation_id id{number_of(what.content).value_or(0)};
  if (on_each)
    on_each(node, id, what, answer);
  if (position == places_.size() + 1)
    return first_applied(position, id, what, what.content.substr(std::min(number_bytes, what.content.size())), answer,
                         state_hash);
  const auto who = "node " + text(node.value());
  if (position > places_.size())
    return broken(who + " has left out commands before index " + text(what.index.value()));
  const auto& known = places_[position - 1];
  if (known.id != id || known.index != what.index || known.term != what.term)
    return broken(who + " applies command " + text(id) + " of index " + text(what.index.value()) + " as number "
                      + text(position) + " of its history, and another applied command " + text(known.id) + " of index "
                      + text(known.index.value()) + " there",
                  {known.id});
  if (known.answer_hash != std::hash<std::string_view>{}(answer))
    return broken(who + " answers command " + text(id) + " (index " + text(what.index.value())
                  + ") differently than another node: the state machine is not deterministic, or lacks something");
  if (known.state_hash != state_hash)
    broken(who + " has another state behind command " + text(id) + " (index " + text(what.index.value())
           + ") than the first node that applied it: the state machine is not deterministic, or lacks something");
}

void operation_ledger::loads(peer_id node, std::uint64_t position, std::optional<std::uint64_t> state_hash) {
  const auto who = "node " + text(node.value());
  if (on_loaded)
    on_loaded(node, position);
  if (position > places_.size())
    return broken(who + " loads a state behind " + text(position) + " commands, and only " + text(places_.size())
                  + " were ever applied");
  if (position > 0 && places_[position - 1].state_hash != state_hash)
    broken(who + " loads a state behind command " + text(places_[position - 1].id)
           + " that differs from the one there was: a snapshot lacks something, or the state machine is not "
             "deterministic");
}

// -- the state machine between ---------------------------------------------------------------------------------------

namespace {

/// A number, and then another source.
class numbered_view final : public state_view {
public:
  numbered_view(std::uint64_t number, std::unique_ptr<state_view> rest)
      : head_{with_number(number, {})}, rest_{std::move(rest)} {}

  std::string next_chunk() override { return head_.empty() ? rest_->next_chunk() : std::exchange(head_, {}); }

private:
  std::string head_;
  std::unique_ptr<state_view> rest_;
};

/// What is left of a source behind its number.
class behind_number final : public chunk_source {
public:
  explicit behind_number(chunk_source& all) : all_{all} {
    while (first_.size() < number_bytes) {
      auto chunk = all_.next_chunk();
      TROUPE_ASSERT(!chunk.empty(), "a watched state begins with its number");
      first_ += chunk;
    }
    number_ = *number_of(first_);
    first_.erase(0, number_bytes);
  }

  [[nodiscard]] std::uint64_t number() const { return number_; }
  std::string next_chunk() override { return first_.empty() ? all_.next_chunk() : std::exchange(first_, {}); }

private:
  chunk_source& all_;
  std::string first_;
  std::uint64_t number_ = 0;
};

class watched_machine final : public state_machine {
public:
  watched_machine(std::shared_ptr<state_machine> inner, operation_ledger& ledger, peer_id node)
      : inner_{std::move(inner)}, ledger_{ledger}, node_{node} {}

  std::size_t apply(std::span<const command> commands, answer_list& answers) override {
    std::size_t done = 0;
    for (; done < commands.size() && !answers.is_full(); ++done) {
      auto inside = commands[done];
      inside.content.remove_prefix(std::min(number_bytes, inside.content.size()));
      answer_list answer;
      const auto count = inner_->apply({&inside, 1}, answer);
      TROUPE_ASSERT(count == 1 && answer.count() == 1, "a state machine applies and answers what it is given");
      ledger_.applies(node_, ++position_, commands[done], answer.at(0), inner_->state_hash());
      answers.add(with_number(position_, answer.at(0)));
    }
    return done;
  }

  void query(std::string_view content, answer_list& answers) override {
    answer_list answer;
    inner_->query(content.substr(std::min(number_bytes, content.size())), answer);
    answers.add(with_number(position_, answer.at(0)));
  }

  std::unique_ptr<state_view> save() override { return std::make_unique<numbered_view>(position_, inner_->save()); }

  void load(chunk_source& chunks) override {
    behind_number rest{chunks};
    inner_->load(rest);
    take(rest.number());
  }

  std::unique_ptr<built_state> build(chunk_source& chunks) override {
    behind_number rest{chunks};
    return std::make_unique<watched_state>(*this, rest.number(), inner_->build(rest));
  }

  std::optional<std::uint64_t> state_hash() const override { return inner_->state_hash(); }

private:
  class watched_state final : public built_state {
  public:
    watched_state(watched_machine& of, std::uint64_t position, std::unique_ptr<built_state> inner)
        : of_{of}, position_{position}, inner_{std::move(inner)} {}
    void take_place() override {
      inner_->take_place();
      of_.take(position_);
    }

  private:
    watched_machine& of_;
    std::uint64_t position_;
    std::unique_ptr<built_state> inner_;
  };

  void take(std::uint64_t position) {
    position_ = position;
    ledger_.loads(node_, position, inner_->state_hash());
  }

  std::shared_ptr<state_machine> inner_;
  operation_ledger& ledger_;
  peer_id node_;
  std::uint64_t position_ = 0; ///< Commands applied.
};

} // namespace

std::shared_ptr<state_machine> watch(std::shared_ptr<state_machine> inner, operation_ledger& ledger, peer_id node) {
  return std::make_shared<watched_machine>(std::move(inner), ledger, node);
}

} // namespace troupe
