/// \file
/// Immutable bytes that many may hold at once.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace troupe {

/// A view into bytes that never change, together with a share in whatever keeps them alive: a buffer of its own, the
/// frame they arrived in, a block read from disk. Copying shares; nothing is ever copied or written.
class shared_bytes {
public:
  shared_bytes() = default;

  /// Takes the bytes over.
  explicit shared_bytes(std::string bytes) {
    auto owner = std::make_shared<const std::string>(std::move(bytes));
    view_ = *owner;
    owner_ = std::move(owner);
  }

  /// Views `view`, which must stay valid and unchanged for as long as `owner` is held.
  shared_bytes(std::shared_ptr<const void> owner, std::string_view view) : owner_{std::move(owner)}, view_{view} {}

  [[nodiscard]] std::string_view view() const { return view_; }
  [[nodiscard]] const char* data() const { return view_.data(); }
  [[nodiscard]] std::size_t size() const { return view_.size(); }
  [[nodiscard]] bool empty() const { return view_.empty(); }

  /// A part of these bytes, sharing the owner. `offset + size` must lie within.
  [[nodiscard]] shared_bytes part(std::size_t offset, std::size_t size) const {
    return {owner_, view_.substr(offset, size)};
  }

private:
  std::shared_ptr<const void> owner_;
  std::string_view view_;
};

} // namespace troupe
