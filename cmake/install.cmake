# What `cmake --install` puts where: the program, the library as CMake package `troupe` (target troupe::troupe) and as
# pkg-config module `troupe`; for tests of users, the stage (target troupe::stage, pkg-config module `troupe-stage`).
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

# One archive of the floors that users' programs link: all below stage/ and app/. The stage is another: it is for tests.
add_library(troupe_library STATIC)
foreach(floor messages persistence minds actors)
  target_sources(troupe_library PRIVATE $<TARGET_OBJECTS:troupe_${floor}>)
endforeach()
set_target_properties(troupe_library PROPERTIES OUTPUT_NAME troupe EXPORT_NAME troupe LINKER_LANGUAGE CXX)
target_include_directories(troupe_library INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(troupe_library INTERFACE CAF::io spdlog::spdlog ISAL::isal)
target_compile_features(troupe_library INTERFACE cxx_std_20)
target_compile_definitions(troupe_library INTERFACE CAF_ENABLE_TYPE_ID_CHECKS)

add_library(troupe_stage_library STATIC $<TARGET_OBJECTS:troupe_stage>)
set_target_properties(troupe_stage_library PROPERTIES OUTPUT_NAME troupe_stage EXPORT_NAME stage LINKER_LANGUAGE CXX
                                                      ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/package)
target_link_libraries(troupe_stage_library INTERFACE troupe_library)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/troupe)
install(TARGETS troupe_library troupe_stage_library EXPORT troupe_targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS troupe RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/troupe DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")
install(EXPORT troupe_targets NAMESPACE troupe:: FILE troupe_targets.cmake DESTINATION ${package_dir})

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/troupe-config.cmake.in
                              ${PROJECT_BINARY_DIR}/package/troupe-config.cmake INSTALL_DESTINATION ${package_dir})
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/troupe-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/package/troupe-config.cmake
              ${PROJECT_BINARY_DIR}/package/troupe-config-version.cmake
              ${CMAKE_CURRENT_LIST_DIR}/FindCAF.cmake ${CMAKE_CURRENT_LIST_DIR}/FindISAL.cmake
        DESTINATION ${package_dir})

# Found from where the file lies, so that an installed tree can be moved.
file(RELATIVE_PATH to_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
foreach(module troupe troupe-stage)
  configure_file(${CMAKE_CURRENT_LIST_DIR}/${module}.pc.in ${PROJECT_BINARY_DIR}/package/${module}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/package/${module}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
