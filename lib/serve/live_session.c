#include "serve/live_session.h"

#include "core/checksum.h"
#include "core/limit.h"
#include "core/memory.h"
#include "core/threads.h"
#include "data/count.h"
#include "serve/call.h"

#include <string.h>

alterrec_status alterrec_live_session_create(alterrec_live_session **live,
                                             const alterrec_recommender *recommender) {
    AR_NOT_NULL(live);
    *live = NULL;
    AR_NOT_NULL(recommender);
    alterrec_live_session *made;
    AR_NEW(made, 1);
    made->recommender = alterrec_recommender_hold(recommender);
    made->vector = ar_new(alterrec_recommender_width(recommender), sizeof *made->vector);
    if (made->vector == NULL) {
        alterrec_live_session_free(made);
        return ALTERREC_ERROR_OUT_OF_MEMORY;
    }
    *live = made;
    return ALTERREC_OK;
}

void alterrec_live_session_free(alterrec_live_session *live) {
    if (live == NULL)
        return;
    ar_free(live->items);
    ar_free(live->cache);
    ar_free(live->vector);
    ar_free(live->excluded);
    alterrec_recommender_free(live->recommender);
    ar_free(live);
}

int64_t alterrec_live_session_length(const alterrec_live_session *live) {
    return live != NULL ? live->length : 0;
}

const int32_t *alterrec_live_session_items(const alterrec_live_session *live) {
    return live != NULL && live->length > 0 ? live->items : NULL;
}

/* ---- items ---- */

static alterrec_status grow_items(int32_t **items, int64_t *capacity, int64_t needed) {
    void *grown = *items;
    AR_TRY(ar_grow(&grown, capacity, needed, sizeof **items));
    *items = grown;
    return ALTERREC_OK;
}

/* Room for the keys and values of `tokens` items; those of `kept` stay. */
static alterrec_status grow_cache(alterrec_live_session *live, int64_t tokens, int64_t kept) {
    if (tokens <= live->cache_capacity)
        return ALTERREC_OK;
    int64_t row = ar_session_encoder_cache(&live->recommender->encoder);
    int64_t chunks = (tokens + AR_LIVE_CHUNK - 1) / AR_LIVE_CHUNK;
    int64_t capacity = ar_at_most(chunks * AR_LIVE_CHUNK, live->recommender->shape.max_len);
    float *grown;
    AR_NEW(grown, capacity * row);
    if (kept > 0)
        memcpy(grown, live->cache, (size_t)(kept * row) * sizeof *grown);
    ar_free(live->cache);
    live->cache = grown;
    live->cache_capacity = capacity;
    return ALTERREC_OK;
}

/* Makes room for `count` further items and puts them behind the others, without counting them yet;
 * says what encodes them. A session that grows past max_len begins anew with its last items: their
 * positions have changed. */
static alterrec_status prepare(ar_session_part *part, alterrec_live_session *live,
                               const int32_t *items, int64_t count) {
    int64_t length = live->length + count, max_len = live->recommender->shape.max_len;
    bool goes_on = live->encoded == live->length && length <= max_len;
    int64_t past = goes_on ? live->encoded : 0, tokens = ar_at_most(length, max_len);
    AR_TRY(grow_items(&live->items, &live->item_capacity, length));
    AR_TRY(grow_cache(live, tokens, live->encoded));
    memcpy(live->items + live->length, items, (size_t)count * sizeof *items);
    *part = (ar_session_part){.items = live->items + length - tokens + past,
                              .count = tokens - past,
                              .past = past,
                              .cache = live->cache,
                              .dst = live->vector};
    return ALTERREC_OK;
}

/* Adds counts[s] items (NULL: one each) to every session; all or none. */
static alterrec_status extend(alterrec_live_session *const *sessions, const int32_t *items,
                              const int64_t *counts, int64_t count, int32_t threads) {
    const alterrec_recommender *recommender = sessions[0]->recommender;
    ar_scratch *scratch;
    AR_TRY(ar_scratch_pool_take(&scratch, recommender->pool));
    alterrec_status status = ar_scratch_reserve(scratch, count, 0);
    int64_t used = 0;
    for (int64_t s = 0; s < count && status == ALTERREC_OK; s++) {
        int64_t more = counts != NULL ? counts[s] : 1;
        status = prepare(&scratch->parts[s], sessions[s], items + used, more);
        used += more;
    }
    if (status == ALTERREC_OK) {
        int previous = ar_threads_enter(threads > 0 ? threads : recommender->threads);
        status = ar_session_encoder_step(&recommender->encoder, &scratch->encoding,
                                         recommender->index.table, scratch->parts, count,
                                         ar_threads_count());
        ar_threads_leave(previous);
    }
    for (int64_t s = 0; s < count && status == ALTERREC_OK; s++) {
        sessions[s]->length += counts != NULL ? counts[s] : 1;
        sessions[s]->encoded = scratch->parts[s].past + scratch->parts[s].count;
    }
    ar_scratch_pool_give(recommender->pool, scratch);
    return status;
}

static alterrec_status check_item(const alterrec_live_session *live, int32_t item,
                                  const char *function) {
    if (item < 0 || item >= live->recommender->items)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "%s: item %d is outside 0..%lld", function,
                       item, (long long)live->recommender->items - 1);
    return ALTERREC_OK;
}

alterrec_status alterrec_live_session_push(alterrec_live_session *live, int32_t item) {
    AR_NOT_NULL(live);
    AR_TRY(check_item(live, item, __func__));
    return extend(&live, &item, NULL, 1, 1);
}

/* The sessions are there, of one recommender, and, if they are to change, different ones. */
static alterrec_status check_sessions(alterrec_live_session *const *sessions, int64_t count,
                                      const char *function) {
    if (count < 1)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "%s: count is %lld, at least 1", function,
                       (long long)count);
    AR_TRY(ar_count_check(1, count, "count", function));
    for (int64_t s = 0; s < count; s++) {
        if (sessions[s] == NULL)
            return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "%s: session %lld is NULL", function,
                           (long long)s);
        if (sessions[s]->recommender != sessions[0]->recommender)
            return ar_fail(ALTERREC_ERROR_MISMATCH,
                           "%s: session %lld is of another recommender than session 0", function,
                           (long long)s);
    }
    return ALTERREC_OK;
}

/* A session's length cannot grow twice in one step. */
static alterrec_status check_different(alterrec_live_session *const *sessions, int64_t count,
                                       const char *function) {
    int64_t marked = 0;
    while (marked < count && !sessions[marked]->marked)
        sessions[marked++]->marked = true;
    for (int64_t s = 0; s < marked; s++)
        sessions[s]->marked = false;
    if (marked < count)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "%s: session %lld comes twice", function,
                       (long long)marked);
    return ALTERREC_OK;
}

alterrec_status alterrec_live_sessions_push(alterrec_live_session *const *sessions,
                                            const int32_t *items, int64_t count, int32_t threads) {
    AR_NOT_NULL(sessions);
    AR_NOT_NULL(items);
    AR_TRY(check_sessions(sessions, count, __func__));
    AR_TRY(check_different(sessions, count, __func__));
    AR_TRY(ar_check_threads(threads, "threads", __func__));
    for (int64_t s = 0; s < count; s++)
        AR_TRY(check_item(sessions[s], items[s], __func__));
    return extend(sessions, items, NULL, count, threads);
}

void alterrec_live_session_reset(alterrec_live_session *live) {
    if (live == NULL)
        return;
    live->length = 0;
    live->encoded = 0;
    live->excluded_count = 0;
}

/* ---- what is left out ---- */

alterrec_status alterrec_live_session_exclude_own(alterrec_live_session *live,
                                                  int32_t exclude_own) {
    AR_NOT_NULL(live);
    live->exclude_own = exclude_own != 0;
    return ALTERREC_OK;
}

alterrec_status alterrec_live_session_exclude(alterrec_live_session *live, const int32_t *items,
                                              int64_t count) {
    AR_NOT_NULL(live);
    if (count != 0)
        AR_NOT_NULL(items);
    AR_TRY(ar_count_check(1, count, "count", __func__));
    for (int64_t i = 0; i < count; i++)
        AR_TRY(check_item(live, items[i], __func__));
    AR_TRY(grow_items(&live->excluded, &live->excluded_capacity, live->excluded_count + count));
    if (count > 0)
        memcpy(live->excluded + live->excluded_count, items, (size_t)count * sizeof *items);
    live->excluded_count += count;
    return ALTERREC_OK;
}

/* ---- recommendations ---- */

/* Sessions to recommend to: one, or an array. */
typedef struct visitors {
    const alterrec_live_session *one;
    alterrec_live_session *const *many;
    int64_t count;
} visitors;

static const alterrec_live_session *visitor(const visitors *all, int64_t s) {
    return all->one != NULL ? all->one : all->many[s];
}

/* Puts one session with its exclusions behind those that the batch has. */
static alterrec_status add_to_batch(alterrec_batch *batch, const alterrec_live_session *live) {
    int64_t session = batch->count;
    /* Its vector stands for all its items; a batch's session has at least one. */
    AR_TRY(alterrec_batch_add(batch, live->items + live->length - 1, 1));
    if (live->exclude_own)
        AR_TRY(alterrec_batch_exclude(batch, session, live->items, live->length));
    if (live->excluded_count > 0)
        AR_TRY(alterrec_batch_exclude(batch, session, live->excluded, live->excluded_count));
    return ALTERREC_OK;
}

static alterrec_status fill_batch(ar_scratch *scratch, const visitors *all, const char *function) {
    int64_t width = alterrec_recommender_width(visitor(all, 0)->recommender);
    for (int64_t s = 0; s < all->count; s++)
        if (visitor(all, s)->length == 0)
            return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "%s: session %lld has no item",
                           function, (long long)s);
    AR_TRY(ar_scratch_reserve(scratch, 0, all->count * width));
    AR_TRY(alterrec_batch_clear(scratch->batch));
    for (int64_t s = 0; s < all->count; s++) {
        AR_TRY(add_to_batch(scratch->batch, visitor(all, s)));
        memcpy(scratch->vectors + s * width, visitor(all, s)->vector,
               (size_t)width * sizeof *scratch->vectors);
    }
    scratch->batch->vectors = scratch->vectors;
    return ALTERREC_OK;
}

static alterrec_status top_k(int32_t *items, float *scores, alterrec_search_report *report,
                             const visitors *all, int64_t k, const alterrec_search *search,
                             const char *function) {
    const alterrec_recommender *recommender = visitor(all, 0)->recommender;
    ar_scratch *scratch;
    AR_TRY(ar_scratch_pool_take(&scratch, recommender->pool));
    alterrec_status status = fill_batch(scratch, all, function);
    if (status == ALTERREC_OK)
        status = ar_serving_top_k(items, scores, report, recommender, scratch->batch, k, search,
                                  function);
    ar_scratch_pool_give(recommender->pool, scratch);
    return status;
}

alterrec_status alterrec_live_session_top_k(int32_t *items, float *scores,
                                            alterrec_search_report *report,
                                            const alterrec_live_session *live, int64_t k,
                                            const alterrec_search *search) {
    AR_NOT_NULL(items);
    AR_NOT_NULL(live);
    visitors one = {.one = live, .count = 1};
    return top_k(items, scores, report, &one, k, search, __func__);
}

alterrec_status alterrec_live_sessions_top_k(int32_t *items, float *scores,
                                             alterrec_search_report *report,
                                             alterrec_live_session *const *sessions, int64_t count,
                                             int64_t k, const alterrec_search *search) {
    AR_NOT_NULL(items);
    AR_NOT_NULL(sessions);
    AR_TRY(check_sessions(sessions, count, __func__));
    visitors many = {.many = sessions, .count = count};
    return top_k(items, scores, report, &many, k, search, __func__);
}

alterrec_status alterrec_live_session_score(float *fused, float *id, float *text,
                                            const alterrec_live_session *live, const int32_t *items,
                                            int64_t count, const alterrec_search *search) {
    AR_NOT_NULL(live);
    AR_NOT_NULL(items);
    visitors one = {.one = live, .count = 1};
    ar_scratch *scratch;
    AR_TRY(ar_scratch_pool_take(&scratch, live->recommender->pool));
    alterrec_status status = fill_batch(scratch, &one, __func__);
    if (status == ALTERREC_OK)
        status = ar_serving_score(fused, id, text, live->recommender, scratch->batch, items, count,
                                  search, __func__);
    ar_scratch_pool_give(live->recommender->pool, scratch);
    return status;
}

/* ---- bytes ---- */

/* magic, version, flags, items of the catalog, length, exclusions; the items, the exclusions; the
 * checksum of all that. Little-endian. */
enum {
    VERSION = 1,
    EXCLUDES_OWN = 1,
    MAGIC_SIZE = 8,
    HEAD_SIZE = MAGIC_SIZE + 2 * 4 + 3 * 8,
    CHECKSUM_SIZE = 8
};

static const char magic[MAGIC_SIZE] = {'a', 'r', '-', 'l', 'i', 'v', 'e', '\n'};

static void put(unsigned char **to, uint64_t value, int size) {
    for (int i = 0; i < size; i++)
        *(*to)++ = (unsigned char)(value >> (8 * i));
}

static uint64_t get(const unsigned char **from, int size) {
    uint64_t value = 0;
    for (int i = 0; i < size; i++)
        value |= (uint64_t) * (*from)++ << (8 * i);
    return value;
}

static uint64_t checksum_of(const unsigned char *bytes, size_t size) {
    ar_checksum checksum = {0};
    ar_checksum_put(&checksum, bytes, size);
    return ar_checksum_value(&checksum);
}

size_t alterrec_live_session_size(const alterrec_live_session *live) {
    if (live == NULL)
        return 0;
    return HEAD_SIZE + 4 * (size_t)(live->length + live->excluded_count) + CHECKSUM_SIZE;
}

alterrec_status alterrec_live_session_serialize(void *bytes, const alterrec_live_session *live,
                                                size_t size) {
    AR_NOT_NULL(bytes);
    AR_NOT_NULL(live);
    size_t needed = alterrec_live_session_size(live);
    if (size < needed)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "%s: size is %zu, %zu are needed", __func__,
                       size, needed);
    unsigned char *to = bytes;
    memcpy(to, magic, MAGIC_SIZE);
    to += MAGIC_SIZE;
    put(&to, VERSION, 4);
    put(&to, live->exclude_own ? EXCLUDES_OWN : 0, 4);
    put(&to, (uint64_t)live->recommender->items, 8);
    put(&to, (uint64_t)live->length, 8);
    put(&to, (uint64_t)live->excluded_count, 8);
    for (int64_t i = 0; i < live->length; i++)
        put(&to, (uint32_t)live->items[i], 4);
    for (int64_t i = 0; i < live->excluded_count; i++)
        put(&to, (uint32_t)live->excluded[i], 4);
    put(&to, checksum_of(bytes, needed - CHECKSUM_SIZE), 8);
    return ALTERREC_OK;
}

/* What the bytes say. */
typedef struct stored {
    bool exclude_own;
    uint64_t length, excluded;
    const unsigned char *numbers; /* [length + excluded] */
} stored;

static alterrec_status read_head(stored *head, const unsigned char *bytes, size_t size,
                                 int64_t items, const char *function) {
    if (size < HEAD_SIZE + CHECKSUM_SIZE || memcmp(bytes, magic, MAGIC_SIZE) != 0)
        return ar_fail(ALTERREC_ERROR_PARSE, "%s: not a live session's bytes", function);
    const unsigned char *from = bytes + MAGIC_SIZE;
    uint64_t version = get(&from, 4), flags = get(&from, 4), catalog = get(&from, 8);
    if (version != VERSION || flags > EXCLUDES_OWN)
        return ar_fail(ALTERREC_ERROR_UNSUPPORTED,
                       "%s: version %llu, flags %llu; this library knows version %d", function,
                       (unsigned long long)version, (unsigned long long)flags, VERSION);
    head->exclude_own = flags == EXCLUDES_OWN;
    head->length = get(&from, 8);
    head->excluded = get(&from, 8);
    head->numbers = from;
    uint64_t room = size - HEAD_SIZE - CHECKSUM_SIZE;
    if (room % 4 != 0 || head->length > room / 4 || head->excluded != room / 4 - head->length)
        return ar_fail(ALTERREC_ERROR_PARSE,
                       "%s: %zu bytes do not hold %llu items and %llu "
                       "exclusions",
                       function, size, (unsigned long long)head->length,
                       (unsigned long long)head->excluded);
    from = bytes + size - CHECKSUM_SIZE;
    if (get(&from, 8) != checksum_of(bytes, size - CHECKSUM_SIZE))
        return ar_fail(ALTERREC_ERROR_PARSE, "%s: the checksum does not fit", function);
    if (catalog != (uint64_t)items)
        return ar_fail(ALTERREC_ERROR_MISMATCH,
                       "%s: a session over %llu items, the recommender has %lld", function,
                       (unsigned long long)catalog, (long long)items);
    return ALTERREC_OK;
}

static alterrec_status read_items(int32_t *to, const unsigned char **from, uint64_t count,
                                  int64_t items, const char *function) {
    for (uint64_t i = 0; i < count; i++) {
        uint64_t item = get(from, 4);
        if (item >= (uint64_t)items)
            return ar_fail(ALTERREC_ERROR_PARSE, "%s: item %llu is outside 0..%lld", function,
                           (unsigned long long)item, (long long)items - 1);
        to[i] = (int32_t)item;
    }
    return ALTERREC_OK;
}

/* Gives an empty session what was stored. */
static alterrec_status fill(alterrec_live_session *live, const stored *head, const char *function) {
    int64_t length = (int64_t)head->length, all = live->recommender->items;
    const unsigned char *from = head->numbers;
    int32_t *items;
    AR_NEW(items, length);
    alterrec_status status = read_items(items, &from, head->length, all, function);
    if (status == ALTERREC_OK)
        status = grow_items(&live->excluded, &live->excluded_capacity, (int64_t)head->excluded);
    if (status == ALTERREC_OK)
        status = read_items(live->excluded, &from, head->excluded, all, function);
    if (status == ALTERREC_OK && length > 0)
        status = extend(&live, items, &length, 1, 1);
    ar_free(items);
    live->excluded_count = (int64_t)head->excluded;
    live->exclude_own = head->exclude_own;
    return status;
}

alterrec_status alterrec_live_session_restore(alterrec_live_session *live, const void *bytes,
                                              size_t size) {
    AR_NOT_NULL(live);
    AR_NOT_NULL(bytes);
    stored head = {0};
    AR_TRY(read_head(&head, bytes, size, live->recommender->items, __func__));
    alterrec_live_session *made;
    AR_TRY(alterrec_live_session_create(&made, live->recommender));
    alterrec_status status = fill(made, &head, __func__);
    if (status == ALTERREC_OK) {
        alterrec_live_session old = *live;
        *live = *made;
        *made = old;
    }
    alterrec_live_session_free(made);
    return status;
}
