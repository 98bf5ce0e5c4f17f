#include "stage/node_disk.hpp"
#include "stage/simulated_disk.hpp"
#include "stage/two_step_log.hpp"

namespace troupe {

namespace {

class log_disk final : public node_disk {
public:
  log_disk(std::uint64_t seed, std::size_t segment_bytes) : disk_{seed} { options_.segment_bytes = segment_bytes; }

  std::unique_ptr<two_step_storage> open() override { return std::make_unique<two_step_log>(disk_, "log", options_); }
  void lose_power(dice&) override { disk_.crash(); }

private:
  simulated_disk disk_;
  log_options options_;
};

} // namespace

std::unique_ptr<node_disk> make_log_disk(std::uint64_t seed, std::size_t segment_bytes) {
  return std::make_unique<log_disk>(seed, segment_bytes);
}

} // namespace troupe
