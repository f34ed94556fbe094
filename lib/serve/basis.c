#include "serve/basis.h"

#include "core/memory.h"
#include "core/threads.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* What is added to every direction's variance, of the mean variance. */
#define PART 1e-5

/* How far from orthogonal columns may stay. What is left of a column in another is scaled up by the
 * ratio of their norms, of which 1e6 is common. */
#define ORTHOGONAL 1e-9

/* The largest skew that is worth having. */
#define SKEW_MOST 1e-6

/* The balance of both sides is kept within its inverse and this, so that map, which differs from
 * it by a few thousand at most, is within f32's range. */
#define BALANCE_MOST 0x1p96

enum { SWEEPS = 40 };

/* Working memory. All matrices are [n, n], row-major. */
typedef struct work {
    int64_t n;
    double *rows, *vectors;           /* lower triangular: the covariances' factors */
    double rows_scale, vectors_scale; /* the mean variances, by which these were divided */
    double *product;                  /* the memory of columns */
    double **columns;                 /* [n] of rowsᵀ · vectors, each [n] */
    double *squares;                  /* [n], their squared norms */
    int64_t *pivots;                  /* [n] */
} work;

AR_CLONES static double dot(const double *a, const double *b, int64_t count) {
    double sum = 0.0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

AR_CLONES static double dot_f32(const double *a, const float *b, int64_t count) {
    double sum = 0.0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < count; i++)
        sum += a[i] * (double)b[i];
    return sum;
}

AR_CLONES static void add(double *restrict dst, const double *restrict src, double factor,
                          int64_t count) {
    for (int64_t i = 0; i < count; i++)
        dst[i] += factor * src[i];
}

AR_CLONES static void rotate(double *restrict a, double *restrict b, double cosine, double sine,
                             int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        double left = a[i], right = b[i];
        a[i] = cosine * left - sine * right;
        b[i] = sine * left + cosine * right;
    }
}

/* factor [n, n], lower triangular, with factor · factorᵀ = covariance / scale + PART I. The pivots
 * of a covariance are at least PART; whether they are, but for rounding. */
static bool factorise(double *factor, const double *covariance, double scale, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        double *row = factor + i * n;
        for (int64_t j = 0; j < i; j++) {
            const double *column = factor + j * n;
            row[j] = (covariance[i * n + j] / scale - dot(row, column, j)) / column[j];
        }
        double pivot = covariance[i * n + i] / scale + PART - dot(row, row, i);
        if (!(pivot >= PART / 2.0))
            return false;
        row[i] = sqrt(pivot);
    }
    return true;
}

/* Fills a zeroed `factor` and returns the mean variance, by which it is to be multiplied. */
static double take_covariance(double *factor, const double *covariance, int64_t n) {
    double trace = 0.0;
    for (int64_t i = 0; i < n; i++)
        trace += covariance[i * n + i];
    double scale = trace / (double)n;
    if (!(scale > 0.0 && scale <= DBL_MAX))
        scale = 0.0;
    if (scale == 0.0 || !factorise(factor, covariance, scale, n)) {
        memset(factor, 0, (size_t)(n * n) * sizeof *factor);
        for (int64_t i = 0; i < n; i++)
            factor[i * n + i] = 1.0;
    }
    return scale > 0.0 ? scale : 1.0;
}

/* Puts the longer column first and makes both orthogonal; whether they were not. */
static bool straighten_pair(double **columns, double *squares, int64_t i, int64_t j, int64_t n) {
    if (squares[i] < squares[j]) {
        double *column = columns[i], square = squares[i];
        columns[i] = columns[j];
        columns[j] = column;
        squares[i] = squares[j];
        squares[j] = square;
    }
    double product = dot(columns[i], columns[j], n);
    if (fabs(product) <= ORTHOGONAL * sqrt(squares[i] * squares[j]))
        return false;
    double ratio = (squares[j] - squares[i]) / (2.0 * product);
    double tangent = copysign(1.0 / (fabs(ratio) + sqrt(1.0 + ratio * ratio)), ratio);
    double cosine = 1.0 / sqrt(1.0 + tangent * tangent);
    rotate(columns[i], columns[j], cosine, cosine * tangent, n);
    squares[i] -= tangent * product;
    squares[j] += tangent * product;
    return true;
}

/* One-sided Jacobi: turns columns until they are orthogonal, in descending order of norm; whether
 * they came to be. */
static bool straighten(work *w) {
    bool turned = true;
    for (int sweep = 0; sweep < SWEEPS && turned; sweep++) {
        turned = false;
        for (int64_t i = 0; i < w->n; i++)
            w->squares[i] = dot(w->columns[i], w->columns[i], w->n);
        for (int64_t i = 0; i < w->n; i++)
            for (int64_t j = i + 1; j < w->n; j++)
                turned = straighten_pair(w->columns, w->squares, i, j, w->n) || turned;
    }
    return !turned;
}

/* With the covariances K Kᵀ of y and L Lᵀ of z and Kᵀ L = U S Vᵀ, map = S^½ Vᵀ L⁻¹ makes S of the
 * covariance of z, and back = S^-½ Vᵀ Lᵀ makes S of that of y. Turning Kᵀ L's columns gives U S,
 * so that map = S^-½ Uᵀ Kᵀ needs neither V nor an inverse. The scales make S S · scales, and are
 * shared out by `balance`. */
static bool fill_map(float *map, double *shares, work *w, double balance) {
    int64_t n = w->n;
    for (int64_t i = 0; i < n; i++) {
        w->columns[i] = w->product + i * n;
        for (int64_t k = i; k < n; k++)
            add(w->columns[i], w->rows + k * n, w->vectors[k * n + i], k + 1);
    }
    if (!straighten(w))
        return false;
    for (int64_t i = 0; i < n; i++) {
        double share = sqrt(w->squares[i]), factor = balance / (share * sqrt(share));
        for (int64_t k = 0; k < n; k++) {
            double value = factor * dot(w->rows + k * n, w->columns[i], k + 1);
            map[i * n + k] = fabs(value) < (double)FLT_MIN ? 0.0f : (float)value;
        }
        shares[i] = share * sqrt(w->rows_scale) * sqrt(w->vectors_scale);
    }
    return true;
}

/* back = (mapᵀ)⁻¹ in place by Gauss and Jordan; whether there is one. */
static bool invert(double *back, const float *map, int64_t *pivots, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < n; k++)
            back[k * n + i] = (double)map[i * n + k];
    for (int64_t k = 0; k < n; k++) {
        int64_t pivot = k;
        for (int64_t i = k + 1; i < n; i++)
            if (fabs(back[i * n + k]) > fabs(back[pivot * n + k]))
                pivot = i;
        pivots[k] = pivot;
        double *row = back + k * n, *other = back + pivot * n;
        for (int64_t c = 0; c < n && pivot != k; c++) {
            double value = row[c];
            row[c] = other[c];
            other[c] = value;
        }
        if (row[k] == 0.0)
            return false;
        double inverse = 1.0 / row[k];
        row[k] = 1.0;
        for (int64_t c = 0; c < n; c++)
            row[c] *= inverse;
        for (int64_t i = 0; i < n; i++) {
            if (i == k)
                continue;
            double factor = back[i * n + k];
            back[i * n + k] = 0.0;
            add(back + i * n, row, -factor, n);
        }
    }
    /* It is the inverse of the matrix with its rows exchanged: exchange its columns back. */
    for (int64_t k = n - 1; k >= 0; k--)
        for (int64_t i = 0; i < n && pivots[k] != k; i++) {
            double value = back[i * n + k];
            back[i * n + k] = back[i * n + pivots[k]];
            back[i * n + pivots[k]] = value;
        }
    return true;
}

/* The rounding of n products and their sum in double, in any order, relative to the product of
 * both factors' norms. */
static double sum_error(int64_t n) {
    return (double)(n + 8) * 0x1p-53;
}

/* With F = I - back · mapᵀ, z · y = (map⁻¹ q) · (back⁻¹ u) = qᵀ (back · mapᵀ)⁻¹ u, which differs
 * from q · u by qᵀ F (I - F)⁻¹ u, at most |F| / (1 - |F|) |q| |u|. Measuring F errs by at most
 * sums = sum_error |map| |back|. Since map⁻¹ = backᵀ (I - Fᵀ)⁻¹, z is at most
 * |back| |q| / (1 - |F|), so q errs by at most sums |q| / (1 - |F|), u likewise by sums |u|, and
 * both q · u and z · y by sums |q| |u|. All are below SKEW_MOST or not taken: a tenth more is more
 * than enough for what they are multiplied by, and for the norms. */
static double measure(const float *map, const double *back, int64_t n) {
    double residual = 0.0, maps = 0.0, backs = 0.0;
    for (int64_t i = 0; i < n; i++) {
        for (int64_t k = 0; k < n; k++) {
            double value = dot_f32(back + i * n, map + k * n, n) - (i == k ? 1.0 : 0.0);
            residual += value * value;
            maps += (double)map[i * n + k] * (double)map[i * n + k];
        }
        backs += dot(back + i * n, back + i * n, n);
    }
    return 1.1 * (sqrt(residual) + 5.0 * sum_error(n) * sqrt(maps) * sqrt(backs));
}

/* Each axis by itself. Nothing is summed up then but q · u and z · y. */
static void fill_diagonal(float *map, double *back, double *shares, double *skew, work *w,
                          double balance) {
    int64_t n = w->n;
    memset(map, 0, (size_t)(n * n) * sizeof *map);
    memset(back, 0, (size_t)(n * n) * sizeof *back);
    for (int64_t i = 0; i < n; i++)
        w->squares[i] = dot(w->rows + i * n, w->rows + i * n, i + 1) *
                        dot(w->vectors + i * n, w->vectors + i * n, i + 1);
    for (int64_t i = 0; i < n; i++) {
        int64_t best = 0;
        for (int64_t k = 1; k < n; k++)
            best = w->squares[k] > w->squares[best] ? k : best;
        const double *row = w->rows + best * n, *vector = w->vectors + best * n;
        double ratio = dot(row, row, best + 1) / dot(vector, vector, best + 1);
        map[i * n + best] = (float)(balance * sqrt(sqrt(ratio)));
        back[i * n + best] = 1.0 / (double)map[i * n + best];
        shares[i] = sqrt(w->squares[best]) * sqrt(w->rows_scale) * sqrt(w->vectors_scale);
        w->squares[best] = -1.0;
    }
    *skew = 4.0 * sum_error(n);
}

alterrec_status ar_basis_make(float *map, double *back, double *shares, double *skew,
                              const double *rows, const double *vectors, int64_t n) {
    alterrec_status status = ALTERREC_ERROR_OUT_OF_MEMORY;
    work w = {.n = n};
    w.rows = ar_new(n * n, sizeof *w.rows);
    w.vectors = ar_new(n * n, sizeof *w.vectors);
    w.product = ar_new(n * n, sizeof *w.product);
    w.columns = ar_new(n, sizeof *w.columns);
    w.squares = ar_new(n, sizeof *w.squares);
    w.pivots = ar_new(n, sizeof *w.pivots);
    if (w.rows == NULL || w.vectors == NULL || w.product == NULL || w.columns == NULL ||
        w.squares == NULL || w.pivots == NULL)
        goto done;
    w.rows_scale = take_covariance(w.rows, rows, n);
    w.vectors_scale = take_covariance(w.vectors, vectors, n);
    double balance = sqrt(sqrt(w.rows_scale)) / sqrt(sqrt(w.vectors_scale));
    balance = fmin(fmax(balance, 1.0 / BALANCE_MOST), BALANCE_MOST);
    bool made = fill_map(map, shares, &w, balance) && invert(back, map, w.pivots, n);
    if (made)
        *skew = measure(map, back, n);
    if (!made || !(*skew <= SKEW_MOST))
        fill_diagonal(map, back, shares, skew, &w, balance);
    status = ALTERREC_OK;
done:
    ar_free(w.rows);
    ar_free(w.vectors);
    ar_free(w.product);
    ar_free(w.columns);
    ar_free(w.squares);
    ar_free(w.pivots);
    return status;
}
