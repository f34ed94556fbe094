/* alterrec vectors: vectors of items and sessions as .npy files, for an index that is not ours. */
#include "arguments.h"
#include "program.h"
#include "sessions_input.h"
#include "settings.h"
#include "terminal.h"

#include <alterrec/alterrec.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Every session of the file, one a line; one without a known item has no vector and is an error. */
static int read_sessions(alterrec_batch *batch, const alterrec_recommender *recommender,
                         const char *path) {
    FILE *stream = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    if (stream == NULL)
        return program_error("%s: %s", path, strerror(errno));
    int code = PROGRAM_OK;
    key_session session = {0};
    const alterrec_catalog *catalog = alterrec_recommender_catalog(recommender);
    while (code == PROGRAM_OK && key_session_read(&session, stream, catalog)) {
        if (session.known == 0)
            code = program_error("%s: the session that begins with %s has no item that is known",
                                 path, session.keys[0]);
        else if (alterrec_batch_add(batch, session.items, session.known) != ALTERREC_OK)
            code = program_library_error();
    }
    if (code == PROGRAM_OK && ferror(stream))
        code = program_error("%s: %s", path, strerror(errno));
    if (stream != stdin)
        fclose(stream);
    key_session_free(&session);
    return code;
}

static int write_sessions(const alterrec_recommender *recommender, const char *sessions,
                          const char *out) {
    alterrec_batch *batch;
    if (alterrec_batch_create(&batch) != ALTERREC_OK)
        return program_library_error();
    int code = read_sessions(batch, recommender, sessions);
    if (code == PROGRAM_OK &&
        alterrec_recommender_write_session_vectors(recommender, batch, out) != ALTERREC_OK)
        code = program_library_error();
    if (code == PROGRAM_OK)
        printf("%s: %s sessions, vectors of %" PRId64 "\n", out,
               terminal_count(alterrec_batch_count(batch)),
               alterrec_recommender_width(recommender));
    alterrec_batch_free(batch);
    return code;
}

static int write_items(const alterrec_recommender *recommender, const char *out) {
    if (alterrec_recommender_write_item_vectors(recommender, out) != ALTERREC_OK)
        return program_library_error();
    printf("%s: %s items, vectors of %" PRId64 "\n", out,
           terminal_count(alterrec_catalog_items(alterrec_recommender_catalog(recommender))),
           alterrec_recommender_width(recommender));
    return PROGRAM_OK;
}

int vectors_command(int argc, char **argv) {
    const char *model = NULL, *snapshot = NULL, *items = NULL, *sessions = NULL, *out = NULL;
    const cli_flag flags[] = {
        {.name = "model", .value_name = "FILE", .text = &model, .help = "the model file"},
        {.name = "snapshot",
         .value_name = "FILE",
         .text = &snapshot,
         .help = "in its place, a file that alterrec snapshot wrote"},
        {.name = "items",
         .value_name = "FILE.npy",
         .text = &items,
         .help = "where the items' vectors go, in the order of the catalog"},
        {.name = "sessions",
         .value_name = "FILE",
         .text = &sessions,
         .help = "one session of item keys a line; - for standard input"},
        {.name = "session-vectors",
         .value_name = "FILE.npy",
         .text = &out,
         .help = "where the sessions' vectors go, in the order of the lines"},
    };
    command_line line = {
        .name = "vectors",
        .synopsis = "--model FILE --items FILE.npy [--sessions FILE --session-vectors FILE.npy]",
        .about =
            "Writes vectors for a vector database or an index of nearest neighbours: the inner "
            "product of an item's and a session's vector is the score that recommend ranks by.",
        .flags = flags,
        .flag_count = sizeof flags / sizeof flags[0],
    };
    int code;
    alterrec_recommender *recommender = NULL;
    if (!arguments_parse(&code, &line, argc, argv))
        return code;
    if ((model == NULL) == (snapshot == NULL))
        code = arguments_wrong(&line, model == NULL ? "--model FILE or --snapshot FILE is missing"
                                                    : "--model and --snapshot are both given");
    else if ((sessions == NULL) != (out == NULL))
        code = arguments_wrong(&line, "--sessions and --session-vectors go together");
    else if (items == NULL && out == NULL)
        code = arguments_wrong(&line, "nothing is asked for: give --items or --session-vectors");
    else if (settings_open_recommender(&recommender, model, snapshot) != ALTERREC_OK)
        code = program_library_error();
    if (code == PROGRAM_OK && items != NULL)
        code = write_items(recommender, items);
    if (code == PROGRAM_OK && out != NULL)
        code = write_sessions(recommender, sessions, out);
    alterrec_recommender_free(recommender);
    arguments_free(&line);
    return code;
}
