/* The search against a full sort of all f32 scores: the same items and the same bits, by every
 * precision, number of threads and batch. */
#include "core/memory.h"
#include "core/random.h"
#include "serve/compact_copy.h"
#include "serve/search.h"
#include "support/numbers.h"

#include <check.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Tables and session vectors. */
typedef struct world {
    ar_index_shape shape;
    int64_t width, sessions;
    float *tables[AR_INDEX_MOST_TOWERS];
    float *vectors; /* [sessions, width] */
    float *samples; /* [SAMPLES, width]: vectors like these */
} world;

enum { SAMPLES = 200 };

/* Vectors [count, width] with a scale and an offset of their own in each column. */
static float *make_vectors(int64_t count, int64_t width, const float *weights, const float *offsets,
                           ar_random *random) {
    float *vectors = random_floats(count * width, random);
    for (int64_t i = 0; i < count * width; i++)
        vectors[i] = weights[i % width] * vectors[i] + offsets[i % width];
    return vectors;
}

static void open_world(world *w, int64_t items, int64_t dim, int32_t towers, int64_t sessions,
                       ar_random *random) {
    *w = (world){.shape = {.items = items,
                           .dim = dim,
                           .towers = towers,
                           .scales = {1.0f, 1.0f / 0.3f},
                           .alpha = 0.4f},
                 .width = towers * dim,
                 .sessions = sessions};
    for (int t = 0; t < towers; t++)
        w->tables[t] = random_floats(items * dim, random);
    float *weights = random_floats(w->width, random), *offsets = random_floats(w->width, random);
    w->vectors = make_vectors(sessions, w->width, weights, offsets, random);
    w->samples = make_vectors(SAMPLES, w->width, weights, offsets, random);
    ar_free(weights);
    ar_free(offsets);
}

/* Makes rows [count, dim] lie in few directions, but for a hundredth. */
static void flatten(float *rows, int64_t count, int64_t stride, int64_t dim,
                    const float *directions) {
    enum { DIRECTIONS = 6 };
    for (int64_t r = 0; r < count; r++) {
        float kept[DIRECTIONS], *row = rows + r * stride;
        memcpy(kept, row, sizeof kept);
        for (int64_t c = 0; c < dim; c++) {
            row[c] *= 0.01f;
            for (int64_t d = 0; d < DIRECTIONS; d++)
                row[c] += kept[d] * directions[d * dim + c] / (float)(1 + d);
        }
    }
}

/* The world of a trained model, whose rows and vectors both have much in common, so that heads have
 * tails. */
static void open_lean_world(world *w, int64_t items, int64_t dim, int32_t towers, int64_t sessions,
                            ar_random *random) {
    open_world(w, items, dim, towers, sessions, random);
    for (int t = 0; t < towers; t++) {
        float *of_rows = random_floats(dim * dim, random),
              *of_vectors = random_floats(dim * dim, random);
        flatten(w->tables[t], items, dim, dim, of_rows);
        flatten(w->vectors + t * dim, sessions, w->width, dim, of_vectors);
        flatten(w->samples + t * dim, SAMPLES, w->width, dim, of_vectors);
        ar_free(of_rows);
        ar_free(of_vectors);
    }
}

static void close_world(world *w) {
    ar_free(w->tables[0]);
    ar_free(w->tables[1]);
    ar_free(w->vectors);
    ar_free(w->samples);
}

static void build(ar_item_index *index, const world *w, ar_index_precision precision, bool sampled,
                  int threads) {
    ar_index_shape shape = w->shape;
    shape.precision = precision;
    MUST(ar_item_index_build(index, &shape, (const float *const *)w->tables));
    if (precision != AR_INDEX_F32)
        MUST(ar_compact_copy_make(index, sampled ? w->samples : NULL, sampled ? SAMPLES : 0,
                                  threads));
}

typedef struct scored {
    float score;
    int32_t item;
} scored;

static int compare(const void *left, const void *right) {
    const scored *a = left, *b = right;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return (a->item > b->item) - (a->item < b->item);
}

/* The list that sorting everything gives. */
static void naive_list(int32_t *items, float *scores, const float *all, int64_t count, int64_t k,
                       const ar_allowed *allowed, int64_t session) {
    scored *order = ar_new(count, sizeof *order);
    int32_t *taken = ar_new(count + 1, sizeof *taken); /* of categories 0 .. count - 1 */
    int64_t usable = 0, made = 0;
    for (int64_t i = 0; i < count; i++)
        if (all[i] > -INFINITY && ar_allowed_has(allowed, session, (int32_t)i))
            order[usable++] = (scored){all[i], (int32_t)i};
    qsort(order, (size_t)usable, sizeof *order, compare);
    for (int64_t i = 0; i < usable && made < k; i++) {
        int32_t category = allowed->categories != NULL ? allowed->categories[order[i].item] : -1;
        if (category >= 0 && taken[category]++ >= allowed->per_list)
            continue;
        items[made] = order[i].item;
        scores[made++] = order[i].score;
    }
    for (; made < k; made++) {
        items[made] = -1;
        scores[made] = -INFINITY;
    }
    ar_free(order);
    ar_free(taken);
}

/* All f32 scores of a session, by the function for given items. */
static float *all_scores(const world *w, const ar_item_index *index, int64_t session) {
    int64_t items = w->shape.items;
    int32_t *every = ar_new(items, sizeof *every);
    float *scores = ar_new(items, sizeof *scores);
    ar_search_memory memory = {0};
    for (int64_t i = 0; i < items; i++)
        every[i] = (int32_t)i;
    MUST(ar_search_score(scores, NULL, NULL, index, w->vectors + session * w->width, every, items,
                         &memory));
    ar_search_memory_free(&memory);
    ar_free(every);
    return scores;
}

typedef struct expected {
    int32_t *items;
    float *scores;
} expected;

static expected expect(const world *w, const ar_item_index *index, const ar_allowed *allowed,
                       int64_t k) {
    static const ar_allowed everything;
    expected want = {ar_new(w->sessions * k, sizeof(int32_t)),
                     ar_new(w->sessions * k, sizeof(float))};
    for (int64_t s = 0; s < w->sessions; s++) {
        float *all = all_scores(w, index, s);
        naive_list(want.items + s * k, want.scores + s * k, all, w->shape.items, k,
                   allowed != NULL ? allowed : &everything, s);
        ar_free(all);
    }
    return want;
}

/* Searches and compares; returns the search for its report. */
static ar_search check_search(const world *w, const ar_item_index *index, const ar_allowed *allowed,
                              const expected *want, int64_t k, int threads,
                              ar_search_memory *memory) {
    ar_search search = {.index = index,
                        .vectors = w->vectors,
                        .count = w->sessions,
                        .allowed = allowed,
                        .k = k,
                        .threads = threads,
                        .items = ar_new(w->sessions * k, sizeof(int32_t)),
                        .scores = ar_new(w->sessions * k, sizeof(float))};
    MUST(ar_search_run(&search, memory));
    for (int64_t i = 0; i < w->sessions * k; i++)
        HOLDS(search.items[i] == want->items[i] && search.scores[i] == want->scores[i],
              "precision %d, %lld items, dim %lld, k %lld, threads %d, session %lld, place %lld: "
              "item %d score %.9g, expected %d %.9g",
              (int)index->shape.precision, (long long)w->shape.items, (long long)w->shape.dim,
              (long long)k, threads, (long long)(i / k), (long long)(i % k), (int)search.items[i],
              (double)search.scores[i], (int)want->items[i], (double)want->scores[i]);
    ck_assert_int_eq(search.guaranteed, w->sessions);
    ar_free(search.items);
    ar_free(search.scores);
    return search;
}

/* Every precision, with one and two threads, the sessions together and one by one. */
static void check_world(const world *w, const ar_allowed *allowed, int64_t k) {
    ar_search_memory memory = {0};
    expected want = {0};
    for (int precision = AR_INDEX_F32; precision <= AR_INDEX_INT8; precision++) {
        ar_item_index index;
        build(&index, w, (ar_index_precision)precision, w->sessions % 4 > 0, 1 + precision);
        if (want.items == NULL)
            want = expect(w, &index, allowed, k);
        (void)check_search(w, &index, allowed, &want, k, 1, &memory);
        (void)check_search(w, &index, allowed, &want, k, 2, &memory);
        world one = *w;
        one.sessions = 1;
        (void)check_search(&one, &index, allowed, &want, k, 1, &memory);
        ar_item_index_free(&index);
    }
    ar_search_memory_free(&memory);
    ar_free(want.items);
    ar_free(want.scores);
}

static ar_random stream;

static void begin(uint64_t seed) {
    ar_random_seed(&stream, seed);
}

START_TEST(equals_a_full_sort) {
    static const int64_t sizes[][3] = {{1, 1, 1},      {15, 3, 2},      {700, 16, 5},
                                       {3000, 37, 20}, {9000, 64, 100}, {5003, 300, 11}};
    begin(1);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (int32_t towers = 1; towers <= 2; towers++) {
            world w;
            open_world(&w, sizes[i][0], sizes[i][1], towers, 3 + (int64_t)i, &stream);
            check_world(&w, NULL, 1);
            check_world(&w, NULL, (sizes[i][2] + 1) / 2);
            check_world(&w, NULL, sizes[i][0] < 1000 ? sizes[i][0] : sizes[i][2]);
            close_world(&w);
        }
}
END_TEST

/* Heads and tails: the same lists, by fewer coordinates. */
START_TEST(by_heads_and_tails) {
    static const int64_t sizes[][3] = {{5000, 150, 3}, {6000, 160, 100}, {15000, 90, 20}};
    begin(11);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (int32_t towers = 1; towers <= 2; towers++) {
            world w;
            open_lean_world(&w, sizes[i][0], sizes[i][1], towers, i == 2 ? 66 : 4, &stream);
            for (int precision = AR_INDEX_BF16; precision <= AR_INDEX_INT8; precision++) {
                ar_item_index index;
                build(&index, &w, (ar_index_precision)precision, true, 2);
                ck_assert_int_lt(index.shape.head, index.width);
                ck_assert_ptr_nonnull(index.tails);
                ar_item_index_free(&index);
            }
            check_world(&w, NULL, 1);
            check_world(&w, NULL, sizes[i][2]);
            close_world(&w);
        }
}
END_TEST

/* A tower that counts for nothing has no part in the head. */
START_TEST(a_tower_without_weight) {
    begin(12);
    for (int other = 0; other < 2; other++) {
        world w;
        ar_item_index index;
        open_lean_world(&w, 5000, 80, 2, 9, &stream);
        w.shape.alpha = (float)other;
        build(&index, &w, AR_INDEX_INT8, true, 1);
        ck_assert_int_lt(index.shape.head, 80);
        ck_assert(index.counts[1 - other] == (float)index.shape.head);
        ck_assert(index.counts[other] == 0.0f);
        ar_item_index_free(&index);
        check_world(&w, NULL, 20);
        close_world(&w);
    }
}
END_TEST

/* It is the compact copy that finds them, and few f32 scores are computed. */
START_TEST(few_are_scored) {
    world w;
    begin(10);
    open_world(&w, 5000, 150, 2, 6, &stream);
    for (int precision = AR_INDEX_BF16; precision <= AR_INDEX_INT8; precision++) {
        ar_item_index index;
        ar_search_memory memory = {0};
        build(&index, &w, (ar_index_precision)precision, true, 1);
        expected want = expect(&w, &index, NULL, 10);
        ar_search search = check_search(&w, &index, NULL, &want, 10, 1, &memory);
        ck_assert_int_eq(search.rescans, 0);
        ck_assert_int_ge(search.reranked, 10 * w.sessions);
        ck_assert_int_le(search.reranked, 100 * w.sessions);
        ar_item_index_free(&index);
        ar_search_memory_free(&memory);
        ar_free(want.items);
        ar_free(want.scores);
    }
    close_world(&w);
}
END_TEST

START_TEST(many_sessions) {
    world w;
    begin(2);
    open_world(&w, 4000, 24, 2, 130, &stream);
    check_world(&w, NULL, 20);
    close_world(&w);
}
END_TEST

START_TEST(ties_go_to_the_lower_item) {
    world w;
    begin(3);
    open_world(&w, 6000, 20, 2, 4, &stream);
    for (int t = 0; t < 2; t++)
        for (int64_t r = 40; r < w.shape.items; r++)
            memcpy(w.tables[t] + r * w.shape.dim, w.tables[t] + r % 40 * w.shape.dim,
                   (size_t)w.shape.dim * sizeof(float));
    check_world(&w, NULL, 25);
    check_world(&w, NULL, 400);
    close_world(&w);
}
END_TEST

START_TEST(rows_that_no_bound_tells_apart) {
    world w;
    begin(4);
    open_world(&w, 20000, 32, 2, 5, &stream);
    /* Each row is the first but for a hair. */
    for (int t = 0; t < 2; t++)
        for (int64_t i = w.shape.dim; i < w.shape.items * w.shape.dim; i++)
            w.tables[t][i] = w.tables[t][i % w.shape.dim] * (1.0f + 1e-6f * w.tables[t][i]);
    check_world(&w, NULL, 20);
    /* All but one: their centred rows are large because of it, and alike. */
    for (int64_t c = 0; c < w.shape.dim; c++)
        w.tables[0][c] += 1e4f;
    check_world(&w, NULL, 20);
    ar_item_index index;
    ar_search_memory memory = {0};
    build(&index, &w, AR_INDEX_INT8, false, 1);
    expected want = expect(&w, &index, NULL, 20);
    ar_search search = check_search(&w, &index, NULL, &want, 20, 1, &memory);
    ck_assert_int_eq(search.rescans, w.sessions);
    ar_item_index_free(&index);
    ar_search_memory_free(&memory);
    ar_free(want.items);
    ar_free(want.scores);
    close_world(&w);
}
END_TEST

START_TEST(any_scale) {
    static const float scales[] = {1e-44f, 1e-38f, 1e-30f, 1e-15f, 1e-5f,
                                   1e5f,   1e15f,  1e18f,  1e30f,  1e37f};
    begin(5);
    for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++) {
        world w;
        if (i % 2 == 0)
            open_world(&w, 3000, 12, 2, 3, &stream);
        else
            open_lean_world(&w, 3600, 110, 2, 3, &stream);
        for (int64_t j = 0; j < w.shape.items * w.shape.dim; j++) {
            w.tables[0][j] *= scales[i];
            w.tables[1][j] *= j % 7 == 0 ? scales[i] : 1.0f;
        }
        check_world(&w, NULL, 10);
        for (int64_t j = 0; j < w.sessions * w.width; j++)
            w.vectors[j] *= scales[sizeof scales / sizeof scales[0] - 1 - i];
        check_world(&w, NULL, 10);
        for (int64_t j = 0; j < w.sessions * w.width; j++)
            w.vectors[j] *= scales[i];
        w.shape.alpha = i % 2 == 0 ? 0.0f : 1.0f;
        check_world(&w, NULL, 10);
        close_world(&w);
    }
}
END_TEST

START_TEST(vectors_that_are_no_numbers) {
    world w;
    begin(6);
    open_world(&w, 3000, 12, 2, 4, &stream);
    w.vectors[3] = NAN;
    w.vectors[w.width + 5] = INFINITY;
    w.vectors[2 * w.width + 20] = -INFINITY;
    check_world(&w, NULL, 7);
    close_world(&w);
}
END_TEST

/* ---- What is allowed ---- */

/* Random filters in static memory. */
enum { MOST_ITEMS = 6000, MOST_SESSIONS = 6 };

typedef struct filter {
    uint64_t bits[(MOST_ITEMS + 63) / 64];
    int32_t list[MOST_ITEMS], shared[MOST_ITEMS], categories[MOST_ITEMS];
    int32_t excluded[MOST_SESSIONS * MOST_ITEMS];
    int64_t offsets[MOST_SESSIONS + 1];
    ar_allowed allowed;
} filter;

/* `parts`: a bit for each kind of filter; about one of `sparse` items is allowed. */
static void make_filter(filter *f, const world *w, int parts, uint32_t sparse) {
    int64_t items = w->shape.items, excluded = 0;
    memset(f, 0, sizeof *f);
    for (int32_t i = 0; i < items; i++) {
        if (ar_random_below(&stream, sparse) == 0)
            f->bits[i / 64] |= (uint64_t)1 << (i % 64);
        if (ar_random_below(&stream, sparse) == 0)
            f->list[f->allowed.list_count++] = i;
        if (ar_random_below(&stream, 10) == 0)
            f->shared[f->allowed.shared_count++] = i;
        f->categories[i] = (int32_t)ar_random_below(&stream, 12) - 1;
    }
    for (int64_t s = 0; s < w->sessions; s++) {
        for (int32_t i = 0; i < items; i++)
            if (ar_random_below(&stream, 3) == 0)
                f->excluded[excluded++] = i;
        f->offsets[s + 1] = excluded;
    }
    f->allowed.bits = (parts & 1) != 0 ? f->bits : NULL;
    f->allowed.list = (parts & 2) != 0 ? f->list : NULL;
    f->allowed.shared = f->shared;
    f->allowed.shared_count = (parts & 4) != 0 ? f->allowed.shared_count : 0;
    f->allowed.excluded = f->excluded;
    f->allowed.offsets = (parts & 8) != 0 ? f->offsets : NULL;
    f->allowed.categories = (parts & 16) != 0 ? f->categories : NULL;
    f->allowed.per_list = 1 + ar_random_below(&stream, 4);
}

static void check_filters(const world *w, filter *f, int parts) {
    make_filter(f, w, parts, parts % 3 == 0 ? 40 : 2);
    check_world(w, &f->allowed, 1 + parts);
    f->allowed.per_list = 1;
    check_world(w, &f->allowed, 20);
}

START_TEST(all_filters_together) {
    static filter f;
    begin(7);
    for (int parts = 0; parts < 32; parts++) {
        world w;
        open_world(&w, 1000 + 150 * parts, 12, 1 + parts % 2, 1 + parts % MOST_SESSIONS, &stream);
        check_filters(&w, &f, parts);
        close_world(&w);
        if (parts % 10 != 1)
            continue; /* it takes long */
        open_lean_world(&w, 3200 + 80 * parts, 200, 1, 1 + parts % MOST_SESSIONS, &stream);
        check_filters(&w, &f, parts);
        close_world(&w);
    }
}
END_TEST

/* Where scores and categories go together, the cap decides. */
START_TEST(a_category_of_the_best) {
    static filter f;
    world w;
    begin(8);
    open_world(&w, MOST_ITEMS, 16, 2, 3, &stream);
    make_filter(&f, &w, 16, 1);
    float *scores;
    ar_item_index index;
    build(&index, &w, AR_INDEX_F32, false, 1);
    scores = all_scores(&w, &index, 0);
    for (int64_t i = 0; i < w.shape.items; i++)
        f.categories[i] = (int32_t)fmaxf(0.0f, 5.0f - scores[i]);
    for (f.allowed.per_list = 1; f.allowed.per_list < 8; f.allowed.per_list++)
        check_world(&w, &f.allowed, 15);
    ar_item_index_free(&index);
    ar_free(scores);
    close_world(&w);
}
END_TEST

/* ---- A fixed number of candidates ---- */

START_TEST(candidates) {
    world w;
    ar_item_index index;
    ar_search_memory memory = {0};
    static filter f;
    begin(9);
    if (_i == 0)
        open_world(&w, 5000, 40, 2, MOST_SESSIONS, &stream);
    else
        open_lean_world(&w, 5000, 120, 2, MOST_SESSIONS, &stream);
    build(&index, &w, AR_INDEX_INT8, true, 1);
    for (int capped = 0; capped < 2; capped++) {
        enum { K = 10 };
        int32_t items[MOST_SESSIONS * K], again[MOST_SESSIONS * K];
        float scores[MOST_SESSIONS * K];
        make_filter(&f, &w, capped != 0 ? 16 : 0, 2);
        expected want = expect(&w, &index, &f.allowed, K);
        for (int64_t n = K; n <= 600; n += 59) {
            ar_search search = {.index = &index,
                                .vectors = w.vectors,
                                .count = w.sessions,
                                .allowed = &f.allowed,
                                .k = K,
                                .candidates = n,
                                .threads = 1,
                                .items = items,
                                .scores = scores};
            MUST(ar_search_run(&search, &memory));
            ck_assert_int_eq(search.reranked, n * w.sessions);
            int64_t right = 0;
            for (int64_t s = 0; s < w.sessions; s++)
                right += memcmp(items + s * K, want.items + s * K, K * sizeof *items) == 0;
            ck_assert_int_ge(right, search.guaranteed);
            ck_assert(n < 500 || right == w.sessions);
            ck_assert(n < 500 || capped != 0 || search.guaranteed == w.sessions);
            ck_assert(n > K || search.guaranteed == 0);
            search.items = again;
            search.threads = 2;
            MUST(ar_search_run(&search, &memory));
            ck_assert_mem_eq(items, again, sizeof again);
        }
        ar_free(want.items);
        ar_free(want.scores);
    }
    ar_search_memory_free(&memory);
    ar_item_index_free(&index);
    close_world(&w);
}
END_TEST

int main(void) {
    TCase *group = tcase_create("search");
    tcase_add_test(group, equals_a_full_sort);
    tcase_add_test(group, by_heads_and_tails);
    tcase_add_test(group, a_tower_without_weight);
    tcase_add_test(group, few_are_scored);
    tcase_add_test(group, many_sessions);
    tcase_add_test(group, ties_go_to_the_lower_item);
    tcase_add_test(group, rows_that_no_bound_tells_apart);
    tcase_add_test(group, any_scale);
    tcase_add_test(group, vectors_that_are_no_numbers);
    tcase_add_test(group, all_filters_together);
    tcase_add_test(group, a_category_of_the_best);
    tcase_add_loop_test(group, candidates, 0, 2);
    return run_tests(group, "search");
}
