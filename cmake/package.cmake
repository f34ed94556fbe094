# cpack makes Debian packages, if configured as distributions do (-DCMAKE_INSTALL_PREFIX=/usr, from which
# follows the folder for libraries), else a plain archive. docs/install.md shows how.
find_program(ALTERREC_SHLIBDEPS dpkg-shlibdeps)
find_program(ALTERREC_GZIP gzip)
mark_as_advanced(ALTERREC_SHLIBDEPS ALTERREC_GZIP)
set(ALTERREC_PACKAGE_CONTACT "libalterrec authors <libalterrec@localhost>"
  CACHE STRING "Who maintains the packages that cpack makes: name <address>")

set(CPACK_PACKAGE_CONTACT ${ALTERREC_PACKAGE_CONTACT})
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)
set(CPACK_SOURCE_GENERATOR "")
set(CPACK_GENERATOR TGZ)

if(ALTERREC_SHLIBDEPS AND ALTERREC_GZIP AND CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  set(CPACK_GENERATOR DEB)
  set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
  set(library_package libalterrec${PROJECT_VERSION_MAJOR})
  set(development_package libalterrec-dev)
  set(tools_package alterrec-tools)

  set(CPACK_DEB_COMPONENT_INSTALL ON)
  set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
  set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
  set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR})
  set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
  set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")

  set(version "= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}")
  set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
  set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
  set(CPACK_DEBIAN_TOOLS_PACKAGE_SECTION science)
  # A static host links what the library is linked with, and pkg-config looks for it in any case.
  set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
    "${library_package} (${version}), libdnnl-dev, libyaml-dev")
  set(CPACK_DEBIAN_TOOLS_PACKAGE_DEPENDS "${library_package} (${version})")
  set(CPACK_COMPONENT_LIBRARY_DESCRIPTION "This package has the shared library.")
  set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION
    "This package has the headers, the static library, and what pkg-config and\n CMake find them by.")
  set(CPACK_COMPONENT_TOOLS_DESCRIPTION "This package has the program alterrec.")

  # ldconfig runs once for all packages that ask for it.
  file(WRITE ${PROJECT_BINARY_DIR}/debian/triggers "activate-noawait ldconfig\n")
  set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA ${PROJECT_BINARY_DIR}/debian/triggers)

  # Changelogs and manual pages are compressed, without a time in them.
  string(TIMESTAMP build_date "%a, %d %b %Y %H:%M:%S +0000" UTC) # or SOURCE_DATE_EPOCH's
  configure_file(cmake/debian_changelog.in debian/changelog.Debian @ONLY)
  configure_file(CHANGELOG.md debian/changelog COPYONLY)
  foreach(file changelog.Debian changelog)
    execute_process(COMMAND ${ALTERREC_GZIP} -9nf ${PROJECT_BINARY_DIR}/debian/${file}
      COMMAND_ERROR_IS_FATAL ANY)
  endforeach()
  if(TARGET man_page)
    add_custom_command(OUTPUT debian/alterrec.1.gz
      COMMAND ${ALTERREC_GZIP} -9nc ${man_page} >debian/alterrec.1.gz DEPENDS ${man_page})
    add_custom_target(compressed_man_page ALL DEPENDS debian/alterrec.1.gz)
    install(FILES ${PROJECT_BINARY_DIR}/debian/alterrec.1.gz
      DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT tools EXCLUDE_FROM_ALL)
  endif()

  foreach(component library development tools)
    string(TOUPPER ${component} upper)
    set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${${component}_package})
    set(CPACK_COMPONENT_${upper}_GROUP ${component})
    install(FILES ${PROJECT_SOURCE_DIR}/cmake/debian_copyright
      DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/${${component}_package} RENAME copyright
      COMPONENT ${component} EXCLUDE_FROM_ALL)
    install(FILES ${PROJECT_BINARY_DIR}/debian/changelog.Debian.gz
      DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/${${component}_package}
      COMPONENT ${component} EXCLUDE_FROM_ALL)
  endforeach()
  install(FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_BINARY_DIR}/debian/changelog.gz
    DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/${development_package}
    COMPONENT development EXCLUDE_FROM_ALL)
  set(CPACK_COMPONENTS_ALL library development)
  if(TARGET alterrec_program)
    list(APPEND CPACK_COMPONENTS_ALL tools)
  endif()
endif()
include(CPack)
