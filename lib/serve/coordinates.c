#include "serve/coordinates.h"

#include "core/threads.h"

#include <math.h>

/* Goes through the coordinates, block by block. */
typedef struct place {
    int64_t head, tail; /* where the next one of either goes */
} place;

/* Columns by themselves, all of them searched: a product each, and nothing changes its place. */
static bool is_diagonal(const ar_item_index *index) {
    return index->shape.block == 1 && index->shape.head == index->width;
}

static int64_t next_place(place *at, const ar_item_index *index, int64_t block, int64_t i) {
    return (float)i < index->counts[block] ? at->head++ : at->tail++;
}

/* The products of so many rows of the map, `stride` apart: a single sum would only wait for itself.
 */
AR_CLONES static void multiply_map(double *to, const float *map, int64_t stride, const double *z,
                                   int64_t count) {
    const float *second = map + stride, *third = second + stride, *fourth = third + stride;
    double a = 0.0, b = 0.0, c = 0.0, d = 0.0;
#pragma omp simd reduction(+ : a, b, c, d)
    for (int64_t i = 0; i < count; i++) {
        a += (double)map[i] * z[i];
        b += (double)second[i] * z[i];
        c += (double)third[i] * z[i];
        d += (double)fourth[i] * z[i];
    }
    to[0] = a;
    to[1] = b;
    to[2] = c;
    to[3] = d;
}

void ar_coordinates_of_vector(double *to, const ar_item_index *index, const double *z) {
    const ar_index_shape *shape = &index->shape;
    place at = {0, shape->head};
    if (is_diagonal(index)) {
        for (int64_t c = 0; c < index->width; c++)
            to[c] = (double)index->map[c] * z[c];
        return;
    }
    for (int64_t b = 0; b < ar_index_blocks(shape); b++) {
        ar_index_block block = ar_index_block_at(shape, b);
        const float *map = index->map + block.first * shape->block;
        for (int64_t i = 0, rows; i < block.columns; i += rows) {
            double sums[AR_COORDINATES_ROWS];
            rows = block.columns - i < AR_COORDINATES_ROWS ? 1 : AR_COORDINATES_ROWS;
            multiply_map(sums, map + i * shape->block, rows > 1 ? shape->block : 0, z + block.first,
                         block.columns);
            for (int64_t r = 0; r < rows; r++)
                to[next_place(&at, index, b, i + r)] = sums[r];
        }
    }
}

/* The products of AR_COORDINATES_ROWS rows, `stride` apart, to so many places. */
AR_CLONES static void multiply_rows(double *to, const double *back, const double *rows,
                                    int64_t stride, int64_t count) {
    const double *second = rows + stride, *third = second + stride, *fourth = third + stride;
    double a = 0.0, b = 0.0, c = 0.0, d = 0.0;
#pragma omp simd reduction(+ : a, b, c, d)
    for (int64_t i = 0; i < count; i++) {
        a += back[i] * rows[i];
        b += back[i] * second[i];
        c += back[i] * third[i];
        d += back[i] * fourth[i];
    }
    to[0] = a;
    to[stride] = b;
    to[2 * stride] = c;
    to[3 * stride] = d;
}

void ar_coordinates_of_rows(double *to, const ar_item_index *index, const double *back,
                            const double *rows) {
    const ar_index_shape *shape = &index->shape;
    place at = {0, shape->head};
    if (is_diagonal(index)) {
        for (int64_t i = 0; i < AR_COORDINATES_ROWS * index->width; i++)
            to[i] = back[i % index->width] * rows[i];
        return;
    }
    for (int64_t b = 0; b < ar_index_blocks(shape); b++) {
        ar_index_block block = ar_index_block_at(shape, b);
        for (int64_t i = 0; i < block.columns; i++, back += shape->block)
            multiply_rows(to + next_place(&at, index, b, i), back, rows + block.first, index->width,
                          block.columns);
    }
}

double ar_coordinates_norm(const double *coordinates, int64_t count) {
    double square = 0.0;
    for (int64_t c = 0; c < count; c++)
        square += coordinates[c] * coordinates[c];
    return sqrt(square);
}
