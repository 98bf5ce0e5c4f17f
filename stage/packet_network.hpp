/// \file
/// A network of packets: what real ones do to messages, each way between two peers for itself.
///
/// Every message is alone: requests and replies are lost, late, doubled and overtaken independently. A way that keeps
/// order does so as one connection would; one that does not is a connection that is made anew again and again. What
/// clients ask, and are answered, is passed on at most once (raft_messages.hpp): it is never doubled.
#pragma once

#include "stage/switchboard.hpp"

#include <functional>
#include <map>
#include <utility>

namespace troupe {

/// How a way between two peers treats messages.
struct way_quality {
  duration least_delay = std::chrono::microseconds{50};
  duration most_delay = std::chrono::microseconds{500};
  unsigned loss_percent = 0;
  unsigned duplicate_percent = 0;
  /// No message overtakes another; a doubled one comes again later.
  bool in_order = true;
  /// 0: as much as anybody likes.
  std::uint64_t bytes_per_second = 0;
};

/// What the network has carried.
struct packet_counts {
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0; ///< Doubled ones twice.
  std::uint64_t lost = 0;
};

class packet_network final : public switchboard {
public:
  packet_network(stage_runtime& runtime, dice chance) : switchboard{runtime}, chance_{chance} {}

  /// Of all ways from now on.
  void set_quality(const way_quality& quality);
  /// Of one way from now on, until `set_quality` of all.
  void set_quality(peer_id from, peer_id to, const way_quality& quality) { qualities_[{from, to}] = quality; }
  /// Cuts a way, or opens it. What is on a way that is cut is lost.
  void cut(peer_id from, peer_id to, bool is_cut);
  /// Makes a way anew on which what is sent now would wait for longer than `patience`, as its ends do with a connection
  /// on which nothing moves: what is on it is lost, and what comes later waits for none of that.
  void renew_if_stuck(peer_id from, peer_id to, duration patience);
  [[nodiscard]] bool is_cut(peer_id from, peer_id to) const { return cuts_.contains({from, to}); }

  /// Decides whether `to` takes anything from `from`, as an introduction would; everybody is believed if there is none.
  std::function<bool(peer_id from, peer_id to)> believes;

  // Observers.
  /// A message leaves, under a number of its own.
  std::function<void(std::uint64_t number, const peer_message&)> on_sent;
  /// It arrives; a doubled one twice.
  std::function<void(std::uint64_t number, const peer_message&)> on_delivered;
  /// It will not arrive, or not again.
  std::function<void(std::uint64_t number, const peer_message&)> on_lost;

  [[nodiscard]] const packet_counts& counts() const { return counts_; }

private:
  using way = std::pair<peer_id, peer_id>;

  struct packet {
    std::uint64_t number = 0;
    std::uint64_t way_number = 0; ///< That of its way when it left.
    peer_message message;
  };

  void carry(const peer_message& decoded, std::size_t frame_bytes) override;
  void dispatch(const way& over, std::shared_ptr<const packet> what, std::size_t frame_bytes);
  void arrive(const packet& what);
  void lose(const packet& what);
  [[nodiscard]] const way_quality& quality_of(const way& over) const;

  dice chance_;
  way_quality quality_;
  std::map<way, way_quality> qualities_;
  std::map<way, bool> cuts_;
  std::map<way, std::uint64_t> way_numbers_; ///< Another each time a way begins anew.
  std::map<way, instant> free_at_;           ///< When the wire has taken all that was sent.
  std::map<way, instant> last_after_;        ///< Nothing sent from now on arrives before, where order is kept.
  std::uint64_t numbers_ = 0;
  packet_counts counts_;
};

} // namespace troupe
