/// \file
/// How those who await the end of their operations hear of it, whether they are clients of this process or another
/// peer's.
#pragma once

#include "messages/protocol.hpp"

#include <memory>
#include <utility>

namespace troupe {

/// Answers operations `offset`.. of the lot that `who` belongs to.
template <class Self>
void answer_to(Self* self, const awaiting& who, std::uint32_t offset, answer_list answers) {
  if (who.client) {
    self->send(who.client,
               submission_answered{who.number, offset, std::make_shared<const answer_list>(std::move(answers))});
  } else if (who.via) {
    forward_reply reply;
    reply.about = who.about;
    reply.number = who.number;
    reply.offset = offset;
    reply.count = static_cast<std::uint32_t>(answers.count());
    reply.answers = std::move(answers.bytes);
    reply.ends = std::move(answers.ends);
    self->send(who.via, std::move(reply));
  }
}

/// Refuses all operations of the lot from `who.offset` on.
template <class Self>
void refuse_to(Self* self, const awaiting& who, refusal why) {
  if (who.client) {
    self->send(who.client, submission_refused{who.number, who.offset, why});
  } else if (who.via) {
    forward_reply reply;
    reply.about = who.about;
    reply.number = who.number;
    reply.offset = who.offset;
    reply.refused = static_cast<std::uint8_t>(why);
    self->send(who.via, std::move(reply));
  }
}

} // namespace troupe
