/* Files: whole-file mapping for reading, and writing aside + sync + rename. Level: core. */
#ifndef AR_CORE_FILE_H
#define AR_CORE_FILE_H

#include "core/reference.h"
#include "core/text.h"

/* A file mapped read-only. `bytes` is not NULL even for an empty file. */
typedef struct ar_map {
    const char *bytes;
    size_t size;
    void *mapping; /* NULL for an empty file */
} ar_map;

/* Maps the regular file `path`; IO with the reason for anything else (missing, a directory). */
alterrec_status ar_map_open(ar_map *map, const char *path);
void ar_map_close(ar_map *map);

/* A mapping that several handles use arrays of: it lasts until the last one gives it back. */
typedef struct ar_shared_map {
    ar_reference reference;
    ar_map map;
} ar_shared_map;

/* Takes over `map`, which is empty afterwards. */
alterrec_status ar_shared_map_create(ar_shared_map **shared, ar_map *map);

/* Another holder; NULL for NULL. */
ar_shared_map *ar_shared_map_hold(ar_shared_map *shared);
void ar_shared_map_free(ar_shared_map *shared);

/* A file in the making: written under a temporary name beside `path`, or beside what a symbolic
 * link there leads to, and only on commit synced and renamed. */
typedef struct ar_writer {
    char *path;        /* as given, for errors */
    ar_text target;    /* what is replaced */
    ar_text temporary; /* and the name until then */
    char *buffer;
    size_t used; /* bytes of `buffer` that hold data */
    int descriptor;
    int folder;             /* the target's, open */
    alterrec_status status; /* the first failure; later writes do nothing */
} ar_writer;

/* IO for anything at `path` but a regular file, a link to one or to nothing, or nothing. A new file
 * has mode 0666 without the umask, one that is replaced keeps its mode. */
alterrec_status ar_writer_open(ar_writer *writer, const char *path);

/* Errors are kept: only ar_writer_commit needs checking. */
void ar_writer_put(ar_writer *writer, const void *bytes, size_t size);

/* Replaces `size` bytes at `offset`, all of them put before. Errors are kept. */
void ar_writer_patch(ar_writer *writer, int64_t offset, const void *bytes, size_t size);

/* Flushes, syncs, renames; on an error removes the temporary file and leaves the old file as it
 * was. Then syncs the folder: if that fails, IO, and the new file is there. The writer is closed.
 */
alterrec_status ar_writer_commit(ar_writer *writer);

/* Closes without leaving anything behind. */
void ar_writer_abandon(ar_writer *writer);

/* Tests only: write number `countdown` from now (1: the next) fails, once; 0: none. One thread. */
void ar_writer_fail_after(int64_t countdown);

#endif
