#include "data/text_hash.h"

#include "core/memory.h"
#include "core/random.h"
#include "core/text.h"
#include "data/catalog.h"
#include "data/config.h"
#include "data/features.h"
#include "data/letters.h"

#include <math.h>
#include <string.h>

enum { BOUNDARY = ' ' };

/* What hashes begin with, so that no word n-gram meets a character n-gram. */
static const uint64_t word_seed = 0x77, character_seed = 0x63;

/* A growing array of hashes or characters. */
typedef struct hash_list {
    uint64_t *values;
    int64_t count;
    int64_t capacity;
} hash_list;

/* An n-gram in the table of all; `hash` 0 is a free place. */
typedef struct text_gram {
    uint64_t hash;
    int32_t texts; /* that hold it */
    int32_t last;  /* the text in which it was met last, + 1 */
    int64_t times; /* in that text */
} text_gram;

typedef struct text_hasher {
    const ar_text_hash_options *options;
    hash_list characters; /* of the word that is read, between boundary marks */
    hash_list words;      /* hashes of the text's words */
    hash_list grams[2];   /* hashes of the text's n-grams: of words, of characters */
    hash_list distinct;   /* places in the table of one kind's distinct n-grams */
    text_gram *table;     /* [table_size], open addressing */
    int64_t table_size;
    int64_t table_used;
    int64_t text_count;
} text_hasher;

static alterrec_status push(hash_list *list, uint64_t value) {
    void *values = list->values;
    AR_TRY(ar_grow(&values, &list->capacity, list->count + 1, sizeof *list->values));
    list->values = values;
    list->values[list->count++] = value;
    return ALTERREC_OK;
}

static alterrec_status push_hash(hash_list *list, uint64_t hash) {
    return push(list, hash == 0 ? 1 : hash);
}

/* The n-grams of the word in `characters`. */
static alterrec_status hash_characters(text_hasher *hasher) {
    const hash_list *word = &hasher->characters;
    int64_t shortest = hasher->options->char_min, longest = hasher->options->char_max;
    if (shortest > word->count)
        shortest = word->count;
    for (int64_t from = 0; from + shortest <= word->count; from++) {
        uint64_t hash = character_seed;
        for (int64_t n = 1; n <= longest && from + n <= word->count; n++) {
            hash = ar_mix(hash ^ word->values[from + n - 1]);
            bool mark_alone = n == 1 && word->values[from] == BOUNDARY;
            if (n >= shortest && !mark_alone)
                AR_TRY(push_hash(&hasher->grams[1], hash));
        }
    }
    return ALTERREC_OK;
}

static alterrec_status end_word(text_hasher *hasher) {
    hash_list *word = &hasher->characters;
    if (word->count == 1) /* the opening mark alone */
        return ALTERREC_OK;
    uint64_t hash = word_seed;
    for (int64_t i = 1; i < word->count; i++)
        hash = ar_mix(hash ^ word->values[i]);
    AR_TRY(push(&hasher->words, hash));
    AR_TRY(push(word, BOUNDARY));
    if (hasher->options->char_max > 0)
        AR_TRY(hash_characters(hasher));
    word->count = 1;
    return ALTERREC_OK;
}

/* Fills `grams` with the n-grams of one text. */
static alterrec_status hash_text(text_hasher *hasher, const char *text) {
    size_t length = strlen(text);
    hasher->words.count = hasher->grams[0].count = hasher->grams[1].count = 0;
    hasher->characters.count = 0;
    AR_TRY(push(&hasher->characters, BOUNDARY));
    for (size_t offset = 0; offset < length;) {
        uint32_t character = ar_text_character(text, length, &offset);
        if (ar_letter_in_word(character))
            AR_TRY(push(&hasher->characters, ar_letter_lower(character)));
        else
            AR_TRY(end_word(hasher));
    }
    AR_TRY(end_word(hasher));
    const hash_list *words = &hasher->words;
    for (int64_t from = 0; from < words->count; from++) {
        uint64_t hash = word_seed;
        for (int64_t n = 1; n <= hasher->options->word_ngrams && from + n <= words->count; n++) {
            hash = ar_mix(hash ^ words->values[from + n - 1]);
            AR_TRY(push_hash(&hasher->grams[0], hash));
        }
    }
    return ALTERREC_OK;
}

/* The place of `hash`, or the free one where it belongs. */
static int64_t place_of(const text_gram *table, int64_t size, uint64_t hash) {
    int64_t place = (int64_t)(hash & (uint64_t)(size - 1));
    while (table[place].hash != 0 && table[place].hash != hash)
        place = (place + 1) & (size - 1);
    return place;
}

static alterrec_status grow_table(text_hasher *hasher) {
    int64_t size = hasher->table_size > 0 ? 2 * hasher->table_size : 1 << 12;
    text_gram *table;
    AR_NEW(table, size);
    for (int64_t i = 0; i < hasher->table_size; i++)
        if (hasher->table[i].hash != 0)
            table[place_of(table, size, hasher->table[i].hash)] = hasher->table[i];
    ar_free(hasher->table);
    hasher->table = table;
    hasher->table_size = size;
    return ALTERREC_OK;
}

/* The n-gram `hash` in the table, entered if it is not there. */
static alterrec_status enter(text_gram **gram, text_hasher *hasher, uint64_t hash) {
    if (10 * (hasher->table_used + 1) > 7 * hasher->table_size)
        AR_TRY(grow_table(hasher));
    *gram = &hasher->table[place_of(hasher->table, hasher->table_size, hash)];
    if ((*gram)->hash == 0) {
        (*gram)->hash = hash;
        hasher->table_used++;
    }
    return ALTERREC_OK;
}

/* Counts the text for each of one kind of its n-grams. */
static alterrec_status count_texts(text_hasher *hasher, const hash_list *grams, int32_t text) {
    for (int64_t i = 0; i < grams->count; i++) {
        text_gram *gram;
        AR_TRY(enter(&gram, hasher, grams->values[i]));
        if (gram->last != text + 1) {
            gram->last = text + 1;
            gram->texts++;
        }
    }
    return ALTERREC_OK;
}

/* Lists the distinct ones of a text's n-grams, in order of their first places, with their counts.
 */
static alterrec_status count_times(text_hasher *hasher, const hash_list *grams, int32_t text) {
    hasher->distinct.count = 0;
    for (int64_t i = 0; i < grams->count; i++) {
        int64_t place = place_of(hasher->table, hasher->table_size, grams->values[i]);
        text_gram *gram = &hasher->table[place];
        if (gram->last != text + 1) {
            gram->last = text + 1;
            gram->times = 0;
            AR_TRY(push(&hasher->distinct, (uint64_t)place));
        }
        gram->times++;
    }
    return ALTERREC_OK;
}

static double weight_of(const text_hasher *hasher, const text_gram *gram) {
    double weight = 1.0 + log((double)gram->times);
    if (hasher->options->tfidf)
        weight *= log((1.0 + (double)hasher->text_count) / (1.0 + (double)gram->texts)) + 1.0;
    return weight;
}

/* Adds one kind of a text's n-grams to its row. */
static alterrec_status add_grams(float *row, text_hasher *hasher, const hash_list *grams,
                                 int32_t text) {
    AR_TRY(count_times(hasher, grams, text));
    double squares = 0.0;
    for (int64_t i = 0; i < hasher->distinct.count; i++) {
        double weight = weight_of(hasher, &hasher->table[hasher->distinct.values[i]]);
        squares += weight * weight;
    }
    for (int64_t i = 0; i < hasher->distinct.count; i++) {
        const text_gram *gram = &hasher->table[hasher->distinct.values[i]];
        float weight = (float)(weight_of(hasher, gram) / sqrt(squares));
        uint64_t bucket = ((gram->hash >> 32) * (uint64_t)hasher->options->dim) >> 32;
        row[bucket] += (gram->hash & 1) != 0 ? weight : -weight;
    }
    return ALTERREC_OK;
}

static void scale_to_one(float *row, int64_t dim) {
    double squares = 0.0;
    for (int64_t i = 0; i < dim; i++)
        squares += (double)row[i] * (double)row[i];
    for (int64_t i = 0; squares > 0.0 && i < dim; i++)
        row[i] = (float)((double)row[i] / sqrt(squares));
}

/* In how many texts each n-gram stands. */
static alterrec_status count_all(text_hasher *hasher, const char *texts, const int64_t *starts) {
    for (int64_t i = 0; i < hasher->text_count; i++) {
        AR_TRY(hash_text(hasher, texts + starts[i]));
        for (int kind = 0; kind < 2; kind++)
            AR_TRY(count_texts(hasher, &hasher->grams[kind], (int32_t)i));
    }
    for (int64_t i = 0; i < hasher->table_size; i++)
        hasher->table[i].last = 0;
    return ALTERREC_OK;
}

/* Enters the n-grams of a text that is not counted. */
static alterrec_status enter_all(text_hasher *hasher, const char *text) {
    text_gram *gram;
    AR_TRY(hash_text(hasher, text));
    for (int kind = 0; kind < 2; kind++)
        for (int64_t i = 0; i < hasher->grams[kind].count; i++)
            AR_TRY(enter(&gram, hasher, hasher->grams[kind].values[i]));
    return ALTERREC_OK;
}

/* Fills row `index` from a text whose n-grams are all in the table. */
static alterrec_status fill_row(float *rows, text_hasher *hasher, const char *text, int64_t index) {
    float *row = rows + index * hasher->options->dim;
    AR_TRY(hash_text(hasher, text));
    for (int kind = 0; kind < 2; kind++)
        AR_TRY(add_grams(row, hasher, &hasher->grams[kind], (int32_t)index));
    scale_to_one(row, hasher->options->dim);
    return ALTERREC_OK;
}

static void free_hasher(text_hasher *hasher) {
    ar_free(hasher->characters.values);
    ar_free(hasher->words.values);
    ar_free(hasher->grams[0].values);
    ar_free(hasher->grams[1].values);
    ar_free(hasher->distinct.values);
    ar_free(hasher->table);
}

alterrec_status ar_text_hash(float *rows, const char *texts, const int64_t *starts, int64_t count,
                             const ar_text_hash_options *options) {
    text_hasher hasher = {.options = options, .text_count = count};
    alterrec_status status = count_all(&hasher, texts, starts);
    /* Hashing the texts once more is cheaper than keeping all their n-grams. */
    for (int64_t i = 0; i < count && status == ALTERREC_OK; i++)
        status = fill_row(rows, &hasher, texts + starts[i], i);
    free_hasher(&hasher);
    return status;
}

alterrec_status ar_text_hash_more(float *rows, const char *const *more, int64_t more_count,
                                  const char *texts, const int64_t *starts, int64_t count,
                                  const ar_text_hash_options *options) {
    text_hasher hasher = {.options = options, .text_count = count};
    alterrec_status status = count_all(&hasher, texts, starts);
    for (int64_t i = 0; i < more_count && status == ALTERREC_OK; i++)
        if (more[i] != NULL)
            status = enter_all(&hasher, more[i]);
    for (int64_t i = 0; i < more_count && status == ALTERREC_OK; i++)
        if (more[i] != NULL)
            status = fill_row(rows, &hasher, more[i], i);
    free_hasher(&hasher);
    return status;
}

alterrec_status ar_text_hash_check(const ar_text_hash_options *options, const char *place) {
    if (options->char_max > 0 && options->char_min > options->char_max)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "%s: text.char_min is %lld, above text.char_max, %lld", place,
                       (long long)options->char_min, (long long)options->char_max);
    if (options->char_max == 0 && options->word_ngrams == 0)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "%s: text.word_ngrams and text.char_max are both 0, one must be above",
                       place);
    return ALTERREC_OK;
}

alterrec_status alterrec_catalog_hash_features(alterrec_catalog *catalog,
                                               const alterrec_config *config) {
    AR_NOT_NULL(catalog);
    AR_TRY(ar_features_check_free(catalog, __func__));
    ar_text_hash_options options = {
        .dim = ar_config_int(config, "text.dim"),
        .word_ngrams = ar_config_int(config, "text.word_ngrams"),
        .char_min = ar_config_int(config, "text.char_min"),
        .char_max = ar_config_int(config, "text.char_max"),
        .tfidf = ar_config_bool(config, "text.tfidf"),
    };
    if (catalog->texts == NULL)
        return ar_fail(ALTERREC_ERROR_MISMATCH, "%s: the catalog has no texts", __func__);
    AR_TRY(ar_text_hash_check(&options, __func__));
    float *features;
    AR_NEW(features, catalog->items * options.dim);
    alterrec_status status =
        ar_text_hash(features, catalog->texts, catalog->text_starts, catalog->items, &options);
    if (status != ALTERREC_OK) {
        ar_free(features);
        return status;
    }
    ar_features_take(catalog, features, options.dim);
    catalog->hashed = catalog->items;
    catalog->hash = options;
    return ALTERREC_OK;
}
