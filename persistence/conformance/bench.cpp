#include "persistence/conformance/bench.hpp"

#include <algorithm>
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
    if (state->calls.load() == 0)
      state->is_here = std::this_thread::get_id() == state->here;
    if (state->calls.fetch_add(1) == 0)
      state->first.set_value();
  };
}

bool completion::wait(std::chrono::milliseconds patience) const {
  return state_->happened.wait_for(patience) == std::future_status::ready;
}

void append_all(snapshot_sink& sink, std::string_view content) {
  for (std::size_t piece = 1; !content.empty(); piece = piece * 3 % 50'021) {
    const auto part = content.substr(0, piece);
    sink.append(part);
    content.remove_prefix(part.size());
  }
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

void bench::lose_power_and_reopen(std::unique_ptr<snapshot_sink> under_way) {
  calling("lose_power", [&] { subject_.lose_power(); });
  under_way.reset();
  reopen();
}

completion bench::submit(const std::vector<log_write>& writes) {
  completion done;
  completions_.push_back(done);
  const auto is_first = completions_.size() == 1;
  calling("submit", [&] { store_->submit(writes, done.callback()); });
  finishes_at_once_ = (is_first || finishes_at_once_) && done.came_at_once();
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
  const std::chrono::milliseconds moment{threw || finishes_at_once_ ? 0 : 20};
  const auto was_done = done.wait(moment);
  end_as(how);
  if (was_done)
    perform(model_, writes);
  adopt_what_remains(was_done ? std::vector<log_write>{} : writes);
  return was_done;
}

void bench::end_as(ending how) {
  if (how == ending::power_loss)
    calling("lose_power", [&] { subject_.lose_power(); });
  close();
  calling("stop_medium_after", [&] { subject_.stop_medium_after(std::numeric_limits<std::size_t>::max()); });
  open();
}

std::unique_ptr<snapshot_sink> bench::begin_snapshot(group_id group, const snapshot_mark& at) {
  auto plan = calling("plan_snapshot", [&] { return store_->plan_snapshot(group, at); });
  require(plan != nullptr, "plan_snapshot returned no plan");
  auto sink = calling("opening a snapshot for writing", [&] { return on_another_thread(std::move(plan)); });
  require(sink != nullptr, "a snapshot's plan returned no sink");
  return sink;
}

std::unique_ptr<snapshot_reader> bench::open_snapshot(group_id group, log_index index) {
  auto plan = calling("plan_snapshot_read", [&] { return store_->plan_snapshot_read(group, index); });
  require(plan != nullptr, "plan_snapshot_read returned no plan");
  auto reader = calling("opening a snapshot for reading", [&] { return on_another_thread(std::move(plan)); });
  require(reader != nullptr, "a snapshot's plan returned no reader");
  return reader;
}

void bench::save_snapshot(group_id group, const snapshot_mark& at, std::string_view content) {
  auto sink = begin_snapshot(group, at);
  calling("writing a snapshot", [&] {
    on_another_thread([&] {
      append_all(*sink, content);
      sink->finish();
      sink.reset();
    });
  });
  model_[group].snapshots[at.at.index] = {{at.at, at.time, content.size()}, std::string{content}};
}

bool bench::save_cut_short(group_id group, const snapshot_mark& at, std::string_view content, std::size_t steps,
                           ending how) {
  calling("stop_medium_after", [&] { subject_.stop_medium_after(steps); });
  auto is_finished = false;
  try {
    const auto sink = on_another_thread(store_->plan_snapshot(group, at));
    on_another_thread([&] {
      append_all(*sink, content);
      sink->finish();
    });
    is_finished = true;
  } catch (const std::exception&) {
    // The medium has stopped.
  }
  end_as(how);
  const auto found = look(group).snapshots;
  const snapshot_image whole{{at.at, at.time, content.size()}, std::string{content}};
  if (const auto there = found.find(at.at.index); is_finished || (there != found.end() && there->second == whole))
    model_[group].snapshots[at.at.index] = whole;
  expect_all_same();
  return is_finished;
}

void bench::expect_no_snapshot(group_id group, log_index index) {
  const auto where = words_of(group) + ": a snapshot at index " + std::to_string(index.value());
  for (const auto& each : recover(group, 0).snapshots)
    require(each.at.index != index, where + " that there should not be is recovered");
  auto plan = calling("plan_snapshot_read", [&] { return store_->plan_snapshot_read(group, index); });
  auto is_there = true;
  try {
    is_there = on_another_thread(std::move(plan)) != nullptr;
  } catch (const std::exception&) {
    is_there = false;
  }
  require(!is_there, where + " that there should not be can be opened");
}

snapshot_image bench::look_at_snapshot(group_id group, const snapshot_mark& mark) {
  const auto where = words_of(group) + ": the snapshot at " + words_of(mark);
  const auto reader = open_snapshot(group, mark.at.index);
  require(reader->mark() == mark, where + " says of itself that it is at " + words_of(reader->mark()));
  snapshot_image image{mark, {}};
  constexpr std::size_t step = 30'000;
  while (image.content.size() < mark.size_bytes) {
    const auto part = calling("reading a snapshot", [&] { return reader->read(image.content.size(), step); });
    require(part.size() == std::min<std::size_t>(step, mark.size_bytes - image.content.size()),
            where + " gave " + std::to_string(part.size()) + " bytes at offset " + std::to_string(image.content.size())
                + " for " + std::to_string(step));
    image.content += part;
  }
  return image;
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
  image.start = found.start;
  auto newest = log_index{};
  for (const auto& mark : found.snapshots) {
    require(mark.at.index > newest, where + ": the snapshots do not come oldest first");
    newest = mark.at.index;
    image.snapshots.emplace(newest, look_at_snapshot(group, mark));
  }
  require(found.last >= found.start.before.index,
          where + ": the log begins " + words_of(found.start) + ", but is said to end at "
              + std::to_string(found.last.value()));
  if (found.last == found.start.before.index) {
    require(found.terms.empty() && found.tail.empty(), where + ": the log is empty, but has terms or a tail");
    return image;
  }
  const auto tail_begins = found.tail.empty() ? found.last.next() : found.tail.front().first();
  require(tail_begins >= image.first() && tail_begins <= found.last.next(),
          where + ": the tail begins outside its log");
  for (auto next = image.first(); next < tail_begins;) {
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
  const auto& log = expected(range.group);
  for (auto next = range.first; next <= range.last;) {
    const auto batches = calling("a read", plan_read({range.group, next, range.last, range.max_bytes}));
    require(!batches.empty(), where + ": a read returned nothing");
    for (const auto& found : images_of(batches, next, where)) {
      require(next <= range.last, where + ": more entries than asked for");
      const auto& wanted = log.at(next);
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
