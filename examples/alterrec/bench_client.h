/* Clients of a recommender: threads of a host that ask it, each with its own sessions, and what
 * they wait for the answers. */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include "bench.h"
#include "bench_model.h"

#include <alterrec/alterrec.h>

enum { CLIENTS_MOST = 64 };

typedef enum serve_mode {
    MODE_SESSIONS, /* visitors come with their whole sessions */
    MODE_LIVE      /* visitors whose sessions are known click on one more item */
} serve_mode;

/* One row of the report: what is asked, and what was measured. */
typedef struct serve_row {
    serve_mode mode;
    const char *precision;
    int64_t items, width, batch, threads, clients, k;
    double rate;                           /* requests a second that arrive; 0: closed loop */
    double least_seconds;                  /* how long it is measured */
    bench_times times;                     /* of requests, sorted */
    double seconds;                        /* from the first to the last */
    double tokens;                         /* encoded by a request, on average */
    int64_t guaranteed, reranked, rescans; /* of all requests */
} serve_row;

/* Runs row->clients clients and fills what was measured; an exit code, what is wrong has been said.
 */
int bench_clients_run(serve_row *row, const alterrec_recommender *recommender,
                      const bench_sessions *pool);

#endif
