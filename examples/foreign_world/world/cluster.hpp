/// \file
/// The servers of one scenario: their lives, what they have saved, who reaches whom, and what they have agreed on.
#pragma once

#include "world/network.hpp"
#include "world/server_process.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace world {

/// A scenario did not go as it should; what() says how.
struct failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Start()'s answer.
struct acceptance {
  bool is_leader = false;
  std::uint64_t index = 0;
  std::uint64_t term = 0;
};

/// GetState()'s answer.
struct role {
  int server = 0;
  bool is_leader = false;
  std::uint64_t term = 0;
};

/// How many servers have delivered an index, and what.
struct agreement {
  int servers = 0;
  std::string command;
};

class cluster {
public:
  /// Starts all servers, each in a process of its own, and connects them.
  cluster(int servers, std::uint64_t seed);
  ~cluster();

  [[nodiscard]] int servers() const { return static_cast<int>(places_.size()); }
  [[nodiscard]] network& net() { return network_; }

  /// Enables the ends between a server and every connected one.
  void connect(int server);
  /// Cuts a server off; it goes on by itself.
  void disconnect(int server);
  [[nodiscard]] bool is_connected(int server) const { return at(server).is_connected; }
  /// Cuts a server off and ends its life, by Kill() or by `kill -9`; what it saves from now on is lost.
  void crash(int server);
  /// Begins a new life on what the last one saved, after a crash if need be. It is not connected by this.
  void restart(int server);

  /// Start(). Nobody there: refused.
  acceptance start(int server, const std::string& command);
  /// Starts that do not wait for each other.
  std::vector<acceptance> start_at_once(int server, const std::vector<std::string>& commands);
  /// GetState() of each connected server.
  [[nodiscard]] std::vector<role> connected_roles();
  /// GetState() of each that lives.
  [[nodiscard]] std::vector<role> living_roles();

  [[nodiscard]] agreement delivered(std::uint64_t index) const;

  /// From now on each server's state machine, which is all commands in their order, takes a snapshot every ten indices.
  void take_snapshots() { takes_snapshots_ = true; }
  /// The most that any server has saved of Raft's state, snapshots apart.
  [[nodiscard]] std::size_t largest_state_bytes() const;
  /// The least that any server has saved as its snapshot.
  [[nodiscard]] std::size_t smallest_snapshot_bytes() const;
  /// How often a snapshot has taken the place of a server's state.
  [[nodiscard]] std::uint64_t installed() const { return installed_; }

  void sleep(clock::duration span);
  /// False, if `reached` does not come to hold within `limit`.
  [[nodiscard]] bool wait_until(const std::function<bool()>& reached, clock::duration limit);
  /// Ends all lives by Kill(), and fails unless each process ends as it should. Fails, too, if all took over 120 s.
  void end();

  [[noreturn]] void fail(const std::string& how) const { throw failure{how}; }
  void expect(bool holds, const std::string& otherwise) const {
    if (!holds)
      fail(otherwise);
  }
  /// A uniform number below `bound`.
  [[nodiscard]] int random(int bound) { return std::uniform_int_distribution{0, bound - 1}(chance_); }
  [[nodiscard]] clock::duration elapsed() const { return clock::now() - begun_; }

private:
  /// What the course calls a persister: holds Raft's state and a snapshot, which are replaced together.
  struct persister {
    std::string state;
    std::string snapshot;
  };

  struct life : std::enable_shared_from_this<life> {
    std::shared_ptr<persister> disk;
    std::unique_ptr<server_process> process;
    bool is_booted = false;
    bool is_to_end = false;
    bool has_ended = false;
    std::uint64_t last_delivered = 0;
    std::map<std::uint64_t, network::call_end> serving; ///< Calls it has not answered yet.
  };

  struct place {
    std::shared_ptr<persister> disk = std::make_shared<persister>();
    std::shared_ptr<life> living;
    bool is_connected = false;
    /// Deliveries of all lives, by index.
    std::map<std::uint64_t, std::string> delivered;
  };

  [[nodiscard]] place& at(int server) { return places_[static_cast<std::size_t>(server)]; }
  [[nodiscard]] const place& at(int server) const { return places_[static_cast<std::size_t>(server)]; }
  void begin_life(int server);
  void await_boot(int server);
  void kill(int server);
  void set_ends(int server, bool on);
  void hear(int server, life& from, frame f);
  void place_call(int server, const frame& f);
  void save(life& from, frame f);
  void deliver(int server, life& to, frame f);
  void install(int server, life& to, const frame& f);
  void expect_agreement(int server, std::uint64_t index, const std::string& command) const;
  [[nodiscard]] std::uint64_t ask(int server, frame question);
  [[nodiscard]] frame await_answer(int server, std::uint64_t number);
  [[nodiscard]] std::vector<role> roles(bool of_connected_only);

  clock::time_point begun_ = clock::now();
  event_loop loop_;
  std::mt19937_64 chance_;
  network network_;
  std::vector<place> places_;
  std::uint64_t last_number_ = 0;
  std::map<std::uint64_t, frame> answers_;
  bool takes_snapshots_ = false;
  std::uint64_t installed_ = 0;
};

} // namespace world
