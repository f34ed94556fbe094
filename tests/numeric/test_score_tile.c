/* Tiles of scores: every row is seen with every item once, each score is the chain of fused
 * multiply-adds that it promises, and labels' scores are the same to the bit. */
#include "core/memory.h"
#include "core/threads.h"
#include "model/score_tile.h"
#include "support/numbers.h"

#include <math.h>
#include <string.h>

static const int64_t shapes[][3] = {/* rows, items, dim */
                                    {1, 1, 4},     {5, 16, 8},    {48, 128, 20},
                                    {49, 129, 12}, {100, 300, 7}, {17, 1000, 3}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

typedef struct scored {
    ar_scoring scoring;
    float *vectors[AR_SCORE_KINDS], *tables[AR_SCORE_KINDS];
    float *scores[AR_SCORE_KINDS]; /* [rows, items] */
    int32_t *seen;                 /* [rows, items] how often */
} scored;

/* The last item is the first one's twin, so that their scores are equal. */
static void open_scored(scored *s, const int64_t *shape, int kinds) {
    ar_random random;
    ar_random_seed(&random, (uint64_t)(shape[0] + 100 * shape[1]));
    *s =
        (scored){.scoring = {.kinds = kinds, .rows = shape[0], .items = shape[1], .dim = shape[2]}};
    for (int k = 0; k < kinds; k++) {
        s->vectors[k] = random_floats(shape[0] * shape[2], &random);
        s->tables[k] = random_floats(shape[1] * shape[2], &random);
        memcpy(s->tables[k] + (shape[1] - 1) * shape[2], s->tables[k],
               (size_t)shape[2] * sizeof(float));
        s->scores[k] = ar_new(shape[0] * shape[1], sizeof(float));
        s->scoring.vectors[k] = s->vectors[k];
        s->scoring.tables[k] = s->tables[k];
        s->scoring.scales[k] = k == AR_SCORE_TEXT ? 2.5F : 1.0F;
    }
    s->seen = ar_new(shape[0] * shape[1], sizeof *s->seen);
}

static void close_scored(scored *s) {
    for (int k = 0; k < AR_SCORE_KINDS; k++) {
        ar_free(s->vectors[k]);
        ar_free(s->tables[k]);
        ar_free(s->scores[k]);
    }
    ar_free(s->seen);
}

static void keep(const ar_score_tile *tile, void *state) {
    scored *s = state;
    for (int64_t r = 0; r < tile->rows; r++)
        for (int64_t i = 0; i < tile->items; i++) {
            int64_t at = (tile->first_row + r) * s->scoring.items + tile->first_item + i;
            s->seen[at]++;
            for (int k = 0; k < s->scoring.kinds; k++) {
                s->scores[k][at] = tile->scores[k][r * AR_TILE_ITEMS + i];
                tile->scores[k][r * AR_TILE_ITEMS + i] = (float)NAN; /* ours to overwrite */
            }
        }
}

static double naive_score(const scored *s, int kind, int64_t row, int64_t item) {
    int64_t dim = s->scoring.dim;
    double sum = 0.0;
    for (int64_t c = 0; c < dim; c++)
        sum += (double)s->vectors[kind][row * dim + c] * (double)s->tables[kind][item * dim + c];
    return sum * (double)s->scoring.scales[kind];
}

START_TEST(every_score_is_seen_once) {
    scored s;
    int threads = 1 + _i % 3, previous = ar_threads_enter(threads);
    open_scored(&s, shapes[_i % SHAPES], 1 + _i % AR_SCORE_KINDS);
    MUST(ar_score_tiles_run(&s.scoring, keep, &s));
    int64_t items = s.scoring.items;
    for (int64_t at = 0; at < s.scoring.rows * items; at++) {
        ck_assert_int_eq(s.seen[at], 1);
        for (int k = 0; k < s.scoring.kinds; k++)
            ck_assert_double_eq_tol((double)s.scores[k][at],
                                    naive_score(&s, k, at / items, at % items), 1e-4);
    }
    for (int64_t r = 0; r < s.scoring.rows; r++)
        ck_assert(s.scores[0][r * items] == s.scores[0][r * items + items - 1]);
    close_scored(&s);
    ar_threads_leave(previous);
}
END_TEST

START_TEST(labels_have_the_same_bits) {
    scored s;
    open_scored(&s, shapes[_i], 2);
    int64_t rows = s.scoring.rows, items = s.scoring.items;
    int32_t *labels = ar_new(rows, sizeof *labels);
    float *own[AR_SCORE_KINDS] = {ar_new(rows, sizeof(float)), ar_new(rows, sizeof(float)), NULL};
    for (int64_t r = 0; r < rows; r++)
        labels[r] = (int32_t)((r * 37 + 5) % items);
    MUST(ar_score_labels(own, &s.scoring, labels));
    MUST(ar_score_tiles_run(&s.scoring, keep, &s));
    for (int k = 0; k < 2; k++)
        for (int64_t r = 0; r < rows; r++)
            ck_assert(memcmp(&own[k][r], &s.scores[k][r * items + labels[r]], sizeof(float)) == 0);
    ar_free(labels);
    ar_free(own[0]);
    ar_free(own[1]);
    close_scored(&s);
}
END_TEST

START_TEST(the_smallest_number_is_noted) {
    int64_t least = -1;
    ar_score_note(&least, 7);
    ar_score_note(&least, 9);
    ck_assert_int_eq(least, 7);
    ar_score_note(&least, 0);
    ck_assert_int_eq(least, 0);
}
END_TEST

int main(void) {
    TCase *group = tcase_create("score_tile");
    tcase_add_loop_test(group, every_score_is_seen_once, 0, 3 * SHAPES);
    tcase_add_loop_test(group, labels_have_the_same_bits, 0, SHAPES);
    tcase_add_test(group, the_smallest_number_is_noted);
    return run_tests(group, "score_tile");
}
