#include "core/dictionary.h"

#include "core/memory.h"
#include "core/random.h"

#include <string.h>

enum { SLOTS_FIRST = 64 };

static uint64_t hash_key(const char *key, size_t length) {
    uint64_t hash = length;
    for (; length >= 8; key += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, key, 8);
        hash = ar_mix(hash ^ word);
    }
    uint64_t tail = 0; /* the rest, its first byte highest */
    if (length >= 4) {
        uint32_t first, last;
        memcpy(&first, key, 4);
        memcpy(&last, key + length - 4, 4);
        tail = (uint64_t)__builtin_bswap32(first) << (8 * (length - 4)) | __builtin_bswap32(last);
    } else {
        for (size_t i = 0; i < length; i++)
            tail = tail << 8 | (unsigned char)key[i];
    }
    return ar_mix(hash ^ tail);
}

const char *ar_dictionary_key(const ar_dictionary *dictionary, int64_t number) {
    return dictionary->text + dictionary->starts[number];
}

size_t ar_dictionary_key_length(const ar_dictionary *dictionary, int64_t number) {
    int64_t end =
        number + 1 < dictionary->count ? dictionary->starts[number + 1] : dictionary->text_used;
    return (size_t)(end - dictionary->starts[number] - 1);
}

/* The slot that holds the key, whose hash is given, or the free one where it belongs. */
static int64_t slot_of(const ar_dictionary *dictionary, uint64_t hash, const char *key,
                       size_t length) {
    int64_t mask = dictionary->slot_count - 1;
    int64_t slot = (int64_t)hash & mask;
    while (dictionary->slots[slot] != 0) {
        int64_t number = dictionary->slots[slot] - 1;
        if (ar_dictionary_key_length(dictionary, number) == length &&
            memcmp(ar_dictionary_key(dictionary, number), key, length) == 0)
            break;
        slot = (slot + 1) & mask;
    }
    return slot;
}

int64_t ar_dictionary_find(const ar_dictionary *dictionary, const char *key, size_t length) {
    if (dictionary->count == 0)
        return -1;
    return dictionary->slots[slot_of(dictionary, hash_key(key, length), key, length)] - 1;
}

void ar_dictionary_prefetch(const ar_dictionary *dictionary, const char *key, size_t length) {
    if (dictionary->count > 0)
        __builtin_prefetch(
            &dictionary->slots[(int64_t)hash_key(key, length) & (dictionary->slot_count - 1)]);
}

/* Puts a key that no slot holds into the first free one of its own. */
static void place(ar_dictionary *dictionary, uint64_t hash, int64_t number) {
    int64_t mask = dictionary->slot_count - 1;
    int64_t slot = (int64_t)hash & mask;
    while (dictionary->slots[slot] != 0)
        slot = (slot + 1) & mask;
    dictionary->slots[slot] = (int32_t)(number + 1);
}

static alterrec_status rehash(ar_dictionary *dictionary, int64_t slot_count) {
    int32_t *slots;
    AR_NEW(slots, slot_count);
    ar_free(dictionary->slots);
    dictionary->slots = slots;
    dictionary->slot_count = slot_count;
    for (int64_t i = 0; i < dictionary->count; i++)
        place(dictionary,
              hash_key(ar_dictionary_key(dictionary, i), ar_dictionary_key_length(dictionary, i)),
              i);
    return ALTERREC_OK;
}

/* A quarter of the slots is free: else searches grow long. */
static bool too_few(int64_t slot_count, int64_t keys) {
    return 3 * slot_count <= 4 * keys;
}

/* Makes room for one more key of `length` bytes. */
static alterrec_status reserve(ar_dictionary *dictionary, size_t length) {
    if (dictionary->count >= INT32_MAX - 1)
        return ar_fail(ALTERREC_ERROR_UNSUPPORTED, "more than %d distinct keys", INT32_MAX - 1);
    if (too_few(dictionary->slot_count, dictionary->count + 1))
        AR_TRY(rehash(dictionary,
                      dictionary->slot_count > 0 ? 2 * dictionary->slot_count : SLOTS_FIRST));
    void *starts = dictionary->starts;
    AR_TRY(ar_grow(&starts, &dictionary->starts_capacity, dictionary->count + 1,
                   sizeof *dictionary->starts));
    dictionary->starts = starts;
    void *text = dictionary->text;
    AR_TRY(
        ar_grow(&text, &dictionary->text_capacity, dictionary->text_used + (int64_t)length + 1, 1));
    dictionary->text = text;
    return ALTERREC_OK;
}

/* Puts a key behind the others; there is room, and it is none of theirs. */
static void append(ar_dictionary *dictionary, uint64_t hash, const char *key, size_t length) {
    place(dictionary, hash, dictionary->count);
    dictionary->starts[dictionary->count++] = dictionary->text_used;
    memcpy(dictionary->text + dictionary->text_used, key, length);
    dictionary->text_used += (int64_t)length;
    dictionary->text[dictionary->text_used++] = '\0';
}

alterrec_status ar_dictionary_insert(ar_dictionary *dictionary, int64_t *number, const char *key,
                                     size_t length) {
    uint64_t hash = hash_key(key, length);
    *number =
        dictionary->count > 0 ? dictionary->slots[slot_of(dictionary, hash, key, length)] - 1 : -1;
    if (*number >= 0)
        return ALTERREC_OK;
    AR_TRY(reserve(dictionary, length));
    *number = dictionary->count;
    append(dictionary, hash, key, length);
    return ALTERREC_OK;
}

alterrec_status ar_dictionary_choose(ar_dictionary *chosen, const ar_dictionary *from,
                                     const int32_t *numbers, int64_t count) {
    ar_dictionary made = {.starts_capacity = count, .text_capacity = from->text_used};
    int64_t slot_count = SLOTS_FIRST;
    while (too_few(slot_count, count))
        slot_count *= 2;
    made.starts = ar_new_unset(count, sizeof *made.starts);
    made.text = ar_new_unset(made.text_capacity, 1);
    alterrec_status status = made.starts != NULL && made.text != NULL
                                 ? rehash(&made, slot_count)
                                 : ALTERREC_ERROR_OUT_OF_MEMORY;
    for (int64_t i = 0; status == ALTERREC_OK && i < count; i++) {
        const char *key = ar_dictionary_key(from, numbers[i]);
        size_t length = ar_dictionary_key_length(from, numbers[i]);
        append(&made, hash_key(key, length), key, length);
    }
    if (status == ALTERREC_OK)
        *chosen = made;
    else
        ar_dictionary_free(&made);
    return status;
}

alterrec_status ar_dictionary_check_starts(const int64_t *starts, int64_t count, const char *text,
                                           int64_t size) {
    int64_t wrong = 0;
    for (int64_t i = 1; i < count; i++)
        wrong |= starts[i] <= starts[i - 1];
    bool good = count > 0 && wrong == 0 && starts[0] == 0 && starts[count - 1] < size &&
                text[size - 1] == '\0';
    return good ? ALTERREC_OK
                : ar_fail(ALTERREC_ERROR_PARSE, "the strings do not lie in their text one behind "
                                                "the other");
}

/* How many slots hold a key; -1 if one holds what is none. */
static int64_t slots_used(const ar_dictionary *arrays) {
    int64_t used = 0, wrong = 0;
    for (int64_t i = 0; i < arrays->slot_count; i++) {
        used += arrays->slots[i] != 0;
        wrong |= arrays->slots[i] < 0 || arrays->slots[i] > arrays->count;
    }
    return wrong == 0 ? used : -1;
}

alterrec_status ar_dictionary_borrow(ar_dictionary *dictionary, const ar_dictionary *arrays) {
    *dictionary = (ar_dictionary){0};
    AR_TRY(
        ar_dictionary_check_starts(arrays->starts, arrays->count, arrays->text, arrays->text_used));
    int64_t slots = arrays->slot_count;
    /* A free slot ends every search. */
    if (slots <= arrays->count || (slots & (slots - 1)) != 0 || slots_used(arrays) != arrays->count)
        return ar_fail(ALTERREC_ERROR_PARSE, "the %lld slots are no table of %lld keys",
                       (long long)slots, (long long)arrays->count);
    *dictionary = *arrays;
    dictionary->borrowed = true;
    return ALTERREC_OK;
}

void ar_dictionary_free(ar_dictionary *dictionary) {
    if (dictionary->borrowed) {
        *dictionary = (ar_dictionary){0};
        return;
    }
    ar_free(dictionary->text);
    ar_free(dictionary->starts);
    ar_free(dictionary->slots);
    *dictionary = (ar_dictionary){0};
}
