#include "app/resp/resp3.hpp"

#include "app/kv/integer.hpp"

namespace troupe::resp {

void append_as_resp3(std::string& out, std::string_view reply) {
  while (!reply.empty()) {
    const auto line_end = reply.find("\r\n");
    if (line_end == std::string_view::npos)
      break;
    auto whole = line_end + 2;
    if (reply.front() == '$' || reply.front() == '*') {
      const auto count = strict_integer(reply.substr(1, line_end - 1));
      if (!count)
        break;
      if (*count < 0) {
        out += "_\r\n";
        reply.remove_prefix(whole);
        continue;
      }
      if (reply.front() == '$') {
        if (reply.size() - whole < static_cast<std::uint64_t>(*count) + 2)
          break;
        whole += static_cast<std::size_t>(*count) + 2;
      }
    }
    // An array's elements follow its header and are walked as what they are: values, one behind the other.
    out += reply.substr(0, whole);
    reply.remove_prefix(whole);
  }
  out += reply;
}

} // namespace troupe::resp
