#include "serve/head.h"

#include "core/limit.h"
#include "core/memory.h"
#include "core/threads.h"

#include <math.h>
#include <string.h>

enum {
    K = 20,       /* items of a list, usually */
    LEAST = 32,   /* coordinates of a head */
    CHOICES = 32, /* heads that are compared, at most */
    PARTS = 2,    /* codes that a head is multiplied with; the whole, for many sessions, with one */
    FETCH = 64    /* a coordinate of a row that is looked at as a whole costs so many times what one
                    in passing does: the row stands by itself, and while a list is short, more rows
                    are looked at than at the end, which is what is counted */
};

/* More than this share of the whole's work is not worth a second look at some rows. */
#define MOST 0.8

typedef struct choosing {
    const ar_head_sample *sample;
    int64_t width, rows, vectors;
    int64_t *order;         /* [width]: coordinates, those first that count most */
    float *columns;         /* [width, rows]: the rows' coordinates in this order */
    double *norms;          /* [CHOICES, rows]: of a row's coordinates behind a head */
    float *partial, *reach; /* [rows], [CHOICES, rows] */
    int64_t heads[CHOICES], choices;
    double passed[CHOICES];
} choosing;

/* Merges the blocks, each of which is in order. */
static void order_coordinates(int64_t *order, float *counts, const ar_index_shape *shape,
                              const double *shares, int64_t count) {
    int64_t blocks = ar_index_blocks(shape);
    memset(counts, 0, (size_t)blocks * sizeof *counts);
    for (int64_t i = 0; i < count; i++) {
        int64_t best = -1, at = 0;
        for (int64_t b = 0; b < blocks; b++) {
            ar_index_block block = ar_index_block_at(shape, b);
            int64_t next = block.first + (int64_t)counts[b];
            if ((int64_t)counts[b] < block.columns && (best < 0 || shares[next] > shares[at])) {
                best = b;
                at = next;
            }
        }
        counts[best] += 1.0f;
        order[i] = at;
    }
}

/* The heads that are compared, each about a quarter larger than the one before. */
static void list_heads(choosing *c) {
    for (int64_t head = LEAST;
         PARTS * head <= (int64_t)(MOST * (double)c->width) && c->choices < CHOICES;
         head = (head + ar_at_least(head / 4, 16) + 15) / 16 * 16)
        c->heads[c->choices++] = head;
}

static void turn_rows(choosing *c) {
    const ar_head_sample *sample = c->sample;
    for (int64_t r = 0; r < c->rows; r++) {
        const double *row = sample->rows + r * c->width;
        double square = 0.0;
        int64_t choice = c->choices - 1;
        for (int64_t i = c->width - 1; i >= 0; i--) {
            c->columns[i * c->rows + r] = (float)row[c->order[i]];
            square += row[c->order[i]] * row[c->order[i]];
            if (choice >= 0 && i == c->heads[choice])
                c->norms[choice-- * c->rows + r] = sqrt(square);
        }
    }
}

AR_CLONES static void add_column(float *sums, const float *column, float factor, int64_t count) {
    for (int64_t r = 0; r < count; r++)
        sums[r] += factor * column[r];
}

/* The rank-th largest. */
static float nth_largest(float *values, int64_t count, int64_t rank) {
    for (int64_t i = 0; i < rank; i++)
        for (int64_t r = i + 1; r < count; r++)
            if (values[r] > values[i]) {
                float value = values[i];
                values[i] = values[r];
                values[r] = value;
            }
    return values[rank - 1];
}

/* Counts the rows that each head lets through for one vector. */
static void try_vector(choosing *c, const double *vector, int64_t rank) {
    const ar_head_sample *sample = c->sample;
    double square = 0.0;
    int64_t choice = 0;
    for (int64_t i = 0; i < c->width; i++)
        square += vector[c->order[i]] * vector[c->order[i]];
    for (int64_t r = 0; r < c->rows; r++)
        c->partial[r] = (float)sample->biases[r];
    for (int64_t i = 0; i < c->width; i++) {
        double value = vector[c->order[i]];
        if (choice < c->choices && i == c->heads[choice]) {
            double norm = sqrt(fmax(square, 0.0));
            for (int64_t r = 0; r < c->rows; r++)
                c->reach[choice * c->rows + r] =
                    c->partial[r] + (float)(norm * c->norms[choice * c->rows + r]);
            choice++;
        }
        add_column(c->partial, c->columns + i * c->rows, (float)value, c->rows);
        square -= value * value;
    }
    float threshold = nth_largest(c->partial, c->rows, rank);
    for (choice = 0; choice < c->choices; choice++) {
        int64_t passed = 0;
        for (int64_t r = 0; r < c->rows; r++)
            passed += c->reach[choice * c->rows + r] >= threshold;
        c->passed[choice] += (double)passed / (double)c->rows / (double)c->vectors;
    }
}

static int64_t cheapest(const choosing *c) {
    double width = (double)c->width, least = MOST * width;
    int64_t head = c->width;
    for (int64_t i = 0; i < c->choices; i++) {
        double behind = width - (double)c->heads[i];
        double work = PARTS * (double)c->heads[i] + FETCH * c->passed[i] * behind;
        if (work < least) {
            least = work;
            head = c->heads[i];
        }
    }
    return head;
}

static alterrec_status choose(int64_t *head, choosing *c, float *counts,
                              const ar_index_shape *shape) {
    AR_NEW(c->order, c->width);
    *head = c->width;
    if (c->vectors > 0 && c->rows > 0) {
        AR_NEW(c->columns, c->width * c->rows);
        AR_NEW(c->norms, CHOICES * c->rows);
        AR_NEW(c->partial, c->rows);
        AR_NEW(c->reach, CHOICES * c->rows);
        order_coordinates(c->order, counts, shape, c->sample->shares, c->width);
        list_heads(c);
        turn_rows(c);
        int64_t rank = (K * c->rows + shape->items - 1) / shape->items;
        for (int64_t v = 0; v < c->vectors; v++)
            try_vector(c, c->sample->vectors + v * c->width, ar_at_most(rank, c->rows));
        *head = cheapest(c);
    }
    order_coordinates(c->order, counts, shape, c->sample->shares, *head);
    return ALTERREC_OK;
}

alterrec_status ar_head_choose(int64_t *head, float *counts, const ar_index_shape *shape,
                               const ar_head_sample *sample) {
    choosing c = {.sample = sample,
                  .width = shape->towers * shape->dim,
                  .rows = sample->row_count,
                  .vectors = sample->vector_count};
    alterrec_status status = choose(head, &c, counts, shape);
    ar_free(c.order);
    ar_free(c.columns);
    ar_free(c.norms);
    ar_free(c.partial);
    ar_free(c.reach);
    return status;
}
