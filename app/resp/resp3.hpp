/// \file
/// Replies for clients that asked for RESP3.
#pragma once

#include <string>
#include <string_view>

namespace troupe::resp {

/// Appends a RESP2 reply of the state machine as RESP3: nulls, those in arrays too, become `_`; all else is the same in
/// both. Bytes that are no RESP2 reply pass unchanged.
void append_as_resp3(std::string& out, std::string_view reply);

} // namespace troupe::resp
