/* Examples: every prefix of every session with its label, exactly once, in any batching. */
#include "core/memory.h"
#include "data/sessions.h"
#include "support/numbers.h"
#include "train/examples.h"

#include <string.h>

/* Sessions around max_len (5) and well beyond it, one of a single item, one empty. */
static const int64_t lengths[] = {2, 1, 5, 6, 7, 0, 3, 17, 4, 12, 1};
enum { SESSIONS = sizeof lengths / sizeof lengths[0], MAX_LEN = 5, ITEMS = 1000 };

typedef struct fixture {
    alterrec_catalog *catalog;
    alterrec_sessions *sessions;
    ar_examples examples;
    ar_batch_memory memory;
} fixture;

/* Item i of all sessions is item i of the catalog, so that an item says where it stands. */
static void open_fixture(fixture *f, bool by_prefix) {
    *f = (fixture){0};
    int32_t items[ITEMS];
    int64_t offsets[SESSIONS + 1] = {0};
    for (int i = 0; i < ITEMS; i++)
        items[i] = i;
    for (int s = 0; s < SESSIONS; s++)
        offsets[s + 1] = offsets[s] + lengths[s];
    MUST(alterrec_catalog_create(&f->catalog, NULL, NULL, ITEMS));
    MUST(alterrec_sessions_create(&f->sessions, f->catalog, items, offsets, SESSIONS));
    MUST(ar_examples_create(&f->examples, f->sessions, MAX_LEN, by_prefix));
    ar_examples_shuffle(&f->examples, 1);
}

static void close_fixture(fixture *f) {
    ar_examples_free(&f->examples);
    ar_batch_memory_free(&f->memory);
    alterrec_sessions_free(f->sessions);
    alterrec_catalog_free(f->catalog);
}

/* The first item of the session that holds `item`. */
static int64_t start_of(const fixture *f, int32_t item) {
    int64_t s = 0;
    while (f->sessions->offsets[s + 1] <= item)
        s++;
    return f->sessions->offsets[s];
}

/* An example is a token of a sequence; what the encoder sees of it is the sequence up to there. */
static void check_example(const fixture *f, const ar_example_batch *batch, int64_t e, int *seen) {
    const ar_packed *packed = &batch->packed;
    int64_t s = 0, row = batch->rows[e];
    while (packed->offsets[s + 1] <= row)
        s++;
    int32_t label = batch->labels[e];
    int64_t prefix = label - start_of(f, label); /* items before the label in its session */
    int64_t seen_items = row - packed->offsets[s] + 1;
    ck_assert_int_ge(prefix, 1);
    ck_assert_int_eq(seen_items, prefix < MAX_LEN ? prefix : MAX_LEN);
    for (int64_t i = 0; i < seen_items; i++)
        ck_assert_int_eq(packed->items[row - i], label - 1 - i);
    seen[label]++;
}

/* All batches of an order; returns how many there were. */
static int64_t check_epoch(fixture *f, int64_t batch_size, int64_t largest_unit) {
    int seen[ITEMS] = {0};
    int64_t batches = 0, count = 0;
    for (int64_t u = 0, next; u < f->examples.unit_count; u = next, batches++) {
        ar_example_batch batch;
        next = ar_examples_next(&f->examples, u, batch_size);
        ck_assert_int_gt(next, u);
        MUST(ar_examples_pack(&batch, &f->memory, &f->examples, u, next));
        ck_assert(batch.count >= batch_size || next == f->examples.unit_count);
        ck_assert_int_lt(batch.count, batch_size + largest_unit);
        ck_assert_int_eq(batch.packed.offsets[batch.packed.sequences], batch.packed.tokens);
        ck_assert_int_le(ar_packed_longest(&batch.packed), MAX_LEN);
        for (int64_t e = 0; e < batch.count; e++)
            check_example(f, &batch, e, seen);
        count += batch.count;
    }
    ck_assert_int_eq(count, f->examples.count);
    for (int s = 0; s < SESSIONS; s++)
        for (int64_t i = f->sessions->offsets[s]; i < f->sessions->offsets[s + 1]; i++)
            ck_assert_int_eq(seen[i], i > f->sessions->offsets[s]); /* all but a session's first */
    return batches;
}

START_TEST(every_prefix_once) {
    fixture f;
    open_fixture(&f, _i != 0);
    int64_t expected = 0;
    for (int s = 0; s < SESSIONS; s++)
        expected += lengths[s] > 1 ? lengths[s] - 1 : 0;
    ck_assert_int_eq(f.examples.count, expected);
    for (uint64_t seed = 0; seed < 3; seed++) {
        ar_examples_shuffle(&f.examples, seed);
        for (int64_t batch_size = 1; batch_size <= expected + 1; batch_size++)
            ck_assert_int_le(check_epoch(&f, batch_size, _i != 0 ? 1 : MAX_LEN),
                             (expected - 1) / batch_size + 1);
    }
    close_fixture(&f);
}
END_TEST

/* A whole session is one sequence where one serves; only prefixes beyond max_len need their own. */
START_TEST(sessions_share_their_sequence) {
    fixture f;
    open_fixture(&f, false);
    int64_t expected = 0;
    for (int s = 0; s < SESSIONS; s++)
        if (lengths[s] > 1)
            expected += 1 + (lengths[s] - 1 > MAX_LEN ? lengths[s] - 1 - MAX_LEN : 0);
    ck_assert_int_eq(f.examples.unit_count, expected);
    close_fixture(&f);
    open_fixture(&f, true);
    ck_assert_int_eq(f.examples.unit_count, f.examples.count);
    close_fixture(&f);
}
END_TEST

START_TEST(order_follows_the_seed) {
    fixture f;
    open_fixture(&f, true);
    size_t size = (size_t)f.examples.unit_count * sizeof *f.examples.order;
    int64_t *order = ar_new(f.examples.unit_count, sizeof *order);
    memcpy(order, f.examples.order, size);
    ar_examples_shuffle(&f.examples, 2);
    ck_assert_mem_ne(order, f.examples.order, size);
    ar_examples_shuffle(&f.examples, 1);
    ck_assert_mem_eq(order, f.examples.order, size);
    ar_free(order);
    close_fixture(&f);
}
END_TEST

START_TEST(no_session_of_two_items) {
    alterrec_catalog *catalog;
    alterrec_sessions *sessions;
    ar_examples examples;
    static const int32_t items[] = {0, 1};
    static const int64_t offsets[] = {0, 1, 2};
    MUST(alterrec_catalog_create(&catalog, NULL, NULL, 2));
    MUST(alterrec_sessions_create(&sessions, catalog, items, offsets, 2));
    ck_assert_int_eq(ar_examples_create(&examples, sessions, MAX_LEN, false),
                     ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_str_eq(alterrec_last_error(),
                     "the training sessions hold no session of two or more items");
    alterrec_sessions_free(sessions);
    alterrec_catalog_free(catalog);
}
END_TEST

int main(void) {
    TCase *group = tcase_create("examples");
    tcase_add_loop_test(group, every_prefix_once, 0, 2);
    tcase_add_test(group, sessions_share_their_sequence);
    tcase_add_test(group, order_follows_the_seed);
    tcase_add_test(group, no_session_of_two_items);
    return run_tests(group, "examples");
}
