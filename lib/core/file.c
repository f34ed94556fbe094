#define _GNU_SOURCE
#include "core/file.h"

#include "core/memory.h"
#include "core/random.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER_SIZE = 1 << 18 };

static _Thread_local int64_t fail_countdown;

void ar_writer_fail_after(int64_t countdown) {
    fail_countdown = countdown;
}

static alterrec_status io_error(const char *path, const char *action) {
    /* strerror_r, GNU form: strerror is not safe to share between threads. */
    char text[128];
    return ar_fail(ALTERREC_ERROR_IO, "%s: %s: %s", path, action,
                   strerror_r(errno, text, sizeof text));
}

static alterrec_status not_regular(const char *path, const struct stat *info) {
    return ar_fail(ALTERREC_ERROR_IO, "%s: %s", path,
                   S_ISDIR(info->st_mode) ? "is a directory, a file was expected"
                                          : "is not a regular file");
}

alterrec_status ar_map_open(ar_map *map, const char *path) {
    *map = (ar_map){.bytes = ""};
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return io_error(path, "cannot open");
    struct stat info;
    alterrec_status status = ALTERREC_OK;
    if (fstat(descriptor, &info) != 0) {
        status = io_error(path, "cannot read its size");
    } else if (!S_ISREG(info.st_mode)) {
        status = not_regular(path, &info);
    } else if (info.st_size > 0) {
        void *mapping = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
        if (mapping == MAP_FAILED)
            status = io_error(path, "cannot map");
        else
            *map = (ar_map){.bytes = mapping, .size = (size_t)info.st_size, .mapping = mapping};
    }
    (void)close(descriptor);
    return status;
}

void ar_map_close(ar_map *map) {
    if (map->mapping != NULL)
        (void)munmap(map->mapping, map->size);
    *map = (ar_map){.bytes = ""};
}

alterrec_status ar_shared_map_create(ar_shared_map **shared, ar_map *map) {
    *shared = NULL;
    ar_shared_map *made;
    AR_NEW(made, 1);
    made->map = *map;
    *map = (ar_map){.bytes = ""};
    *shared = made;
    return ALTERREC_OK;
}

ar_shared_map *ar_shared_map_hold(ar_shared_map *shared) {
    if (shared != NULL)
        ar_reference_take(&shared->reference);
    return shared;
}

void ar_shared_map_free(ar_shared_map *shared) {
    if (shared == NULL || !ar_reference_drop(&shared->reference))
        return;
    ar_map_close(&shared->map);
    ar_free(shared);
}

static void writer_release(ar_writer *writer) {
    if (writer->descriptor >= 0)
        (void)close(writer->descriptor);
    if (writer->folder >= 0)
        (void)close(writer->folder);
    ar_text_free(&writer->target);
    ar_text_free(&writer->temporary);
    ar_free(writer->path);
    ar_free(writer->buffer);
    *writer = (ar_writer){.descriptor = -1, .folder = -1};
}

/* A file takes the place of a regular file or of nothing: a rename would put it in the place of a
 * device or a pipe as well. `*mode` is that of the file there, -1 if there is none. */
static alterrec_status look_at(int64_t *mode, const char *path) {
    struct stat info;
    *mode = -1;
    if (stat(path, &info) != 0)
        return errno == ENOENT ? ALTERREC_OK : io_error(path, "cannot be looked at");
    if (!S_ISREG(info.st_mode))
        return not_regular(path, &info);
    *mode = info.st_mode & 0777;
    return ALTERREC_OK;
}

/* `path`, or what the symbolic links there lead to, whether it exists or not: the links stay. */
static alterrec_status follow_links(ar_text *target, const char *path) {
    enum { MOST = 40 }; /* as the kernel */
    char link[PATH_MAX];
    ar_text_put(target, path, strlen(path));
    for (int links = 0; target->status == ALTERREC_OK && links < MOST; links++) {
        ssize_t length = readlink(target->bytes, link, sizeof link);
        if (length < 0)
            break;
        const char *slash = strrchr(target->bytes, '/');
        target->length = link[0] == '/' || slash == NULL ? 0 : slash + 1 - target->bytes;
        ar_text_put(target, link, (size_t)length);
    }
    return target->status;
}

/* The folder that holds the target, kept open: what can't be synced later is better refused now. */
static alterrec_status open_folder(ar_writer *writer) {
    ar_text folder = {0};
    ar_text_put(&folder, writer->target.bytes, (size_t)writer->target.length);
    if (folder.status != ALTERREC_OK)
        return folder.status;
    writer->folder = open(dirname(folder.bytes), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ar_text_free(&folder);
    return writer->folder >= 0 ? ALTERREC_OK : io_error(writer->path, "cannot open its folder");
}

/* As mkostemps, but with a mode of which the kernel takes away the umask: to ask for that, one has
 * to set it, and other threads would see it. */
static alterrec_status open_temporary(ar_writer *writer, mode_t mode) {
    enum { LETTERS = 6, TRIES = 100 };
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    struct timespec now;
    ar_random random;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    ar_random_seed(&random, ar_random_key(ar_random_key((uint64_t)now.tv_nsec, (uint64_t)getpid()),
                                          (uint64_t)(uintptr_t)writer->buffer));
    for (int tries = 0; tries < TRIES; tries++) {
        char letters[LETTERS + 1] = "";
        for (int i = 0; i < LETTERS; i++)
            letters[i] = alphabet[ar_random_below(&random, sizeof alphabet - 1)];
        writer->temporary.length = 0;
        ar_text_print(&writer->temporary, "%s.%s.tmp", writer->target.bytes, letters);
        if (writer->temporary.status != ALTERREC_OK)
            return writer->temporary.status;
        writer->descriptor =
            open(writer->temporary.bytes, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (writer->descriptor >= 0 || errno != EEXIST)
            break;
    }
    return writer->descriptor >= 0 ? ALTERREC_OK
                                   : io_error(writer->path, "cannot create a file beside it");
}

alterrec_status ar_writer_open(ar_writer *writer, const char *path) {
    int64_t mode;
    *writer = (ar_writer){.descriptor = -1, .folder = -1};
    AR_TRY(look_at(&mode, path));
    writer->path = ar_copy_text(path, strlen(path));
    writer->buffer = ar_new(BUFFER_SIZE, 1);
    alterrec_status status = writer->path != NULL && writer->buffer != NULL
                                 ? follow_links(&writer->target, path)
                                 : ALTERREC_ERROR_OUT_OF_MEMORY;
    if (status == ALTERREC_OK)
        status = open_folder(writer);
    if (status == ALTERREC_OK)
        status = open_temporary(writer, mode < 0 ? 0666 : (mode_t)mode);
    /* A file that is replaced keeps its mode, also where the umask would not give it. */
    if (status == ALTERREC_OK && mode >= 0 && fchmod(writer->descriptor, (mode_t)mode) != 0)
        status = io_error(path, "cannot keep its mode");
    if (status != ALTERREC_OK)
        ar_writer_abandon(writer);
    return status;
}

/* At `offset`, or where the last write ended if it is negative. */
static ssize_t write_some(const ar_writer *writer, const char *bytes, size_t size, int64_t offset) {
    if (fail_countdown > 0 && --fail_countdown == 0) {
        errno = ENOSPC;
        return -1;
    }
    return offset < 0 ? write(writer->descriptor, bytes, size)
                      : pwrite(writer->descriptor, bytes, size, (off_t)offset);
}

static void writer_flush(ar_writer *writer) {
    const char *bytes = writer->buffer;
    while (writer->used > 0 && writer->status == ALTERREC_OK) {
        ssize_t written = write_some(writer, bytes, writer->used, -1);
        if (written > 0) {
            bytes += written;
            writer->used -= (size_t)written;
        } else if (written < 0 && errno != EINTR) {
            writer->status = io_error(writer->path, "cannot write");
        }
    }
    writer->used = 0;
}

void ar_writer_put(ar_writer *writer, const void *bytes, size_t size) {
    const char *next = bytes;
    while (size > 0 && writer->status == ALTERREC_OK) {
        size_t space = BUFFER_SIZE - writer->used;
        size_t part = size < space ? size : space;
        memcpy(writer->buffer + writer->used, next, part);
        writer->used += part;
        next += part;
        size -= part;
        if (writer->used == BUFFER_SIZE)
            writer_flush(writer);
    }
}

void ar_writer_patch(ar_writer *writer, int64_t offset, const void *bytes, size_t size) {
    const char *next = bytes;
    writer_flush(writer);
    while (size > 0 && writer->status == ALTERREC_OK) {
        ssize_t written = write_some(writer, next, size, offset);
        if (written > 0) {
            next += written;
            offset += written;
            size -= (size_t)written;
        } else if (written < 0 && errno != EINTR) {
            writer->status = io_error(writer->path, "cannot write");
        }
    }
}

/* A rename lasts through a power failure only once its folder is synced, which some file systems
 * can't do and need not. */
static alterrec_status sync_folder(const ar_writer *writer) {
    if (fsync(writer->folder) != 0 && errno != EINVAL && errno != EROFS && errno != ENOTSUP)
        return io_error(writer->path, "is written, but its folder cannot be synced");
    return ALTERREC_OK;
}

alterrec_status ar_writer_commit(ar_writer *writer) {
    writer_flush(writer);
    if (writer->status == ALTERREC_OK && fsync(writer->descriptor) != 0)
        writer->status = io_error(writer->path, "cannot sync");
    if (writer->status == ALTERREC_OK && rename(writer->temporary.bytes, writer->target.bytes) != 0)
        writer->status = io_error(writer->path, "cannot rename to it");
    if (writer->status != ALTERREC_OK) {
        alterrec_status status = writer->status;
        ar_writer_abandon(writer);
        return status;
    }
    alterrec_status status = sync_folder(writer);
    writer_release(writer);
    return status;
}

void ar_writer_abandon(ar_writer *writer) {
    if (writer->descriptor >= 0)
        (void)unlink(writer->temporary.bytes);
    writer_release(writer);
}
