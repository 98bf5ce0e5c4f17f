/// \file
/// A small Redis client: one connection, blocking, every wait with an end. What `demo`, `status` and the tests speak to
/// a node with.
#pragma once

#include "actors/link/endpoint.hpp"
#include "app/resp_reply.hpp"
#include "troupe/types.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe {

class resp_client {
public:
  /// Not connected.
  resp_client() = default;
  resp_client(resp_client&& other) noexcept;
  resp_client& operator=(resp_client&& other) noexcept;
  ~resp_client();

  /// Connects, trying every address of the host until one accepts or `timeout` has passed. Check `is_open`.
  [[nodiscard]] static resp_client connect(const endpoint& to, duration timeout);

  [[nodiscard]] bool is_open() const { return socket_ >= 0; }
  /// Why it is not open; empty while it is.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

  /// Says one command and waits for its answer.
  [[nodiscard]] resp_reply call(const std::vector<std::string>& words, duration timeout);

  /// Says several commands at once and waits for all answers: one for each, in order; from the first that is lost, all
  /// are.
  [[nodiscard]] std::vector<resp_reply> call_all(const std::vector<std::vector<std::string>>& commands,
                                                 duration timeout);

  void close();

private:
  bool send_all(std::string_view bytes, instant deadline);
  bool receive_some(instant deadline);
  bool wait_for(short events, instant deadline);
  resp_reply read_reply(instant deadline);
  resp_reply lose(std::string why);

  int socket_ = -1;
  std::string trouble_ = "not connected";
  resp_reply_reader received_;
};

} // namespace troupe
