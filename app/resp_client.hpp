/// \file
/// A small Redis client: one connection, blocking, every wait with an end. What `demo`, `status` and the tests speak to
/// a node with.
#pragma once

#include "actors/link/endpoint.hpp"
#include "troupe/types.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// One answer (RESP2).
struct resp_reply {
  enum class kind {
    status,  ///< `+OK`: `text`.
    error,   ///< `-CODE words`: `text` without the dash.
    integer, ///< `:1`: `number`.
    bulk,    ///< `$2 hi`: `text`.
    null,    ///< `$-1` or `*-1`.
    array,   ///< `*1 ...`: `elements`.
    lost,    ///< There is no answer: `text` says why. The connection is closed; whether the command took effect is
             ///< unknown.
  };

  kind what = kind::lost;
  std::string text;
  std::int64_t number = 0;
  std::vector<resp_reply> elements;

  [[nodiscard]] bool is_ok() const { return what == kind::status && text == "OK"; }
  [[nodiscard]] bool is_lost() const { return what == kind::lost; }
  /// An error whose code word is `code`, such as "CLUSTERDOWN".
  [[nodiscard]] bool is_error(std::string_view code) const {
    return what == kind::error && text.substr(0, text.find(' ')) == code;
  }
};

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
  bool read_line(std::string& line, instant deadline);
  resp_reply read_reply(instant deadline, int depth);
  resp_reply lose(std::string why);

  int socket_ = -1;
  std::string trouble_ = "not connected";
  std::string received_;
  std::size_t read_ = 0; ///< How much of `received_` has been understood.
};

} // namespace troupe
