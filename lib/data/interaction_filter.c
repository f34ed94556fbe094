#include "core/memory.h"
#include "core/text.h"
#include "core/threads.h"
#include "data/config.h"
#include "data/interactions.h"

#include <string.h>

enum { REPEATS_KEEP, REPEATS_CONSECUTIVE, REPEATS_ALL };

/* The options of the filters, and what they work with. */
typedef struct filter {
    int repeats;
    int64_t least_count;
    int64_t shortest;
    int64_t longest; /* 0: no limit */
    bool cut;
    int64_t *seen; /* [items]: occurrences, or the last session (from 1) that held the item */
    int64_t items;
} filter;

static int64_t interaction_count(const ar_interactions *all) {
    return all->count > 0 ? all->offsets[all->count] : 0;
}

/* Each filter goes through the sessions once and moves what stays to the front. */

/* Drops the repeats within each session. */
static int64_t drop_repeats(ar_interactions *all, const filter *by) {
    if (by->repeats == REPEATS_ALL)
        memset(by->seen, 0, (size_t)by->items * sizeof *by->seen);
    int64_t used = 0, begin = 0;
    for (int64_t s = 0; s < all->count; s++) {
        int64_t start = used, end = all->offsets[s + 1];
        for (int64_t i = begin; i < end; i++) {
            int32_t item = all->items[i];
            bool repeat = by->repeats == REPEATS_ALL ? by->seen[item] == s + 1
                                                     : used > start && all->items[used - 1] == item;
            if (repeat)
                continue;
            if (by->repeats == REPEATS_ALL)
                by->seen[item] = s + 1;
            all->items[used++] = item;
        }
        begin = end;
        all->offsets[s + 1] = used;
    }
    return begin - used;
}

/* Drops the items that are seen too rarely in all sessions together. */
static int64_t drop_rare(ar_interactions *all, const filter *by, int64_t *rare_items) {
    memset(by->seen, 0, (size_t)by->items * sizeof *by->seen);
    for (int64_t i = 0; i < interaction_count(all); i++)
        by->seen[all->items[i]]++;
    for (int64_t item = 0; item < by->items; item++)
        *rare_items += by->seen[item] > 0 && by->seen[item] < by->least_count;
    int64_t used = 0, begin = 0;
    for (int64_t s = 0; s < all->count; s++) {
        int64_t end = all->offsets[s + 1];
        for (int64_t i = begin; i < end; i++)
            if (by->seen[all->items[i]] >= by->least_count)
                all->items[used++] = all->items[i];
        begin = end;
        all->offsets[s + 1] = used;
    }
    return begin - used;
}

/* Sessions that one thread filters, in the place that they have. */
typedef struct session_range {
    int64_t from, to;    /* sessions */
    int64_t begin;       /* of their items */
    int64_t kept, items; /* how many of each are left */
    int64_t too_short, too_long;
} session_range;

/* Moves the items from `from` up to `to` down to `*used`. */
static void move_down(int32_t *items, int64_t *used, int64_t from, int64_t to) {
    if (*used < from)
        memmove(items + *used, items + from, (size_t)(to - from) * sizeof *items);
    *used += to - from;
}

/* Drops the sessions that are too short, and drops or cuts those that are too long. */
static void drop_range(const ar_interactions *all, session_range *range, const filter *by) {
    int64_t kept = range->from, end = range->begin;
    /* What stays and stands together is moved together: sessions are short. */
    int64_t used = range->begin, run = used, lost = 0; /* lost: items before that are not kept */
    for (int64_t s = range->from; s < range->to; s++) {
        int64_t begin = end;
        end = all->offsets[s + 1];
        bool too_short = end - begin < by->shortest;
        bool too_long = by->longest > 0 && end - begin > by->longest;
        range->too_short += too_short;
        range->too_long += too_long;
        int64_t from = too_short || (too_long && !by->cut) ? end
                       : too_long                          ? end - by->longest
                                                           : begin;
        if (from > begin) {
            move_down(all->items, &used, run, begin);
            run = from;
            lost += from - begin;
        }
        if (all->times != NULL)
            all->times[kept] = all->times[s];
        all->offsets[kept + 1] = end - lost;
        kept += from < end;
    }
    move_down(all->items, &used, run, end);
    range->kept = kept - range->from;
    range->items = used - range->begin;
}

/* Closes the gaps between the ranges. */
static void join_ranges(ar_interactions *all, const session_range *ranges, int64_t count) {
    int64_t used = 0;
    all->count = 0;
    for (int64_t r = 0; r < count; r++) {
        const session_range *range = &ranges[r];
        int64_t gap = range->begin - used;
        move_down(all->items, &used, range->begin, range->begin + range->items);
        if (all->times != NULL && all->count < range->from)
            memmove(all->times + all->count, all->times + range->from,
                    (size_t)range->kept * sizeof *all->times);
        for (int64_t s = 0; s < range->kept; s++)
            all->offsets[all->count + s + 1] = all->offsets[range->from + s + 1] - gap;
        all->count += range->kept;
    }
}

static alterrec_status drop_lengths(ar_interactions *all, const filter *by,
                                    alterrec_data_report *report) {
    int64_t count = all->count < AR_PARALLEL_LEAST ? 1 : ar_threads_count();
    session_range *ranges;
    AR_NEW(ranges, count);
    for (int64_t r = 0; r < count; r++) {
        ranges[r].from = all->count * r / count;
        ranges[r].to = all->count * (r + 1) / count;
        ranges[r].begin = all->count > 0 ? all->offsets[ranges[r].from] : 0;
    }
#pragma omp parallel for schedule(static, 1) if (count > 1)
    for (int64_t r = 0; r < count; r++)
        drop_range(all, &ranges[r], by);
    join_ranges(all, ranges, count);
    for (int64_t r = 0; r < count; r++) {
        report->sessions_too_short += ranges[r].too_short;
        report->sessions_too_long += ranges[r].too_long;
    }
    ar_free(ranges);
    return ALTERREC_OK;
}

alterrec_status ar_interactions_filter(ar_interactions *interactions, alterrec_data_report *report,
                                       int64_t items, bool count_items,
                                       const alterrec_config *config) {
    filter by = {.repeats = ar_config_choice(config, "data.repeats"),
                 .least_count = count_items ? ar_config_int(config, "data.min_item_count") : 1,
                 .shortest = ar_config_int(config, "data.min_session_length"),
                 .longest = ar_config_int(config, "data.max_session_length"),
                 .cut = ar_config_choice(config, "data.long_sessions") == 1,
                 .items = items};
    if (by.shortest < 1)
        by.shortest = 1; /* a session that lost all its items is none */
    AR_NEW(by.seen, by.items);
    /* What one filter drops may be what another one counted on. */
    alterrec_status status = ALTERREC_OK;
    for (int64_t before = -1; before != interaction_count(interactions);) {
        before = interaction_count(interactions);
        if (by.repeats != REPEATS_KEEP && before > 0)
            report->repeats_dropped += drop_repeats(interactions, &by);
        if (by.least_count > 1)
            report->rare_interactions += drop_rare(interactions, &by, &report->rare_items_dropped);
        status = drop_lengths(interactions, &by, report);
        if (status != ALTERREC_OK || by.least_count <= 1)
            break; /* without it nothing that the others drop matters to them */
    }
    ar_free(by.seen);
    return status;
}

alterrec_status ar_interactions_check_left(const ar_interactions *interactions,
                                           const alterrec_data_report *report, const char *path) {
    if (interactions->count > 0)
        return ALTERREC_OK;
    const struct {
        int64_t count;
        const char *what;
    } reasons[] = {
        {report->rows_condition, "rows for data.positive_column"},
        {report->rows_missing, "rows without session or item"},
        {report->rows_unknown_item, "interactions for data.unknown_items"},
        {report->rare_interactions, "interactions for data.min_item_count"},
        {report->sessions_too_short, "sessions for data.min_session_length"},
        {report->sessions_too_long, "sessions for data.max_session_length"},
    };
    ar_text text = {0};
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].count > 0)
            ar_text_print(&text, "%s%lld %s", text.length > 0 ? ", " : "",
                          (long long)reasons[i].count, reasons[i].what);
    alterrec_status status = text.status;
    if (status == ALTERREC_OK)
        status = ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                         "%s: no session is left of %lld rows read; dropped were %s", path,
                         (long long)report->rows_read, text.length > 0 ? text.bytes : "none");
    ar_text_free(&text);
    return status;
}

/* new_numbers[old] = new, or -1, and old_numbers[new] = old; returns how many appear. */
static int64_t number_by_appearance(int32_t *new_numbers, int32_t *old_numbers, int64_t keys,
                                    const ar_interactions *sets, int64_t set_count) {
    int64_t count = 0;
    memset(new_numbers, 0xFF, (size_t)keys * sizeof *new_numbers); /* -1 */
    for (int64_t set = 0; set < set_count; set++)
        for (int64_t i = 0; i < interaction_count(&sets[set]); i++) {
            int32_t old = sets[set].items[i];
            if (new_numbers[old] >= 0)
                continue;
            new_numbers[old] = (int32_t)count;
            old_numbers[count++] = old;
            if (count == keys)
                return count; /* nothing else can appear */
        }
    return count;
}

static void replace_items(const ar_interactions *all, const int32_t *new_numbers) {
    int64_t count = interaction_count(all);
#pragma omp parallel for schedule(static) if (count > AR_PARALLEL_LEAST)
    for (int64_t i = 0; i < count; i++)
        all->items[i] = new_numbers[all->items[i]];
}

alterrec_status ar_interactions_renumber(ar_interactions *sets, int64_t set_count,
                                         ar_dictionary *keys, int32_t *old_numbers) {
    int32_t *new_numbers = ar_new_unset(keys->count, sizeof *new_numbers);
    if (new_numbers == NULL)
        return ALTERREC_ERROR_OUT_OF_MEMORY;
    int64_t count = number_by_appearance(new_numbers, old_numbers, keys->count, sets, set_count),
            kept = 0;
    while (kept < count && old_numbers[kept] == kept)
        kept++;
    ar_dictionary chosen = {0};
    alterrec_status status = ALTERREC_OK;
    if (kept < keys->count)
        status = ar_dictionary_choose(&chosen, keys, old_numbers, count);
    if (status == ALTERREC_OK && kept < keys->count) {
        for (int64_t set = 0; set < set_count && kept < count; set++)
            replace_items(&sets[set], new_numbers);
        ar_dictionary_free(keys);
        *keys = chosen;
    }
    ar_free(new_numbers);
    return status;
}
