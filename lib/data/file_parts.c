#include "data/file_parts.h"

#include "core/limit.h"
#include "core/memory.h"
#include "core/threads.h"

enum { PART_LEAST = 1 << 20 /* bytes: less is not worth a second numbering of items */ };

alterrec_status ar_file_parts_create(ar_file_parts *parts, const ar_item_lookup *lookup,
                                     bool whole) {
    const ar_text_file *file = lookup->file;
    int64_t size = file->end - file->next;
    *parts = (ar_file_parts){0};
    parts->count = whole ? 1 : ar_at_least(ar_at_most(ar_threads_count(), size / PART_LEAST), 1);
    AR_NEW(parts->parts, parts->count);
    const char *from = file->next;
    for (int64_t p = 0; p < parts->count; p++) {
        ar_file_part *part = &parts->parts[p];
        const char *to = file->next + size * (p + 1) / parts->count;
        if (to < from) /* a line that is longer than a part */
            to = from;
        if (to < file->end)
            to = ar_text_file_line_end(file, to);
        part->from = from;
        part->to = from = to < file->end ? to + 1 : file->end;
        part->lookup = *lookup;
        if (p > 0)
            part->lookup.keys = &part->keys;
    }
    return ALTERREC_OK;
}

void ar_file_parts_free(ar_file_parts *parts) {
    for (int64_t p = 0; p < parts->count && parts->parts != NULL; p++) {
        ar_key_cache_free(&parts->parts[p].lookup.cache);
        ar_dictionary_free(&parts->parts[p].keys);
        ar_free(parts->parts[p].numbers);
    }
    ar_free(parts->parts);
    *parts = (ar_file_parts){0};
}

alterrec_status ar_file_parts_run(ar_file_parts *parts, ar_file_part_work work, void *state) {
#pragma omp parallel for schedule(static, 1) if (parts->count > 1)
    for (int64_t p = 0; p < parts->count; p++) {
        ar_file_part *part = &parts->parts[p];
        part->status = work(part, p, state);
        /* The text of an error is its thread's. */
        if (part->status != ALTERREC_OK)
            (void)alterrec_last_error_copy(part->error, sizeof part->error);
    }
    for (int64_t p = 0; p < parts->count; p++)
        if (parts->parts[p].status != ALTERREC_OK)
            return ar_fail(parts->parts[p].status, "%s", parts->parts[p].error);
    return ALTERREC_OK;
}

/* The first part knows the numbers of most keys of the others, and how to find many at once. */
static alterrec_status number_part(ar_file_part *part, ar_file_part *first) {
    AR_NEW(part->numbers, part->keys.count);
    ar_key_batch batch;
    for (int64_t key = 0; key < part->keys.count; key += batch.count) {
        batch.count = 0;
        for (int64_t k = key; k < part->keys.count && batch.count < AR_KEY_BATCH; k++)
            ar_key_batch_add(&batch, &first->lookup, ar_dictionary_key(&part->keys, k),
                             ar_dictionary_key_length(&part->keys, k),
                             part->keys.text + part->keys.text_used);
        AR_TRY(ar_item_lookup_batch(part->numbers + key, &first->lookup, &batch));
    }
    return ALTERREC_OK;
}

alterrec_status ar_file_parts_number(ar_file_parts *parts) {
    for (int64_t p = 1; p < parts->count; p++)
        AR_TRY(number_part(&parts->parts[p], &parts->parts[0]));
    return ALTERREC_OK;
}

void ar_file_part_renumber(const ar_file_part *part, int32_t *items, int64_t count) {
    /* Where the catalog is known, its numbers are final. */
    if (part->numbers == NULL || part->lookup.known != NULL)
        return;
    for (int64_t i = 0; i < count; i++)
        items[i] = part->numbers[items[i]];
}

int64_t ar_file_parts_unknown(const ar_file_parts *parts) {
    int64_t unknown = 0;
    for (int64_t p = 0; p < parts->count; p++)
        unknown += parts->parts[p].lookup.unknown;
    return unknown;
}
