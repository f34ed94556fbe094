#define _GNU_SOURCE
#include "core/file.h"

#include "core/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
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
        status = ar_fail(ALTERREC_ERROR_IO, "%s: %s", path,
                         S_ISDIR(info.st_mode) ? "is a directory, a file was expected"
                                               : "is not a regular file");
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
    ar_free(writer->path);
    ar_free(writer->temporary);
    ar_free(writer->buffer);
    *writer = (ar_writer){.descriptor = -1};
}

alterrec_status ar_writer_open(ar_writer *writer, const char *path) {
    static const char suffix[] = ".XXXXXX.tmp";
    size_t length = strlen(path);
    *writer = (ar_writer){.descriptor = -1};
    writer->path = ar_copy_text(path, length);
    writer->temporary = ar_new((int64_t)(length + sizeof suffix), 1);
    writer->buffer = ar_new(BUFFER_SIZE, 1);
    if (writer->path == NULL || writer->temporary == NULL || writer->buffer == NULL) {
        writer_release(writer);
        return ALTERREC_ERROR_OUT_OF_MEMORY;
    }
    memcpy(writer->temporary, path, length);
    memcpy(writer->temporary + length, suffix, sizeof suffix);
    writer->descriptor = mkostemps(writer->temporary, 4, O_CLOEXEC);
    if (writer->descriptor < 0) {
        alterrec_status status = io_error(path, "cannot create a file beside it");
        writer_release(writer);
        return status;
    }
    return ALTERREC_OK;
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

/* A rename lasts through a power failure only once its folder is synced. */
static alterrec_status sync_folder(char *path) {
    const char *folder = dirname(path);
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return io_error(folder, "cannot open the folder");
    alterrec_status status = ALTERREC_OK;
    if (fsync(descriptor) != 0 && errno != EINVAL && errno != EROFS)
        status = io_error(folder, "cannot sync the folder");
    (void)close(descriptor);
    return status;
}

/* mkostemps makes a private file; a saved file gets the mode that open(2) would have given it. The
 * process's umask can only be read by setting it, which other threads would see, so the mode of an
 * existing file is kept and a new one is 0644. */
static mode_t mode_for(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 ? info.st_mode & 07777 : 0644;
}

alterrec_status ar_writer_commit(ar_writer *writer) {
    writer_flush(writer);
    if (writer->status == ALTERREC_OK && fchmod(writer->descriptor, mode_for(writer->path)) != 0)
        writer->status = io_error(writer->path, "cannot set the mode");
    if (writer->status == ALTERREC_OK && fsync(writer->descriptor) != 0)
        writer->status = io_error(writer->path, "cannot sync");
    if (writer->status == ALTERREC_OK && rename(writer->temporary, writer->path) != 0)
        writer->status = io_error(writer->path, "cannot rename to it");
    if (writer->status != ALTERREC_OK) {
        alterrec_status status = writer->status;
        ar_writer_abandon(writer);
        return status;
    }
    alterrec_status status = sync_folder(writer->path);
    writer_release(writer);
    return status;
}

void ar_writer_abandon(ar_writer *writer) {
    if (writer->descriptor >= 0)
        (void)unlink(writer->temporary);
    writer_release(writer);
}
