#include "messages/mutant.hpp"

#ifdef TROUPE_MUTANTS

#include <algorithm>
#include <array>

namespace troupe {

namespace {

constexpr std::array rows{
    mutant_row{mutant::canary, "canary", "each tenth command is applied without its last byte", "-"},
    mutant_row{mutant::E1, "E1", "the vote is not in the record that makes its term durable", "hashicorp/raft #661"},
    mutant_row{mutant::E2, "E2", "a step down within the term frees the vote", "CCF #8094"},
    mutant_row{mutant::E3, "E3", "a candidate does not record its vote for itself", "nebula #3415"},
    mutant_row{mutant::E4, "E4", "a restart takes the term from the log", "raft-java #57"},
    mutant_row{mutant::E5, "E5", "the higher term in the refusal of a pre-vote is ignored", "etcd #8501"},
    mutant_row{mutant::E6, "E6", "neither pre-vote nor loyalty to a leader that is heard", "etcd #14893"},
    mutant_row{mutant::E8, "E8", "a leader that hears nobody goes on", "CockroachDB #104042"},
    mutant_row{mutant::E10, "E10", "late votes of other rounds and phases are counted", "CCF, tally of a quorum"},
    mutant_row{mutant::R1, "R1", "entries of an older term are committed by counting", "LogCabin #44"},
    mutant_row{mutant::R2, "R2", "a late, shorter request cuts the log", "CCF #5991"},
    mutant_row{mutant::R3, "R3", "a follower acknowledges its own last index", "CCF #6016"},
    mutant_row{mutant::R4, "R4", "a follower commits past what the request has proven", "scylladb #9965"},
    mutant_row{mutant::R5, "R5", "a late refusal takes back what is proven", "openraft fbbf37b1"},
    mutant_row{mutant::R6, "R6", "an entry that does not fit into a request is left out", "LogCabin #160"},
    mutant_row{mutant::R7, "R7", "a new leader takes its followers for equal", "async-raft #113"},
    mutant_row{mutant::R8, "R8", "what is not committed may grow for ever", "braft #518"},
    mutant_row{mutant::R11, "R11", "a leader counts its own entry before its disk has it", "etcd #14370"},
    mutant_row{mutant::R12, "R12", "what a deposed leader had in a queue goes out later", "CCF #8293"},
    mutant_row{mutant::R14, "R14", "a late request takes the commit index back", "raft.tla"},
    mutant_row{mutant::P1, "P1", "answers do not wait for the disk", "NATS 2.12.1"},
    mutant_row{mutant::P1_log, "P1_log", "the log is written, and not synced", "etcd #14140"},
    mutant_row{mutant::P3, "P3", "damage in the log is taken for a torn write, and cut off", "braft, etcd"},
    mutant_row{mutant::P4, "P4", "a damaged header of a record is taken for the log's end", "etcd decoder.go"},
    mutant_row{mutant::P6, "P6", "a failed sync is tried again, and believed", "fsyncgate"},
    mutant_row{mutant::P8, "P8", "the name of a new segment is not synced", "ALICE"},
    mutant_row{mutant::P9, "P9", "a snapshot holds one entry more than it says", "etcd #13766"},
    mutant_row{mutant::P11, "P11", "a gap between snapshot and log is not looked for", "RedisRaft #43"},
    mutant_row{mutant::P12, "P12", "a truncation is not recorded: the suffix may come back", "-"},
    mutant_row{mutant::S2, "S2", "entries that continue an installed snapshot are dropped", "Camunda #6092"},
    mutant_row{mutant::S2_start, "S2_start", "a restart drops the entries that continue its snapshot", "Camunda #6092"},
    mutant_row{mutant::S3, "S3", "a conflicting log stays behind an installed snapshot", "hashicorp/raft #704"},
    mutant_row{mutant::S4, "S4", "a snapshot of what is applied already is installed", "NuRaft #407"},
    mutant_row{mutant::S6, "S6", "the newest snapshots are removed, not the oldest", "hashicorp/raft #395"},
    mutant_row{mutant::S7, "S7", "after a restore that did not take, the node goes on", "rqlite #2759"},
    mutant_row{mutant::S8, "S8", "a snapshot lacks the list of removed members", "etcd 3.5, zombie members"},
    mutant_row{mutant::Q1, "Q1", "a leader answers reads without asking a quorum", "etcd, Consul 2014"},
    mutant_row{mutant::Q2, "Q2", "a new leader answers reads before it has committed", "etcd/raft, read index"},
    mutant_row{mutant::Q3, "Q3", "a read round is used again", "etcd #20418"},
    mutant_row{mutant::Q5, "Q5", "a read does not wait until its index is applied", "RedisRaft #18"},
    mutant_row{mutant::C2, "C2", "a command whose leader was deposed is told to have failed", "jetcd 0.8.2"},
    mutant_row{mutant::L1, "L1", "who lost what it acknowledged votes all the same", "-"},
    mutant_row{mutant::O2, "O2", "a member is believed on whatever disk", "TigerBeetle #2767"},
    mutant_row{mutant::O3, "O3", "starts of a disk are counted, and not told apart", "-"},
    mutant_row{mutant::O3_again, "O3_again", "a node that is refused is in another life at each start", "-"},
    mutant_row{mutant::O3_late, "O3_late", "what a node said in its last life, heard late, is taken for a copy's", "-"},
    mutant_row{mutant::Z5, "Z5", "a leader sends without waiting for answers", "scylladb #11559"},
};

} // namespace

std::span<const mutant_row> all_mutants() {
  return rows;
}

bool wake_mutant(std::string_view name) {
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const mutant_row& each) { return each.name == name; });
  if (row == rows.end())
    return false;
  chosen_mutant = row->what;
  return true;
}

} // namespace troupe

#endif
