/// \file
/// Words of a line that a person typed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace troupe::resp {

/// Splits a line into words by the rules of Redis's inline commands: blanks separate; "..." knows \n \r \t \b \a \xHH
/// and a backslash before any other character; '...' knows only \'. A closing quote ends its word, so a blank or the
/// end must follow. Appends the words to `text` and where each ends to `ends`. False if quotes are not balanced.
[[nodiscard]] bool split_words(std::string_view line, std::string& text, std::vector<std::size_t>& ends);

} // namespace troupe::resp
