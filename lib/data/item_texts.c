#include "data/item_texts.h"

#include "core/memory.h"

#include <string.h>

static bool is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

size_t ar_item_texts_tidy(char *tidy, const char *text, size_t length) {
    size_t used = 0;
    bool space = false;
    for (size_t i = 0; i < length; i++) {
        if (is_blank(text[i])) {
            space = used > 0;
            continue;
        }
        if (space)
            tidy[used++] = ' ';
        space = false;
        tidy[used++] = text[i];
    }
    return used;
}

alterrec_status ar_item_texts_add(ar_item_texts *texts, int32_t item, const char *text,
                                  size_t length) {
    void *tidy = texts->tidy;
    AR_TRY(ar_grow(&tidy, &texts->tidy_capacity, (int64_t)length, 1));
    texts->tidy = tidy;
    size_t used = ar_item_texts_tidy(texts->tidy, text, length);
    if (used == 0)
        return ALTERREC_OK;
    int64_t number;
    AR_TRY(ar_dictionary_insert(&texts->texts, &number, texts->tidy, used));
    int32_t pair[2] = {item, (int32_t)number};
    AR_TRY(ar_dictionary_insert(&texts->pairs, &number, (const char *)pair, sizeof pair));
    void *counts = texts->counts;
    AR_TRY(ar_grow(&counts, &texts->counts_capacity, number + 1, sizeof *texts->counts));
    texts->counts = counts;
    texts->counts[number]++;
    return ALTERREC_OK;
}

alterrec_status ar_item_texts_choose(const char **chosen, const ar_item_texts *texts,
                                     int64_t items) {
    int64_t *most;
    AR_NEW(most, items);
    for (int64_t i = 0; i < items; i++)
        chosen[i] = "";
    for (int64_t p = 0; p < texts->pairs.count; p++) {
        int32_t pair[2];
        memcpy(pair, ar_dictionary_key(&texts->pairs, p), sizeof pair);
        if (texts->counts[p] > most[pair[0]]) {
            most[pair[0]] = texts->counts[p];
            chosen[pair[0]] = ar_dictionary_key(&texts->texts, pair[1]);
        }
    }
    ar_free(most);
    return ALTERREC_OK;
}

void ar_item_texts_free(ar_item_texts *texts) {
    ar_dictionary_free(&texts->texts);
    ar_dictionary_free(&texts->pairs);
    ar_free(texts->counts);
    ar_free(texts->tidy);
    *texts = (ar_item_texts){0};
}
