/// \file
/// What peers say to each other, in words: for failing stories.
#pragma once

#include "troupe/message_codec.hpp"

#include <string>

namespace troupe {

/// One line, such as `1>2 append term=3 #7 after 4@2 +3 commit=4`.
[[nodiscard]] std::string describe(const peer_message& message);

/// Anybody's words, as an event of a story may have them: not too long, without a line break.
[[nodiscard]] std::string one_line(std::string words);

} // namespace troupe
