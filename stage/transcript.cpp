#include "stage/transcript.hpp"

namespace troupe {

namespace {

std::string text(std::uint64_t n) {
  return std::to_string(n);
}

std::string text(const log_position& position) {
  return text(position.index.value()) + "@" + text(position.term.value());
}

std::string words(const request_vote& m) {
  return std::string{m.pre_vote ? "would you vote" : "vote for me"} + " round=" + text(m.round % 10000)
      + " last=" + text(m.last_log);
}

std::string words(const vote_reply& m) {
  return std::string{m.pre_vote ? "I would" : "I do"} + (m.granted ? "" : " not") + " round=" + text(m.round % 10000);
}

std::string words(const append_entries& m) {
  std::uint64_t entries = 0;
  for (const auto& batch : m.batches)
    entries += batch.count();
  return "append #" + text(m.number) + " after " + text(m.previous) + " +" + text(entries)
      + " commit=" + text(m.commit.value());
}

std::string words(const append_reply& m) {
  if (m.success)
    return "appended #" + text(m.number) + " match=" + text(m.match.value());
  return "refused #" + text(m.number) + " last=" + text(m.last.value()) + " conflict=" + text(m.conflict);
}

std::string words(const install_snapshot& m) {
  return "snapshot #" + text(m.number) + " of " + text(m.at) + " bytes " + text(m.offset) + "+" + text(m.bytes.size())
      + " of " + text(m.size_bytes);
}

std::string words(const snapshot_reply& m) {
  return (m.is_installed ? "installed #" : "have #") + text(m.number) + " of " + text(m.at) + " bytes "
      + text(m.received_bytes);
}

std::string words(const timeout_now&) {
  return "run for leader";
}

std::string words(const forward& m) {
  return "forward #" + text(m.number) + " x" + text(m.block.count);
}

std::string words(const forward_reply& m) {
  return "forwarded #" + text(m.number) + " refused=" + text(m.refused);
}

} // namespace

std::string describe(const peer_message& message) {
  const auto& [group, from, to, term] = about(message);
  return text(from.value()) + ">" + text(to.value()) + " term=" + text(term.value()) + " "
      + std::visit([](const auto& m) { return words(m); }, message);
}

std::string one_line(std::string words) {
  constexpr std::size_t most = 100;
  if (words.size() > most)
    words.replace(most, std::string::npos, "...");
  for (auto& letter : words)
    if (static_cast<unsigned char>(letter) < ' ')
      letter = ' ';
  return words;
}

} // namespace troupe
