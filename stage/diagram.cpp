#include "stage/diagram.hpp"

#include "stage/reading.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace troupe {

namespace {

constexpr std::string_view page_begin =
#include "stage/diagram_page.inc"
    ;

constexpr std::string_view page_end =
#include "stage/diagram_run.inc"

#include "stage/diagram_pens.inc"

#include "stage/diagram_painting.inc"

#include "stage/diagram_tools.inc"
    ;

/// As the script names them; the order is that of `trace_event::kind`.
constexpr std::array<std::string_view, 14> kinds{"sends", "hears",   "loses",   "starts", "crashes",
                                                 "rises", "commits", "applies", "logs",   "writes",
                                                 "asks",  "tells",   "strikes", "breaks"};

/// As the script names them; the order is that of `topic`.
constexpr std::array<std::string_view, 6> topics{"heartbeats", "entries", "votes", "snapshots", "forwards", "others"};

/// Writes JSON that may stand within a script element.
class json_writer {
public:
  std::string take() && { return std::move(out_); }

  json_writer& name(std::string_view key) {
    text(key);
    out_ += ':';
    after_name_ = true;
    return *this;
  }

  void number(std::int64_t n) {
    separate();
    out_ += std::to_string(n);
  }

  void text(std::string_view words) {
    separate();
    out_ += '"';
    for (const auto c : printable(words))
      put(c);
    out_ += '"';
  }

  template <class Body>
  void array(Body body) {
    nested('[', ']', body);
  }

  template <class Body>
  void object(Body body) {
    nested('{', '}', body);
  }

private:
  template <class Body>
  void nested(char open, char close, Body body) {
    separate();
    out_ += open;
    is_first_ = true;
    body();
    out_ += close;
    is_first_ = false;
  }

  void separate() {
    if (!is_first_ && !after_name_)
      out_ += ',';
    is_first_ = false;
    after_name_ = false;
  }

  void put(char c) {
    switch (c) {
    case '"': out_ += "\\\""; break;
    case '\\': out_ += "\\\\"; break;
    // Nothing in here may end the element, or begin another one.
    case '<': out_ += "\\u003c"; break;
    case '>': out_ += "\\u003e"; break;
    case '&': out_ += "\\u0026"; break;
    default: out_ += c;
    }
  }

  std::string out_;
  bool is_first_ = true;
  bool after_name_ = false;
};

class painter {
public:
  painter(const std::vector<trace_event>& trace, const diagram_options& options)
      : trace_{trace}, options_{options}, read_{read(trace)}, first_{trace.size()
                                                                     - std::min(trace.size(), options.most)} {}

  std::string paint() && {
    to_.object([&] {
      to_.name("title").text(options_.title);
      to_.name("heading").array([&] {
        for (const auto& line : options_.heading)
          to_.text(line);
      });
      to_.name("leftOut").number(static_cast<std::int64_t>(first_));
      to_.name("kinds").array([&] { names(kinds); });
      to_.name("topics").array([&] { names(topics); });
      to_.name("nodes").array([&] {
        for (const auto id : read_.nodes)
          number(id.value());
      });
      to_.name("events").array([&] { events(); });
      to_.name("messages").array([&] { messages(); });
      to_.name("lives").array([&] { lives(); });
      to_.name("terms").array([&] { terms(); });
      to_.name("leaderships").array([&] { leaderships(); });
      to_.name("violation").number(place(read_.violation));
    });
    return std::move(to_).take();
  }

private:
  template <class Names>
  void names(const Names& all) {
    for (const auto name : all)
      to_.text(name);
  }

  void number(std::uint64_t n) { to_.number(static_cast<std::int64_t>(n)); }

  /// The place of an event among those drawn; -1 for none.
  [[nodiscard]] std::int64_t place(event_number i) const {
    return i == no_event || i < first_ ? -1 : static_cast<std::int64_t>(i - first_);
  }

  [[nodiscard]] bool is_over(event_number i) const { return i != no_event && i < first_; }

  /// A message all of which happened before what is drawn.
  [[nodiscard]] bool is_over(const passage& message) const {
    const auto before = [&](const auto& ends) {
      return std::all_of(ends.begin(), ends.end(), [&](const auto& end) { return end.at < first_; });
    };
    return (message.sent == no_event || message.sent < first_) && before(message.heard) && before(message.lost);
  }

  /// [microseconds, kind, node, other, term, words, message]
  void events() {
    std::size_t skipped = 0;
    for (const auto& message : read_.passages) {
      place_of_message_.push_back(is_over(message) ? -1 : static_cast<std::int64_t>(skipped));
      skipped += !is_over(message);
    }
    for (auto i = first_; i < trace_.size(); ++i)
      to_.array([&] {
        const auto& event = trace_[i];
        const auto of = read_.passage_of[i];
        to_.number(std::chrono::round<std::chrono::microseconds>(event.at).count());
        number(static_cast<std::uint64_t>(event.what) - 1);
        number(event.node.value());
        number(event.other.value());
        number(event.term.value());
        to_.text(of == no_event ? std::string_view{event.words} : std::string_view{note(i)});
        to_.number(of == no_event ? -1 : place_of_message_[of]);
      });
  }

  /// What an end of a message says beyond the message.
  [[nodiscard]] std::string note(event_number i) const {
    const auto& of = read_.passages[read_.passage_of[i]];
    for (const auto* ends : {&of.heard, &of.lost})
      for (const auto& end : *ends)
        if (end.at == i)
          return end.note;
    return {};
  }

  /// [topic, from, to, term, words, sent, [heard..], [lost..]], the last three by place of event.
  void messages() {
    for (const auto& message : read_.passages)
      if (!is_over(message))
        to_.array([&] {
          number(static_cast<std::uint64_t>(message.about));
          number(message.from.value());
          number(message.to.value());
          number(message.term.value());
          to_.text(message.words);
          to_.number(place(message.sent));
          for (const auto* ends : {&message.heard, &message.lost})
            to_.array([&] {
              for (const auto& end : *ends)
                if (end.at >= first_)
                  to_.number(place(end.at));
            });
        });
  }

  /// [node, begin, end]; -1: before or after what is drawn.
  void lives() {
    for (const auto id : read_.nodes)
      if (std::none_of(read_.lives.begin(), read_.lives.end(), [&](const auto& life) { return life.node == id; }))
        life({id, no_event, no_event});
    for (const auto& lived : read_.lives)
      if (!is_over(lived.ends))
        life(lived);
  }

  void life(const node_life& lived) {
    to_.array([&] {
      number(lived.node.value());
      to_.number(place(lived.begins));
      to_.number(place(lived.ends));
    });
  }

  /// [node, event, term]
  void terms() {
    for (const auto& known : read_.terms)
      to_.array([&] {
        number(known.node.value());
        to_.number(place(known.from));
        number(known.term.value());
      });
  }

  /// [node, term, rise, last sign, end]
  void leaderships() {
    for (const auto& led : read_.leaderships)
      to_.array([&] {
        number(led.node.value());
        number(led.term.value());
        to_.number(place(led.rises));
        to_.number(place(led.last_sign));
        number(static_cast<std::uint64_t>(std::chrono::round<std::chrono::microseconds>(trace_[led.rises].at).count()));
      });
  }

  const std::vector<trace_event>& trace_;
  const diagram_options& options_;
  reading read_;
  event_number first_;
  std::vector<std::int64_t> place_of_message_;
  json_writer to_;
};

} // namespace

std::string draw(const std::vector<trace_event>& trace, const diagram_options& options) {
  return std::string{page_begin} + painter{trace, options}.paint() + std::string{page_end};
}

} // namespace troupe
