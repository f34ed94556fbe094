#include "core/dictionary.h"

#include "core/memory.h"
#include "core/random.h"

#include <string.h>

static uint64_t hash_key(const char *key, size_t length) {
    uint64_t hash = length;
    for (; length >= 8; key += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, key, 8);
        hash = ar_mix(hash ^ word);
    }
    uint64_t tail = 0;
    for (size_t i = 0; i < length; i++)
        tail = tail << 8 | (unsigned char)key[i];
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

/* The slot that holds the key, or the free one where it belongs. */
static int64_t slot_of(const ar_dictionary *dictionary, const char *key, size_t length) {
    int64_t mask = dictionary->slot_count - 1;
    int64_t slot = (int64_t)hash_key(key, length) & mask;
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
    return dictionary->slots[slot_of(dictionary, key, length)] - 1;
}

void ar_dictionary_prefetch(const ar_dictionary *dictionary, const char *key, size_t length) {
    if (dictionary->count > 0)
        __builtin_prefetch(&dictionary->slots[(int64_t)hash_key(key, length) &
                                              (dictionary->slot_count - 1)]);
}

static alterrec_status rehash(ar_dictionary *dictionary) {
    int64_t slot_count = dictionary->slot_count > 0 ? 2 * dictionary->slot_count : 64;
    int32_t *slots;
    AR_NEW(slots, slot_count);
    ar_free(dictionary->slots);
    dictionary->slots = slots;
    dictionary->slot_count = slot_count;
    for (int64_t i = 0; i < dictionary->count; i++) {
        int64_t slot = slot_of(dictionary, ar_dictionary_key(dictionary, i),
                               ar_dictionary_key_length(dictionary, i));
        dictionary->slots[slot] = (int32_t)(i + 1);
    }
    return ALTERREC_OK;
}

alterrec_status ar_dictionary_insert(ar_dictionary *dictionary, int64_t *number, const char *key,
                                     size_t length) {
    *number = ar_dictionary_find(dictionary, key, length);
    if (*number >= 0)
        return ALTERREC_OK;
    if (dictionary->count >= INT32_MAX - 1)
        return ar_fail(ALTERREC_ERROR_UNSUPPORTED, "more than %d distinct keys", INT32_MAX - 1);
    if (3 * dictionary->slot_count <= 4 * (dictionary->count + 1))
        AR_TRY(rehash(dictionary));
    void *starts = dictionary->starts;
    AR_TRY(ar_grow(&starts, &dictionary->starts_capacity, dictionary->count + 1,
                   sizeof *dictionary->starts));
    dictionary->starts = starts;
    void *text = dictionary->text;
    AR_TRY(
        ar_grow(&text, &dictionary->text_capacity, dictionary->text_used + (int64_t)length + 1, 1));
    dictionary->text = text;
    dictionary->slots[slot_of(dictionary, key, length)] = (int32_t)(dictionary->count + 1);
    dictionary->starts[dictionary->count] = dictionary->text_used;
    memcpy(dictionary->text + dictionary->text_used, key, length);
    dictionary->text[dictionary->text_used + (int64_t)length] = '\0';
    dictionary->text_used += (int64_t)length + 1;
    *number = dictionary->count++;
    return ALTERREC_OK;
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
