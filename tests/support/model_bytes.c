#include "support/model_bytes.h"

#include "support/small_model.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

alterrec_model *tiny_model(bool text) {
    static const char *const keys[] = {"a", "b", "c"};
    static const char *const texts[] = {"caf\xC3\xA9 \"noir\"", "", "tea\tpot"};
    static const float features[TINY_ITEMS * TINY_FEATURES] = {1.0f,  -2.0f, 0.5f,
                                                               0.25f, -1.0f, 3.0f};
    static const char *const options[][2] = {{"model.dim", "4"},           {"model.heads", "2"},
                                             {"model.blocks", "1"},        {"model.max_len", "3"},
                                             {"model.temperature", "0.2"}, {"fusion.alpha", "0.3"}};
    alterrec_catalog *catalog;
    alterrec_config *config;
    alterrec_model *model;
    MUST(alterrec_config_create(&config));
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        MUST(alterrec_config_set(config, options[i][0], options[i][1]));
    MUST(alterrec_catalog_create(&catalog, keys, text ? texts : NULL, TINY_ITEMS));
    if (text)
        MUST(alterrec_catalog_set_features(catalog, features, TINY_ITEMS, TINY_FEATURES));
    MUST(alterrec_model_create(&model, catalog, config));
    alterrec_catalog_free(catalog);
    alterrec_config_free(config);
    return model;
}

void model_bytes_read(model_bytes *file, const char *path) {
    FILE *stream = fopen(path, "rb");
    ck_assert_ptr_nonnull(stream);
    ck_assert_int_eq(fseek(stream, 0, SEEK_END), 0);
    file->size = (size_t)ftell(stream);
    rewind(stream);
    file->bytes = malloc(file->size + 1);
    ck_assert_ptr_nonnull(file->bytes);
    ck_assert_uint_eq(fread(file->bytes, 1, file->size, stream), file->size);
    ck_assert_int_eq(fclose(stream), 0);
}

void model_bytes_free(model_bytes *file) {
    free(file->bytes);
    *file = (model_bytes){0};
}

char *model_bytes_header(const model_bytes *file, size_t *length) {
    uint64_t header = 0;
    ck_assert_uint_gt(file->size, 8);
    for (int i = 7; i >= 0; i--)
        header = header << 8 | (unsigned char)file->bytes[i];
    ck_assert_uint_le(header, file->size - 8);
    *length = (size_t)header;
    return file->bytes + 8;
}

/* The first `what` of the header, or NULL. */
static char *find(const model_bytes *file, const char *what) {
    size_t length, size = strlen(what);
    char *header = model_bytes_header(file, &length);
    for (size_t i = 0; i + size <= length; i++)
        if (memcmp(header + i, what, size) == 0)
            return header + i;
    return NULL;
}

void model_bytes_edit(model_bytes *file, const char *from, const char *to) {
    size_t length, old = strlen(from), now = strlen(to);
    char *place = find(file, from);
    ck_assert_msg(place != NULL, "the header has no %s", from);
    size_t before = (size_t)(place - file->bytes);
    (void)model_bytes_header(file, &length);
    char *edited = malloc(file->size + now + 1);
    ck_assert_ptr_nonnull(edited);
    memcpy(edited, file->bytes, before);
    memcpy(edited + before, to, now);
    memcpy(edited + before + now, file->bytes + before + old, file->size - before - old);
    length = length + now - old;
    for (int i = 0; i < 8; i++)
        edited[i] = (char)(unsigned char)((uint64_t)length >> (8 * i));
    free(file->bytes);
    file->bytes = edited;
    file->size = file->size + now - old;
}

void model_bytes_drop_checksum(model_bytes *file) {
    static const char entry[] = "\"checksum\":\"";
    char *place = find(file, entry), whole[64];
    ck_assert_ptr_nonnull(place);
    (void)snprintf(whole, sizeof whole, "%s%.16s\"", entry, place + sizeof entry - 1);
    model_bytes_edit(file, whole, "\"checksum\":\"none\"");
}

/* Moves over `what`, which must stand there. */
static void skip(const char **at, const char *what) {
    ck_assert_msg(strncmp(*at, what, strlen(what)) == 0, "\"%s\" is expected at \"%.20s\"", what,
                  *at);
    *at += strlen(what);
}

static int64_t number(const char **at) {
    char *end;
    long long value = strtoll(*at, &end, 10);
    ck_assert(end > *at);
    *at = end;
    return value;
}

char *model_bytes_tensor(const model_bytes *file, const char *name, const char *dtype, int dims,
                         const int64_t *shape, size_t *size) {
    char entry[256];
    (void)snprintf(entry, sizeof entry, "\"%s\":{\"dtype\":\"%s\",\"shape\":[", name, dtype);
    const char *at = find(file, entry);
    ck_assert_msg(at != NULL, "the header has no %s", entry);
    at += strlen(entry);
    int count = 0;
    for (; *at != ']'; count++) {
        if (count > 0)
            skip(&at, ",");
        int64_t length = number(&at);
        if (count < dims)
            ck_assert_int_eq(length, shape[count]);
    }
    if (dims > 0)
        ck_assert_int_eq(count, dims);
    skip(&at, "],\"data_offsets\":[");
    int64_t begin = number(&at);
    skip(&at, ",");
    int64_t end = number(&at);
    skip(&at, "]}");
    size_t length;
    char *header = model_bytes_header(file, &length);
    ck_assert_int_ge(end, begin);
    ck_assert_int_le(8 + (int64_t)length + end, (int64_t)file->size);
    *size = (size_t)(end - begin);
    return header + length + begin;
}
