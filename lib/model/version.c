#include "core/status.h"
#include "nn/onednn.h"

#include <stdio.h>
#include <threads.h>

#define STRING_OF(value) #value
#define STRING(value)    STRING_OF(value)

uint32_t alterrec_version(void) {
    return ALTERREC_VERSION_MAJOR * 1000000u + ALTERREC_VERSION_MINOR * 1000u +
           ALTERREC_VERSION_PATCH;
}

static char info[160];
static once_flag info_once = ONCE_FLAG_INIT;

static void make_info(void) {
#if defined(__clang__)
    static const char compiler[] = "clang " __clang_version__;
#else
    static const char compiler[] = "gcc " __VERSION__;
#endif
    (void)snprintf(info, sizeof info, "libalterrec %s, %s, %s",
                   STRING(ALTERREC_VERSION_MAJOR) "." STRING(ALTERREC_VERSION_MINOR) "." STRING(
                       ALTERREC_VERSION_PATCH),
                   compiler, ar_onednn_info());
}

const char *alterrec_build_info(void) {
    call_once(&info_once, make_info);
    return info;
}
