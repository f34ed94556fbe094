/* alterrec recommend: the best next items of sessions. */
#include "arguments.h"
#include "json.h"
#include "program.h"
#include "sessions_input.h"
#include "settings.h"

#include <alterrec/alterrec.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_OF_SESSION = 5 };

typedef struct recommending {
    alterrec_recommender *recommender;
    const alterrec_catalog *catalog; /* the recommender's */
    alterrec_batch *batch;
    int32_t *excluded;
    int64_t excluded_count;
    int64_t k;
    int32_t *items; /* [k] */
    float *scores;  /* [k] */
    bool json;
} recommending;

static void recommending_close(recommending *work) {
    alterrec_batch_free(work->batch);
    alterrec_recommender_free(work->recommender);
    free(work->excluded);
    free(work->items);
    free(work->scores);
}

/* Of `model` and `snapshot` one is NULL. */
static int recommending_open(recommending *work, const char *model, const char *snapshot,
                             bool exclude_own) {
    alterrec_status status = settings_open_recommender(&work->recommender, model, snapshot);
    if (status != ALTERREC_OK || alterrec_batch_create(&work->batch) != ALTERREC_OK ||
        alterrec_batch_exclude_own(work->batch, exclude_own) != ALTERREC_OK)
        return program_library_error();
    work->catalog = alterrec_recommender_catalog(work->recommender);
    if (work->k > alterrec_catalog_items(work->catalog))
        work->k = alterrec_catalog_items(work->catalog);
    work->items = program_resize(NULL, work->k, sizeof *work->items);
    work->scores = program_resize(NULL, work->k, sizeof *work->scores);
    return PROGRAM_OK;
}

/* Looks up the keys of each "KEY,KEY,..." */
static void read_excluded(recommending *work, const text_list *lists) {
    for (int64_t i = 0; i < lists->count; i++) {
        size_t size = strlen(lists->texts[i]) + 1;
        char *key = program_resize(NULL, (int64_t)size, 1);
        const char *at = lists->texts[i];
        while (*(at += strspn(at, ",")) != '\0') {
            size_t length = strcspn(at, ",");
            snprintf(key, size, "%.*s", (int)length, at);
            at += length;
            int32_t item = alterrec_catalog_find(work->catalog, key);
            if (item < 0) {
                program_warn("--exclude: no item %s in the model", key);
                continue;
            }
            work->excluded =
                program_resize(work->excluded, work->excluded_count + 1, sizeof *work->excluded);
            work->excluded[work->excluded_count++] = item;
        }
        free(key);
    }
}

static void print_lines(const recommending *work, const key_session *session) {
    int64_t shown = session->known < SHOWN_OF_SESSION ? session->known : SHOWN_OF_SESSION;
    for (int64_t i = session->known - shown; i < session->known; i++)
        printf("%-5s %-12s %s\n", i == session->known - shown ? "after" : "",
               alterrec_catalog_key(work->catalog, session->items[i]),
               alterrec_catalog_text(work->catalog, session->items[i]));
    for (int64_t rank = 0; rank < work->k && work->items[rank] >= 0; rank++)
        printf("%5" PRId64 " %-12s %8.3f  %s\n", rank + 1,
               alterrec_catalog_key(work->catalog, work->items[rank]), (double)work->scores[rank],
               alterrec_catalog_text(work->catalog, work->items[rank]));
    putchar('\n');
}

static void print_json(const recommending *work, const key_session *session, bool scored) {
    fputs("{\"session\":[", stdout);
    for (int64_t i = 0; i < session->count; i++) {
        if (i > 0)
            putchar(',');
        json_string(stdout, session->keys[i]);
    }
    if (!scored) {
        fputs("],\"error\":\"no item of the session is in the model\"}\n", stdout);
        return;
    }
    fputs("],\"items\":[", stdout);
    for (int64_t rank = 0; rank < work->k && work->items[rank] >= 0; rank++) {
        fputs(rank > 0 ? ",{\"key\":" : "{\"key\":", stdout);
        json_string(stdout, alterrec_catalog_key(work->catalog, work->items[rank]));
        fputs(",\"score\":", stdout);
        json_number(stdout, (double)work->scores[rank], 7);
        fputs(",\"text\":", stdout);
        json_string(stdout, alterrec_catalog_text(work->catalog, work->items[rank]));
        putchar('}');
    }
    fputs("]}\n", stdout);
}

static alterrec_status score(recommending *work, const key_session *session) {
    alterrec_status status = alterrec_batch_clear(work->batch);
    if (status == ALTERREC_OK)
        status = alterrec_batch_add(work->batch, session->items, session->known);
    if (status == ALTERREC_OK && work->excluded_count > 0)
        status = alterrec_batch_exclude(work->batch, -1, work->excluded, work->excluded_count);
    if (status == ALTERREC_OK)
        status = alterrec_recommender_top_k(work->items, work->scores, NULL, work->recommender,
                                            work->batch, work->k, NULL);
    return status;
}

static int recommend_for(recommending *work, const key_session *session) {
    if (session->known == 0) {
        if (work->json)
            print_json(work, session, false);
        return program_error("the session that begins with %s has no item that is in the model",
                             session->keys[0]);
    }
    if (score(work, session) != ALTERREC_OK)
        return program_library_error();
    if (work->json)
        print_json(work, session, true);
    else
        print_lines(work, session);
    return PROGRAM_OK;
}

/* A session that fails does not keep the others from being answered. */
static int recommend_for_file(recommending *work, const char *path) {
    bool standard = strcmp(path, "-") == 0;
    FILE *stream = standard ? stdin : fopen(path, "r");
    if (stream == NULL)
        return program_error("%s: %s", path, strerror(errno));
    int code = PROGRAM_OK;
    key_session session = {0};
    while (key_session_read(&session, stream, work->catalog)) {
        if (recommend_for(work, &session) != PROGRAM_OK)
            code = PROGRAM_ERROR;
    }
    if (ferror(stream))
        code = program_error("%s: %s", path, strerror(errno));
    if (!standard)
        fclose(stream);
    key_session_free(&session);
    return code;
}

static int recommend_for_keys(recommending *work, const text_list *keys) {
    key_session session = {0};
    key_session_take(&session, keys->texts, keys->count, work->catalog);
    int code = recommend_for(work, &session);
    key_session_free(&session);
    return code;
}

int recommend_command(int argc, char **argv) {
    const char *model = NULL;
    const char *snapshot = NULL;
    const char *sessions = NULL;
    text_list excluded = {0};
    bool exclude_own = false;
    recommending work = {.k = 10};
    const cli_flag flags[] = {
        {.name = "model", .value_name = "FILE", .text = &model, .help = "the model file"},
        {.name = "snapshot",
         .value_name = "FILE",
         .text = &snapshot,
         .help = "in its place, a file that alterrec snapshot wrote"},
        {.name = "sessions",
         .value_name = "FILE",
         .text = &sessions,
         .help = "one session of item keys a line; - for standard input"},
        {.name = "k",
         .value_name = "K",
         .number = &work.k,
         .low = 1,
         .high = INT32_MAX,
         .help = "items a session (10)"},
        {.name = "exclude-own",
         .on = &exclude_own,
         .help = "do not recommend what the session holds already"},
        {.name = "exclude",
         .value_name = "KEY,...",
         .list = &excluded,
         .help = "items that are not to be recommended, sold out for instance"},
        {.name = "json", .on = &work.json, .help = "one JSON object a session and line"},
    };
    command_line line = {
        .name = "recommend",
        .synopsis = "--model FILE [--k 10] [flags] KEY KEY ...",
        .about = "Prints the best next items, with scores and titles, of the session that the "
                 "keys make, oldest first, or of every session of a file.",
        .flags = flags,
        .flag_count = sizeof flags / sizeof flags[0],
        .operands_high = -1,
    };
    int code;
    if (!arguments_parse(&code, &line, argc, argv))
        return code;
    if ((model == NULL) == (snapshot == NULL))
        code = arguments_wrong(&line, model == NULL ? "--model FILE or --snapshot FILE is missing"
                                                    : "--model and --snapshot are both given");
    else if ((sessions == NULL) == (line.operands.count == 0))
        code = arguments_wrong(&line, "give the keys of a session, or --sessions FILE");
    else
        code = recommending_open(&work, model, snapshot, exclude_own);
    if (code == PROGRAM_OK) {
        read_excluded(&work, &excluded);
        code = sessions != NULL ? recommend_for_file(&work, sessions)
                                : recommend_for_keys(&work, &line.operands);
    }
    recommending_close(&work);
    arguments_free(&line);
    return code;
}
