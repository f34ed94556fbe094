/* Structs of the host that begin with their size: how much of one is read and written. Level: core.
 *
 * A host built with another version knows fewer fields than this one, or more. From the first
 * version's size on every size is taken, and no byte beyond it is looked at or written. */
#ifndef AR_CORE_HOST_STRUCT_H
#define AR_CORE_HOST_STRUCT_H

#include "core/status.h"

/* What is known of one public struct. */
typedef struct ar_host_struct {
    const char *name; /* "alterrec_plan" */
    uint32_t least;   /* its size as of 0.1, up to the end of its last field then */
    uint32_t known;   /* its size in this version */
} ar_host_struct;

extern const ar_host_struct ar_option_struct, ar_data_report_struct, ar_tensor_struct,
    ar_plan_struct, ar_epoch_report_struct, ar_step_report_struct, ar_search_struct,
    ar_search_report_struct;

/* INVALID_ARGUMENT, naming `function`, if the size that the host has set is below
 * the least. */
alterrec_status ar_host_struct_check(const ar_host_struct *about, const void *host,
                                     const char *function);

/* Fills a checked struct of the host from `known`, as far as both go, but for struct_size. */
void ar_host_struct_fill(void *host, const void *known, const ar_host_struct *about);

/* *known becomes what a checked struct of the host says, as far as both go: fields that the host
 * does not know are 0, which has to mean what was done before they were there. */
void ar_host_struct_read(void *known, const void *host, const ar_host_struct *about);

#endif
