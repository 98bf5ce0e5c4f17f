/// \file
/// Replies of one client on their way to its connection, piece by piece.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace troupe::resp {

/// CAF keeps two buffers per connection, each as large as it ever was. So that a client which was once told much does
/// not cost that for ever, what is said gathers here, and the connection gets no more than a piece at a time.
class outbox {
public:
  /// What the connection has at a time.
  static constexpr std::size_t piece_bytes = std::size_t{64} << 10;

  /// Where more is said, at its end.
  [[nodiscard]] std::vector<char>& end() { return said_; }

  /// Appends to `wire` what the connection may have now; returns whether there was anything.
  bool hand_over(std::vector<char>& wire) {
    const auto count = std::min(piece_bytes - handed_, said_.size() - at_);
    const auto from = said_.begin() + static_cast<std::ptrdiff_t>(at_);
    wire.insert(wire.end(), from, from + static_cast<std::ptrdiff_t>(count));
    handed_ += count;
    at_ += count;
    let_go();
    return count > 0;
  }

  /// The connection has written `bytes` of what was handed over.
  void written(std::size_t bytes) { handed_ -= bytes; }

private:
  void let_go() {
    if (at_ < said_.size() && at_ < said_.size() / 2)
      return; // So each byte is moved once at most, on average.
    said_.erase(said_.begin(), said_.begin() + static_cast<std::ptrdiff_t>(at_));
    at_ = 0;
    if (said_.capacity() > piece_bytes && said_.size() < said_.capacity() / 4)
      said_.shrink_to_fit();
  }

  std::vector<char> said_;
  std::size_t at_ = 0;     ///< Up to here it is handed over.
  std::size_t handed_ = 0; ///< And not written.
};

} // namespace troupe::resp
