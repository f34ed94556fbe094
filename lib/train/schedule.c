#include "train/schedule.h"

#include "data/config.h"

#include <math.h>

/* The positions of the choices in the option table. */
enum { MODE_SAMPLED, MODE_FULL, MODE_BATCH };
enum { DECAY_STEP, DECAY_COSINE, DECAY_PLATEAU, DECAY_NONE };

/* The rank window in a small catalog: k2 ends with the catalog, and k1 leaves at least half of what
 * is then there. */
static alterrec_status read_window(ar_schedule *schedule, const alterrec_config *config,
                                   int64_t items) {
    schedule->k1 = ar_config_int(config, "negatives.k1");
    schedule->k2 = ar_config_int(config, "negatives.k2");
    if (schedule->k1 >= schedule->k2)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "negatives.k1 %lld is not below negatives.k2 %lld", (long long)schedule->k1,
                       (long long)schedule->k2);
    schedule->k2 = schedule->k2 < items ? schedule->k2 : items;
    schedule->k1 = schedule->k1 < schedule->k2 / 2 ? schedule->k1 : schedule->k2 / 2;
    schedule->negative_count = ar_config_int(config, "negatives.count");
    if (schedule->negative_count == 0)
        schedule->negative_count = schedule->k2 - schedule->k1;
    return ALTERREC_OK;
}

static alterrec_status check_towers(int system, const alterrec_model *model) {
    bool joint = system == AR_SYSTEM_NAIVE_CONCAT;
    if (joint != model->is_joint)
        return ar_fail(ALTERREC_ERROR_MISMATCH,
                       "schedule.system \"naive_concat\" is what the %s was made with, but not the "
                       "%s: it takes a model of its own",
                       joint ? "trainer" : "model", joint ? "model" : "trainer");
    if (system != AR_SYSTEM_ID && !joint && !model->has_text)
        return ar_fail(ALTERREC_ERROR_MISMATCH,
                       "schedule.system needs a text tower, but the model has none: its catalog "
                       "has no text features; schedule.system \"id\" trains without");
    return ALTERREC_OK;
}

alterrec_status ar_schedule_read(ar_schedule *schedule, const alterrec_config *config,
                                 const alterrec_model *model) {
    int64_t items = model->catalog->items;
    *schedule = (ar_schedule){
        .system = ar_config_choice(config, "schedule.system"),
        .first = ar_config_choice(config, "schedule.first") == 0 ? ALTERREC_ID : ALTERREC_TEXT,
        .gap = ar_config_int(config, "schedule.gap"),
        .random_epochs = ar_config_int(config, "schedule.random_epochs"),
        .epochs = ar_config_int(config, "train.epochs"),
        .mode = ar_config_choice(config, "negatives.mode"),
        .shared = ar_config_choice(config, "negatives.sharing") == 1,
        .correct = ar_config_bool(config, "negatives.correct"),
        .popularity = ar_config_float(config, "negatives.popularity"),
        .hard_share = ar_config_float(config, "negatives.hard_share"),
        .positives = ar_config_int(config, "positives.count"),
        .positives_weight = ar_config_float(config, "positives.weight"),
        .learning_rate = ar_config_float(config, "optimizer.learning_rate"),
        .decay = ar_config_choice(config, "optimizer.decay"),
        .decay_factor = ar_config_float(config, "optimizer.decay_factor"),
        .decay_epochs = {ar_config_int(config, "optimizer.id_decay_epochs"),
                         ar_config_int(config, "optimizer.text_decay_epochs")}};
    AR_TRY(check_towers(schedule->system, model));
    schedule->positives = schedule->positives < items ? schedule->positives : items;
    return read_window(schedule, config, items);
}

double ar_schedule_learning_rate(const ar_schedule *schedule, const ar_training_state *state,
                                 int tower) {
    int side = tower == ALTERREC_ID ? 0 : 1;
    double trained = (double)state->trained[side];
    bool alternating =
        schedule->system == AR_SYSTEM_ALTERREC || schedule->system == AR_SYSTEM_SEPARATE;
    double planned = (double)schedule->epochs / (alternating ? 2.0 : 1.0);
    switch (schedule->decay) {
    case DECAY_STEP:
        return schedule->learning_rate *
               pow(schedule->decay_factor, floor(trained / (double)schedule->decay_epochs[side]));
    case DECAY_COSINE:
        return schedule->learning_rate * 0.5 *
               (1.0 + cos(3.141592653589793 * fmin(trained / planned, 1.0)));
    case DECAY_PLATEAU:
        return schedule->learning_rate * pow(schedule->decay_factor, (double)state->plateaus[side]);
    default:
        return schedule->learning_rate;
    }
}

static int tower_in_turn(const ar_schedule *schedule, int64_t epoch) {
    int other = schedule->first == ALTERREC_ID ? ALTERREC_TEXT : ALTERREC_ID;
    switch (schedule->system) {
    case AR_SYSTEM_ID:
        return ALTERREC_ID;
    case AR_SYSTEM_TEXT:
        return ALTERREC_TEXT;
    case AR_SYSTEM_NAIVE_SUM:
    case AR_SYSTEM_NAIVE_CONCAT:
        return ALTERREC_FUSED;
    default:
        return epoch / schedule->gap % 2 == 0 ? schedule->first : other;
    }
}

void ar_schedule_plan(alterrec_plan *plan, const ar_schedule *schedule,
                      const ar_training_state *state) {
    bool mutual = schedule->system == AR_SYSTEM_ALTERREC && state->epoch >= schedule->random_epochs;
    *plan = (alterrec_plan){
        .struct_size = sizeof *plan,
        .tower = tower_in_turn(schedule, state->epoch),
        .negatives = schedule->mode == MODE_FULL    ? ALTERREC_NEGATIVES_FULL
                     : schedule->mode == MODE_BATCH ? ALTERREC_NEGATIVES_BATCH
                     : mutual                       ? ALTERREC_NEGATIVES_HARD
                                                    : ALTERREC_NEGATIVES_RANDOM,
        .positive_count = mutual ? schedule->positives : 0,
        .k1 = schedule->k1,
        .k2 = schedule->k2,
        .negative_count = schedule->negative_count,
        .hard_share = schedule->hard_share,
        .popularity = schedule->popularity,
        .shared = schedule->shared ? 1 : 0,
        .positives_weight = schedule->positives_weight,
        .stop = state->epoch >= schedule->epochs || state->patience_exhausted ? 1 : 0};
    /* Hard negatives are chosen, not drawn: there is nothing to correct them by. */
    plan->correct = schedule->correct && plan->negatives != ALTERREC_NEGATIVES_HARD ? 1 : 0;
    plan->learning_rate = ar_schedule_learning_rate(schedule, state, plan->tower);
}

static alterrec_status field_error(const char *field, double value, const char *range) {
    return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "plan.%s %g is outside %s", field, value,
                   range);
}

alterrec_status ar_plan_check(const alterrec_plan *plan, const alterrec_model *model) {
    int64_t items = model->catalog->items;
    if (plan->tower < ALTERREC_ID || plan->tower > ALTERREC_FUSED)
        return field_error("tower", plan->tower, "ALTERREC_ID, ALTERREC_TEXT, ALTERREC_FUSED");
    if (plan->tower != ALTERREC_FUSED && model->is_joint)
        return ar_fail(
            ALTERREC_ERROR_MISMATCH,
            "plan.tower is %d, but the model's only tower is a joint one: ALTERREC_FUSED",
            (int)plan->tower);
    if (plan->tower != ALTERREC_ID && !model->has_text && !model->is_joint)
        return ar_fail(ALTERREC_ERROR_MISMATCH, "plan.tower is %d, but the model has no text tower",
                       (int)plan->tower);
    if (plan->negatives < ALTERREC_NEGATIVES_RANDOM || plan->negatives > ALTERREC_NEGATIVES_HOST)
        return field_error("negatives", plan->negatives, "the values of ALTERREC_NEGATIVES_*");
    if (plan->tower == ALTERREC_FUSED &&
        (plan->negatives == ALTERREC_NEGATIVES_HARD || plan->positive_count > 0))
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "plan.tower is ALTERREC_FUSED: with both sides in training there is none to "
                       "rank hard negatives or positives by");
    if (plan->correct != 0 && plan->negatives != ALTERREC_NEGATIVES_RANDOM &&
        plan->negatives != ALTERREC_NEGATIVES_BATCH)
        return field_error("correct", plan->correct,
                           "0: only RANDOM and BATCH negatives have a known probability");
    if (!(plan->popularity >= 0.0 && plan->popularity <= 2.0))
        return field_error("popularity", plan->popularity, "0..2");
    if ((plan->negatives == ALTERREC_NEGATIVES_HARD || plan->positive_count > 0) &&
        !model->has_text)
        return ar_fail(ALTERREC_ERROR_MISMATCH,
                       "plan: hard negatives and augmented positives need both towers");
    if (plan->positive_count < 0 || plan->positive_count > 1000 || plan->positive_count > items)
        return field_error("positive_count", (double)plan->positive_count,
                           "0..1000 and the number of items");
    if (plan->k1 < 0 || plan->k1 >= plan->k2)
        return field_error("k1", (double)plan->k1, "0..k2-1");
    if (plan->negative_count < 1 || plan->negative_count > INT32_MAX)
        return field_error("negative_count", (double)plan->negative_count, "1..2147483647");
    if (!(plan->hard_share >= 0.0 && plan->hard_share <= 1.0))
        return field_error("hard_share", plan->hard_share, "0..1");
    if (!(plan->positives_weight >= 0.0 && plan->positives_weight <= 1000.0))
        return field_error("positives_weight", plan->positives_weight, "0..1000");
    if (!(plan->learning_rate >= 0.0 && plan->learning_rate <= 100.0))
        return field_error("learning_rate", plan->learning_rate, "0..100");
    return ALTERREC_OK;
}
