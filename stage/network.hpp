/// \file
/// The simulated network: what lies between peers on the stage. Its probabilities and delays are those of the course's
/// simulated network, so that the course's limits mean here what they mean there.
///
/// The messages of a pair of peers belong together as *calls*: a request and the one reply that echoes its
/// number. Chance treats them as one call, with these steps:
///
/// 1. The call and the bytes of the request are counted, whatever becomes of it.
/// 2. Whether the receiver can be reached is read once, now. If not, the call has failed.
/// 3. Unreliable: 0 to 26 ms of delay, then one request in ten is lost.
/// 4. The request is delivered and counted at the receiver.
/// 5. The reply is suppressed if the way there was cut, or the receiver replaced, when the reply leaves, or at any full
///    100 ms after the delivery.
/// 6. Unreliable: one reply in ten is lost.
/// 7. Long reordering: two replies in three are held back 200 ms + U, U uniform up to R, R uniform up to 1999 ms.
///
/// A reliable network delivers at once.
#pragma once

#include "stage/switchboard.hpp"

#include <compare>
#include <functional>
#include <map>
#include <set>
#include <tuple>
#include <vector>

namespace troupe {

/// What the network has carried.
struct network_counts {
  std::uint64_t calls = 0; ///< Requests sent, also those that went nowhere.
  std::uint64_t bytes = 0; ///< Of requests sent and replies delivered, frame headers included.
};

class stage_network final : public switchboard {
public:
  stage_network(stage_runtime& runtime, dice chance);

  /// Opens or cuts the way from one peer to another. A reply travels on the way of its request.
  void enable(peer_id from, peer_id to, bool open);
  void set_reliable(bool reliable) { reliable_ = reliable; }
  void set_long_reordering(bool reordering) { long_reordering_ = reordering; }

  /// Lets replies through that answer no request: for a peer that plays opposite puppets.
  void allow_loose_replies() { loose_replies_ = true; }

  /// Keeps requests and replies from a peer that goes on sending.
  void deafen(peer_id id) { deaf_.insert(id); }

  /// While set, requests for which it returns true are lost without a trace.
  void lose_requests(std::function<bool(const peer_message&)> lost) { lost_ = std::move(lost); }

  [[nodiscard]] const network_counts& counts() const { return counts_; }
  /// Requests that reached the present life of a peer.
  [[nodiscard]] std::uint64_t requests_received(peer_id id) const;

private:
  using way = std::pair<peer_id, peer_id>;

  /// What a reply echoes of its request.
  struct call_key {
    peer_id from;
    peer_id to;
    std::size_t kind = 0;
    std::uint64_t number = 0;
    std::uint64_t part = 0;
    friend auto operator<=>(const call_key&, const call_key&) = default;
  };

  struct call {
    life caller = 0;
    life callee = 0;
    bool reliable = true;
    bool long_reordering = false;
    bool failed = false;
    instant delivered_at;
    std::uint32_t operations = 0; ///< Of a forward: how many are not answered yet.
  };

  void carry(const peer_message& decoded, std::size_t bytes) override;
  void ended(peer_id id) override;
  void send_request(const peer_message& decoded, std::size_t bytes, bool lost);
  void send_reply(const peer_message& decoded, std::size_t bytes);
  void deliver_request(const peer_message& decoded, const call& open_call);
  [[nodiscard]] std::optional<call> answered_call(const peer_message& reply);
  [[nodiscard]] bool is_open(way over) const;
  void fail_calls_polled_between(way over, instant cut, instant healed);

  static bool is_request(const peer_message& message);
  static call_key key_of(const peer_message& message);

  dice chance_;
  bool reliable_ = true;
  bool long_reordering_ = false;
  bool loose_replies_ = false;
  std::map<peer_id, std::uint64_t> received_; ///< By present lives.
  std::map<way, bool> open_ways_;
  std::map<way, instant> cut_at_;
  std::multimap<call_key, call> calls_;
  network_counts counts_;
  std::function<bool(const peer_message&)> lost_;
  std::set<peer_id> deaf_;
};

} // namespace troupe
