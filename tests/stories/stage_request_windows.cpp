// How much a leader lets be on its way, as the network shows it (I16).
#include "stage/request_windows.hpp"

#include <doctest/doctest.h>

using namespace troupe;

namespace {

constexpr peer_id leader{1}, follower{2};

bounds small() {
  bounds limits;
  limits.request_entries = 3;
  limits.in_flight_requests = 2;
  limits.snapshot_piece_bytes = 10;
  return limits;
}

/// A leader of term 3 that may have two requests under way, of three entries each.
struct strict_leader {
  void sends(std::uint64_t number, std::uint64_t previous, int entries, std::uint32_t incarnation = 1) {
    append_entries request;
    request.about = {group_id{}, leader, follower, term_number{3}};
    request.incarnation = incarnation;
    request.number = number;
    request.previous = {term_number{3}, log_index{previous}};
    if (entries > 0) {
      entry_block_builder block;
      for (int i = 0; i < entries; ++i)
        block.add(entry_kind::command, "x");
      request.batches.push_back(entry_batch::stamp(block.take(), term_number{3}, log_index{previous + 1}, 0));
    }
    windows.leaves(request);
  }

  void hears(std::uint64_t number, bool success, std::uint64_t match) {
    append_reply reply;
    reply.about = {group_id{}, follower, leader, term_number{3}};
    reply.incarnation = 1;
    reply.number = number;
    reply.success = success;
    reply.match = log_index{match};
    windows.arrives(reply);
  }

  verdict judge;
  request_windows windows{judge, small()};
};

} // namespace

TEST_CASE("I16: A leader that sends on while its window is full is caught") {
  strict_leader one;
  one.sends(1, 0, 3);
  one.sends(2, 3, 1);
  one.sends(3, 4, 0); // A heartbeat is always welcome.
  CHECK_FALSE(one.judge.failed());
  one.sends(4, 4, 1);
  CHECK(one.judge.failed());
}

TEST_CASE("I16: An answer opens the window, of whichever request it is, and so does proof") {
  strict_leader one;
  one.sends(1, 0, 3);
  one.sends(2, 3, 1);
  one.hears(1, false, 0);
  one.sends(3, 4, 1);
  one.hears(1, true, 5); // Late, and it proves all of it.
  one.sends(4, 5, 1);
  one.sends(5, 6, 1);
  CHECK_FALSE(one.judge.failed());
  one.sends(6, 7, 1);
  CHECK(one.judge.failed());
}

TEST_CASE("I16: Proof counts that has come before what it proves was sent: the leader may come to it later") {
  strict_leader one;
  one.sends(1, 0, 3);
  one.hears(1, true, 5);
  one.sends(2, 3, 1);
  one.sends(3, 4, 1);
  one.sends(4, 5, 1);
  one.sends(5, 6, 1);
  CHECK_FALSE(one.judge.failed());
  one.sends(6, 7, 1);
  CHECK(one.judge.failed());
}

TEST_CASE("I16: Who begins anew elsewhere, or as another replicator, has given up what was under way") {
  strict_leader one;
  one.sends(1, 10, 3);
  one.sends(2, 13, 3);
  one.sends(3, 10, 3);
  one.sends(4, 13, 3);
  one.sends(1, 16, 3, 2);
  one.sends(2, 19, 3, 2);
  CHECK_FALSE(one.judge.failed());
}

TEST_CASE("I16: A request of too many entries, or a piece of too many bytes, is caught") {
  strict_leader one;
  one.sends(1, 0, 4);
  CHECK(one.judge.failed());
  strict_leader other;
  install_snapshot piece;
  piece.about = {group_id{}, leader, follower, term_number{3}};
  piece.bytes = shared_bytes{std::string(10, 'x')};
  other.windows.leaves(piece);
  CHECK_FALSE(other.judge.failed());
  piece.bytes = shared_bytes{std::string(11, 'x')};
  other.windows.leaves(piece);
  CHECK(other.judge.failed());
}
