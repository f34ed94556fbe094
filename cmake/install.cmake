# What `cmake --install` puts where: libraries, headers, the program, and the two descriptions that
# hosts find them by (pkg-config, CMake).
include(CMakePackageConfigHelpers)

install(TARGETS alterrec EXPORT alterrecTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS alterrec_static EXPORT alterrecStaticTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/alterrec DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

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
install(FILES ${PROJECT_BINARY_DIR}/alterrec.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/alterrec)
configure_package_config_file(cmake/alterrecConfig.cmake.in alterrecConfig.cmake
  INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(alterrecConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/alterrecConfig.cmake
  ${PROJECT_BINARY_DIR}/alterrecConfigVersion.cmake
  cmake/FindoneDNN.cmake
  DESTINATION ${package_folder})
install(EXPORT alterrecTargets NAMESPACE alterrec:: DESTINATION ${package_folder})
install(EXPORT alterrecStaticTargets NAMESPACE alterrec:: DESTINATION ${package_folder})

if(TARGET alterrec_program)
  file(RELATIVE_PATH library_from_program
    ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
  set_target_properties(alterrec_program PROPERTIES
    INSTALL_RPATH "\$ORIGIN/${library_from_program}")
  install(TARGETS alterrec_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
