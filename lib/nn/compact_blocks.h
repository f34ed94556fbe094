/* The blocks of a product with a compact matrix in AVX-512, for a file that says by what
 * instruction: TARGET, add(sum, values, src), and begin_at(begin, i). Level: nn. */
#ifndef AR_NN_COMPACT_BLOCKS_H
#define AR_NN_COMPACT_BLOCKS_H

#include "nn/compact_kernels.h"
#include "nn/panels_kernels.h"

#include <string.h>

/* Many rows of src take 12 x 2 panels, whose 24 sums stay in registers; few take 4 panels, so that
 * there are chains enough to hide the latency of one. One or two take a panel after the other: they
 * only wait for the matrix, and a machine reads ahead in one place better than in four, and better
 * than it is told to. */
enum { LANES = 16, MOST_ROWS = 12, FEW_ROWS = 6, LONE_ROWS = 2, GROUP = 4 };

/* The step at `at` in every lane. */
static INLINE __m512i spread(const char *src, int64_t at) {
    int32_t step;
    memcpy(&step, src + 4 * at, sizeof step);
    return _mm512_set1_epi32(step);
}

/* What is multiplied later, to be fetched meanwhile: the job's next group of panels if these rows
 * of src are all there are, else the caller's next panels, shared out to the blocks of all rows but
 * the first, which wait for the job's own. */
static INLINE const char *ahead_of(const ar_compact_job *job, int64_t i, int64_t first, int group) {
    const char *matrix = job->matrix, *next = job->next != NULL ? job->next : matrix;
    int64_t bytes = job->steps * 64, blocks = job->panels / group;
    if (job->count <= MOST_ROWS)
        return first + group < job->panels ? matrix + (first + group) * bytes : next;
    int64_t panel = (i / FEW_ROWS / 2 - 1) * blocks + first / group;
    bool wanted = panel >= 0 && panel < job->panels;
    return wanted ? next + panel * bytes : matrix + first * bytes;
}

/* `rows` x `panels`, constants where it is called. Sums are kept as bits, whatever they are. */
static INLINE void block(const ar_compact_job *job, int64_t i, int64_t first, int rows,
                         int panels) {
    __m512i sums[MOST_ROWS][GROUP];
    int64_t steps = job->steps, stride = job->dst_stride;
    const char *src = (const char *)job->src + i * steps * 4;
    const char *matrix = (const char *)job->matrix + first * steps * 64;
    const char *ahead = ahead_of(job, i, first, panels);
    const int lines = rows <= LONE_ROWS ? 0 : panels == GROUP ? GROUP : 1;
    AR_UNROLL(12)
    for (int r = 0; r < rows; r++) {
        AR_UNROLL(4)
        for (int p = 0; p < panels; p++)
            sums[r][p] = begin_at(job->begin, i + r);
    }
    for (int64_t s = 0; s < steps; s++) {
        __m512i values[GROUP];
        AR_UNROLL(4)
        for (int l = 0; l < lines; l++)
            _mm_prefetch(ahead + (s * lines + l) * 64, _MM_HINT_T1);
        AR_UNROLL(4)
        for (int p = 0; p < panels; p++)
            values[p] = _mm512_loadu_si512(matrix + (p * steps + s) * 64);
        AR_UNROLL(12)
        for (int r = 0; r < rows; r++) {
            __m512i x = spread(src, r * steps + s);
            AR_UNROLL(4)
            for (int p = 0; p < panels; p++)
                sums[r][p] = add(sums[r][p], values[p], x);
        }
    }
    int32_t *dst = (int32_t *)job->dst + i * stride + first * LANES;
    AR_UNROLL(12)
    for (int r = 0; r < rows; r++) {
        AR_UNROLL(4)
        for (int p = 0; p < panels; p++)
            _mm512_storeu_si512(dst + r * stride + p * LANES, sums[r][p]);
    }
}

#define CASE(rows)                                                                                 \
    case rows:                                                                                     \
        block(job, i, first, rows, panels);                                                        \
        break

/* 1..6 rows. */
static INLINE void few_rows(const ar_compact_job *job, int64_t i, int64_t first, int64_t rows,
                            int panels) {
    switch (rows) {
        CASE(1);
        CASE(2);
        CASE(3);
        CASE(4);
        CASE(5);
        CASE(6);
    default:
        break;
    }
}

/* 7..12 rows. */
static INLINE void more_rows(const ar_compact_job *job, int64_t i, int64_t first, int64_t rows,
                             int panels) {
    switch (rows) {
        CASE(7);
        CASE(8);
        CASE(9);
        CASE(10);
        CASE(11);
        CASE(12);
    default:
        break;
    }
}

static TARGET void any_rows(const ar_compact_job *job, int64_t i, int64_t first, int64_t rows,
                            int64_t panels) {
    if (rows > FEW_ROWS && panels == 2)
        more_rows(job, i, first, rows, 2);
    else if (rows > FEW_ROWS)
        more_rows(job, i, first, rows, 1);
    else if (panels == GROUP)
        few_rows(job, i, first, rows, GROUP);
    else
        few_rows(job, i, first, rows, 1);
}

/* Twelve rows of src with all panels before the next twelve, these then being in the nearest
 * cache. */
static TARGET void multiply(const ar_compact_job *job) {
    int64_t rows;
    for (int64_t i = 0; i < job->count; i += rows) {
        int64_t left = job->count - i, first = 0;
        rows = left <= MOST_ROWS ? left : left < 2 * MOST_ROWS ? (left + 1) / 2 : MOST_ROWS;
        int64_t group = rows <= LONE_ROWS ? 1 : rows <= FEW_ROWS ? GROUP : 2;
        for (; first + group <= job->panels; first += group)
            any_rows(job, i, first, rows, group);
        for (; first < job->panels; first++)
            any_rows(job, i, first, rows, 1);
    }
}

#endif
