/* Session vectors of serving: those of the training encoder and of the reference implementation,
 * with bits that neither batch, nor threads, nor steps change. */
#include "core/memory.h"
#include "model/workspace.h"
#include "serve/session_encoder.h"
#include "support/golden.h"
#include "support/numbers.h"

#include <stdio.h>
#include <string.h>

static const char *const cases[] = {"tiny", "moderate"};
static const int kinds[] = {ALTERREC_ID, ALTERREC_TEXT};
enum { TOWERS = 2 };

/* A golden case's towers, made for serving. */
typedef struct served {
    golden g;
    int64_t items, dim, width;
    float *table; /* [items, width] */
    ar_session_encoder encoder;
    ar_session_memory memory;
} served;

static void open_served(served *s, const char *name, ar_weight_format format) {
    *s = (served){0};
    golden_open(&s->g, name);
    s->items = s->g.catalog->items;
    s->dim = s->g.model->shape.dim;
    s->width = TOWERS * s->dim;
    s->table = ar_new(s->items * s->width, sizeof *s->table);
    float *one = ar_new(s->items * s->dim, sizeof *one);
    const ar_encoder_weights *weights[TOWERS];
    for (int t = 0; t < TOWERS; t++) {
        MUST(alterrec_model_item_vectors(one, s->g.model, kinds[t]));
        for (int64_t i = 0; i < s->items; i++)
            memcpy(s->table + i * s->width + t * s->dim, one + i * s->dim,
                   (size_t)s->dim * sizeof *one);
        weights[t] = &ar_model_tower(s->g.model, kinds[t])->weights.encoder;
    }
    MUST(ar_session_encoder_create(&s->encoder, weights, TOWERS, &s->g.model->shape, format));
    ar_free(one);
}

static void close_served(served *s) {
    ar_session_encoder_free(&s->encoder);
    ar_session_memory_free(&s->memory);
    ar_free(s->table);
    golden_close(&s->g);
}

static void encode(float *dst, served *s, const int64_t *offsets, int64_t count, int threads) {
    MUST(ar_session_encode(dst, &s->encoder, &s->memory, s->table, s->g.items, offsets, count,
                           threads));
}

/* The vectors of tower t of all sessions, [count, dim], out of [count, width]. */
static float *part_of(const float *vectors, const served *s, int t) {
    float *part = ar_new(s->g.count * s->dim, sizeof *part);
    for (int64_t i = 0; i < s->g.count; i++)
        memcpy(part + i * s->dim, vectors + i * s->width + t * s->dim,
               (size_t)s->dim * sizeof *part);
    return part;
}

START_TEST(vectors_are_the_references) {
    static const char *const names[] = {"session.id", "session.text"};
    served s;
    open_served(&s, cases[_i], AR_WEIGHTS_F32);
    float *vectors = ar_new(s.g.count * s.width, sizeof *vectors);
    float *beside = ar_new((s.g.count + AR_PRODUCT_ROWS) * s.dim, sizeof *beside);
    ar_workspace *workspace;
    MUST(ar_workspace_create(&workspace));
    encode(vectors, &s, s.g.offsets, s.g.count, 2);
    for (int t = 0; t < TOWERS; t++) {
        float *part = part_of(vectors, &s, t), *table = ar_new(s.items * s.dim, sizeof *table);
        double error =
            relative_error(part, golden_floats(&s.g.expected, names[t]), s.g.count * s.dim);
        ck_assert_msg(error < 1e-5, "%s: relative error %g", names[t], error);
        MUST(alterrec_model_item_vectors(table, s.g.model, kinds[t]));
        MUST(ar_workspace_encode(beside, workspace,
                                 &ar_model_tower(s.g.model, kinds[t])->weights.encoder,
                                 &s.g.model->shape, table, s.g.items, s.g.offsets, s.g.count));
        error = relative_error(part, beside, s.g.count * s.dim);
        ck_assert_msg(error < 1e-5, "training encoder, %s: relative error %g", names[t], error);
        ar_free(part);
        ar_free(table);
    }
    ar_workspace_free(workspace);
    ar_free(vectors);
    ar_free(beside);
    close_served(&s);
}
END_TEST

START_TEST(rounded_weights_stay_near) {
    served s;
    open_served(&s, cases[_i / 2], _i % 2 == 0 ? AR_WEIGHTS_BF16 : AR_WEIGHTS_INT8);
    float *vectors = ar_new(s.g.count * s.width, sizeof *vectors);
    encode(vectors, &s, s.g.offsets, s.g.count, 1);
    for (int t = 0; t < TOWERS; t++) {
        float *part = part_of(vectors, &s, t);
        const char *name = t == 0 ? "session.id" : "session.text";
        double error = relative_error(part, golden_floats(&s.g.expected, name), s.g.count * s.dim);
        ck_assert_msg(error < 0.02 && error > 1e-6, "%s: relative error %g", name, error);
        ar_free(part);
    }
    ar_free(vectors);
    close_served(&s);
}
END_TEST

/* Alone, in parts of the batch, and on other numbers of threads. */
START_TEST(batch_and_threads_do_not_matter) {
    served s;
    open_served(&s, cases[_i / 3], (ar_weight_format)(_i % 3));
    int64_t count = s.g.count;
    float *all = ar_new(count * s.width, sizeof *all), *some = ar_new(count * s.width, sizeof *all);
    encode(all, &s, s.g.offsets, count, 1);
    for (int threads = 2; threads <= 5; threads++) {
        memset(some, 0, (size_t)(count * s.width) * sizeof *some);
        encode(some, &s, s.g.offsets, count, threads);
        ck_assert_msg(same_bits(some, all, count * s.width), "%d threads", threads);
    }
    for (int64_t size = 1; size < count; size += 3)
        for (int64_t first = 0; first + size <= count; first += size) {
            encode(some, &s, s.g.offsets + first, size, (int)(1 + first % 3));
            ck_assert_msg(same_bits(some, all + first * s.width, size * s.width),
                          "sessions %lld and %lld more", (long long)first, (long long)size);
        }
    ar_free(all);
    ar_free(some);
    close_served(&s);
}
END_TEST

/* Item by item, all sessions in each step: at every length the bits of the prefix. */
START_TEST(steps_give_the_prefixes) {
    served s;
    open_served(&s, cases[_i / 3], (ar_weight_format)(_i % 3));
    int64_t count = s.g.count, max_len = s.g.model->shape.max_len;
    int64_t row = ar_session_encoder_cache(&s.encoder);
    float *vectors = ar_new(count * s.width, sizeof *vectors);
    float *prefix = ar_new(s.width, sizeof *prefix);
    ar_session_part *parts = ar_new(count, sizeof *parts);
    float **caches = ar_new(count, sizeof *caches);
    for (int64_t i = 0; i < count; i++)
        caches[i] = ar_new(max_len * row, sizeof(float));
    for (int64_t step = 0; step < max_len; step++) {
        int64_t busy = 0;
        for (int64_t i = 0; i < count; i++)
            if (s.g.offsets[i] + step < s.g.offsets[i + 1])
                parts[busy++] = (ar_session_part){.items = s.g.items + s.g.offsets[i] + step,
                                                  .count = 1,
                                                  .past = step,
                                                  .cache = caches[i],
                                                  .dst = vectors + i * s.width};
        if (busy == 0)
            break;
        MUST(ar_session_encoder_step(&s.encoder, &s.memory, s.table, parts, busy,
                                     (int)(1 + step % 3)));
        for (int64_t i = 0; i < count; i++)
            if (s.g.offsets[i] + step < s.g.offsets[i + 1]) {
                const int64_t offsets[] = {s.g.offsets[i], s.g.offsets[i] + step + 1};
                encode(prefix, &s, offsets, 1, 1);
                HOLDS(same_bits(prefix, vectors + i * s.width, s.width), "session %lld, %lld items",
                      (long long)i, (long long)step + 1);
            }
    }
    for (int64_t i = 0; i < count; i++)
        ar_free(caches[i]);
    ar_free(caches);
    ar_free(parts);
    ar_free(vectors);
    ar_free(prefix);
    close_served(&s);
}
END_TEST

int main(void) {
    TCase *group = tcase_create("session encoder");
    tcase_add_loop_test(group, vectors_are_the_references, 0, 2);
    tcase_add_loop_test(group, rounded_weights_stay_near, 0, 4);
    tcase_add_loop_test(group, batch_and_threads_do_not_matter, 0, 6);
    tcase_add_loop_test(group, steps_give_the_prefixes, 0, 6);
    return run_tests(group, "session_encoder");
}
