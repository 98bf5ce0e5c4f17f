# Fails unless PROGRAM --list says what the file EXPECTED does.
execute_process(COMMAND ${PROGRAM} --list OUTPUT_VARIABLE listed COMMAND_ERROR_IS_FATAL ANY)
file(READ ${EXPECTED} expected)
if(NOT listed STREQUAL expected)
  message(FATAL_ERROR "tests/installed/CMakeLists.txt lists\n${expected}\nbut the program plays\n${listed}")
endif()
