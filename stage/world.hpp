/// \file
/// A whole cluster with its clients and all that befalls it: one seed, one run.
///
/// Nodes are production's peers, logs, snapshots and recovery (node.hpp, directory_disk.hpp); between them lies a
/// network of packets; what goes wrong is a plan (fault.hpp); everything is watched (safety_checker.hpp,
/// operation_ledger.hpp, the workload's own oracle). A run has two phases: in the first anything may go wrong and
/// nothing may be broken; in the second a connected quorum is healed, the rest stays as broken as it is, and the quorum
/// must elect, serve and agree in time.
#pragma once

#include "stage/clients.hpp"
#include "stage/coverage.hpp"
#include "stage/directory_disk.hpp"
#include "stage/fault.hpp"
#include "stage/knobs.hpp"
#include "stage/node.hpp"
#include "stage/operation_ledger.hpp"
#include "stage/packet_network.hpp"
#include "stage/past.hpp"
#include "stage/request_windows.hpp"
#include "stage/runtime.hpp"
#include "stage/safety_checker.hpp"
#include "stage/standing.hpp"
#include "stage/trace_log.hpp"
#include "troupe/workload.hpp"

#include "actors/link/hello.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace troupe {

struct world_options {
  stage_knobs knobs;
  /// Records words, for a story.
  bool tells = false;
  /// After so many messages some node's snapshots are counted (I16), its bookkeeping is compared with disks (I7), and
  /// recovery is run on what a crash would leave of it (I17): that after more messages if the log it was last done with
  /// had more entries than that; 0: never.
  std::uint64_t crash_image_every = 1000;
  /// What the knobs' `gate_clients` come through; if empty, all submit to peers themselves.
  gate_maker gate = {};
};

class stage_world {
public:
  stage_world(std::uint64_t seed, world_options options, std::unique_ptr<workload> clients);
  ~stage_world();

  [[nodiscard]] stage_runtime& runtime() { return runtime_; }
  [[nodiscard]] packet_network& network() { return network_; }
  [[nodiscard]] operation_ledger& ledger() { return ledger_; }
  [[nodiscard]] safety_checker& checker() { return checker_; }
  [[nodiscard]] const coverage& marks() const { return marks_; }
  [[nodiscard]] trace_log& trace() { return trace_; }
  [[nodiscard]] std::uint64_t nodes() const { return options_.knobs.nodes; }

  /// Writes a history to a node's disk before its first life: its vote, and the terms of its entries, in order.
  void preload(peer_id id, const hard_state& vote, const std::vector<term_number>& entries);
  /// All nodes begin, and clients ask.
  void start_all();
  void start(peer_id id);
  /// The power of a node goes, if it is alive.
  void crash(peer_id id);
  [[nodiscard]] bool is_alive(peer_id id) const;
  /// Its disk keeps it from ever taking part again.
  [[nodiscard]] bool is_retired(peer_id id) const { return at(id).retired; }
  /// Whether it runs on what is left of a damaged log, and is not repaired yet (`hard_state::lost`).
  [[nodiscard]] bool has_loss(peer_id id) const { return at(id).node->disk().vote().lost != 0; }

  /// Has a fault befall now, and end when its time is over.
  void strike(const fault& f);
  /// Ends faults that have befallen, now.
  void end_faults(const std::function<bool(const fault&)>& which);
  /// Has all faults of a plan befall at their times, counted from now.
  void follow(const fault_plan& plan);

  /// Who asks.
  [[nodiscard]] stage_clients& clients() { return clients_; }

  /// Ends all faults: at nodes of `core` and between them. The rest stays as it is, cut off from the core in one
  /// direction at least.
  void heal(const std::set<peer_id>& core);
  /// Nodes whose disks do not keep them from taking part, and will not at their next start.
  [[nodiscard]] std::vector<peer_id> able() const;
  /// Who leads the highest term that anybody alive leads; `nobody` if nobody does.
  [[nodiscard]] peer_id leader();
  [[nodiscard]] std::optional<peer_state> state(peer_id id);
  /// What a node would still know if its power went now.
  [[nodiscard]] const durable_model& disk(peer_id id) const { return at(id).node->disk(); }
  /// How each node stands, as its disk and what it has said and done show.
  [[nodiscard]] std::vector<node_standing> standings();
  /// Whose doing the broken promise is, if one is: who was playing, or was looked at; else nobody.
  [[nodiscard]] peer_id at_fault() const { return looked_at_ != nobody ? looked_at_ : runtime_.player(); }
  /// A line of the log of whoever is playing, for the story.
  void overhear(std::string_view line);
  /// How often somebody has begun to lead.
  [[nodiscard]] std::uint64_t leader_changes() const { return leader_changes_; }

  /// A quorum is there first, and must have a leader soon, whatever its logs are (L1); then the others begin, too.
  void demand_leader_of_first_quorum();
  /// The second phase: fails the run if a promise of liveness is broken (L1 to L5, L7).
  void demand_liveness();

private:
  struct world_node {
    directory_disk* disk = nullptr;
    std::unique_ptr<stage_node> node;
    acquaintances book; ///< Whom it has met; durable.
    std::uint64_t life = 0;
    bool retired = false;
    std::uint64_t lost = 0; ///< The last loss of its log that it declared.
    bool doomed = false;    ///< A fault has done to its disk what may keep it from taking part: until `excuse_ends`.
    unsigned lies = 0;      ///< Faults that have its disk lie about syncs.
    bool lied = false;      ///< It has lied since the last start that was weighed.
    unsigned pauses = 0;
    unsigned slow_applies = 0;
    unsigned stalls = 0;
    instant stalled_until{};
    instant led_until{};
    unsigned fills = 0;
    unsigned failing_syncs = 0;
    std::uint64_t failed_in = 0; ///< The life that was told of a failed sync.
    bool has_ended = false;      ///< Itself, for that.
    unsigned downs = 0;          ///< Faults that keep it from being started.
    std::uint64_t backup_boot = 0;
    bool is_impostor = false; ///< Its disk is not the one that its peers have met: wiped, or an older copy.
    std::optional<link_identity> identity;
    std::optional<link_identity> in_last_life;  ///< Who it was before its last crash.
    std::map<peer_id, std::uint64_t> passed_on; ///< By leader: the latest message with operations that has arrived.
    std::uint64_t overtaken = 0;                ///< Such messages that arrived behind later ones.
    log_index told_commit;                      ///< In this life, sent or heard.
    log_index applied;                          ///< In this life.
  };

  [[nodiscard]] world_node& at(peer_id id) { return nodes_[id.value() - 1]; }
  [[nodiscard]] const world_node& at(peer_id id) const { return nodes_[id.value() - 1]; }
  [[nodiscard]] bool exists(peer_id id) const { return id != nobody && id.value() <= nodes_.size(); }
  [[nodiscard]] std::vector<peer_id> ids() const;
  [[nodiscard]] duration now() { return runtime_.now() - runtime_.started_at(); }

  void note(trace_event::kind what, peer_id node, const std::function<std::string()>& words, term_number term = {});
  void observe(const peer_message& message);
  void note_leader(peer_id id, term_number term);
  void note_write(peer_id id, const log_write& write);
  void retire(peer_id id, sometimes mark, const std::string& why);
  [[nodiscard]] bool believes(peer_id from, peer_id to);
  void wear_out(peer_id impostor);
  void hear_late(peer_id from, peer_id to);
  [[nodiscard]] bool all_have_seen_later(peer_id id, std::uint64_t boot) const;
  void check_now_and_then();
  void check_crash_image(peer_id id);
  [[nodiscard]] bool excuse_ends(peer_id id, const recovered_group& image) const;
  void check_snapshots(peer_id id);
  void check_bookkeeping(peer_id id);
  void node_ended(peer_id id, std::uint64_t life, const std::string& why);

  void befall(const fault& f);
  void begin_fault(const fault& f);
  void end_fault(const fault& f);
  void cut(peer_id from, peer_id to, bool is_cut);
  void begin_lying(peer_id id);
  void end_lying(peer_id id);
  [[nodiscard]] bool survives_lie(peer_id id);
  void go_down(peer_id id);
  void come_up(peer_id id);

  [[nodiscard]] std::set<peer_id> draw_quorum(std::vector<peer_id> candidates);
  [[nodiscard]] duration slowest_timeout() const;
  [[nodiscard]] duration time_for_backlog(const std::set<peer_id>& core) const;
  void await_leader(const std::set<peer_id>& core, const std::string& what);
  void demand_repair(const std::set<peer_id>& core, duration slowest);
  void demand_quiet_return(const std::set<peer_id>& core, duration slowest);
  [[noreturn]] void fail(const std::string& what);

  world_options options_;
  std::unique_ptr<workload> workload_;
  dice chance_;
  stage_runtime runtime_;
  packet_network network_;
  safety_checker checker_;
  request_windows windows_;
  operation_ledger ledger_;
  trace_log trace_;
  coverage marks_;
  std::vector<world_node> nodes_;
  std::map<std::pair<peer_id, peer_id>, unsigned> cuts_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, bool> belief_;
  unsigned bad_networks_ = 0;
  std::map<std::uint64_t, fault> present_faults_; ///< By the order in which they befell.
  std::uint64_t fault_number_ = 0;
  std::uint64_t fault_epoch_ = 0; ///< Faults of an earlier one neither begin nor end any more.

  std::map<term_number, peer_id> leaders_;
  std::map<term_number, std::uint64_t> led_in_; ///< In which of the leader's lives.
  std::uint64_t leader_changes_ = 0;
  peer_id looked_at_;           ///< Whose crash image is being judged.
  std::uint64_t image_due_ = 0; ///< In messages. Later where logs are long, for each look reads a whole one.
  bool prepares_ = false;       ///< What is written is a past that the run begins with.

  std::set<std::pair<peer_id, std::uint64_t>> questions_; ///< How much of a snapshot is there already?
  stage_clients clients_;
};

/// What a run came to.
struct run_result {
  std::optional<std::string> violation;
  duration virtual_time{};
  std::uint64_t steps = 0;
  std::uint64_t messages = 0;
  std::uint64_t hash = 0;
  operation_tally operations;
  coverage marks;
  // If it was told:
  std::vector<trace_event> events;
  std::vector<std::string> details;     ///< What is known of the violation beyond its words.
  std::vector<node_standing> standings; ///< When it ended.
};

struct run_options {
  world_options world;
  /// What is on the disks when the run begins; nothing if empty.
  std::vector<node_past> pasts;
  fault_plan plan;
  /// Of the first phase.
  duration lasts = std::chrono::seconds{60};
  bool demands_liveness = true;
};

using workload_maker = std::function<std::unique_ptr<workload>(const stage_knobs& knobs)>;

/// Plays whatever `story` does with a world. Never throws for a broken promise: it is in the result.
[[nodiscard]] run_result play(std::uint64_t seed, const world_options& options, const workload_maker& clients,
                              const std::function<void(stage_world& world)>& story);

/// Plays one run. Never throws for a broken promise: it is in the result.
[[nodiscard]] run_result play(std::uint64_t seed, const run_options& options, const workload_maker& clients);

} // namespace troupe
