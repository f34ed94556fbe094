# oneDNN as the target DNNL::dnnl, found by header and library alone. oneDNN's own package file is
# not used: built with an OpenCL runtime, as Debian's is, it asks for OpenCL's development files, of
# which a user of the CPU engine needs none.
#
# ALTERREC_ONEDNN_ROOT, if set, is the one folder looked at: include/dnnl.h and lib/libdnnl.so in it.
if(ALTERREC_ONEDNN_ROOT)
  set(oneDNN_only_there HINTS "${ALTERREC_ONEDNN_ROOT}" NO_DEFAULT_PATH)
endif()
find_path(oneDNN_INCLUDE_DIR dnnl.h PATH_SUFFIXES include ${oneDNN_only_there})
find_library(oneDNN_LIBRARY dnnl PATH_SUFFIXES lib ${oneDNN_only_there})
unset(oneDNN_only_there)
mark_as_advanced(oneDNN_INCLUDE_DIR oneDNN_LIBRARY)

if(oneDNN_INCLUDE_DIR AND EXISTS "${oneDNN_INCLUDE_DIR}/oneapi/dnnl/dnnl_version.h")
  file(STRINGS "${oneDNN_INCLUDE_DIR}/oneapi/dnnl/dnnl_version.h" oneDNN_VERSION_LINES
       REGEX "^#define DNNL_VERSION_(MAJOR|MINOR|PATCH) +[0-9]+$")
  string(REGEX REPLACE "[^0-9;]" "" oneDNN_VERSION "${oneDNN_VERSION_LINES}")
  list(GET oneDNN_VERSION 0 oneDNN_VERSION_MAJOR)
  string(REPLACE ";" "." oneDNN_VERSION "${oneDNN_VERSION}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(oneDNN
  REQUIRED_VARS oneDNN_LIBRARY oneDNN_INCLUDE_DIR VERSION_VAR oneDNN_VERSION)

if(oneDNN_FOUND AND NOT TARGET DNNL::dnnl)
  add_library(DNNL::dnnl UNKNOWN IMPORTED)
  set_target_properties(DNNL::dnnl PROPERTIES
    IMPORTED_LOCATION "${oneDNN_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${oneDNN_INCLUDE_DIR}")
endif()
