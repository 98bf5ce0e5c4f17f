# Configures and builds the project SOURCE in BUILD as one who has nothing of Troupe but PREFIX.
set(launcher)
if(CCACHE)
  set(launcher -DCMAKE_CXX_COMPILER_LAUNCHER=${CCACHE})
endif()
execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${BUILD} -G ${GENERATOR} -DCMAKE_PREFIX_PATH=${PREFIX}
                        -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_BUILD_TYPE=${TYPE} "-DCMAKE_CXX_FLAGS=${FLAGS}" ${launcher}
                COMMAND_ERROR_IS_FATAL ANY)
file(STRINGS ${BUILD}/CMakeCache.txt found REGEX "^troupe_DIR:")
if(NOT found MATCHES "=${PREFIX}/")
  message(FATAL_ERROR "another troupe was found than the one just installed: ${found}")
endif()
execute_process(COMMAND ${CMAKE_COMMAND} --build ${BUILD} COMMAND_ERROR_IS_FATAL ANY)
