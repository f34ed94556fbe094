#include "core/host_struct.h"

#include <stdio.h>
#include <string.h>

#define UP_TO(type, last) (offsetof(type, last) + sizeof(((type *)0)->last))

/* A struct, and its last field as of 0.1. What is added later stands behind that one. */
#define ABOUT(type, last)                                                                          \
    { .name = #type, .least = UP_TO(type, last), .known = sizeof(type) }

const ar_host_struct ar_option_struct = ABOUT(alterrec_option, help);
const ar_host_struct ar_data_report_struct = ABOUT(alterrec_data_report, interactions);
const ar_host_struct ar_tensor_struct = ABOUT(alterrec_tensor, count);
const ar_host_struct ar_plan_struct = ABOUT(alterrec_plan, learning_rate);
const ar_host_struct ar_epoch_report_struct = ABOUT(alterrec_epoch_report, reserved);
const ar_host_struct ar_step_report_struct = ABOUT(alterrec_step_report, seconds);
const ar_host_struct ar_search_struct = ABOUT(alterrec_search, user_data);
const ar_host_struct ar_search_report_struct = ABOUT(alterrec_search_report, rescans);

/* Every one of them begins with it; a test holds the header to that. */
static uint32_t size_of(const void *host) {
    uint32_t size;
    memcpy(&size, host, sizeof size);
    return size;
}

static void copy(void *to, const void *from, uint32_t size, const ar_host_struct *about) {
    const size_t first = sizeof size;
    memcpy((char *)to + first, (const char *)from + first,
           (size < about->known ? size : about->known) - first);
}

alterrec_status ar_host_struct_check(const ar_host_struct *about, const void *host,
                                     const char *function) {
    char place[128];
    (void)snprintf(place, sizeof place, "%s: %s", function, about->name);
    return ar_check_struct_size(size_of(host), about->least, place);
}

void ar_host_struct_fill(void *host, const void *known, const ar_host_struct *about) {
    copy(host, known, size_of(host), about);
}

void ar_host_struct_read(void *known, const void *host, const ar_host_struct *about) {
    memset(known, 0, about->known);
    memcpy(known, &about->known, sizeof about->known);
    copy(known, host, size_of(host), about);
}
