#include "persistence/conformance/bench.hpp"

#include <limits>
#include <utility>

namespace troupe::conformance {

namespace {

/// A tail of this many bytes is the whole log.
constexpr std::size_t without_limit = std::size_t{1} << 40;

std::string words_of(group_id group) {
  return "group " + std::to_string(group.value());
}

/// A batch can be trusted if its checksum and its shape are those of its payload.
bool is_intact(const entry_batch& batch) {
  return entry_batch::verify(batch.term(), batch.first(), batch.count(), batch.leader_time(), batch.checksum(),
                             batch.payload())
      .has_value();
}

} // namespace

void require(bool holds, const std::string& words) {
  if (!holds)
    throw nonconformance{words};
}

std::function<void()> completion::callback() const {
  return [state = state_] {
    if (state->calls.fetch_add(1) == 0)
      state->first.set_value();
  };
}

bool completion::wait(std::chrono::milliseconds patience) const {
  return state_->happened.wait_for(patience) == std::future_status::ready;
}

std::vector<entry_image> images_of(const std::vector<entry_batch>& batches, log_index first, const std::string& where) {
  std::vector<entry_image> entries;
  auto next = first;
  for (const auto& each : batches) {
    require(each.count() > 0, where + ": a batch without entries");
    require(each.first() == next,
            where + ": expected a batch from index " + std::to_string(next.value()) + ", got one from "
                + std::to_string(each.first().value()));
    require(is_intact(each),
            where + ": the batch from index " + std::to_string(each.first().value())
                + " does not match its checksum or its count");
    for (const auto entry : each)
      entries.push_back({each.term(), each.leader_time(), entry.kind, std::string{entry.content}});
    next = each.last().next();
  }
  return entries;
}

bench::bench(const storage_under_test& subject, const storage_check_options& options)
    : subject_{subject}, options_{options} {
  calling("fresh", [&] { subject_.fresh(); });
  open();
}

storage& bench::store() {
  return *store_;
}

void bench::open() {
  store_ = calling("open", [&] { return subject_.open(); });
  require(store_ != nullptr, "open returned no store");
}

void bench::close() {
  store_.reset();
}

void bench::reopen() {
  close();
  open();
}

void bench::lose_power_and_reopen() {
  calling("lose_power", [&] { subject_.lose_power(); });
  reopen();
}

completion bench::submit(const std::vector<log_write>& writes) {
  completion done;
  completions_.push_back(done);
  calling("submit", [&] { store_->submit(writes, done.callback()); });
  return done;
}

void bench::write(std::vector<log_write> writes) {
  const auto done = submit(writes);
  require(done.wait(options_.patience),
          "submit was not done within " + std::to_string(options_.patience.count()) + " ms");
  perform(model_, writes);
}

bool bench::write_cut_short(const std::vector<log_write>& writes, std::size_t steps, ending how) {
  completion done;
  completions_.push_back(done);
  calling("stop_medium_after", [&] { subject_.stop_medium_after(steps); });
  auto threw = false;
  try {
    store_->submit(writes, done.callback());
  } catch (const std::exception&) {
    threw = true;
  }
  // A store that finishes elsewhere may be told at any time, or never: what counts is what was told before the power
  // went, so it gets a moment.
  constexpr std::chrono::milliseconds moment{20};
  const auto was_done = done.wait(threw ? std::chrono::milliseconds{0} : moment);
  if (how == ending::power_loss)
    calling("lose_power", [&] { subject_.lose_power(); });
  close();
  calling("stop_medium_after", [&] { subject_.stop_medium_after(std::numeric_limits<std::size_t>::max()); });
  open();
  if (was_done)
    perform(model_, writes);
  adopt_what_remains(was_done ? std::vector<log_write>{} : writes);
  return was_done;
}

void bench::adopt_what_remains(const std::vector<log_write>& under_way) {
  for (const auto& each : under_way)
    model_[each.group]; // A group may be new.
  for (auto& [group, held] : model_) {
    auto found = look(group);
    if (!may_remain(held, under_way, group, found))
      throw nonconformance{words_of(group)
                           + " is neither as before the write that was cut short, nor has it a beginning of it: "
                           + "against what was durable before, " + difference(held, found)};
    held = std::move(found);
  }
}

recovered_group bench::recover(group_id group, std::size_t tail_bytes) {
  return calling("recover", [&] { return store_->recover(group, tail_bytes); });
}

read_plan bench::plan_read(const log_range& range) {
  auto plan = calling("plan_read", [&] { return store_->plan_read(range); });
  require(plan != nullptr, "plan_read returned no plan");
  return plan;
}

group_image bench::look(group_id group) {
  const auto where = words_of(group);
  const auto found = recover(group, without_limit);
  group_image image;
  image.vote = found.vote;
  if (found.last == log_index{}) {
    require(found.terms.empty() && found.tail.empty(), where + ": no last index, but terms or a tail");
    return image;
  }
  const auto tail_begins = found.tail.empty() ? found.last.next() : found.tail.front().first();
  require(tail_begins > log_index{} && tail_begins <= found.last.next(), where + ": the tail begins behind its log");
  for (log_index next{1}; next < tail_begins;) {
    const auto read =
        calling("a read", plan_read({group, next, tail_begins.before(), std::numeric_limits<std::size_t>::max()}));
    require(!read.empty(), where + ": a read returned nothing");
    for (auto& each : images_of(read, next, where))
      image.entries.push_back(std::move(each));
    next = image.last().next();
  }
  for (auto& each : images_of(found.tail, tail_begins, where))
    image.entries.push_back(std::move(each));
  require(image.last() == found.last,
          where + ": the last index is said to be " + std::to_string(found.last.value()) + ", but the entries end at "
              + std::to_string(image.last().value()));
  require(found.terms == runs_of(image),
          where + ": expected the terms " + words_of(runs_of(image)) + ", got " + words_of(found.terms));
  return image;
}

void bench::expect_same(group_id group) {
  const auto words = difference(expected(group), look(group));
  require(words.empty(), words_of(group) + ": " + words);
}

void bench::expect_all_same() {
  for (const auto& [group, held] : store_image{model_})
    expect_same(group);
}

void bench::expect_read(const log_range& range) {
  const auto where = "reading " + std::to_string(range.first.value()) + " to " + std::to_string(range.last.value());
  const auto& log = expected(range.group).entries;
  for (auto next = range.first; next <= range.last;) {
    const auto batches = calling("a read", plan_read({range.group, next, range.last, range.max_bytes}));
    require(!batches.empty(), where + ": a read returned nothing");
    for (const auto& found : images_of(batches, next, where)) {
      require(next <= range.last, where + ": more entries than asked for");
      const auto& wanted = log[next.value() - 1];
      if (!(found == wanted))
        throw nonconformance{where + ", index " + std::to_string(next.value()) + ": expected an " + words_of(wanted)
                             + ", got an " + words_of(found)};
      next = next.next();
    }
  }
}

bool bench::run_chore() {
  auto work = calling("next_chore", [&] { return store_->next_chore(); });
  if (!work)
    return false;
  calling("a chore", [&] { on_another_thread(std::move(*work)); });
  calling("chore_done", [&] { store_->chore_done(); });
  return true;
}

void bench::finish() {
  close();
  for (const auto& each : completions_)
    require(each.calls() <= 1, "done was called " + std::to_string(each.calls()) + " times for one submit");
}

} // namespace troupe::conformance
