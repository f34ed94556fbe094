/* Training twice with the same seed and the same threads gives the same weights to the bit, in
 * every way of computing a step. */
#include "core/memory.h"
#include "model/model.h"
#include "support/numbers.h"
#include "support/shop.h"

#include <string.h>

enum { EPOCHS = 6 }; /* the last four with hard negatives and augmented positives */

typedef struct weights {
    float *blocks[2];
    int64_t counts[2];
} weights;

/* Test number: bits say which options differ from the defaults. */
enum { BF16 = 1, SHARED = 2, POOL = 4, PREFIXES = 8, WAYS = 16 };

static void train(weights *trained, int way, const char *seed) {
    shop made;
    alterrec_model *model;
    alterrec_trainer *trainer;
    shop_open(&made, 40, 60);
    shop_set(&made, "train.seed", seed);
    shop_set(&made, "compute.threads", "2");
    shop_set(&made, "model.dropout", "0.2");
    shop_set(&made, "positives.count", "3");
    shop_set(&made, "compute.precision", (way & BF16) != 0 ? "bf16" : "f32");
    shop_set(&made, "negatives.sharing", (way & SHARED) != 0 ? "batch" : "example");
    shop_set(&made, "negatives.pool", (way & POOL) != 0 ? "15" : "0");
    shop_set(&made, "train.batching", (way & PREFIXES) != 0 ? "prefix" : "session");
    MUST(alterrec_model_create(&model, made.catalog, made.config));
    MUST(alterrec_trainer_create(&trainer, model, made.train, made.valid, made.config));
    for (int epoch = 0; epoch < EPOCHS; epoch++)
        MUST(alterrec_trainer_epoch(NULL, trainer, NULL));
    for (int side = 0; side < 2; side++) {
        const ar_tower *tower = ar_model_side(model, side);
        trained->counts[side] = tower->list.count;
        trained->blocks[side] = ar_new(tower->list.count, sizeof(float));
        memcpy(trained->blocks[side], tower->block, (size_t)tower->list.count * sizeof(float));
    }
    alterrec_trainer_free(trainer);
    alterrec_model_free(model);
    shop_close(&made);
}

START_TEST(same_seed_same_bits) {
    weights first, again, other;
    ar_onednn *onednn;
    MUST(ar_onednn_create(&onednn));
    bool has_bf16 = ar_onednn_use_bf16(onednn, true) == ALTERREC_OK;
    ar_onednn_free(onednn);
    if ((_i & BF16) != 0 && !has_bf16)
        return;
    train(&first, _i, "5");
    train(&again, _i, "5");
    train(&other, _i, "6");
    for (int side = 0; side < 2; side++) {
        size_t size = (size_t)first.counts[side] * sizeof(float);
        ck_assert_mem_eq(first.blocks[side], again.blocks[side], size);
        ck_assert_mem_ne(first.blocks[side], other.blocks[side], size);
        ar_free(first.blocks[side]);
        ar_free(again.blocks[side]);
        ar_free(other.blocks[side]);
    }
}
END_TEST

int main(void) {
    TCase *group = tcase_create("same_bits");
    tcase_add_loop_test(group, same_seed_same_bits, 0, WAYS);
    return run_tests(group, "same_bits");
}
