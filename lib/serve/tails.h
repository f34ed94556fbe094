/* The rows of one session that may be candidates by their heads, until their tails are looked at.
 * Level: serve. */
#ifndef AR_SERVE_TAILS_H
#define AR_SERVE_TAILS_H

#include "serve/candidates.h"
#include "serve/item_index.h"
#include "serve/query.h"

/* Rows that wait at most. */
enum { AR_TAILS_ROOM = 512 };

typedef struct ar_tail_row {
    float estimate, error; /* of the score without the tail */
    float upper;           /* which the score does not exceed, whatever the tail adds */
    int32_t item;
} ar_tail_row;

typedef struct ar_tails {
    int64_t count, limit;
    bool is_heap; /* the first rows: the highest are looked at first, so that those that follow
                     meet a high threshold */
    ar_tail_row rows[AR_TAILS_ROOM];
} ar_tails;

/* Whose tails they are, and where what is found goes. */
typedef struct ar_tails_session {
    const ar_item_index *index;
    const ar_query *query;
    const void *codes;     /* of the query's tail, [parts, steps] of 4 bytes */
    const int32_t *begins; /* [parts] */
    int parts;
    bool estimates; /* candidates by the compact scores themselves, not by their bounds */
    ar_candidates *candidates;
    void *candidates_work;
} ar_tails_session;

void ar_tails_begin(ar_tails *tails);

/* Adds a row; looks at the tails when there are enough. */
void ar_tails_add(ar_tails *tails, const ar_tails_session *session, ar_tail_row row);

/* Looks at the tails of all that wait and may reach the threshold; those that still may with their
 * tails become candidates. */
void ar_tails_settle(ar_tails *tails, const ar_tails_session *session);

#endif
