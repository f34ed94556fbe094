#include "nn/panels_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f")))
#define INLINE inline __attribute__((always_inline)) TARGET

/* A block's sums stay in the 32 registers. Twelve rows of src take two panels: a panel that comes
 * from far away is then read once for all of them. Fewer rows take four, so that there are chains
 * enough to hide a multiply-add's latency. */
enum { LANES = 16, MANY_ROWS = 12, FEW_ROWS = 6, GROUP = 4 };

/* A block's place in the job. Where a group has fewer panels than GROUP, its last one stands in for
 * those that are not there, and their masks are 0. */
typedef struct place {
    float *dst;
    const float *src;
    const float *bias; /* or NULL */
    const float *panels[GROUP];
    __mmask16 masks[GROUP]; /* the rows of each panel that are there */
} place;

/* The sums of one column. `rows` and `panels` are constants where it is called. */
static INLINE void add_column(__m512 sums[MANY_ROWS][GROUP], const __m512 *values, const float *src,
                              int64_t stride, int rows, int panels) {
    AR_UNROLL(12)
    for (int i = 0; i < rows; i++) {
        __m512 x = _mm512_set1_ps(src[i * stride]);
        AR_UNROLL(4)
        for (int p = 0; p < panels; p++)
            sums[i][p] = _mm512_fmadd_ps(x, values[p], sums[i][p]);
    }
}

static INLINE void add_columns(__m512 sums[MANY_ROWS][GROUP], const ar_panels_job *job,
                               const place *at, int rows, int panels) {
    int64_t columns = job->matrix->columns, stride = job->src_stride;
    const float *src = at->src, *from[GROUP];
    AR_UNROLL(4)
    for (int p = 0; p < panels; p++)
        from[p] = at->panels[p];
    for (int64_t c = 0; c < columns; c++) {
        __m512 values[GROUP];
        AR_UNROLL(4)
        for (int p = 0; p < panels; p++)
            values[p] = _mm512_loadu_ps(from[p] + c * LANES);
        add_column(sums, values, src + c, stride, rows, panels);
    }
}

static INLINE void block(const ar_panels_job *job, const place *at, int rows, int panels) {
    __m512 sums[MANY_ROWS][GROUP], zero = _mm512_setzero_ps();
    AR_UNROLL(4)
    for (int p = 0; p < panels; p++) {
        __m512 bias = zero;
        if (at->bias != NULL)
            bias = _mm512_maskz_loadu_ps(at->masks[p], at->bias + p * LANES);
        AR_UNROLL(12)
        for (int i = 0; i < rows; i++)
            sums[i][p] = bias;
    }
    add_columns(sums, job, at, rows, panels);
    AR_UNROLL(4)
    for (int p = 0; p < panels; p++) {
        AR_UNROLL(12)
        for (int i = 0; i < rows; i++) {
            __m512 sum = job->relu ? _mm512_max_ps(zero, sums[i][p]) : sums[i][p];
            _mm512_mask_storeu_ps(at->dst + i * job->dst_stride + p * LANES, at->masks[p], sum);
        }
    }
}

/* A function for each block: one for all would take a compiler minutes. */
typedef void block_function(const ar_panels_job *job, const place *at);

#define BLOCK(rows, panels)                                                                        \
    static TARGET void block_##rows##x##panels(const ar_panels_job *job, const place *at) {        \
        block(job, at, rows, panels);                                                              \
    }

BLOCK(1, 4)
BLOCK(2, 4)
BLOCK(3, 4)
BLOCK(4, 4)
BLOCK(5, 4)
BLOCK(6, 4)
BLOCK(12, 1)
BLOCK(12, 2)

/* By [rows - 1], and by [panels - 1]. */
static block_function *const few_rows[FEW_ROWS] = {block_1x4, block_2x4, block_3x4,
                                                   block_4x4, block_5x4, block_6x4};
static block_function *const many_rows[2] = {block_12x1, block_12x2};

/* The panels from `first` on, GROUP of them or what is left, and the bias beside them. */
static place group_at(const ar_panels_job *job, int64_t first) {
    const ar_panels *matrix = job->matrix;
    int64_t panels = ar_panels_count(matrix->rows);
    place at = {.bias = job->bias != NULL ? job->bias + first * LANES : NULL};
    for (int64_t p = 0; p < GROUP; p++) {
        int64_t panel = first + p < panels ? first + p : panels - 1;
        int64_t rows = matrix->rows - (first + p) * LANES;
        at.panels[p] = matrix->values + panel * LANES * matrix->columns;
        at.masks[p] = (__mmask16)(rows >= LANES ? 0xFFFF : rows > 0 ? (1 << rows) - 1 : 0);
    }
    return at;
}

/* MANY_ROWS rows with the group's `panels` panels. */
static void multiply_many(const ar_panels_job *job, const place *at, int64_t panels) {
    for (int64_t p = 0; p < panels; p += 2) {
        int64_t width = panels - p < 2 ? panels - p : 2;
        place part = {.dst = at->dst + p * LANES,
                      .src = at->src,
                      .bias = at->bias != NULL ? at->bias + p * LANES : NULL};
        for (int64_t w = 0; w < width; w++) {
            part.panels[w] = at->panels[p + w];
            part.masks[w] = at->masks[p + w];
        }
        many_rows[width - 1](job, &part);
    }
}

void ar_panels_avx512(const ar_panels_job *job) {
    int64_t panels = ar_panels_count(job->matrix->rows);
    for (int64_t first = 0; first < panels; first += GROUP) {
        place at = group_at(job, first);
        for (int64_t i = 0, rows; i < job->count; i += rows) {
            int64_t left = job->count - i;
            rows = left >= MANY_ROWS ? MANY_ROWS : left < FEW_ROWS ? left : FEW_ROWS;
            at.dst = job->dst + i * job->dst_stride + first * LANES;
            at.src = job->src + i * job->src_stride;
            if (rows == MANY_ROWS)
                multiply_many(job, &at, panels - first < GROUP ? panels - first : GROUP);
            else
                few_rows[rows - 1](job, &at);
        }
    }
}
#endif
