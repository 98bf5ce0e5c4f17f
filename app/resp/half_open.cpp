#include "app/resp/half_open.hpp"

#include <caf/io/network/doorman_impl.hpp>
#include <caf/io/network/stream_impl.hpp>
#include <caf/policy/tcp.hpp>

#include <sys/socket.h>

#include <cerrno>
#include <functional>
#include <utility>

namespace troupe::resp {

namespace {

using caf::io::network::default_multiplexer;
using caf::io::network::native_socket;
using caf::io::network::rw_state;

/// As CAF's policy, except that the end of the input is no failure.
struct half_open_tcp {
  std::function<void()> at_end;

  rw_state read_some(std::size_t& got, native_socket socket, void* buffer, std::size_t size) const {
    got = 0;
    if (size == 0)
      return rw_state::indeterminate;
    const auto received = ::recv(socket, buffer, size, 0);
    if (received > 0) {
      got = static_cast<std::size_t>(received);
      return rw_state::success;
    }
    if (received < 0)
      return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? rw_state::success : rw_state::failure;
    at_end();
    return rw_state::indeterminate;
  }

  static rw_state write_some(std::size_t& sent, native_socket socket, const void* buffer, std::size_t size) {
    return caf::policy::tcp::write_some(sent, socket, buffer, size);
  }

  static constexpr bool must_read_more(native_socket, std::size_t) { return false; }
};

/// CAF's `scribe_impl` over that policy.
class half_open_scribe final : public caf::io::scribe {
public:
  half_open_scribe(default_multiplexer& io, native_socket socket)
      : caf::io::scribe{caf::io::connection_handle::from_int(socket)}, stream_{io, socket,
                                                                               half_open_tcp{[this] { end_input(); }}} {
  }

  void configure_read(caf::io::receive_policy::config policy) override {
    stream_.configure_read(policy);
    if (!std::exchange(launched_, true))
      stream_.start(this);
  }
  void ack_writes(bool enable) override { stream_.ack_writes(enable); }
  std::vector<char>& wr_buf() override { return stream_.wr_buf(); }
  std::vector<char>& rd_buf() override { return stream_.rd_buf(); }
  void flush() override { stream_.flush(this); }
  void graceful_shutdown() override {
    stream_.graceful_shutdown();
    detach(&stream_.backend(), false);
  }
  std::string addr() const override { return words(caf::io::network::remote_addr_of_fd(stream_.fd())); }
  std::uint16_t port() const override {
    const auto found = caf::io::network::remote_port_of_fd(stream_.fd());
    return found ? *found : std::uint16_t{0};
  }
  void add_to_loop() override { stream_.activate(this); }
  void remove_from_loop() override { stream_.passivate(); }

private:
  static std::string words(const caf::expected<std::string>& address) { return address ? *address : std::string{}; }

  /// The socket would be readable for ever: it is not watched any more.
  void end_input() {
    stream_.passivate();
    if (!detached())
      caf::anon_send(caf::actor_cast<caf::actor>(parent_), input_ended{hdl()});
  }

  bool launched_ = false;
  caf::io::network::stream_impl<half_open_tcp> stream_;
};

class half_open_doorman final : public caf::io::network::doorman_impl {
public:
  using caf::io::network::doorman_impl::doorman_impl;

  bool new_connection() override {
    if (detached())
      return false;
    auto& io = acceptor_.backend();
    auto scribe = caf::make_counted<half_open_scribe>(io, acceptor_.accepted_socket());
    const auto handle = scribe->hdl();
    parent()->add_scribe(std::move(scribe));
    return doorman::new_connection(&io, handle);
  }
};

} // namespace

caf::io::doorman_ptr make_half_open_doorman(default_multiplexer& io, int socket) {
  return caf::make_counted<half_open_doorman>(io, socket);
}

} // namespace troupe::resp
