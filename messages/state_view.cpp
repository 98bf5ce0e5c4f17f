#include "troupe/state_machine.hpp"

#include <utility>

namespace troupe {

namespace {

class whole_state final : public state_view {
public:
  explicit whole_state(std::string state) : state_{std::move(state)} {}
  std::string next_chunk() override { return std::exchange(state_, {}); }

private:
  std::string state_;
};

/// For state machines that know only how to load: the chunks wait for their turn.
class gathered_state final : public built_state {
public:
  gathered_state(state_machine& machine, std::string state) : machine_{machine}, state_{std::move(state)} {}
  void take_place() override {
    whole_state chunks{std::move(state_)};
    machine_.load(chunks);
  }

private:
  state_machine& machine_;
  std::string state_;
};

} // namespace

std::unique_ptr<built_state> state_machine::build(chunk_source& chunks) {
  return std::make_unique<gathered_state>(*this, read_all(chunks));
}

std::unique_ptr<state_view> view_of(std::string state) {
  return std::make_unique<whole_state>(std::move(state));
}

std::string read_all(chunk_source& chunks) {
  std::string all;
  for (auto chunk = chunks.next_chunk(); !chunk.empty(); chunk = chunks.next_chunk())
    all += chunk;
  return all;
}

} // namespace troupe
