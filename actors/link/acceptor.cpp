#include "actors/link/acceptor.hpp"

#include "actors/draining.hpp"
#include "actors/link/frame.hpp"
#include "actors/link/log_throttle.hpp"
#include "actors/log_quotes.hpp"
#include "actors/logging.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace troupe {

namespace {

using caf::io::connection_handle;

/// One read brings at most this much; inside a long frame, up to `long_read_bytes`. A wider window would cost more than
/// it brings, because it is zeroed before each read.
constexpr std::size_t short_read_bytes = 16384;
constexpr std::size_t long_read_bytes = 131072;

/// Pongs wait no further behind each other than this.
constexpr std::size_t most_pong_bytes = 65536;

/// A connection somebody dialed.
struct inward {
  std::string address; ///< Of the other end, without its port: each attempt has another.
  frame_parser parser;
  instant begun;
  instant heard;
  instant left;
  peer_id peer; ///< `nobody` until it has introduced itself.
  std::uint64_t boot = 0;
  /// Not 0: it has introduced itself, and waits until it is durably known. Of all links another.
  std::uint64_t introduction = 0;
  std::size_t queued_bytes = 0;
  std::size_t read_bytes = short_read_bytes;
  /// It has had our last word, and is not listened to. It ends when that is out.
  bool leaving = false;

  [[nodiscard]] bool is_pending() const { return peer == nobody && !leaving; }
};

/// Somebody who has introduced himself.
struct arrival {
  connection_handle handle;
  std::uint64_t introduction = 0;
  hello words;
};

/// The last of each way who waits until what he said is durably known.
struct waiting_for_note {
  std::optional<vouch_for> dialer;
  std::optional<arrival> at_the_door;
};

class acceptor : public acceptor_actor::broker_base {
public:
  acceptor(caf::actor_config& config, link_options options, acquaintances known,
           std::map<peer_id, dialer_actor> dialers, raft_actor local, link_listener listener, int socket)
      : acceptor_actor::broker_base{config}, options_{std::move(options)}, known_{std::move(known)},
        dialers_{std::move(dialers)}, local_{std::move(local)}, listener_{std::move(listener)}, socket_{socket} {}

private:
  behavior_type make_behavior() override {
    add_doorman(socket_);
    for (const auto& [id, dialer] : dialers_)
      send(dialer, begin_dialing{caf::actor_cast<acceptor_actor>(this)});
    arm_timer();
    return {
        [this](const vouch_for& m) { vouch(m); },
        [this](const peer_noted& m) { hear_noted(m); },
        [this](link_due) { timer_fired(); },
        [this](stop_link) { stop(); },
        [this](const caf::io::new_connection_msg& m) { let_in(m.handle); },
        [this](const caf::io::new_data_msg& m) { hear_bytes(m); },
        [this](const caf::io::connection_closed_msg& m) { hear_end(m.handle); },
        [this](const caf::io::data_transferred_msg& m) { hear_progress(m); },
        [this](const caf::io::acceptor_closed_msg&) { logs().critical("event=link_door_closed"); },
    };
  }

  void on_exit() override {
    dialers_.clear();
    local_ = nullptr;
    listener_ = nullptr;
  }

  // --- Connections ---------------------------------------------------------------------------------------------------

  void let_in(connection_handle handle) {
    make_place();
    const auto now = clock().now();
    auto& link = connections_[handle];
    link.address = remote_addr(handle);
    link.begun = link.heard = now;
    bound_unacknowledged(static_cast<int>(handle.id()), options_);
    configure_read(handle, caf::io::receive_policy::at_most(short_read_bytes));
    ack_writes(handle, true);
  }

  /// Silent connections lock nobody out: the oldest of them goes.
  void make_place() {
    const auto pending = std::count_if(connections_.begin(), connections_.end(),
                                       [](const auto& entry) { return entry.second.is_pending(); });
    if (static_cast<std::size_t>(pending) < options_.pending_hellos)
      return;
    auto oldest = connections_.end();
    for (auto at = connections_.begin(); at != connections_.end(); ++at)
      if (at->second.is_pending() && (oldest == connections_.end() || at->second.begun < oldest->second.begun))
        oldest = at;
    if (oldest == connections_.end())
      return;
    note_dismissal(oldest->second, {link_refusal::crowded, "too many connections that have not introduced themselves"});
    drop(oldest->first);
  }

  void hear_bytes(const caf::io::new_data_msg& m) {
    auto* link = find(m.handle);
    if (link == nullptr || link->leaving)
      return;
    link->heard = clock().now();
    link->parser.feed({m.buf.data(), m.buf.size()});
    while (!link->leaving) {
      const auto came = link->parser.next();
      if (!came)
        break;
      hear_frame(m.handle, *link, *came);
    }
    if (link->leaving)
      return;
    if (link->parser.fault() != frame_fault::none)
      return dismiss(m.handle, *link, {link_refusal::malformed, std::string{to_string(link->parser.fault())}});
    size_next_read(m.handle, *link);
  }

  void size_next_read(connection_handle handle, inward& link) {
    const auto want = std::clamp(link.parser.missing(), short_read_bytes, long_read_bytes);
    if (want == link.read_bytes)
      return;
    link.read_bytes = want;
    configure_read(handle,
                   want == short_read_bytes ? caf::io::receive_policy::at_most(want)
                                            : caf::io::receive_policy::exactly(want));
  }

  void hear_end(connection_handle handle) {
    const auto at = connections_.find(handle);
    if (at == connections_.end())
      return;
    if (at->second.peer != nobody)
      logs().debug("event=inward_closed peer={}", at->second.peer.value());
    connections_.erase(at);
  }

  void hear_progress(const caf::io::data_transferred_msg& m) {
    auto* link = find(m.handle);
    if (link == nullptr)
      return;
    link->queued_bytes = m.remaining;
    if (link->leaving && m.remaining == 0)
      drop(m.handle);
  }

  inward* find(connection_handle handle) {
    const auto at = connections_.find(handle);
    return at == connections_.end() ? nullptr : &at->second;
  }

  /// Ends a connection at once.
  void drop(connection_handle handle) {
    connections_.erase(handle);
    hang_up(static_cast<int>(handle.id()));
    close(handle);
  }

  /// Ends a connection after telling why. `notice` is for the other end, our log has it too.
  void dismiss(connection_handle handle, inward& link, const refusal_notice& notice) {
    note_dismissal(link, notice);
    leave(link);
    put(handle, link, link_frame::closing, encode_closing(notice));
  }

  void put(connection_handle handle, inward& link, link_frame type, std::string_view head) {
    append_frame(wr_buf(handle), type, head);
    link.queued_bytes += frame_header_bytes + head.size();
    flush(handle);
  }

  // --- Frames --------------------------------------------------------------------------------------------------------

  void hear_frame(connection_handle handle, inward& link, const frame& came) {
    if (link.peer == nobody)
      return hear_hello(handle, link, came);
    switch (static_cast<link_frame>(came.type)) {
    case link_frame::ping: return answer_ping(handle, link, came);
    case link_frame::closing: return hear_closing(handle, link, came);
    default: return deliver(handle, link, came);
    }
  }

  void hear_hello(connection_handle handle, inward& link, const frame& came) {
    const auto words =
        came.type == static_cast<std::uint16_t>(link_frame::hello) ? decode_hello(came.head) : std::nullopt;
    if (!words)
      return dismiss(handle, link, {link_refusal::malformed, "a link begins with an introduction"});
    if (link.introduction != 0)
      return dismiss(handle, link, {link_refusal::malformed, "said more before it was answered"});
    admit(handle, link, *words);
  }

  void admit(connection_handle handle, inward& link, const hello& words) {
    if (const auto notice = judged(words)) {
      if (condemns(notice->reason)) // Whoever is to end for this must know who says so. It leaves with what follows.
        append_frame(wr_buf(handle), link_frame::hello_ack, encode(introduce(options_.me, words.from)));
      return dismiss(handle, link, *notice);
    }
    if (!is_noted(words.from)) {
      link.introduction = ++introductions_;
      waiting_[words.from].at_the_door = arrival{handle, link.introduction, words};
      return;
    }
    replace_older(words.from);
    link.peer = words.from;
    link.boot = words.boot;
    link.parser.limit(frame_limit_bytes);
    put(handle, link, link_frame::hello_ack, encode(introduce(options_.me, words.from)));
    logs().debug("event=inward_up peer={} boot={}", words.from.value(), words.boot);
    if (const auto dialer = dialers_.find(words.from); dialer != dialers_.end())
      send(dialer->second, seen_at_door{words.boot});
  }

  void replace_older(peer_id peer) {
    for (auto& [handle, link] : connections_)
      if (link.peer == peer && !link.leaving)
        return dismiss(handle, link, {link_refusal::replaced, "a newer link of this node has come"});
  }

  void answer_ping(connection_handle handle, inward& link, const frame& came) {
    if (came.head.size() != sizeof(std::uint64_t) || !came.tail.empty())
      return dismiss(handle, link, {link_refusal::malformed, "malformed ping"});
    if (link.queued_bytes < most_pong_bytes)
      put(handle, link, link_frame::pong, came.head);
  }

  /// A node that dialed us does not believe what we answered.
  void hear_closing(connection_handle handle, inward& link, const frame& came) {
    const auto notice = decode_closing(came.head);
    if (notice && is_about_identity(notice->reason))
      if (const auto times = told_.times(std::to_string(link.peer.value()) + notice->words, clock().now()); times > 0) {
        logs().warn("event=link_refused peer={} reason={} times={} words={}", link.peer.value(),
                    static_cast<unsigned>(notice->reason), times, in_log_quotes(notice->words));
        send(listener_, link_refused{link.peer, notice->reason, notice->words});
      }
    leave(link);
    hang_up(static_cast<int>(handle.id()));
    close(handle);
  }

  void leave(inward& link) {
    link.leaving = true;
    link.left = clock().now();
  }

  void deliver(connection_handle handle, inward& link, const frame& came) {
    auto message = decode(static_cast<message_type>(came.type), came.group, came.head, came.tail);
    if (!message)
      return dismiss(handle, link, {link_refusal::malformed, "malformed message of type " + std::to_string(came.type)});
    if (const auto& envelope = about(*message); envelope.from != link.peer || envelope.to != options_.me.self)
      return dismiss(handle, link, {link_refusal::malformed, "a message whose ends are not those of its link"});
    std::visit([this](auto& m) { send(local_, std::move(m)); }, *message);
  }

  // --- Identities ----------------------------------------------------------------------------------------------------

  void vouch(const vouch_for& m) {
    auto notice = judged(m.words);
    if (notice || is_noted(m.words.from))
      send(m.from, vouched{m.attempt, std::move(notice)});
    else
      waiting_[m.words.from].dialer = m;
  }

  /// Judges, and has the listener remember what there is to be remembered.
  std::optional<refusal_notice> judged(const hello& words) {
    auto notice = judge(options_.me, known_, words);
    const auto place = known_.find(words.from);
    if (place == known_.end())
      return notice;
    auto& known = place->second;
    const auto after = notice ? refused(known, words, notice->reason) : met(known, words);
    if (known == after)
      return notice;
    if (!known)
      logs().info("event=peer_identified peer={} disk={} boot={}", words.from.value(), to_string(words.disk),
                  words.boot);
    known = after;
    send(listener_, peer_identified{words.from, *after, caf::actor_cast<acceptor_actor>(this)});
    if (!notice)
      dismiss_earlier_life(words);
    return notice;
  }

  /// Whom one met by a call of one's own need not call: what he said in an earlier life is over all the same.
  void dismiss_earlier_life(const hello& words) {
    for (auto& [handle, link] : connections_)
      if (link.peer == words.from && link.boot < words.boot && !link.leaving)
        return dismiss(handle, link, {link_refusal::replaced, "a later life of this node has come"});
  }

  /// Whether it is durable whom one has met. That a copy was refused may still be on its way to the disk: the node
  /// itself does not wait for that.
  [[nodiscard]] bool is_noted(peer_id peer) const {
    const auto& noted = noted_.at(peer);
    const auto& known = known_.at(peer);
    return noted && known && noted->disk == known->disk && noted->boot == known->boot && noted->life == known->life;
  }

  /// Who was let wait for this is judged anew: what is known may be another life's by now.
  void hear_noted(const peer_noted& m) {
    noted_.at(m.peer) = m.met;
    if (!is_noted(m.peer))
      return;
    const auto waiting = std::exchange(waiting_[m.peer], {});
    if (waiting.dialer)
      vouch(*waiting.dialer);
    if (!waiting.at_the_door)
      return;
    auto& who = *waiting.at_the_door;
    if (auto* link = find(who.handle); link && !link->leaving && link->introduction == who.introduction)
      admit(who.handle, *link, who.words);
  }

  /// Whoever is refused comes again every second: the log has it once a minute.
  void note_dismissal(const inward& link, const refusal_notice& notice) {
    const auto who = link.peer == nobody ? std::string{"unknown"} : std::to_string(link.peer.value());
    const auto times = said_.times(who + link.address + notice.words, clock().now());
    if (times > 0)
      logs().log(level_of(link, notice), "event=inward_dismissed peer={} addr={} reason={} times={} words={}", who,
                 link.address, static_cast<unsigned>(notice.reason), times, in_log_quotes(notice.words));
  }

  static spdlog::level::level_enum level_of(const inward& link, const refusal_notice& notice) {
    if (notice.reason == link_refusal::replaced)
      return spdlog::level::debug;
    // That a member falls silent is what networks do.
    return notice.reason == link_refusal::silent && link.peer != nobody ? spdlog::level::info : spdlog::level::warn;
  }

  // --- Time ----------------------------------------------------------------------------------------------------------

  void arm_timer() { delayed_send(this, std::min(options_.hello_deadline, options_.dead_after) / 4, link_due{}); }

  /// When a connection ends that does nothing more.
  [[nodiscard]] instant ends_at(const inward& link) const {
    if (link.leaving)
      return link.left + options_.hello_deadline;
    return link.peer == nobody ? link.begun + options_.hello_deadline : link.heard + options_.dead_after;
  }

  static std::string why_overdue(const inward& link) {
    if (link.peer != nobody)
      return "no sign of life";
    return link.introduction != 0 ? "it could not be noted here in time" : "no introduction in time";
  }

  void timer_fired() {
    const auto now = clock().now();
    std::vector<connection_handle> overdue;
    for (const auto& [handle, link] : connections_) {
      if (now > ends_at(link))
        overdue.push_back(handle);
    }
    for (const auto& handle : overdue) {
      if (const auto& link = *find(handle); !link.leaving)
        note_dismissal(link, {link_refusal::silent, why_overdue(link)});
      drop(handle);
    }
    arm_timer();
  }

  void stop() {
    for (const auto& [handle, link] : connections_)
      hang_up(static_cast<int>(handle.id()));
    connections_.clear();
    quit();
  }

  link_options options_;
  acquaintances known_;
  std::map<peer_id, dialer_actor> dialers_;
  raft_actor local_;
  link_listener listener_;
  int socket_;
  acquaintances noted_ = known_; ///< Durably; `known_` may be ahead of it.
  std::map<peer_id, waiting_for_note> waiting_;
  std::uint64_t introductions_ = 0;
  std::unordered_map<connection_handle, inward> connections_;
  log_throttle said_;
  log_throttle told_; ///< By members: strangers use up none of it.
};

} // namespace

std::variant<link_door, std::string> spawn_acceptor(caf::actor_system& system, const link_options& options,
                                                    const std::map<peer_id, acquaintance>& known,
                                                    const std::map<peer_id, dialer_actor>& dialers,
                                                    const raft_actor& local, const link_listener& listener) {
  if (auto words = check_exposure(options.listen, options.insecure))
    return std::move(*words);
  auto listening = listen_on(options.listen);
  if (auto* words = std::get_if<std::string>(&listening))
    return std::move(*words);
  const auto door = std::get<listening_socket>(listening);
  acquaintances book;
  for (const auto& [id, met] : known)
    book[id] = met;
  for (const auto& [id, dialer] : dialers)
    book.try_emplace(id);
  caf::actor_config config{&system.middleman().backend()};
  auto handle = system.spawn_class<draining<acceptor>, caf::no_spawn_options>(config, options, std::move(book), dialers,
                                                                              local, listener, door.socket);
  return link_door{std::move(handle), {options.listen.host, door.port}};
}

void stop_links(const std::map<peer_id, dialer_actor>& dialers, const acceptor_actor& acceptor) {
  for (const auto& [id, dialer] : dialers)
    caf::anon_send(dialer, stop_link{});
  if (acceptor)
    caf::anon_send(acceptor, stop_link{});
}

} // namespace troupe
