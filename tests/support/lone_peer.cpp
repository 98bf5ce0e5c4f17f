#include "tests/support/lone_peer.hpp"

#include "tests/support/course.hpp"
#include "tests/support/logs.hpp"

namespace troupe {

namespace {

using std::chrono::milliseconds;

constexpr peer_id self{1};

envelope from(std::uint64_t who, std::uint64_t term) {
  return {group_id{}, peer_id{who}, self, term_number{term}};
}

} // namespace

lone_peer::lone_peer(std::uint64_t seed)
    : chance_{seed}, runtime_{chance_.roll()}, network_{runtime_, chance_.fork()}, checker_{
                                                                                       runtime_.judge(),
                                                                                       {self, peer_id{2}, peer_id{3}}} {
  log_by_virtual_time(runtime_);
  checker_.trust_commits();
  network_.allow_loose_replies();
  network_.watch([this](const peer_message& message) { checker_.leaves(message); });
  const configuration members = configuration::of({self, peer_id{2}, peer_id{3}});
  node_ = std::make_unique<stage_node>(
      stage_node_parts{runtime_,
                       network_,
                       checker_,
                       self,
                       group_id{},
                       members,
                       course_options::bare_interface(),
                       make_log_disk(chance_.roll(), 64 << 10),
                       {duration::zero(), duration::zero()},
                       chance_.fork(),
                       [this](const applied_command& m) { delivered_.emplace_back(m.command.view()); }});
  for (const auto puppet : {peer_id{2}, peer_id{3}}) {
    network_.open(puppet);
    network_.put(puppet, [this](const peer_message& message) { said_.push_back(message); });
    network_.enable(self, puppet, true);
    network_.enable(puppet, self, true);
  }
  node_->start();
  runtime_.run_for(duration::zero());
}

lone_peer::~lone_peer() {
  if (node_->alive())
    node_->crash();
  runtime_.strike();
  forget_virtual_time();
}

void lone_peer::disk_catches_up() {
  node_->valve().open();
  runtime_.run_for(duration::zero());
}

request_vote lone_peer::becomes_candidate() {
  for (int attempt = 0; attempt < 100; ++attempt) {
    waits(milliseconds{50});
    const auto* request = last_said<request_vote>();
    if (request == nullptr)
      continue;
    if (!request->pre_vote)
      return *request;
    hears(votes(2, *request, true));
  }
  throw story_failed{"the peer never asks for votes"};
}

term_number lone_peer::becomes_leader() {
  const auto request = becomes_candidate();
  hears(votes(2, request, true));
  waits(milliseconds{1});
  if (!state().is_leader)
    throw story_failed{"the peer does not lead although it was elected"};
  return request.about.term;
}

void lone_peer::follows(peer_id leader, term_number term) {
  hears(appends(leader.value(), term.value(), 1));
  waits(milliseconds{1});
}

request_vote asks_for_vote(std::uint64_t candidate, std::uint64_t term, log_position last) {
  request_vote request;
  request.about = from(candidate, term);
  request.round = candidate * 1000 + term;
  request.last_log = last;
  return request;
}

request_vote asks_whether_it_would_vote(std::uint64_t candidate, std::uint64_t term, log_position last) {
  auto request = asks_for_vote(candidate, term, last);
  request.pre_vote = true;
  return request;
}

append_entries appends(std::uint64_t leader, std::uint64_t term, std::uint64_t number, log_position previous,
                       std::vector<entry_batch> batches, std::uint64_t commit) {
  append_entries request;
  request.about = from(leader, term);
  request.incarnation = 1;
  request.number = number;
  request.previous = previous;
  request.commit = log_index{commit};
  request.batches = std::move(batches);
  return request;
}

vote_reply votes(std::uint64_t voter, const request_vote& request, bool granted) {
  vote_reply reply;
  const auto term = request.about.term.value();
  reply.about = from(voter, request.pre_vote ? term - 1 : term);
  reply.round = request.round;
  reply.pre_vote = request.pre_vote;
  reply.granted = granted;
  return reply;
}

entry_batch entries(std::uint64_t term, std::uint64_t first, std::uint32_t count) {
  entry_block_builder block;
  for (std::uint32_t i = 0; i < count; ++i)
    block.add(entry_kind::command, std::to_string(term) + "/" + std::to_string(first + i));
  return entry_batch::stamp(block.take(), term_number{term}, log_index{first}, 0);
}

} // namespace troupe
