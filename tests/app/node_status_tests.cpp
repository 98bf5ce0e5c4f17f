// What `troupe status` makes of a node's answer.
#include "app/node_status.hpp"

#include "app/resp/status.hpp"

#include <doctest/doctest.h>

namespace troupe {

TEST_CASE("the table of troupe status has the numbers of its JSON") {
  peer_state peer;
  peer.id = peer_id{2};
  peer.role = "leader";
  peer.term = term_number{3};
  peer.leader = peer_id{2};
  peer.commit = log_index{240};
  peer.applied = log_index{239};
  peer.last = log_index{242};
  peer.log_start = log_index{100};
  peer.snapshot = log_index{223};
  peer.snapshot_bytes = 4935;
  const auto json = resp::status_json(peer);
  CHECK(json.find("\"log_start\":100,") != json.npos);
  const auto read = read_status(json);
  REQUIRE(read);
  CHECK(status_table_text(*read)
        == "node      2\n"
           "role      leader\n"
           "term      3\n"
           "leader    2\n"
           "commit    240\n"
           "applied   239\n"
           "last      242\n"
           "log_start 100\n"
           "snapshot  223 (4935 bytes)\n");
}

TEST_CASE("the table of troupe status says of a node that it has no say, and why") {
  peer_state peer;
  peer.role = "follower";
  const auto said = [&] { return status_table_text(read_status(resp::status_json(peer)).value()); };
  CHECK(said().find("\nsay ") == std::string::npos);
  peer.has_say = false;
  CHECK(said().ends_with("\nsay       none: its log was damaged, it neither votes nor leads until a leader has "
                         "repaired it\n"));
}

TEST_CASE("the table of troupe status says of each follower how far it is, whether it is heard and has a say") {
  peer_state peer;
  peer.role = "leader";
  peer.last = log_index{12};
  peer.followers = {{peer_id{1}, log_index{12}, true}, {peer_id{3}, log_index{4}, true, false}};
  const auto read = read_status(resp::status_json(peer));
  REQUIRE(read);
  CHECK(status_table_text(*read).ends_with("\n\n"
                                           "follower  match         lag           connected  say\n"
                                           "1         12            0             yes        yes\n"
                                           "3         4             8             yes        no\n"));
}

} // namespace troupe
