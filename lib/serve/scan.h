/* A walk of one thread over a part of the items for a tile of sessions, which gathers candidates.
 * Level: serve. */
#ifndef AR_SERVE_SCAN_H
#define AR_SERVE_SCAN_H

#include "serve/allowed.h"
#include "serve/candidates.h"
#include "serve/item_index.h"
#include "serve/query.h"

/* The sessions of a tile, at most, and the panels that are multiplied in one go. */
enum { AR_SCAN_SESSIONS = 64, AR_SCAN_PANELS = 16 };

/* What the walks of all threads share. */
typedef struct ar_scan {
    const ar_item_index *index;
    const ar_allowed *allowed;
    const float *vectors;    /* [sessions, width] */
    const int64_t *sessions; /* [count]: which of the allowed's sessions they are */
    int64_t count;           /* at most AR_SCAN_SESSIONS */
    bool estimates;          /* candidates by the compact scores themselves, not by their bounds */
    /* Of the compact copy. */
    int parts; /* of a query's codes */
    const ar_query *queries;
    ar_query_codes codes; /* of all queries: [count, parts, steps] of 4 bytes, [count, parts] */
} ar_scan;

/* Bytes of one thread's working memory `scratch`; those of candidates stand apart, in `work`. */
int64_t ar_scan_scratch_bytes(const ar_item_index *index, int64_t rows);

/* Candidates [count], one a session, of panels first .. last - 1. */
void ar_scan_compact(ar_candidates *const *candidates, const ar_scan *scan, int64_t first,
                     int64_t last, void *scratch, void *work);

/* The same with f32 scores, of items order[first] .. order[last - 1], or of items first .. last - 1
 * if order is NULL. */
void ar_scan_exact(ar_candidates *const *candidates, const ar_scan *scan, const int32_t *order,
                   int64_t first, int64_t last, void *scratch, void *work);

#endif
