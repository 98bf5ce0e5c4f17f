#include "actors/persister/archivist.hpp"

#include <exception>

namespace troupe {

namespace {

template <class Base>
class archivist_shell : public Base {
public:
  archivist_shell(caf::actor_config& config, fatal_handler on_fatal) : Base{config}, on_fatal_{std::move(on_fatal)} {}

  typename Base::behavior_type make_behavior() override {
    return {
        [this](const carry_out_read& m) { guarded([&] {
                                            this->send(m.to, log_read{m.group, m.ticket, m.plan()});
                                          }); },
        [this](const carry_out_chore& m) {
          guarded([&] {
            m.work();
            this->send(m.done_to, chore_finished{});
          });
        },
    };
  }

private:
  template <class F>
  void guarded(F&& work) {
    try {
      work();
    } catch (const std::exception& failure) {
      on_fatal_(failure.what());
      this->quit(caf::exit_reason::unhandled_exception);
    }
  }

  fatal_handler on_fatal_;
};

} // namespace

archivist_actor spawn_archivist(caf::actor_system& system, placement where, fatal_handler on_fatal) {
  return spawn_at<archivist_shell, archivist_actor>(system, where, std::move(on_fatal));
}

} // namespace troupe
