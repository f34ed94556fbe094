#include "data/sessions.h"

#include "core/host_struct.h"
#include "core/memory.h"
#include "core/threads.h"
#include "data/catalog.h"
#include "data/config.h"
#include "data/count.h"
#include "data/interactions.h"

#include <string.h>

alterrec_sessions *ar_sessions_hold(const alterrec_sessions *sessions) {
    /* Holding changes nothing that a reader of the handle could see. */
    alterrec_sessions *held = (alterrec_sessions *)(uintptr_t)sessions;
    ar_reference_take(&held->reference);
    return held;
}

void alterrec_sessions_free(alterrec_sessions *sessions) {
    if (sessions == NULL || !ar_reference_drop(&sessions->reference))
        return;
    alterrec_catalog_free(sessions->catalog);
    ar_free(sessions->items);
    ar_free(sessions->offsets);
    ar_free(sessions);
}

alterrec_status ar_sessions_take(alterrec_sessions **sessions, const alterrec_catalog *catalog,
                                 int32_t **items, int64_t **offsets, int64_t count) {
    *sessions = NULL;
    alterrec_sessions *made;
    AR_NEW(made, 1);
    made->catalog = ar_catalog_hold(catalog);
    made->items = *items;
    made->offsets = *offsets;
    made->count = count;
    *items = NULL;
    *offsets = NULL;
    *sessions = made;
    return ALTERREC_OK;
}

static alterrec_status check_arrays(const alterrec_catalog *catalog, const int32_t *items,
                                    const int64_t *offsets, int64_t count) {
    static const char function[] = "alterrec_sessions_create";
    if (offsets[0] != 0)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "%s: offsets[0] is %lld, 0 was expected",
                       function, (long long)offsets[0]);
    for (int64_t s = 0; s < count; s++)
        if (offsets[s + 1] < offsets[s])
            return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                           "%s: offsets[%lld] is %lld, less than the %lld before it", function,
                           (long long)s + 1, (long long)offsets[s + 1], (long long)offsets[s]);
    AR_TRY(ar_count_check(1, offsets[count], "the last offset", function));
    for (int64_t i = 0; i < offsets[count]; i++)
        if (items[i] < 0 || items[i] >= catalog->items)
            return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                           "%s: items[%lld] is %d, outside 0..%lld", function, (long long)i,
                           items[i], (long long)catalog->items - 1);
    return ALTERREC_OK;
}

alterrec_status alterrec_sessions_create(alterrec_sessions **sessions,
                                         const alterrec_catalog *catalog, const int32_t *items,
                                         const int64_t *offsets, int64_t count) {
    AR_NOT_NULL(sessions);
    *sessions = NULL;
    AR_NOT_NULL(catalog);
    static const int64_t none[] = {0};
    AR_TRY(ar_count_check(1, count, "count", __func__));
    if (count == 0 && offsets == NULL)
        offsets = none;
    AR_NOT_NULL(offsets);
    if (offsets[count] != 0)
        AR_NOT_NULL(items);
    AR_TRY(check_arrays(catalog, items, offsets, count));
    int64_t interactions = offsets[count];
    int32_t *own_items = ar_new(interactions, sizeof *own_items);
    int64_t *own_offsets = ar_new(count + 1, sizeof *own_offsets);
    alterrec_status status = ALTERREC_ERROR_OUT_OF_MEMORY;
    if (own_items != NULL && own_offsets != NULL) {
        if (interactions > 0)
            memcpy(own_items, items, (size_t)interactions * sizeof *items);
        memcpy(own_offsets, offsets, (size_t)(count + 1) * sizeof *offsets);
        status = ar_sessions_take(sessions, catalog, &own_items, &own_offsets, count);
    }
    ar_free(own_items);
    ar_free(own_offsets);
    return status;
}

int64_t alterrec_sessions_count(const alterrec_sessions *sessions) {
    return sessions != NULL ? sessions->count : 0;
}

int64_t alterrec_sessions_interactions(const alterrec_sessions *sessions) {
    return sessions != NULL ? sessions->offsets[sessions->count] : 0;
}

alterrec_status alterrec_sessions_get(const int32_t **items, int64_t *length,
                                      const alterrec_sessions *sessions, int64_t index) {
    AR_NOT_NULL(items);
    AR_NOT_NULL(length);
    AR_NOT_NULL(sessions);
    if (index < 0 || index >= sessions->count)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "alterrec_sessions_get: index %lld is outside 0..%lld", (long long)index,
                       (long long)sessions->count - 1);
    int64_t begin = sessions->offsets[index];
    *items = sessions->items + begin;
    *length = sessions->offsets[index + 1] - begin;
    return ALTERREC_OK;
}

void ar_sessions_count_items(int64_t *counts, const alterrec_sessions *sessions) {
    memset(counts, 0, (size_t)sessions->catalog->items * sizeof *counts);
    for (int64_t i = 0; i < sessions->offsets[sessions->count]; i++)
        counts[sessions->items[i]]++;
}

alterrec_status alterrec_sessions_read(alterrec_sessions **sessions,
                                       const alterrec_catalog *catalog, const char *path,
                                       const alterrec_config *config) {
    AR_NOT_NULL(sessions);
    *sessions = NULL;
    AR_NOT_NULL(catalog);
    AR_NOT_NULL(path);
    alterrec_data_report report = {0};
    ar_item_source source = {.catalog = catalog};
    ar_interactions read = {0};
    int previous = ar_threads_enter(ar_config_int(config, "compute.threads"));
    alterrec_status status = ar_interactions_read(&read, &report, &source, path, config);
    if (status == ALTERREC_OK)
        status = ar_interactions_filter(&read, &report, catalog->items, false, config);
    ar_threads_leave(previous);
    if (status == ALTERREC_OK && read.offsets == NULL) {
        read.offsets = ar_new(1, sizeof *read.offsets);
        status = read.offsets != NULL ? ALTERREC_OK : ALTERREC_ERROR_OUT_OF_MEMORY;
    }
    if (status == ALTERREC_OK)
        status = ar_sessions_take(sessions, catalog, &read.items, &read.offsets, read.count);
    if (status == ALTERREC_OK)
        (*sessions)->report = report;
    ar_interactions_free(&read);
    return status;
}

alterrec_status alterrec_sessions_report(alterrec_data_report *report,
                                         const alterrec_sessions *sessions) {
    AR_NOT_NULL(report);
    AR_NOT_NULL(sessions);
    AR_TRY(ar_host_struct_check(&ar_data_report_struct, report, __func__));
    ar_host_struct_fill(report, &sessions->report, &ar_data_report_struct);
    return ALTERREC_OK;
}
