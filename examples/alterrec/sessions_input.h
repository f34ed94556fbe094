/* Sessions of item keys from the command line or from text, one session a line. */
#ifndef SESSIONS_INPUT_H
#define SESSIONS_INPUT_H

#include <alterrec/alterrec.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* One session as the user gave it. */
typedef struct key_session {
    const char **keys; /* [count], into `text` or the command line */
    int64_t count;
    int32_t *items; /* [known]: those that the catalog has */
    int64_t known;
    char *text; /* the line that was read, or NULL */
    size_t text_size;
} key_session;

void key_session_free(key_session *session);

/* Takes the keys, and looks them up in the catalog. */
void key_session_take(key_session *session, const char *const *keys, int64_t count,
                      const alterrec_catalog *catalog);

/* Reads the next line that is not empty: keys parted by tabs if it has any, else by spaces.
 * False at the end of the stream. */
bool key_session_read(key_session *session, FILE *stream, const alterrec_catalog *catalog);

#endif
