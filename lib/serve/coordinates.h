/* Vectors and rows in an item index's coordinates, those of its head first. Level: serve. */
#ifndef AR_SERVE_COORDINATES_H
#define AR_SERVE_COORDINATES_H

#include "serve/item_index.h"

/* Rows whose coordinates are made together. */
enum { AR_COORDINATES_ROWS = 4 };

/* to [width] of a session vector less its offset, z [width], by the index's map. */
void ar_coordinates_of_vector(double *to, const ar_item_index *index, const double *z);

/* to [AR_COORDINATES_ROWS, width] of so many rows less their centre, by back [width, block], the
 * inverse transposes of the map's blocks. */
void ar_coordinates_of_rows(double *to, const ar_item_index *index, const double *back,
                            const double *rows);

/* The norm of `count` of them. */
double ar_coordinates_norm(const double *coordinates, int64_t count);

#endif
