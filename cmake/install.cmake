# What `cmake --install` puts where: libraries, headers, the program, and the two descriptions that
# hosts find them by (pkg-config, CMake). In three components, for package.cmake: the library that a
# host runs with, what it is built with, the program.
include(CMakePackageConfigHelpers)

install(TARGETS alterrec EXPORT alterrecTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library NAMELINK_COMPONENT development)
install(TARGETS alterrec_static EXPORT alterrecStaticTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
install(DIRECTORY include/alterrec DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development
  FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
# A package has places or forms of its own for these, so that they are a fourth component, and the
# manual page below is part of it.
install(FILES README.md CHANGELOG.md LICENSE
  DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT documents)

# The tree may be moved as a whole: whatever is written below says where it stands relative to itself.
set(pkgconfig_folder ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH ALTERREC_PC_PREFIX ${pkgconfig_folder} ${CMAKE_INSTALL_PREFIX})
file(RELATIVE_PATH ALTERREC_PC_LIBDIR ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_LIBDIR})
file(RELATIVE_PATH ALTERREC_PC_INCLUDEDIR ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_INCLUDEDIR})
string(REGEX REPLACE "/$" "" ALTERREC_PC_PREFIX ${ALTERREC_PC_PREFIX})
# For static linking: -l, and -L for a library that stands where the linker does not look by itself.
set(ALTERREC_PC_LIBRARIES "")
function(add_pkgconfig_library name path)
  get_filename_component(folder "${path}" DIRECTORY)
  if(IS_ABSOLUTE "${path}" AND NOT folder IN_LIST CMAKE_C_IMPLICIT_LINK_DIRECTORIES)
    string(APPEND ALTERREC_PC_LIBRARIES " -L${folder}")
  endif()
  set(ALTERREC_PC_LIBRARIES "${ALTERREC_PC_LIBRARIES} -l${name}" PARENT_SCOPE)
endfunction()
add_pkgconfig_library(dnnl ${oneDNN_LIBRARY})
foreach(library ${OpenMP_C_LIB_NAMES})
  add_pkgconfig_library(${library} ${OpenMP_${library}_LIBRARY})
endforeach()
string(STRIP "${ALTERREC_PC_LIBRARIES}" ALTERREC_PC_LIBRARIES)
configure_file(pkgconfig/alterrec.pc.in alterrec.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/alterrec.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/alterrec)
configure_package_config_file(cmake/alterrecConfig.cmake.in alterrecConfig.cmake
  INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(alterrecConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/alterrecConfig.cmake
  ${PROJECT_BINARY_DIR}/alterrecConfigVersion.cmake
  cmake/FindoneDNN.cmake
  DESTINATION ${package_folder} COMPONENT development)
foreach(targets alterrecTargets alterrecStaticTargets)
  install(EXPORT ${targets} NAMESPACE alterrec:: DESTINATION ${package_folder}
    COMPONENT development)
endforeach()

if(TARGET alterrec_program)
  # The program finds the library beside it, unless the loader finds it there anyway.
  if(NOT CMAKE_INSTALL_FULL_LIBDIR IN_LIST CMAKE_C_IMPLICIT_LINK_DIRECTORIES)
    file(RELATIVE_PATH library_from_program
      ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
    set_target_properties(alterrec_program PROPERTIES
      INSTALL_RPATH "\$ORIGIN/${library_from_program}")
  endif()
  install(TARGETS alterrec_program
    RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT tools)

  # Its manual page is made by running it.
  if(NOT CMAKE_CROSSCOMPILING)
    set(man_page ${PROJECT_BINARY_DIR}/alterrec.1)
    add_custom_command(OUTPUT ${man_page}
      COMMAND sh ${PROJECT_SOURCE_DIR}/cmake/make_man.sh
        $<TARGET_FILE:alterrec_program> ${PROJECT_VERSION} >${man_page}
      DEPENDS alterrec_program cmake/make_man.sh)
    add_custom_target(man_page ALL DEPENDS ${man_page})
    install(FILES ${man_page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT documents)
  endif()
endif()
