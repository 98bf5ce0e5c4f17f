# Shows that check_layers.cmake finds what it is there to find: a small house with one offence of each kind, and the
# same house without. SCRATCH names a directory to build it in.
set(house ${SCRATCH}/check_layers_house)

function(build_house)
  file(REMOVE_RECURSE ${house})
  file(WRITE ${house}/include/troupe/types.hpp "#pragma once\n")
  file(WRITE ${house}/messages/protocol.hpp "#include <caf/all.hpp>\n")
  file(WRITE ${house}/actors/CMakeLists.txt "set(shells\n    peer/peer.cpp)\n")
  file(WRITE ${house}/actors/peer/peer.cpp "#include \"messages/protocol.hpp\"\n")
  file(WRITE ${house}/actors/peer/vote.hpp "#include \"troupe/types.hpp\"\n")
  file(WRITE ${house}/actors/peer/vote.cpp "#include \"actors/peer/vote.hpp\"\n")
  file(WRITE ${house}/app/main.cpp "#include \"actors/peer/vote.hpp\"\n")
  foreach(folder include/troupe messages actors/peer app)
    file(WRITE ${house}/${folder}/README.md "\n")
  endforeach()
endfunction()

# `offence` is what must be said; empty if nothing may be.
function(expect offence)
  execute_process(COMMAND ${CMAKE_COMMAND} -DROOT=${house} -P ${CMAKE_CURRENT_LIST_DIR}/check_layers.cmake
                  RESULT_VARIABLE code OUTPUT_VARIABLE said ERROR_VARIABLE said)
  string(FIND "${said}" "${offence}" at)
  if("${offence}" STREQUAL "" AND NOT code EQUAL 0)
    message(FATAL_ERROR "a good house was refused:\n${said}")
  elseif(NOT "${offence}" STREQUAL "" AND (code EQUAL 0 OR at EQUAL -1))
    message(FATAL_ERROR "not found: ${offence}\n${said}")
  endif()
endfunction()

build_house()
expect("")

file(WRITE ${house}/messages/persistence.hpp "\n#include \"actors/peer/vote.hpp\"\n")
expect("messages/persistence.hpp:2: includes upward: actors/peer/vote.hpp")

build_house()
file(WRITE ${house}/actors/peer/vote.hpp "\n\n#include <caf/actor.hpp>\n")
expect("actors/peer/vote.hpp:3: a mind includes CAF")
expect("actors/peer/vote.cpp:1: a mind includes CAF") # And whoever includes it.

build_house()
file(WRITE ${house}/actors/peer/vote.cpp "#include \"messages/protocol.hpp\"\n")
expect("actors/peer/vote.cpp:1: a mind includes CAF")

build_house()
file(WRITE ${house}/app/main.cpp "#include \"app/missing.hpp\"\n")
expect("app/main.cpp:1: app/missing.hpp does not exist")

build_house()
file(REMOVE ${house}/app/README.md)
expect("app:1: no README.md")
