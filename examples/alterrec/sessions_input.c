#include "sessions_input.h"
#include "program.h"

#include <stdlib.h>
#include <string.h>

void key_session_free(key_session *session) {
    free(session->keys);
    free(session->items);
    free(session->text);
    *session = (key_session){0};
}

static void look_up(key_session *session, const alterrec_catalog *catalog) {
    session->items = program_resize(session->items, session->count, sizeof *session->items);
    session->known = 0;
    for (int64_t i = 0; i < session->count; i++) {
        int32_t item = alterrec_catalog_find(catalog, session->keys[i]);
        if (item >= 0)
            session->items[session->known++] = item;
        else
            program_warn("no item %s in the model", session->keys[i]);
    }
}

static void add_key(key_session *session, const char *key) {
    session->keys = program_resize(session->keys, session->count + 1, sizeof *session->keys);
    session->keys[session->count++] = key;
}

void key_session_take(key_session *session, const char *const *keys, int64_t count,
                      const alterrec_catalog *catalog) {
    session->count = 0;
    for (int64_t i = 0; i < count; i++)
        add_key(session, keys[i]);
    look_up(session, catalog);
}

/* Cuts the line into keys in place. */
static void split_line(key_session *session) {
    const char *separators = strchr(session->text, '\t') != NULL ? "\t\r\n" : " \r\n";
    session->count = 0;
    for (char *at = session->text; *(at += strspn(at, separators)) != '\0';) {
        add_key(session, at);
        at += strcspn(at, separators);
        if (*at != '\0')
            *at++ = '\0';
    }
}

bool key_session_read(key_session *session, FILE *stream, const alterrec_catalog *catalog) {
    while (getline(&session->text, &session->text_size, stream) >= 0) {
        split_line(session);
        if (session->count > 0) {
            look_up(session, catalog);
            return true;
        }
    }
    return false;
}
