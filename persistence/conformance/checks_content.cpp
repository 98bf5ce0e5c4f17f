#include "persistence/conformance/check.hpp"
#include "persistence/conformance/writes.hpp"

#include <limits>

namespace troupe::conformance {

namespace {

constexpr group_id g0{0};
constexpr group_id g7{7};

void empty_place(bench& place) {
  for (const auto group : {g0, g7}) {
    const auto found = place.recover(group, 1000);
    require(found.vote == hard_state{}, "expected term 0 with no vote, got " + words_of(found.vote));
    require(found.last == log_index{}, "expected last index 0, got " + std::to_string(found.last.value()));
    require(found.terms.empty(), "expected no terms, got " + words_of(found.terms));
    require(found.tail.empty(), "expected no tail, got " + std::to_string(found.tail.size()) + " batches");
  }
  place.reopen();
  place.expect_same(g0);
}

void votes_alone(bench& place) {
  const std::uint64_t large = std::uint64_t{1} << 60;
  for (const auto& state : {vote(1), vote(1, 3), vote(2, 1), vote(2, 1), vote(9), vote(large, large + 1)}) {
    place.write({voting(g7, state)});
    place.reopen();
    place.expect_same(g7);
    place.expect_same(g0);
  }
}

void votes_with_entries(bench& place) {
  place.write({{g0, vote(3, 2), std::nullopt, {batch(3, 1, {{"a"}, {"b"}})}}});
  place.reopen();
  place.expect_same(g0);
  place.write({{g0, vote(5, 1), log_index{2}, {batch(5, 2, {{"c"}})}}});
  place.reopen();
  place.expect_same(g0);
}

void entries_whole(bench& place) {
  std::string every_byte;
  for (int each = 0; each < 256; ++each)
    every_byte += static_cast<char>(each);
  place.write({{g0,
                vote(2, 1),
                std::nullopt,
                {batch(1, 1, {{"first", entry_kind::no_op}}, 0),
                 batch(1, 2, {{every_byte}, {"", entry_kind::configuration}, {"s", entry_kind::session}}, 17),
                 batch(2, 5, {{"h", entry_kind::state_hash}, {std::string(100, '\0')}},
                       std::numeric_limits<std::int64_t>::max() / 2)}}});
  place.expect_read({g0, log_index{1}, log_index{6}, 100000});
  place.reopen();
  place.expect_same(g0);
  place.expect_read({g0, log_index{1}, log_index{6}, 100000});
}

void sizes(bench& place) {
  const std::string large(std::size_t{1} << 20, 'L');
  place.write({{g0, vote(1, 1), std::nullopt, {batch(1, 1, {{""}, {""}}), batch(1, 3, {{large}})}}});
  place.write({appending(g0, {batch(1, 4, {{large}, {""}, {large}}), batch(1, 7, {{"small"}})})});
  place.write({appending(g0, {filler(1, 8, 10000, 0)})});
  std::vector<entry_batch> tiny;
  for (std::uint64_t index = 10008; index < 11008; ++index)
    tiny.push_back(batch(1, index, {{"t"}}));
  place.write({appending(g0, tiny)});
  place.reopen();
  place.expect_same(g0);
  place.expect_read({g0, log_index{1}, place.expected(g0).last(), std::size_t{256} << 10});
}

void exact_terms(bench& place) {
  place.write({voting(g0, vote(9))});
  const auto write_and_compare = [&](log_write what) {
    place.write({std::move(what)});
    place.reopen();
    const auto found = place.recover(g0, 0);
    const auto wanted = runs_of(place.expected(g0));
    require(found.terms == wanted, "expected the terms " + words_of(wanted) + ", got " + words_of(found.terms));
    require(found.last == place.expected(g0).last(),
            "expected last index " + std::to_string(place.expected(g0).last().value()) + ", got "
                + std::to_string(found.last.value()));
  };
  write_and_compare(appending(g0, {filler(1, 1, 3, 8), filler(1, 4, 2, 8)}));
  write_and_compare(appending(g0, {filler(1, 6, 1, 8), filler(4, 7, 1, 8), filler(5, 8, 1, 8), filler(5, 9, 4, 8)}));
  write_and_compare(truncating(g0, 9));                       // Within a run, between batches.
  write_and_compare(truncating(g0, 8, {filler(4, 8, 2, 8)})); // A run goes, the one before goes on.
  write_and_compare(truncating(g0, 3, {filler(1, 3, 1, 8)})); // Into a batch, and again the same term.
  write_and_compare(appending(g0, {filler(8, 4, 1, 8), filler(9, 5, 2, 8)}));
}

void tail_lengths(bench& place) {
  place.write({voting(g0, vote(3))});
  constexpr std::uint64_t batches = 40;
  constexpr std::uint64_t per_batch = 3;
  for (std::uint64_t i = 0; i < batches; ++i)
    place.write({appending(g0, {filler(1 + i / 20, 1 + i * per_batch, per_batch, 200)})});
  place.reopen();
  const auto last = place.expected(g0).last();
  const auto largest = payload_bytes(place.expected(g0), log_index{1}, log_index{per_batch}) + 100;
  const auto all = payload_bytes(place.expected(g0), log_index{1}, last);
  for (const std::size_t asked : {std::size_t{0}, std::size_t{1}, std::size_t{700}, std::size_t{5000}, all * 2}) {
    const auto where = "a tail of " + std::to_string(asked) + " bytes";
    const auto found = place.recover(g0, asked);
    require(found.last == last, where + ": another last index than without");
    std::size_t bytes = 0;
    for (const auto& each : found.tail)
      bytes += each.size_bytes();
    require(bytes <= asked + largest, where + ": got " + std::to_string(bytes) + " bytes");
    require(bytes + largest >= std::min(asked, all),
            where + ": got only " + std::to_string(bytes) + " bytes of " + std::to_string(all));
    if (found.tail.empty())
      continue;
    const auto first = found.tail.front().first();
    const auto images = images_of(found.tail, first, where);
    require(found.tail.back().last() == last,
            where + ": ends at " + std::to_string(found.tail.back().last().value()) + ", the log at "
                + std::to_string(last.value()));
    for (std::size_t i = 0; i < images.size(); ++i)
      require(images[i] == place.expected(g0).entries[first.value() - 1 + i],
              where + ": another entry at index " + std::to_string(first.value() + i));
  }
}

void recovered_while_open(bench& place) {
  place.write({{g0, vote(1, 1), std::nullopt, {filler(1, 1, 5, 30)}}});
  place.expect_same(g0);
  place.write({{g0, vote(2, 3), log_index{4}, {filler(2, 4, 3, 30)}}, voting(g7, vote(1))});
  place.expect_all_same();
}

void groups_apart(bench& place) {
  constexpr std::uint32_t groups = 100;
  std::vector<log_write> writes;
  for (std::uint32_t group = 0; group < groups; ++group)
    writes.push_back({group_id{group}, vote(1 + group, group), std::nullopt, {filler(1, 1, 1 + group % 5, 20)}});
  place.write(writes);
  writes.clear();
  for (std::uint32_t group = 0; group < groups; group += 3)
    writes.push_back(truncating(group_id{group}, 1, {filler(1 + group, 1, 1 + group % 2, 50)}));
  place.write(writes);
  place.write({{group_id{std::numeric_limits<std::uint32_t>::max()}, vote(4, 4), std::nullopt, {filler(4, 1, 1, 9)}}});
  place.expect_read({group_id{5}, log_index{1}, log_index{1}, 1000});
  place.reopen();
  place.expect_all_same();
}

void vote_only_group(bench& place) {
  place.write({voting(g7, vote(4, 2)), {g0, vote(1), std::nullopt, {filler(1, 1, 3, 10)}}});
  place.reopen();
  const auto found = place.recover(g7, 1000);
  require(found.vote == vote(4, 2), "expected " + words_of(vote(4, 2)) + ", got " + words_of(found.vote));
  require(found.last == log_index{} && found.terms.empty() && found.tail.empty(),
          "expected no entries, got a log up to " + std::to_string(found.last.value()));
}

} // namespace

std::vector<check> content_checks() {
  return {
      {"an empty place recovers as empty", empty_place},
      {"term and vote come back as written", votes_alone},
      {"a vote and the entries written with it come back together", votes_with_entries},
      {"entries come back with their index, term, time, kind and bytes", entries_whole},
      {"entries without content, of a mebibyte, and ten thousand tiny ones come back", sizes},
      {"the terms of the whole log are told run by run, exactly", exact_terms},
      {"the tail is consecutive, ends at the last entry and is about as long as asked for", tail_lengths},
      {"a group is recovered as it is now, though the store was not opened again", recovered_while_open},
      {"a hundred groups do not touch each other", groups_apart},
      {"a group that has only voted has a vote and no entries", vote_only_group},
  };
}

} // namespace troupe::conformance
