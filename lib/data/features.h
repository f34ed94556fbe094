/* The items' text features. Level: data. */
#ifndef AR_DATA_FEATURES_H
#define AR_DATA_FEATURES_H

#include "core/status.h"
#include "data/npy.h"

/* BUSY, naming `function`, while a model holds the catalog: its text tower has the features' shape,
 * and a training reads them where they are. */
alterrec_status ar_features_check_free(const alterrec_catalog *catalog, const char *function);

/* Gives the catalog its features, [items, dim], from ar_new and taken over; the ones before are
 * freed. */
void ar_features_take(alterrec_catalog *catalog, float *features, int64_t dim);

#endif
