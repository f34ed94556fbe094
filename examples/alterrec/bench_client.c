#include "bench_client.h"
#include "program.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    LIVE_LENGTH = 20,    /* a live session of this length starts anew */
    LEAST_REQUESTS = 20, /* of a measurement, however long they take */
    WARM_REQUESTS = 3    /* before it */
};

/* Where clients that have warmed up wait for each other, and what they then share. */
typedef struct gate {
    pthread_barrier_t barrier;
    double start;           /* of the first request */
    atomic_int_fast64_t at; /* the open loop's next request */
} gate;

/* One client: a thread of the host with its own sessions. */
typedef struct client {
    const alterrec_recommender *recommender;
    const bench_sessions *pool;
    serve_row row; /* what is asked, and what was measured */
    int64_t next;  /* session of the pool */
    alterrec_batch *batch;
    alterrec_live_session **live;
    int32_t *items; /* [batch, k] */
    float *scores;
    int32_t *pushed; /* [batch] */
    cli_dice dice;
    struct gate *gate;
    int64_t tokens, requests;
    alterrec_status status;
    char *error;
} client;

/* ---- one request ---- */

static alterrec_status search(client *c, bool live) {
    alterrec_search search = {.struct_size = sizeof search, .threads = (int32_t)c->row.threads};
    alterrec_search_report met = {.struct_size = sizeof met};
    alterrec_status status =
        live ? alterrec_live_sessions_top_k(c->items, c->scores, &met, c->live, c->row.batch,
                                            c->row.k, &search)
             : alterrec_recommender_top_k(c->items, c->scores, &met, c->recommender, c->batch,
                                          c->row.k, &search);
    c->row.guaranteed += met.guaranteed;
    c->row.reranked += met.reranked;
    c->row.rescans += met.rescans;
    return status;
}

/* `batch` visitors come with their whole sessions. */
static alterrec_status ask_sessions(client *c) {
    alterrec_status status = alterrec_batch_clear(c->batch);
    for (int64_t i = 0; i < c->row.batch && status == ALTERREC_OK; i++) {
        int64_t s = c->next++ % c->pool->count, first = c->pool->offsets[s];
        int64_t length = c->pool->offsets[s + 1] - first;
        status = alterrec_batch_add(c->batch, c->pool->items + first, length);
        c->tokens += length;
    }
    return status == ALTERREC_OK ? search(c, false) : status;
}

/* `batch` visitors whose sessions are known each click on one more item. */
static alterrec_status ask_live(client *c) {
    for (int64_t i = 0; i < c->row.batch; i++) {
        if (alterrec_live_session_length(c->live[i]) >= LIVE_LENGTH)
            alterrec_live_session_reset(c->live[i]);
        c->pushed[i] = (int32_t)dice_below(&c->dice, c->row.items);
    }
    alterrec_status status =
        alterrec_live_sessions_push(c->live, c->pushed, c->row.batch, (int32_t)c->row.threads);
    c->tokens += c->row.batch;
    return status == ALTERREC_OK ? search(c, true) : status;
}

static alterrec_status ask(client *c) {
    c->requests++;
    return c->row.mode == MODE_LIVE ? ask_live(c) : ask_sessions(c);
}

/* ---- loops ---- */

/* The next request begins when the last one has ended. */
static void closed_loop(client *c) {
    double begin = machine_seconds(), last = begin;
    while (c->status == ALTERREC_OK) {
        c->status = ask(c);
        double now = machine_seconds();
        bench_times_add(&c->row.times, now - last);
        last = now;
        if (now - begin > c->row.least_seconds && c->row.times.count >= LEAST_REQUESTS)
            break;
    }
    c->row.seconds = last - begin;
}

static void sleep_until(double moment) {
    double wait = moment - machine_seconds();
    if (wait > 0.0) {
        struct timespec pause = {(time_t)wait, (long)((wait - floor(wait)) * 1e9)};
        nanosleep(&pause, NULL);
    }
}

/* Requests arrive at a fixed rate, whether or not the earlier ones are answered; what a request
 * waits for a client counts as its time. */
static void open_loop(client *c) {
    int64_t all = (int64_t)(c->row.rate * c->row.least_seconds);
    for (;;) {
        int64_t request = atomic_fetch_add(&c->gate->at, 1);
        if (request >= all || c->status != ALTERREC_OK)
            break;
        double arrival = c->gate->start + (double)request / c->row.rate;
        sleep_until(arrival);
        c->status = ask(c);
        bench_times_add(&c->row.times, machine_seconds() - arrival);
    }
    c->row.seconds = machine_seconds() - c->gate->start;
}

static void *run_client(void *argument) {
    client *c = argument;
    for (int i = 0; i < WARM_REQUESTS && c->status == ALTERREC_OK; i++)
        c->status = ask(c);
    c->tokens = c->requests = 0;
    c->row.guaranteed = c->row.reranked = c->row.rescans = 0;
    if (pthread_barrier_wait(&c->gate->barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
        c->gate->start = machine_seconds();
    pthread_barrier_wait(&c->gate->barrier);
    if (c->row.rate > 0.0)
        open_loop(c);
    else
        closed_loop(c);
    if (c->status != ALTERREC_OK)
        c->error = strdup(alterrec_last_error());
    return NULL;
}

/* ---- clients ---- */

static int client_open(client *c, int64_t number) {
    const serve_row *row = &c->row;
    c->dice = (cli_dice){(uint64_t)number + 1};
    c->next = number * 131;
    c->items = program_resize(NULL, row->batch * c->row.k, sizeof *c->items);
    c->scores = program_resize(NULL, row->batch * c->row.k, sizeof *c->scores);
    c->pushed = program_resize(NULL, row->batch, sizeof *c->pushed);
    c->live = program_resize(NULL, row->batch, sizeof *c->live);
    for (int64_t i = 0; i < row->batch; i++)
        c->live[i] = NULL;
    alterrec_status status = alterrec_batch_create(&c->batch);
    for (int64_t i = 0; row->mode == MODE_LIVE && i < row->batch && status == ALTERREC_OK; i++)
        status = alterrec_live_session_create(&c->live[i], c->recommender);
    return status == ALTERREC_OK ? PROGRAM_OK : program_library_error();
}

static void client_close(client *c) {
    for (int64_t i = 0; c->live != NULL && i < c->row.batch; i++)
        alterrec_live_session_free(c->live[i]);
    alterrec_batch_free(c->batch);
    bench_times_free(&c->row.times);
    free(c->live);
    free(c->pushed);
    free(c->items);
    free(c->scores);
    free(c->error);
}

/* What all clients measured, as one row. */
static int join_clients(serve_row *row, client *clients, int64_t count) {
    int64_t tokens = 0, requests = 0;
    for (int64_t i = 0; i < count; i++) {
        if (clients[i].status != ALTERREC_OK)
            return program_error("%s", clients[i].error != NULL ? clients[i].error : "failed");
        const serve_row *own = &clients[i].row;
        bench_times_join(&row->times, &own->times);
        row->seconds = own->seconds > row->seconds ? own->seconds : row->seconds;
        row->guaranteed += own->guaranteed;
        row->reranked += own->reranked;
        row->rescans += own->rescans;
        tokens += clients[i].tokens;
        requests += clients[i].requests;
    }
    row->tokens = (double)tokens / (double)(requests > 0 ? requests : 1);
    bench_times_sort(&row->times);
    return PROGRAM_OK;
}

/* Runs the clients, the first of them on this thread. */
static void run_clients(client *clients, int64_t count) {
    pthread_t threads[CLIENTS_MOST];
    for (int64_t i = 1; i < count; i++)
        if (pthread_create(&threads[i], NULL, run_client, &clients[i]) != 0) {
            program_error("no thread could be started");
            exit(PROGRAM_ERROR); /* those that wait at the gate would wait for ever */
        }
    run_client(&clients[0]);
    for (int64_t i = 1; i < count; i++)
        pthread_join(threads[i], NULL);
}

int bench_clients_run(serve_row *row, const alterrec_recommender *recommender,
                      const bench_sessions *pool) {
    client clients[CLIENTS_MOST];
    gate shared = {.at = 0};
    int64_t opened = 0;
    int code = PROGRAM_OK;
    for (; opened < row->clients && code == PROGRAM_OK; opened++) {
        clients[opened] =
            (client){.recommender = recommender, .pool = pool, .row = *row, .gate = &shared};
        code = client_open(&clients[opened], opened);
    }
    if (code == PROGRAM_OK && pthread_barrier_init(&shared.barrier, NULL, (unsigned)opened) == 0) {
        run_clients(clients, opened);
        pthread_barrier_destroy(&shared.barrier);
        code = join_clients(row, clients, opened);
    }
    for (int64_t i = 0; i < opened; i++)
        client_close(&clients[i]);
    return code;
}
