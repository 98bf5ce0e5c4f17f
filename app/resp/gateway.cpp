#include "app/resp/gateway.hpp"

#include "actors/draining.hpp"
#include "actors/link/log_throttle.hpp"
#include "actors/link/socket.hpp"
#include "actors/log_quotes.hpp"
#include "actors/logging.hpp"
#include "app/resp/reception.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
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

/// A client's connection.
struct line {
  guest* who = nullptr;
  std::size_t window = 0; ///< Of `read_windows`.
  bool lingering = false; ///< Its last word is out, and no more can be said.
};

/// Sockets around a reception: see there for what becomes of what clients ask.
class gateway : public gateway_actor::broker_base, public outside {
public:
  gateway(caf::actor_config& config, peer_actor peer, gateway_options options, endpoint bound, int socket)
      : gateway_actor::broker_base{config}, peer_{std::move(peer)}, options_{std::move(options)}, socket_{socket},
        local_address_{to_string(bound)}, port_{bound.port}, settings_{shown_settings()},
        reception_{{options_.limits, options_.together, options_.gather}, *this} {}

private:
  behavior_type make_behavior() override {
    started_ = clock().now();
    add_doorman(make_half_open_doorman(
        static_cast<caf::io::network::default_multiplexer&>(system().middleman().backend()), socket_));
    monitor(peer_);
    set_down_handler([this](const caf::down_msg&) { lose_peer(); });
    return {
        [this](const submission_accepted& m) { reception_.hear_accepted(m); },
        [this](const submission_answered& m) { reception_.hear_answers(m); },
        [this](const submission_refused& m) { reception_.hear_refusal(m); },
        [this](submit_due) { reception_.submit_gathered(); },
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
    for (const auto& [handle, at] : lines_)
      hang_up(static_cast<int>(handle.id()));
    lines_.clear();
    peer_ = nullptr;
  }

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

  // --- From the connections ------------------------------------------------------------------------------------------

  void let_in(connection_handle handle) {
    if (reception_.size() >= options_.max_clients + most_refused_at_once)
      return hang_up_on(handle);
    notice_vanished(static_cast<int>(handle.id()), options_.vanished_after);
    const auto full = reception_.size() >= options_.max_clients;
    auto& one = reception_.let_in(
        {++last_client_, to_string(endpoint{remote_addr(handle), remote_port(handle)}), local_address_, now()},
        handle.id());
    lines_.emplace(handle, line{&one});
    configure_read(handle, caf::io::receive_policy::at_most(read_windows[0]));
    ack_writes(handle, true);
    if (full)
      reception_.dismiss(one, "ERR max number of clients reached");
  }

  void hear_bytes(const caf::io::new_data_msg& m) {
    auto* at = find(m.handle);
    if (at == nullptr || at->who->leaving)
      return;
    size_next_read(*at, m.buf.size());
    reception_.hear(*at->who, {m.buf.data(), m.buf.size()});
  }

  void size_next_read(line& at, std::size_t came) {
    auto window = at.window;
    if (came >= read_windows[window])
      window = std::min(window + 1, std::size(read_windows) - 1);
    else if (window > 0 && came < read_windows[window - 1] / 2)
      --window;
    if (window == at.window)
      return;
    at.window = window;
    configure_read(handle_of(*at.who), caf::io::receive_policy::at_most(read_windows[window]));
  }

  void hear_progress(const caf::io::data_transferred_msg& m) {
    if (auto* at = find(m.handle))
      reception_.hear_taken(*at->who, m.written);
  }

  void hear_end_of_input(connection_handle handle) {
    if (auto* at = find(handle))
      reception_.hear_end(*at->who);
  }

  /// The client has hung up, or the kernel has given it up.
  void hear_end(connection_handle handle) {
    const auto* at = find(handle);
    if (at == nullptr)
      return;
    const auto& one = *at->who;
    if (!one.leaving && one.mind.output_bytes() > 0)
      note_end(one, "it was gone before it took its replies", spdlog::level::info);
    reception_.forget(one);
    lines_.erase(handle);
  }

  void end_linger(std::uint64_t id) {
    auto* one = reception_.find(id);
    if (one == nullptr)
      return;
    const auto handle = handle_of(*one);
    reception_.forget(*one);
    lines_.erase(handle);
    hang_up_on(handle);
  }

  line* find(connection_handle handle) {
    const auto at = lines_.find(handle);
    return at == lines_.end() ? nullptr : &at->second;
  }

  // --- To the connections --------------------------------------------------------------------------------------------

  [[nodiscard]] instant now() const override { return clock().now(); }

  [[nodiscard]] std::span<const std::pair<std::string, std::string>> settings() const override { return settings_; }

  void say(guest& to) override {
    const auto handle = handle_of(to);
    if (to.replies.hand_over(wr_buf(handle)))
      flush(handle);
  }

  void listen(const guest& to, bool wanted) override {
    if (wanted)
      trigger(handle_of(to));
    else
      halt(handle_of(to));
  }

  /// Once its last word is out, the client sees the end of the stream; what it still sends is read and dropped for a
  /// while, because closing on unread bytes would reset the connection and take the last word with it.
  void last_word_said(const guest& to) override {
    if (!to.mind.dismissal().empty())
      note_end(to, to.mind.dismissal());
    if (to.silent)
      return;
    delayed_send(this, linger_time, linger_over{to.id()});
    if (!to.is_read)
      trigger(handle_of(to));
  }

  bool last_word_out(const guest& to) override {
    const auto handle = handle_of(to);
    if (!std::exchange(lines_.at(handle).lingering, true))
      ::shutdown(static_cast<int>(handle.id()), SHUT_WR);
    return true;
  }

  void part_from(const guest& whom, std::string_view why) override {
    if (!why.empty())
      note_end(whom, why);
    const auto handle = handle_of(whom);
    lines_.erase(handle);
    hang_up_on(handle);
  }

  void hang_up_on(connection_handle handle) {
    hang_up(static_cast<int>(handle.id()));
    close(handle);
  }

  [[nodiscard]] static connection_handle handle_of(const guest& one) { return connection_handle::from_int(one.line); }

  /// Says why a connection ends: once a minute for each host and reason.
  void note_end(const guest& one, std::string_view why, spdlog::level::level_enum level = spdlog::level::warn) {
    const auto& who = one.mind.about().who;
    const auto host = std::string_view{who.address}.substr(0, who.address.rfind(':'));
    if (const auto times = said_.times(std::string{host}.append(why), clock().now()); times > 0)
      logs().log(level, "event=client_ended client={} addr={} input_bytes={} output_bytes={} times={} why={}", who.id,
                 who.address, one.input_bytes, one.mind.output_bytes(), times, in_log_quotes(why));
  }

  // --- The peer ------------------------------------------------------------------------------------------------------

  void hand_in(lot_book::submission lot) override {
    send(peer_, submit{caf::actor_cast<client_actor>(this), lot.number, lot.what, std::move(lot.block)});
  }

  /// Many sockets may be readable in one turn of the I/O loop: what they bring goes as one lot.
  void remind() override { send(this, submit_due{}); }

  void ask_state() override {
    request(peer_, status_deadline, troupe::ask_state{})
        .then([this](const peer_state& state) { tell_status(state); },
              [this](const caf::error&) { reception_.hear_no_status(); });
  }

  void tell_status(const peer_state& state) {
    const auto uptime = std::chrono::duration_cast<std::chrono::seconds>(now() - started_);
    reception_.hear_status(
        {state, reception_.size(), options_.max_clients, port_, uptime, static_cast<std::int64_t>(::getpid())});
  }

  void lose_peer() {
    logs().error("event=gateway_lost_peer clients={} lots={}", reception_.size(), reception_.open_lots());
    peer_ = nullptr;
    reception_.lose_peer();
  }

  peer_actor peer_;
  gateway_options options_;
  int socket_;
  std::string local_address_;
  std::uint16_t port_;
  std::vector<std::pair<std::string, std::string>> settings_;
  reception reception_;
  instant started_;
  std::unordered_map<connection_handle, line> lines_;
  std::uint64_t last_client_ = 0;
  log_throttle said_;
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
