/// \file
/// One answer of a Redis server, and how it is read from bytes. No sockets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
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

  friend bool operator==(const resp_reply&, const resp_reply&) = default;
};

/// Finds replies at the front of bytes as they come. Believes no length: it holds no more than it has been given.
class resp_reply_reader {
public:
  enum class outcome {
    incomplete, ///< Feed more.
    reply,      ///< There is one.
    garbage,    ///< What came is no reply, or claims to be longer than any answer of a node. All later calls say so.
  };

  void feed(std::string_view bytes) { received_ += bytes; }

  /// The next reply, if it is there, goes into `found`.
  [[nodiscard]] outcome next(resp_reply& found);

  /// Bytes of replies not taken yet.
  [[nodiscard]] std::size_t held_bytes() const { return received_.size() - read_; }

  void clear() { *this = {}; }

private:
  [[nodiscard]] outcome take(std::size_t& at, resp_reply& found, int depth);
  [[nodiscard]] outcome take_bulk(std::size_t& at, std::int64_t size, resp_reply& found);
  [[nodiscard]] outcome take_array(std::size_t& at, std::int64_t count, resp_reply& found, int depth);

  std::string received_;
  std::size_t read_ = 0;    ///< How much of `received_` has been given as replies.
  std::size_t missing_ = 0; ///< Held bytes below which there cannot be a whole reply.
  bool garbage_ = false;
};

} // namespace troupe
