/* Coordinates in which inner products of two kinds of vectors lie in as few columns as they can.
 * Level: serve. */
#ifndef AR_SERVE_BASIS_H
#define AR_SERVE_BASIS_H

#include "core/status.h"

/* Columns of a vector, at most. */
enum { AR_BASIS_MOST = 512 };

/* `rows` is the covariance [n, n] of vectors y, `vectors` that of vectors z, both symmetric,
 * row-major, positive semidefinite up to rounding, of few samples perhaps: to every direction a
 * small part of the mean variance is added, 1e-5. What is no covariance, or zero, is taken for the
 * identity.
 *
 * map [n, n] and back [n, n] = (mapᵀ)⁻¹ keep inner products: with q = map z and u = back y,
 * q · u = z · y. Row i of both is coordinate i. Coordinates are uncorrelated and have one variance
 * on both sides, shares [n], in descending order. Where that needs numbers near the ends of f32's
 * range, variances of more than 1e115 times the others', the two sides' variances are shares but
 * for a factor and its inverse. Where no such map can be inverted well, it is a permuted diagonal,
 * which leaves correlations and makes the variances equal. map is finite and without subnormals.
 *
 * |z · y - q · u| <= skew |q| |u|, whatever is summed up in double in whatever order, if nothing
 * underflows. n <= AR_BASIS_MOST. OUT_OF_MEMORY, or ALTERREC_OK. */
alterrec_status ar_basis_make(float *map, double *back, double *shares, double *skew,
                              const double *rows, const double *vectors, int64_t n);

#endif
