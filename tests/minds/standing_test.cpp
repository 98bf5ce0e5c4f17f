#include "stage/standing.hpp"

#include <doctest/doctest.h>

using namespace troupe;

TEST_CASE("How nodes stand is a table, with a column for each number") {
  node_standing leader;
  leader.node = peer_id{1};
  leader.state = "leads";
  leader.vote = {term_number{7}, peer_id{1}, 0};
  leader.start = {term_number{6}, log_index{1000}};
  leader.written = {term_number{7}, log_index{1234}};
  leader.durable = {term_number{7}, log_index{1230}};
  leader.told_commit = log_index{1229};
  leader.applied = log_index{1228};
  node_standing damaged;
  damaged.node = peer_id{2};
  damaged.state = "lives";
  damaged.vote = {term_number{7}, nobody, 12};
  CHECK(to_table({leader, damaged})
        == std::vector<std::string>{
            "                       term  vote  snapshot  log end  durable  told commit  applied",
            "node 1  leads          7     1     1000@6    1234@7   1230@7   1229         1228",
            "node 2  lives, no say  7     -     -         0@0      0@0      0            0",
        });
}
