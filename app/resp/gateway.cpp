#include "app/resp/gateway.hpp"

#include "actors/draining.hpp"
#include "actors/link/log_throttle.hpp"
#include "actors/link/socket.hpp"
#include "actors/log_quotes.hpp"
#include "actors/logging.hpp"
#include "app/kv/reply.hpp"
#include "app/resp/conversation.hpp"
#include "app/resp/outbox.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <unordered_map>

namespace troupe::resp {

namespace {

using caf::io::connection_handle;

/// What one read brings at most: the next more for a client that fills it, the next less for one that does not need
/// it. CAF zeroes the window before each read, and keeps the widest there was: whoever says little costs little.
constexpr std::size_t read_windows[] = {std::size_t{1} << 10, std::size_t{16} << 10, std::size_t{64} << 10};

/// How long a client may take to read its last word.
constexpr auto linger_time = std::chrono::seconds{1};

/// So many connections beyond the limit are told so at a time; the ones behind them are closed without a word.
constexpr std::size_t most_refused_at_once = 100;

constexpr auto status_deadline = std::chrono::seconds{5};

struct client {
  client(connection_handle at, client_identity who, const client_limits& limits, lot_book& book,
         const surroundings& around)
      : handle{at}, mind{std::move(who), limits, book, around} {}

  connection_handle handle;
  conversation mind;
  outbox replies;
  std::size_t window = 0;       ///< Of `read_windows`.
  std::size_t input_bytes = 0;  ///< Of its input, as counted in the sum of all.
  std::size_t output_bytes = 0; ///< Of its conversation, as counted in the sum of all.
  bool is_read = true;          ///< Bytes are being read from it.
  bool touched = false;         ///< Something was said to it; see `tend`.
  bool leaving = false;         ///< It has been told its last word.
  bool silent = false;          ///< It has ended its input.
  bool lingering = false;       ///< That word is out, and no more can be said.
};

class gateway : public gateway_actor::broker_base, public surroundings {
public:
  gateway(caf::actor_config& config, peer_actor peer, gateway_options options, endpoint bound, int socket)
      : gateway_actor::broker_base{config}, peer_{std::move(peer)}, options_{std::move(options)}, socket_{socket},
        local_address_{to_string(bound)}, port_{bound.port}, book_{options_.gather} {}

private:
  behavior_type make_behavior() override {
    started_ = clock().now();
    settings_ = shown_settings();
    add_doorman(make_half_open_doorman(
        static_cast<caf::io::network::default_multiplexer&>(system().middleman().backend()), socket_));
    monitor(peer_);
    set_down_handler([this](const caf::down_msg&) { lose_peer(); });
    return {
        [this](submission_accepted m) { hear_accepted(m); },
        [this](const submission_answered& m) { hear_answers(m); },
        [this](submission_refused m) { hear_refusal(m); },
        [this](submit_due) { submit_gathered(); },
        [this](linger_over m) { end_linger(m.client); },
        [this](input_ended m) { hear_end_of_input(m.handle); },
        [this](const caf::io::new_connection_msg& m) { let_in(m.handle); },
        [this](const caf::io::new_data_msg& m) { hear_bytes(m); },
        [this](const caf::io::data_transferred_msg& m) { hear_progress(m); },
        [this](const caf::io::connection_closed_msg& m) { hear_end(m.handle); },
        [this](const caf::io::acceptor_closed_msg&) { logs().critical("event=gateway_door_closed"); },
    };
  }

  void on_exit() override {
    for (const auto& [id, one] : clients_)
      hang_up(static_cast<int>(one->handle.id()));
    clients_.clear();
    by_handle_.clear();
    peer_ = nullptr;
  }

  // --- Surroundings of the conversations -----------------------------------------------------------------------------

  [[nodiscard]] instant now() const override { return clock().now(); }

  [[nodiscard]] std::string client_list() const override {
    auto ids = std::vector<std::uint64_t>{};
    for (const auto& [id, one] : clients_)
      ids.push_back(id);
    std::sort(ids.begin(), ids.end());
    auto text = std::string{};
    for (const auto id : ids)
      text += clients_.at(id)->mind.about().description(now());
    return text;
  }

  [[nodiscard]] std::span<const std::pair<std::string, std::string>> settings() const override { return settings_; }

  [[nodiscard]] std::vector<std::pair<std::string, std::string>> shown_settings() const {
    return {{"save", ""},
            {"appendonly", "yes"},
            {"appendfsync", "always"},
            {"databases", "1"},
            {"maxmemory", "0"},
            {"timeout", "0"},
            {"port", std::to_string(port_)},
            {"maxclients", std::to_string(options_.max_clients)},
            {"proto-max-bulk-len", std::to_string(options_.limits.argument_bytes)}};
  }

  // --- Connections ---------------------------------------------------------------------------------------------------

  void let_in(connection_handle handle) {
    if (clients_.size() >= options_.max_clients + most_refused_at_once)
      return hang_up_on(handle);
    notice_vanished(static_cast<int>(handle.id()), options_.vanished_after);
    const auto full = clients_.size() >= options_.max_clients;
    const auto id = ++last_client_;
    auto who =
        client_identity{id, to_string(endpoint{remote_addr(handle), remote_port(handle)}), local_address_, now()};
    auto& one = *clients_.emplace(id, std::make_unique<client>(handle, std::move(who), options_.limits, book_, *this))
                     .first->second;
    by_handle_.emplace(handle, &one);
    configure_read(handle, caf::io::receive_policy::at_most(read_windows[0]));
    ack_writes(handle, true);
    if (full) {
      one.mind.dismiss("ERR max number of clients reached", one.replies.end());
      tend(one);
    }
  }

  void hear_bytes(const caf::io::new_data_msg& m) {
    auto* one = find(m.handle);
    if (one == nullptr || one->leaving)
      return;
    one->mind.hear({m.buf.data(), m.buf.size()}, one->replies.end());
    size_next_read(*one, m.buf.size());
    tend(*one);
    while (input_bytes_ > options_.together.input_bytes)
      dismiss_largest();
    submit_soon();
  }

  void size_next_read(client& one, std::size_t came) {
    auto window = one.window;
    if (came >= read_windows[window])
      window = std::min(window + 1, std::size(read_windows) - 1);
    else if (window > 0 && came < read_windows[window - 1] / 2)
      --window;
    if (window == one.window)
      return;
    one.window = window;
    configure_read(one.handle, caf::io::receive_policy::at_most(read_windows[window]));
  }

  void count_input(client& one, std::size_t bytes) {
    input_bytes_ = input_bytes_ - one.input_bytes + bytes;
    one.input_bytes = bytes;
  }

  /// Whoever holds most makes room: commands that never end cannot keep out those that do.
  void dismiss_largest() {
    const auto largest = std::max_element(clients_.begin(), clients_.end(), [](const auto& a, const auto& b) {
      return a.second->input_bytes < b.second->input_bytes;
    });
    auto& one = *largest->second;
    one.mind.dismiss("BUSY too much input of all clients is waiting; what follows was not carried out, try again later",
                     one.replies.end());
    tend(one);
  }

  void hear_progress(const caf::io::data_transferred_msg& m) {
    auto* one = find(m.handle);
    if (one == nullptr)
      return;
    one->replies.written(m.written);
    one->mind.taken(m.written, one->replies.end());
    tend(*one);
    submit_lots();
  }

  /// The client may still listen: what it has asked for is answered before its connection ends.
  void hear_end_of_input(connection_handle handle) {
    auto* one = find(handle);
    if (one == nullptr)
      return;
    one->silent = true;
    one->mind.hear_end();
    tend(*one);
  }

  /// The client has hung up, or the kernel has given it up.
  void hear_end(connection_handle handle) {
    if (const auto* one = find(handle); one != nullptr && !one->leaving && one->mind.output_bytes() > 0)
      note_end(*one, "it was gone before it took its replies", spdlog::level::info);
    forget(handle);
  }

  /// Does what a conversation wants done after it has heard something. May end the connection.
  void tend(client& one) {
    one.touched = false;
    if (one.replies.hand_over(wr_buf(one.handle)))
      flush(one.handle);
    count_input(one, one.mind.input_bytes());
    count_output(one, one.mind.output_bytes());
    if (output_bytes_ > options_.together.output_bytes && !make_room(one))
      return;
    if (one.mind.is_stuck()) {
      note_end(one, "it does not take its replies");
      return drop(one);
    }
    if (one.mind.wants_status())
      ask_status(one.mind.about().who.id);
    if (one.mind.is_over())
      return take_leave(one);
    if (one.mind.wants_input() == one.is_read)
      return;
    one.is_read = !one.is_read;
    if (one.is_read)
      trigger(one.handle);
    else
      halt(one.handle);
  }

  void count_output(client& one, std::size_t bytes) {
    output_bytes_ = output_bytes_ - one.output_bytes + bytes;
    one.output_bytes = bytes;
  }

  /// Hangs up on those who have most of the replies that nobody takes, until the others have room. Returns whether
  /// `present` is still there.
  bool make_room(const client& present) {
    const auto id = present.mind.about().who.id;
    while (output_bytes_ > options_.together.output_bytes) {
      const auto most = std::max_element(clients_.begin(), clients_.end(), [](const auto& a, const auto& b) {
        return a.second->output_bytes < b.second->output_bytes;
      });
      note_end(*most->second, "replies of all clients exceed their bound");
      drop(*most->second);
    }
    return clients_.contains(id);
  }

  /// The last word is said. Once it is out, the client sees the end of the stream; what it still sends is read and
  /// dropped for a while, because closing on unread bytes would reset the connection and take the last word with it.
  void take_leave(client& one) {
    if (!std::exchange(one.leaving, true)) {
      if (!one.mind.dismissal().empty())
        note_end(one, one.mind.dismissal());
      if (!one.silent)
        begin_linger(one);
    }
    if (one.mind.unsent_bytes() > 0)
      return;
    if (one.silent)
      return drop(one);
    if (!std::exchange(one.lingering, true))
      ::shutdown(static_cast<int>(one.handle.id()), SHUT_WR);
  }

  void begin_linger(client& one) {
    delayed_send(this, linger_time, linger_over{one.mind.about().who.id});
    if (!one.is_read)
      trigger(one.handle);
    one.is_read = true;
  }

  /// Says why a connection ends: once a minute for each host and reason.
  void note_end(const client& one, const std::string& why, spdlog::level::level_enum level = spdlog::level::warn) {
    const auto& who = one.mind.about().who;
    const auto host = std::string_view{who.address}.substr(0, who.address.rfind(':'));
    if (const auto times = said_.times(std::string{host} + why, clock().now()); times > 0)
      logs().log(level, "event=client_ended client={} addr={} input_bytes={} output_bytes={} times={} why={}", who.id,
                 who.address, one.input_bytes, one.mind.output_bytes(), times, in_log_quotes(why));
  }

  void end_linger(std::uint64_t id) {
    if (const auto at = clients_.find(id); at != clients_.end())
      drop(*at->second);
  }

  /// Ends a connection at once.
  void drop(client& one) {
    const auto handle = one.handle;
    forget(handle);
    hang_up_on(handle);
  }

  void hang_up_on(connection_handle handle) {
    hang_up(static_cast<int>(handle.id()));
    close(handle);
  }

  void forget(connection_handle handle) {
    const auto at = by_handle_.find(handle);
    if (at == by_handle_.end())
      return;
    const auto id = at->second->mind.about().who.id;
    count_output(*at->second, 0);
    count_input(*at->second, 0);
    by_handle_.erase(at);
    clients_.erase(id);
  }

  client* find(connection_handle handle) {
    const auto at = by_handle_.find(handle);
    return at == by_handle_.end() ? nullptr : at->second;
  }

  // --- Operations ----------------------------------------------------------------------------------------------------

  /// Many sockets may be readable in one turn of the I/O loop: what they bring goes as one lot.
  void submit_soon() {
    if (submit_is_due_ || !book_.holds_any())
      return;
    submit_is_due_ = true;
    send(this, submit_due{});
  }

  void submit_gathered() {
    submit_is_due_ = false;
    submit_lots();
  }

  /// Under load there is a lot under way, and what comes gathers behind it; else it goes at once.
  void submit_lots() {
    if (!peer_)
      return abandon_lots();
    for (const auto what : {operation::command, operation::query})
      if (auto next = book_.next(what))
        send(peer_, submit{caf::actor_cast<client_actor>(this), next->number, what, std::move(next->block)});
  }

  void hear_accepted(submission_accepted m) {
    book_.accepted(m.number);
    submit_lots();
  }

  void hear_answers(const submission_answered& m) {
    book_.answered(m, [this](const lot_book::delivery& part) {
      if (auto* one = touch(part.run.client))
        one->mind.hear_answers(part, one->replies.end());
    });
    tend_touched();
  }

  void hear_refusal(submission_refused m) {
    book_.refused(m, [this, &m](const operation_run& run) {
      if (auto* one = touch(run.client))
        one->mind.hear_refusal(run, m.why, one->replies.end());
    });
    tend_touched();
  }

  client* touch(std::uint64_t id) {
    const auto at = clients_.find(id);
    if (at == clients_.end())
      return nullptr;
    if (!std::exchange(at->second->touched, true))
      touched_.push_back(id);
    return at->second.get();
  }

  /// One flush per connection, however many answers came for it.
  void tend_touched() {
    for (const auto id : std::exchange(touched_, {}))
      if (const auto at = clients_.find(id); at != clients_.end())
        tend(*at->second);
    submit_lots();
  }

  // --- The peer ------------------------------------------------------------------------------------------------------

  void ask_status(std::uint64_t id) {
    if (!peer_)
      return tell_no_status({id});
    status_wanted_.push_back(id);
    if (!asking_)
      ask_peer();
  }

  void ask_peer() {
    asking_ = true;
    auto whom = std::exchange(status_wanted_, {});
    request(peer_, status_deadline, ask_state{})
        .then([this, whom](const peer_state& state) { tell_status(whom, state); },
              [this, whom](const caf::error&) {
                asking_ = false;
                tell_no_status(whom);
              });
  }

  void tell_status(const std::vector<std::uint64_t>& whom, const peer_state& state) {
    asking_ = false;
    const auto uptime = std::chrono::duration_cast<std::chrono::seconds>(now() - started_);
    const auto status =
        node_status{state, clients_.size(), options_.max_clients, port_, uptime, static_cast<std::int64_t>(::getpid())};
    for (const auto id : whom)
      if (auto* one = touch(id))
        one->mind.hear_status(status, one->replies.end());
    tend_touched();
    if (!status_wanted_.empty() && !asking_)
      ask_peer();
  }

  void tell_no_status(const std::vector<std::uint64_t>& whom) {
    for (const auto id : whom)
      if (auto* one = touch(id))
        one->mind.hear_no_status(one->replies.end());
    tend_touched();
  }

  void lose_peer() {
    logs().error("event=gateway_lost_peer clients={} lots={}", clients_.size(), book_.open_lots());
    peer_ = nullptr;
    tell_no_status(std::exchange(status_wanted_, {}));
    abandon_lots();
  }

  void abandon_lots() {
    while (book_.holds_any()) {
      book_.abandon([this](const operation_run& run, bool submitted) {
        if (auto* one = touch(run.client))
          one->mind.hear_refusal(run, submitted ? refusal::uncertain : refusal::stopped, one->replies.end());
      });
      for (const auto id : std::exchange(touched_, {}))
        if (const auto at = clients_.find(id); at != clients_.end())
          tend(*at->second);
    }
  }

  peer_actor peer_;
  gateway_options options_;
  int socket_;
  std::string local_address_;
  std::uint16_t port_;
  instant started_;
  std::vector<std::pair<std::string, std::string>> settings_;
  lot_book book_;
  std::unordered_map<std::uint64_t, std::unique_ptr<client>> clients_;
  std::unordered_map<connection_handle, client*> by_handle_;
  std::size_t output_bytes_ = 0; ///< Sum over the clients.
  std::size_t input_bytes_ = 0;  ///< Sum over the clients.
  std::uint64_t last_client_ = 0;
  log_throttle said_;
  std::vector<std::uint64_t> touched_;
  std::vector<std::uint64_t> status_wanted_;
  bool asking_ = false;
  bool submit_is_due_ = false;
};

} // namespace

std::variant<gateway_door, std::string> spawn_gateway(caf::actor_system& system, const peer_actor& peer,
                                                      const gateway_options& options) {
  if (auto words = check_exposure(options.listen, options.insecure))
    return std::move(*words);
  auto listening = listen_on(options.listen);
  if (auto* words = std::get_if<std::string>(&listening))
    return std::move(*words);
  const auto door = std::get<listening_socket>(listening);
  const auto bound = endpoint{options.listen.host, door.port};
  caf::actor_config config{&system.middleman().backend()};
  auto handle = system.spawn_class<draining<gateway>, caf::no_spawn_options>(config, peer, options, bound, door.socket);
  return gateway_door{std::move(handle), bound};
}

} // namespace troupe::resp
