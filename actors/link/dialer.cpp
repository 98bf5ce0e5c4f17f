#include "actors/link/dialer.hpp"

#include "actors/draining.hpp"
#include "actors/link/backoff.hpp"
#include "actors/link/frame.hpp"
#include "actors/link/log_throttle.hpp"
#include "actors/link/resolver.hpp"
#include "actors/log_quotes.hpp"
#include "actors/logging.hpp"
#include "messages/wire.hpp"
#include "troupe/assert.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace troupe {

namespace {

/// How far an attempt has come.
enum class progress { silent, waiting, resolving, introducing, vouching, up };

/// One connection to the remote node.
struct outward {
  caf::io::connection_handle handle;
  frame_parser parser;
  instant begun;
  instant heard; ///< Bytes came, or a backlog moved.
  instant pinged;
  std::size_t queued_bytes = 0; ///< Not yet taken by the kernel.
  uuid disk;
  std::uint64_t boot = 0;
};

/// What the other end has said instead of going on, until it is known whether that is who it says.
struct refused_us {
  std::uint64_t attempt = 0;
  refusal_notice notice;
};

class dialer : public dialer_actor::broker_base {
public:
  dialer(caf::actor_config& config, link_options options, peer_id remote, endpoint where, link_listener listener)
      : dialer_actor::broker_base{config}, options_{std::move(options)}, remote_{remote}, where_{std::move(where)},
        listener_{std::move(listener)}, backoff_{options_.retry_least, options_.retry_most,
                                                 options_.seed ^ (remote.value() * 0x9e3779b97f4a7c15)},
        addresses_{numeric_addresses(where_)}, numeric_{!addresses_.empty()} {}

private:
  behavior_type make_behavior() override {
    return {
        [this](const request_vote& m) { pass_on(m); },
        [this](const vote_reply& m) { pass_on(m); },
        [this](const append_entries& m) { pass_on(m); },
        [this](const append_reply& m) { pass_on(m); },
        [this](const install_snapshot& m) { pass_on(m); },
        [this](const snapshot_reply& m) { pass_on(m); },
        [this](const timeout_now& m) { pass_on(m); },
        [this](const forward& m) { pass_on_or_refuse(m); },
        [this](const forward_reply& m) { pass_on(m); },
        [this](const begin_dialing& m) { start(m.voucher); },
        [this](const seen_at_door& m) { remote_lives(m.boot); },
        [this](const vouched& m) { hear_voucher(m); },
        [this](const addresses_resolved& m) { hear_resolver(m); },
        [this](link_flush_due) { flush_burst(); },
        [this](link_due m) { timer_fired(m.epoch); },
        [this](stop_link) { stop(); },
        [this](const caf::io::new_data_msg& m) { hear_bytes(m); },
        [this](const caf::io::connection_closed_msg& m) { hear_end(m.handle); },
        [this](const caf::io::data_transferred_msg& m) { hear_progress(m); },
    };
  }

  void on_exit() override {
    voucher_ = nullptr;
    listener_ = nullptr;
  }

  // --- Messages on their way out -------------------------------------------------------------------------------------

  /// Returns whether the message is on its way. If not it is dropped: Raft repeats what matters, and bytes of yesterday
  /// help nobody.
  template <class Message>
  bool pass_on(const Message& m) {
    if (progress_ != progress::up)
      return false;
    const auto message = encode(m);
    if (!has_room(message))
      return false;
    append_frame(wr_buf(link_->handle), message);
    link_->queued_bytes += frame_bytes(message);
    if (!std::exchange(flush_pending_, true))
      send(this, link_flush_due{});
    return true;
  }

  /// Clients' operations are not repeated. What has certainly not left is refused in the name of the remote node:
  /// whoever waits need not wait for a deadline.
  void pass_on_or_refuse(const forward& m) {
    const auto why = progress_ == progress::up ? refusal::busy : refusal::no_leader;
    if (pass_on(m) || !current_sender())
      return;
    forward_reply reply;
    reply.about = {m.about.group, m.about.to, m.about.from, m.about.term};
    reply.number = m.number;
    reply.refused = static_cast<std::uint8_t>(why);
    send(caf::actor_cast<raft_actor>(current_sender()), std::move(reply));
  }

  /// Law 6: a link's queue has an end. An oversized message goes alone.
  bool has_room(const encoded_message& message) {
    const auto bytes = frame_bytes(message);
    const auto extra = message.tail.empty() ? options_.queue_bytes / 8 : 0;
    const bool fits = link_->queued_bytes == 0 || link_->queued_bytes + bytes <= options_.queue_bytes + extra;
    if (fits && bytes - frame_header_bytes <= frame_limit_bytes)
      return true;
    if (dropped_++ == 0)
      logs().warn("event=link_busy peer={} queued_bytes={} message_bytes={}", remote_.value(), link_->queued_bytes,
                  bytes);
    return false;
  }

  void flush_burst() {
    flush_pending_ = false;
    if (link_)
      flush(link_->handle);
  }

  void put(link_frame type, std::string_view head) {
    append_frame(wr_buf(link_->handle), type, head);
    link_->queued_bytes += frame_header_bytes + head.size();
    flush(link_->handle);
  }

  // --- Attempts ------------------------------------------------------------------------------------------------------

  void start(const acceptor_actor& voucher) {
    if (progress_ != progress::silent)
      return;
    voucher_ = voucher;
    begin_round();
  }

  /// Tries all addresses of the remote node, looked up anew if it has a name.
  void begin_round() {
    next_address_ = 0;
    if (numeric_)
      return dial_next();
    progress_ = progress::resolving;
    spawn_resolver(system(), where_, ++attempt_, caf::actor_cast<dialer_actor>(this));
  }

  void hear_resolver(const addresses_resolved& m) {
    if (progress_ != progress::resolving || m.attempt != attempt_)
      return;
    if (!m.addresses.empty())
      addresses_ = m.addresses;
    else
      note_trouble(m.trouble); // The addresses of the last time, if any, may still do.
    dial_next();
  }

  void dial_next() {
    while (next_address_ < addresses_.size()) {
      const auto begun = begin_connect(addresses_[next_address_++], options_);
      if (const auto* socket = std::get_if<int>(&begun))
        return take_connection(*socket);
      note_trouble(std::get<std::string>(begun));
    }
    wait();
  }

  /// The connect is under way, and the multiplexer finishes it: the hello leaves when the socket becomes writable.
  void take_connection(int socket) {
    const auto now = clock().now();
    link_.emplace();
    link_->handle = add_scribe(socket);
    link_->begun = link_->heard = link_->pinged = now;
    progress_ = progress::introducing;
    configure_read(link_->handle, caf::io::receive_policy::at_most(hello_frame_limit_bytes));
    ack_writes(link_->handle, true);
    put(link_frame::hello, encode(introduce(options_.me, remote_)));
    arm_timer(now + options_.connect_deadline);
  }

  void wait() {
    progress_ = progress::waiting;
    retry_at_ = clock().now() + backoff_.after_failure();
    arm_timer(retry_at_);
  }

  /// The remote node dials us: it lives, so waiting is over; and what a former boot of it held is gone.
  void remote_lives(std::uint64_t boot) {
    if (progress_ == progress::up && link_->boot != boot)
      lose("the node has restarted");
    if (progress_ != progress::waiting)
      return;
    backoff_.reset();
    begin_round();
  }

  // --- The other end -------------------------------------------------------------------------------------------------

  void hear_bytes(const caf::io::new_data_msg& m) {
    if (!link_ || link_->handle != m.handle)
      return;
    if (closing_)
      return; // It has had our last word.
    link_->heard = clock().now();
    link_->parser.feed({m.buf.data(), m.buf.size()});
    while (link_ && !closing_) {
      const auto came = link_->parser.next();
      if (!came)
        break;
      hear_frame(*came);
    }
    if (link_ && link_->parser.fault() != frame_fault::none)
      lose(to_string(link_->parser.fault()));
  }

  void hear_frame(const frame& came) {
    switch (static_cast<link_frame>(came.type)) {
    case link_frame::hello_ack: return hear_hello(came.head);
    case link_frame::closing: return hear_closing(came.head);
    case link_frame::pong: return; // That it came is all it says.
    default: return lose("unexpected frame type " + std::to_string(came.type));
    }
  }

  void hear_hello(std::string_view head) {
    const auto words = decode_hello(head);
    if (progress_ != progress::introducing || !words)
      return lose("malformed introduction");
    if (const auto notice = judge_answer(*words))
      return refuse(*notice);
    link_->disk = words->disk;
    link_->boot = words->boot;
    progress_ = progress::vouching;
    send(voucher_, vouch_for{caf::actor_cast<dialer_actor>(this), ++attempt_, *words});
  }

  /// All that needs no memory of others; the acceptor has that.
  std::optional<refusal_notice> judge_answer(const hello& words) const {
    const bool ours = words.magic == hello_magic && words.version == protocol_version;
    if (ours && words.cluster == options_.me.cluster && words.from != remote_ && words.from != options_.me.self)
      return refusal_notice{link_refusal::not_for_us,
                            "node " + std::to_string(words.from.value()) + " answers where node "
                                + std::to_string(remote_.value()) + " was expected"};
    return judge(options_.me, {{remote_, std::nullopt}}, words);
  }

  void hear_voucher(const vouched& m) {
    if (told_ && m.attempt == told_->attempt)
      return judge_refusal(m.notice);
    if (progress_ != progress::vouching || m.attempt != attempt_)
      return;
    if (m.notice)
      return refuse(*m.notice);
    progress_ = progress::up;
    backoff_.reset();
    said_ = log_throttle{};
    logs().info("event=link_up peer={} boot={} disk={}", remote_.value(), link_->boot, to_string(link_->disk));
    send(listener_, link_up{remote_, link_->disk, link_->boot});
    arm_timer(clock().now() + options_.ping_every);
  }

  void hear_closing(std::string_view head) {
    const auto notice = decode_closing(head);
    if (!notice)
      return lose("malformed closing");
    if (progress_ == progress::vouching)
      told_ = refused_us{attempt_, *notice};
    else if (progress_ == progress::up || !condemns(notice->reason))
      report(*notice);
    lose("closed by the other end: " + notice->words);
  }

  /// Whether whoever has refused us is the node that we mean is known now. Another at its address, of another cluster
  /// of the same name, has no say in whether we go on.
  void judge_refusal(const std::optional<refusal_notice>& of_them) {
    const auto told = *std::exchange(told_, std::nullopt);
    if (!of_them || !condemns(told.notice.reason))
      return report(told.notice);
    if (const auto times = reported_.times(of_them->words, clock().now()); times > 0)
      logs().warn("event=link_doubted peer={} times={} words={} why={}", remote_.value(), times,
                  in_log_quotes(told.notice.words), in_log_quotes(of_them->words));
  }

  void report(const refusal_notice& notice) {
    const auto times = is_about_identity(notice.reason) ? reported_.times(notice.words, clock().now()) : 0;
    if (times == 0)
      return;
    logs().warn("event=link_refused peer={} reason={} times={} words={}", remote_.value(),
                static_cast<unsigned>(notice.reason), times, in_log_quotes(notice.words));
    send(listener_, link_refused{remote_, notice.reason, notice.words});
  }

  /// We do not believe the other end: it is told, and the connection ends once it is on its way.
  void refuse(const refusal_notice& notice) {
    note_trouble("refused: " + notice.words);
    put(link_frame::closing, encode_closing(notice));
    progress_ = progress::introducing; // Until the bytes are out, or the deadline has come.
    closing_ = true;
  }

  void hear_end(caf::io::connection_handle handle) {
    if (!link_ || link_->handle != handle)
      return;
    lose(progress_ == progress::up ? "connection closed" : "cannot connect, or closed before an introduction");
  }

  void hear_progress(const caf::io::data_transferred_msg& m) {
    if (!link_ || link_->handle != m.handle)
      return;
    // A shrinking backlog is a sign of life. That a few bytes fit into the kernel's buffer is none.
    if (m.remaining > 0)
      link_->heard = clock().now();
    link_->queued_bytes = m.remaining;
    if (dropped_ > 0 && link_->queued_bytes < options_.queue_bytes / 2)
      logs().warn("event=link_writable peer={} dropped={}", remote_.value(), std::exchange(dropped_, 0));
    if (closing_ && m.remaining == 0)
      end_attempt();
  }

  // --- Time ----------------------------------------------------------------------------------------------------------

  /// One timer counts at a time; what an earlier one finds too soon is judged anew when it fires.
  void arm_timer(instant at) {
    if (timer_at_ && *timer_at_ <= at)
      return;
    timer_at_ = at;
    delayed_send(this, std::max(at - clock().now(), duration{std::chrono::milliseconds{1}}), link_due{++timer_epoch_});
  }

  void timer_fired(std::uint64_t epoch) {
    if (epoch != timer_epoch_)
      return;
    timer_at_.reset();
    const auto now = clock().now();
    switch (progress_) {
    case progress::silent:
    case progress::resolving: return;
    case progress::waiting: return now >= retry_at_ ? begin_round() : arm_timer(retry_at_);
    case progress::introducing:
    case progress::vouching: return check_deadline(now);
    case progress::up: return check_life(now);
    }
  }

  void check_deadline(instant now) {
    if (const auto deadline = link_->begun + options_.connect_deadline; now < deadline)
      return arm_timer(deadline);
    lose("no introduction in time");
  }

  void check_life(instant now) {
    if (now - link_->heard > options_.dead_after)
      return lose("no sign of life");
    if (now - link_->pinged >= options_.ping_every) {
      link_->pinged = now;
      std::string stamp;
      wire_writer{stamp}.put(static_cast<std::uint64_t>(now.time_since_epoch().count()));
      put(link_frame::ping, stamp);
    }
    arm_timer(std::min(link_->pinged + options_.ping_every, link_->heard + options_.dead_after));
  }

  // --- Ends ----------------------------------------------------------------------------------------------------------

  void lose(std::string_view why) {
    if (progress_ == progress::up) {
      logs().info("event=link_down peer={} why={}", remote_.value(), in_log_quotes(why));
      send(listener_, link_down{remote_, std::string{why}});
      drop_connection();
      return wait();
    }
    if (!closing_)
      note_trouble(why);
    end_attempt();
  }

  /// The next address is tried at once.
  void end_attempt() {
    drop_connection();
    dial_next();
  }

  void drop_connection() {
    TROUPE_ASSERT(link_.has_value(), "what is dropped was there");
    hang_up(static_cast<int>(link_->handle.id()));
    close(link_->handle);
    link_.reset();
    dropped_ = 0;
    closing_ = false;
  }

  /// Says what is wrong once a minute while there is no link, not at every attempt.
  void note_trouble(std::string_view what) {
    if (const auto times = said_.times(what, clock().now()); times > 0)
      logs().info("event=link_waiting peer={} address={} times={} why={}", remote_.value(), to_string(where_), times,
                  in_log_quotes(what));
  }

  void stop() {
    if (link_)
      hang_up(static_cast<int>(link_->handle.id()));
    link_.reset();
    progress_ = progress::silent;
    quit();
  }

  link_options options_;
  peer_id remote_;
  endpoint where_;
  link_listener listener_;
  acceptor_actor voucher_;
  backoff backoff_;
  std::vector<socket_address> addresses_;
  bool numeric_;
  std::size_t next_address_ = 0;
  progress progress_ = progress::silent;
  std::optional<outward> link_;
  std::uint64_t attempt_ = 0;
  std::optional<refused_us> told_;
  instant retry_at_;
  std::optional<instant> timer_at_;
  std::uint64_t timer_epoch_ = 0;
  bool flush_pending_ = false;
  bool closing_ = false;
  std::uint64_t dropped_ = 0;
  log_throttle said_;     ///< Of the time without a link.
  log_throttle reported_; ///< Refusals: who is refused may be linked for a moment each time.
};

} // namespace

std::map<peer_id, dialer_actor> spawn_dialers(caf::actor_system& system, const link_options& options,
                                              const std::map<peer_id, endpoint>& remotes,
                                              const link_listener& listener) {
  std::map<peer_id, dialer_actor> dialers;
  for (const auto& [id, where] : remotes) {
    caf::actor_config config{&system.middleman().backend()};
    dialers[id] = system.spawn_class<draining<dialer>, caf::no_spawn_options>(config, options, id, where, listener);
  }
  return dialers;
}

} // namespace troupe
