#include "tests/support/client_ledger.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <utility>

namespace troupe {

namespace {

/// Commands a counting service applies at a time.
constexpr std::size_t portion = 4;

std::string token_in(std::string_view content) {
  return std::string{content.substr(0, content.find(' '))};
}

/// The lot and the operation that a token names.
std::optional<std::pair<std::size_t, std::uint32_t>> parse(std::string_view token) {
  std::pair<std::size_t, std::uint32_t> named;
  const auto* end = token.data() + token.size();
  const auto lot = std::from_chars(token.data(), end, named.first);
  if (lot.ec != std::errc{} || lot.ptr == end || *lot.ptr != '.')
    return std::nullopt;
  const auto offset = std::from_chars(lot.ptr + 1, end, named.second);
  if (offset.ec != std::errc{} || offset.ptr != end)
    return std::nullopt;
  return named;
}

class counting_machine final : public state_machine {
public:
  counting_machine(client_ledger& ledger, int server, std::shared_ptr<state_machine> delivering)
      : ledger_{ledger}, server_{server}, delivering_{std::move(delivering)} {
    ledger_.begins_life(server_);
  }

  std::size_t apply(std::span<const command> commands, answer_list& answers) override {
    const auto now = commands.first(std::min(portion, commands.size()));
    answer_list unused;
    (void)delivering_->apply(now, unused);
    for (const auto& c : now)
      answers.add(ledger_.applies(server_, c));
    return now.size();
  }

  void query(std::string_view content, answer_list& answers) override { answers.add(ledger_.tells(server_, content)); }

  // All of the state is how many commands it has applied: what they were, the ledger knows.
  std::unique_ptr<state_view> save() override { return view_of(std::to_string(ledger_.applied_by(server_))); }
  void load(chunk_source& chunks) override { ledger_.loads(server_, std::stoull(read_all(chunks))); }
  std::optional<std::uint64_t> state_hash() const override { return ledger_.applied_by(server_); }

private:
  client_ledger& ledger_;
  int server_;
  std::shared_ptr<state_machine> delivering_;
};

} // namespace

std::string_view name_of(refusal why) {
  switch (why) {
  case refusal::no_leader: return "no_leader";
  case refusal::busy: return "busy";
  case refusal::too_large: return "too_large";
  case refusal::uncertain: return "uncertain";
  case refusal::not_ready: return "not_ready";
  case refusal::stopped: return "stopped";
  }
  return "unknown";
}

std::uint64_t client_tally::refused_with(refusal why) const {
  const auto found = refused.find(why);
  return found == refused.end() ? 0 : found->second;
}

std::uint64_t client_tally::open() const {
  auto ended = answered + cut_off;
  for (const auto& [why, count] : refused)
    ended += count;
  return asked - ended;
}

// -- what clients do -------------------------------------------------------------------------------------------------

std::string client_ledger::token_of(std::size_t lot, std::uint32_t offset) {
  return std::to_string(lot) + '.' + std::to_string(offset);
}

entry_block client_ledger::asks(connection from, std::uint64_t number, operation what, std::uint32_t count,
                                std::size_t padding, instant now) {
  lot asked;
  asked.from = from;
  asked.number = number;
  asked.what = what;
  asked.count = count;
  asked.floor = seen_;
  asked.asked_at = now;
  by_number_.emplace(std::pair{from, number}, lots_.size());
  entry_block_builder block;
  for (std::uint32_t i = 0; i < count; ++i)
    block.add(entry_kind::command, token_of(lots_.size(), i) + ' ' + std::string(padding, '.'));
  lots_.push_back(asked);
  if (what == operation::command)
    commands_asked_ += count;
  return block.take();
}

client_ledger::lot* client_ledger::find(connection to, std::uint64_t number, std::string_view news) {
  const auto found = by_number_.find({to, number});
  if (found == by_number_.end()) {
    broken("a client is told that a lot is " + std::string{news} + " that it has not submitted");
    return nullptr;
  }
  auto& asked = lots_[found->second];
  if (asked.rest == fate::cut_off)
    return nullptr;
  if (asked.has_ended()) {
    broken("lot " + std::to_string(found->second) + " is " + std::string{news} + " after its end");
    return nullptr;
  }
  return &asked;
}

void client_ledger::is_accepted(connection to, std::uint64_t number) {
  auto* asked = find(to, number, "accepted");
  if (asked == nullptr)
    return;
  if (std::exchange(asked->is_accepted, true))
    broken("a lot is accepted twice");
}

void client_ledger::is_answered(connection to, std::uint64_t number, std::uint32_t offset, const answer_list& answers,
                                instant now) {
  auto* asked = find(to, number, "answered");
  if (asked == nullptr)
    return;
  if (!asked->is_accepted)
    return broken("a lot is answered before it is accepted");
  if (offset != asked->answered)
    return broken("operation " + std::to_string(offset) + " of a lot is answered when "
                  + std::to_string(asked->answered) + " is next");
  if (answers.count() == 0 || answers.count() > asked->count - asked->answered)
    return broken("there are more answers than questions, or none");
  const auto id = static_cast<std::size_t>(asked - lots_.data());
  for (std::size_t i = 0; i < answers.count(); ++i) {
    const auto token = token_of(id, asked->answered++);
    if (asked->what == operation::command)
      check_command(*asked, token, answers.at(i));
    else
      check_query(*asked, token, answers.at(i));
  }
  check_patience(*asked, now);
}

void client_ledger::is_refused(connection to, std::uint64_t number, std::uint32_t offset, refusal why, instant now) {
  auto* asked = find(to, number, "refused");
  if (asked == nullptr)
    return;
  const auto words = "lot " + std::to_string(asked - lots_.data()) + " is refused with " + std::string{name_of(why)};
  if (offset != asked->answered)
    return broken(words + " from operation " + std::to_string(offset) + " on when " + std::to_string(asked->answered)
                  + " is next");
  if (asked->what == operation::command && why == refusal::not_ready)
    return broken(words + ", which says nothing of a command");
  if (asked->what == operation::query && why == refusal::uncertain)
    return broken(words + ", but it changes nothing");
  asked->rest = fate::refused;
  asked->why = why;
  check_patience(*asked, now);
  if (asked->what == operation::command && why != refusal::uncertain)
    for (auto i = offset; i < asked->count; ++i)
      if (place_of_.contains(token_of(static_cast<std::size_t>(asked - lots_.data()), i)))
        return broken(words + ", and is carried out already");
}

void client_ledger::is_cut_off(connection from) {
  for (auto& asked : lots_)
    if (asked.from == from && !asked.has_ended())
      asked.rest = fate::cut_off;
}

void client_ledger::check_patience(const lot& asked, instant now) {
  if (patience && now - asked.asked_at > *patience)
    broken("lot " + std::to_string(&asked - lots_.data()) + " has waited "
           + std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(now - asked.asked_at).count())
           + " ms for this");
}

// -- what they are told ----------------------------------------------------------------------------------------------

void client_ledger::check_command(const lot& asked, const std::string& token, std::string_view answer) {
  std::istringstream words{std::string{answer}};
  std::uint64_t index = 0;
  std::uint64_t term = 0;
  std::uint64_t count = 0;
  std::string named;
  words >> index >> term >> count >> named;
  if (named != token)
    return broken("command " + token + " is answered with the answer to " + named);
  const auto found = places_.find(log_index{index});
  if (found == places_.end() || found->second.token != token || found->second.term != term_number{term}
      || found->second.position != count)
    return broken("command " + token + " is answered with index " + std::to_string(index)
                  + ", where something else is applied");
  if (count <= asked.floor)
    return broken("command " + token + " is applied before what was answered before it was asked");
  seen_ = std::max(seen_, count);
}

void client_ledger::check_query(const lot& asked, const std::string& token, std::string_view answer) {
  std::istringstream words{std::string{answer}};
  std::uint64_t count = 0;
  std::string named;
  words >> count >> named;
  if (named != token)
    return broken("query " + token + " is answered with the answer to " + named);
  if (count < asked.floor)
    return broken("query " + token + " sees " + std::to_string(count) + " commands, and " + std::to_string(asked.floor)
                  + " had been seen before it was asked");
  if (count > commands_asked_)
    return broken("query " + token + " sees commands that nobody has asked for");
  seen_ = std::max(seen_, count);
}

// -- what is applied -------------------------------------------------------------------------------------------------

void client_ledger::check_may_apply(const std::string& token) {
  const auto named = parse(token);
  if (!named || named->first >= lots_.size() || lots_[named->first].what != operation::command
      || named->second >= lots_[named->first].count)
    return broken("command " + token + " is applied, which nobody has asked for");
  const auto& asked = lots_[named->first];
  if (asked.rest == fate::refused && named->second >= asked.answered && asked.why != refusal::uncertain)
    broken("command " + token + " is applied, though its client was told " + std::string{name_of(asked.why)});
}

std::string client_ledger::applies(int server, const command& what) {
  const auto token = token_in(what.content);
  const auto count = ++applied_[server];
  const auto [found, is_new] = places_.try_emplace(what.index, place{what.term, token, count});
  if (is_new) {
    check_may_apply(token);
    if (count != places_.size())
      broken("server " + std::to_string(server) + " has left out commands before index "
             + std::to_string(what.index.value()));
    if (!place_of_.emplace(token, what.index).second)
      broken("command " + token + " is applied twice");
  } else if (found->second.token != token || found->second.term != what.term || found->second.position != count) {
    broken("server " + std::to_string(server) + " applies command " + token + " at index "
           + std::to_string(what.index.value()) + " where another applied " + found->second.token);
  }
  return std::to_string(what.index.value()) + ' ' + std::to_string(what.term.value()) + ' ' + std::to_string(count)
      + ' ' + token;
}

std::string client_ledger::tells(int server, std::string_view content) const {
  return std::to_string(applied_by(server)) + ' ' + token_in(content);
}

std::uint64_t client_ledger::applied_by(int server) const {
  const auto found = applied_.find(server);
  return found == applied_.end() ? 0 : found->second;
}

// -- sums ------------------------------------------------------------------------------------------------------------

client_tally client_ledger::tally(operation what) const {
  client_tally sum;
  for (const auto& asked : lots_) {
    if (asked.what != what)
      continue;
    sum.asked += asked.count;
    sum.answered += asked.answered;
    if (asked.rest == fate::refused)
      sum.refused[asked.why] += asked.count - asked.answered;
    if (asked.rest == fate::cut_off)
      sum.cut_off += asked.count - asked.answered;
  }
  return sum;
}

bool client_ledger::all_have_ended() const {
  return std::all_of(lots_.begin(), lots_.end(), [](const lot& asked) { return asked.has_ended(); });
}

std::string client_ledger::describe_open() const {
  for (const auto& asked : lots_)
    if (!asked.has_ended())
      return std::string{asked.what == operation::command ? "command " : "query "}
      + token_of(static_cast<std::size_t>(&asked - lots_.data()), asked.answered)
          + (asked.is_accepted ? " (accepted)" : " (not even accepted)");
  return "nothing";
}

void client_ledger::loads(int server, std::uint64_t applied) {
  if (applied < applied_[server] || applied > places_.size())
    broken("server " + std::to_string(server) + " loads a state of " + std::to_string(applied) + " commands, has "
           + std::to_string(applied_[server]) + " of " + std::to_string(places_.size()));
  applied_[server] = applied;
}

std::shared_ptr<state_machine> make_counting_machine(client_ledger& ledger, int server,
                                                     std::shared_ptr<state_machine> delivering) {
  return std::make_shared<counting_machine>(ledger, server, std::move(delivering));
}

} // namespace troupe
