#include "nn/adam_rows.h"

#include "core/memory.h"
#include "core/threads.h"

#include <math.h>
#include <string.h>

enum {
    /* Of how many missed steps the moves are added up: with beta1 = 0.9 the next one would be
     * 2e-9 of the first. The moments decay by all of them. */
    MISSED_MOST = 192,
    PARALLEL_ROWS = 64 /* fewer are not worth a second thread */
};

/* What moves a row that has missed some steps. */
typedef struct catching_up {
    float move, decay1, decay2, epsilon;
} catching_up;

/* As the step at hand finds it. */
struct ar_adam_missed {
    double recent[MISSED_MOST + 1];
    catching_up known[MISSED_MOST + 1]; /* of rows that have missed few steps, as most have */
};

alterrec_status ar_adam_rows_create(ar_adam_rows *table, int64_t rows, int64_t dim, int64_t steps) {
    *table = (ar_adam_rows){.rows = rows, .dim = dim, .begin = steps};
    table->steps = ar_new(rows, sizeof *table->steps);
    table->missed = ar_new(1, sizeof *table->missed);
    if (table->steps == NULL || table->missed == NULL) {
        ar_adam_rows_free(table);
        return ALTERREC_ERROR_OUT_OF_MEMORY;
    }
    for (int64_t row = 0; row < rows; row++)
        table->steps[row] = steps;
    return ALTERREC_OK;
}

void ar_adam_rows_free(ar_adam_rows *table) {
    ar_free(table->steps);
    ar_free(table->moves);
    ar_free(table->missed);
    *table = (ar_adam_rows){0};
}

/* A step without a gradient moves a parameter by first / (sqrt(second) + epsilon), as they were
 * before the first such step, times a number that depends on nothing but the steps: here the sums
 * of these numbers. */

/* The bias corrections of a step. */
static double correction_of(int64_t step, const ar_adam_options *options) {
    double n = (double)step;
    return sqrt(1.0 - pow(options->beta2, n)) / (1.0 - pow(options->beta1, n));
}

/* powers[i]: what is left of first / sqrt(second) after i steps. */
static void find_powers(double *powers, const ar_adam_options *options) {
    for (int64_t i = 0; i <= MISSED_MOST; i++)
        powers[i] = pow(options->beta1 / sqrt(options->beta2), (double)i);
}

/* recent[n]: over the n steps up to the step `last`, n <= MISSED_MOST. */
static void find_recent(double *recent, const double *powers, int64_t last,
                        const ar_adam_options *options) {
    double corrections[MISSED_MOST] = {0.0}; /* [j] of the step that lies j before the last one */
    int64_t most = last < MISSED_MOST ? last : MISSED_MOST;
    for (int64_t j = 0; j < most; j++)
        corrections[j] = correction_of(last - j, options);
    for (int64_t n = 0; n <= MISSED_MOST; n++) {
        recent[n] = 0.0;
        for (int64_t i = 1; i <= n && n <= most; i++)
            recent[n] += powers[i] * corrections[n - i];
    }
}

/* table->moves up to the step `last`: over the MISSED_MOST steps behind each. */
static alterrec_status find_moves(ar_adam_rows *table, const double *powers, int64_t last,
                                  const ar_adam_options *options) {
    int64_t count = last - MISSED_MOST - table->begin;
    void *moves = table->moves;
    if (count <= table->move_count)
        return ALTERREC_OK;
    AR_TRY(ar_grow(&moves, &table->move_capacity, count, sizeof *table->moves));
    table->moves = moves;
    for (; table->move_count < count; table->move_count++) {
        double sum = 0.0;
        for (int64_t i = 1; i <= MISSED_MOST; i++)
            sum += powers[i] * correction_of(table->begin + table->move_count + i, options);
        table->moves[table->move_count] = sum;
    }
    return ALTERREC_OK;
}

static catching_up find_catching_up(const ar_adam_rows *table, int64_t last, int64_t missed,
                                    const ar_adam_options *options) {
    int64_t reached = last - missed;
    double move = missed <= MISSED_MOST ? table->missed->recent[missed]
                                        : table->moves[reached - table->begin];
    double correction = 1.0 - pow(options->beta2, (double)(reached + 1));
    return (catching_up){
        (float)(options->learning_rate * move), (float)pow(options->beta1, (double)missed),
        (float)pow(options->beta2, (double)missed), (float)(options->epsilon * sqrt(correction))};
}

/* table->missed, for rows that are to come to the step `last`. */
static alterrec_status find_missed(ar_adam_rows *table, int64_t last,
                                   const ar_adam_options *options) {
    double powers[MISSED_MOST + 1];
    find_powers(powers, options);
    find_recent(table->missed->recent, powers, last, options);
    AR_TRY(find_moves(table, powers, last, options));
    for (int64_t missed = 0; missed <= MISSED_MOST && missed <= last - table->begin; missed++)
        table->missed->known[missed] = find_catching_up(table, last, missed, options);
    return ALTERREC_OK;
}

/* What brings the row to the step `last`; 0 missed: nothing. */
static int64_t missed_by(catching_up *by, const ar_adam_rows *table, int64_t last, int64_t row,
                         const ar_adam_options *options) {
    int64_t missed = last - table->steps[row];
    *by = missed <= MISSED_MOST ? table->missed->known[missed]
                                : find_catching_up(table, last, missed, options);
    return missed;
}

static inline float moved(float parameter, float first, float second, catching_up by) {
    return parameter - by.move * first / (sqrtf(second) + by.epsilon);
}

AR_CLONES static void move_row(float *dst, const float *parameters, const float *first,
                               const float *second, int64_t dim, catching_up by) {
#pragma omp simd
    for (int64_t i = 0; i < dim; i++)
        dst[i] = moved(parameters[i], first[i], second[i], by);
}

AR_CLONES static void settle_row(float *parameters, float *first, float *second, int64_t dim,
                                 catching_up by) {
#pragma omp simd
    for (int64_t i = 0; i < dim; i++) {
        parameters[i] = moved(parameters[i], first[i], second[i], by);
        first[i] *= by.decay1;
        second[i] *= by.decay2;
    }
}

/* settle_row and a step. */
AR_CLONES static void step_row(float *parameters, float *first, float *second, const float *diff,
                               int64_t dim, catching_up by, const ar_adam_rates *of_step) {
    ar_adam_rates rates = *of_step;
#pragma omp simd
    for (int64_t i = 0; i < dim; i++) {
        parameters[i] = moved(parameters[i], first[i], second[i], by);
        first[i] *= by.decay1;
        second[i] *= by.decay2;
        ar_adam_move(&parameters[i], &first[i], &second[i], diff[i], rates);
    }
}

alterrec_status ar_adam_rows_gather(float *dst, ar_adam_rows *table, const ar_adam *adam,
                                    const float *parameters, const int32_t *touched, int64_t count,
                                    const ar_adam_options *options) {
    int64_t dim = table->dim;
    AR_TRY(find_missed(table, adam->steps, options));
#pragma omp parallel for schedule(static) if (count > PARALLEL_ROWS)
    for (int64_t i = 0; i < count; i++) {
        int64_t at = touched[i] * dim;
        catching_up by;
        if (missed_by(&by, table, adam->steps, touched[i], options) == 0)
            memcpy(dst + i * dim, parameters + at, (size_t)dim * sizeof *dst);
        else
            move_row(dst + i * dim, parameters + at, adam->first + at, adam->second + at, dim, by);
    }
    return ALTERREC_OK;
}

void ar_adam_rows_step(ar_adam_rows *table, ar_adam *adam, float *parameters,
                       const int32_t *touched, int64_t count, const float *diff_rows,
                       const float *diff_rest, const ar_adam_options *options, double row_rate) {
    int64_t dim = table->dim, rest = table->rows * dim, last = adam->steps;
    ar_adam_rates rates = ar_adam_begin(adam, options);
    ar_adam_options of_rows = *options;
    of_rows.learning_rate = row_rate;
    ar_adam_part(adam, parameters, rest, diff_rest, adam->count - rest, &rates);
    rates.rate = ar_adam_rate(adam, row_rate, options);
#pragma omp parallel for schedule(static) if (count > PARALLEL_ROWS)
    for (int64_t i = 0; i < count; i++) {
        int64_t at = touched[i] * dim;
        catching_up by;
        if (missed_by(&by, table, last, touched[i], &of_rows) == 0)
            ar_adam_part_here(adam, parameters, at, diff_rows + i * dim, dim, &rates);
        else
            step_row(parameters + at, adam->first + at, adam->second + at, diff_rows + i * dim, dim,
                     by, &rates);
        table->steps[touched[i]] = adam->steps;
    }
}

alterrec_status ar_adam_rows_settle(ar_adam_rows *table, const ar_adam *adam, float *parameters,
                                    const ar_adam_options *options) {
    int64_t dim = table->dim;
    AR_TRY(find_missed(table, adam->steps, options));
#pragma omp parallel for schedule(static) if (table->rows > PARALLEL_ROWS)
    for (int64_t row = 0; row < table->rows; row++) {
        catching_up by;
        if (missed_by(&by, table, adam->steps, row, options) == 0)
            continue;
        settle_row(parameters + row * dim, adam->first + row * dim, adam->second + row * dim, dim,
                   by);
        table->steps[row] = adam->steps;
    }
    table->begin = adam->steps;
    table->move_count = 0;
    return ALTERREC_OK;
}
