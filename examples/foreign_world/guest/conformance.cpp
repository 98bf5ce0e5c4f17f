// Troupe's own checks of what it asks of a store, run against `blob_storage` over a persister that can fail.
#include "guest/guest.hpp"

#include "guest/blob_storage.hpp"

#include <troupe/storage_conformance.hpp>

#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

namespace guest {

namespace {

/// Holds what was saved, and replaces it as long as the medium works.
struct persister {
  blobs held;
  /// Saves that are still carried out; without a number, all are.
  std::optional<std::size_t> steps_left;
};

} // namespace

int check_conformance(std::uint64_t seed) {
  // Each store saves to the persister it was opened on; after a power failure that is one nobody reads any more.
  auto persisted = std::make_shared<persister>();
  troupe::storage_under_test subject;
  subject.fresh = [&persisted] { persisted = std::make_shared<persister>(); };
  subject.open = [&persisted] {
    return std::make_unique<blob_storage>(persisted->held, [mine = persisted](blobs all, std::function<void()> saved) {
      if (mine->steps_left == 0u)
        throw std::runtime_error{"the medium has stopped"};
      if (mine->steps_left)
        --*mine->steps_left;
      mine->held = std::move(all);
      saved();
    });
  };
  subject.stop_medium_after = [&persisted](std::size_t steps) { persisted->steps_left = steps; };
  subject.lose_power = [&persisted] {
    auto next = std::make_shared<persister>();
    next->held = persisted->held;
    persisted = std::move(next);
  };
  const auto report = troupe::check_storage(subject, {.seed = seed});
  std::cout << report.text();
  return report.conforms() ? 0 : 1;
}

} // namespace guest
