#include "data/config.h"

#include "core/memory.h"
#include "data/option_value.h"

#include <assert.h>
#include <string.h>

alterrec_status alterrec_config_create(alterrec_config **config) {
    AR_NOT_NULL(config);
    return alterrec_config_clone(config, NULL);
}

alterrec_status alterrec_config_clone(alterrec_config **config, const alterrec_config *source) {
    AR_NOT_NULL(config);
    return ar_config_merge(config, source, NULL);
}

/* As it has been set in this one; NULL if never. */
static const char *own_text(const alterrec_config *config, int64_t index) {
    return config != NULL ? config->texts[index] : NULL;
}

alterrec_status ar_config_merge(alterrec_config **merged, const alterrec_config *base,
                                const alterrec_config *config) {
    *merged = NULL;
    alterrec_config *made = ar_new(1, sizeof *made);
    if (made == NULL)
        return ALTERREC_ERROR_OUT_OF_MEMORY;
    int64_t count = alterrec_option_count();
    made->texts = ar_new(count, sizeof *made->texts);
    if (made->texts == NULL)
        goto fail;
    for (int64_t i = 0; i < count; i++) {
        const char *text = own_text(config, i);
        if (text == NULL)
            text = own_text(base, i);
        if (text == NULL)
            continue;
        made->texts[i] = ar_copy_text(text, strlen(text));
        if (made->texts[i] == NULL)
            goto fail;
    }
    *merged = made;
    return ALTERREC_OK;
fail:
    alterrec_config_free(made);
    return ALTERREC_ERROR_OUT_OF_MEMORY;
}

void alterrec_config_free(alterrec_config *config) {
    if (config == NULL)
        return;
    for (int64_t i = 0; config->texts != NULL && i < alterrec_option_count(); i++)
        ar_free(config->texts[i]);
    ar_free(config->texts);
    ar_free(config);
}

alterrec_status alterrec_config_set(alterrec_config *config, const char *key, const char *value) {
    AR_NOT_NULL(config);
    AR_NOT_NULL(key);
    AR_NOT_NULL(value);
    int64_t index = ar_option_find(key);
    if (index < 0)
        return ar_option_unknown(key);
    char *text;
    AR_TRY(ar_option_canonical(&text, ar_option_at(index), value, strlen(value)));
    ar_free(config->texts[index]);
    config->texts[index] = text;
    return ALTERREC_OK;
}

alterrec_status alterrec_config_get(const char **value, const alterrec_config *config,
                                    const char *key) {
    AR_NOT_NULL(value);
    AR_NOT_NULL(key);
    int64_t index = ar_option_find(key);
    if (index < 0)
        return ar_option_unknown(key);
    *value = ar_config_text_at(config, index);
    return ALTERREC_OK;
}

alterrec_status ar_config_take(alterrec_config *config, const alterrec_config *source,
                               const char *key) {
    int64_t index = ar_option_find(key);
    assert(index >= 0);
    const char *text = index >= 0 ? own_text(source, index) : NULL;
    return text != NULL ? alterrec_config_set(config, key, text) : ALTERREC_OK;
}

const char *ar_config_text_at(const alterrec_config *config, int64_t index) {
    const char *text = own_text(config, index);
    return text != NULL ? text : ar_option_at(index)->default_value;
}

/* The text of a key that the library itself asks for; "" would be a misspelt key in our own source,
 * which a test finds. */
static const char *text_of(const alterrec_config *config, const char *key, ar_option_type type) {
    int64_t index = ar_option_find(key);
    assert(index >= 0 && ar_option_at(index)->type == type);
    (void)type;
    return index >= 0 ? ar_config_text_at(config, index) : "";
}

int64_t ar_config_int(const alterrec_config *config, const char *key) {
    const char *text = text_of(config, key, AR_INT);
    int64_t value = 0;
    (void)ar_text_to_int(&value, text, strlen(text));
    return value;
}

double ar_config_float(const alterrec_config *config, const char *key) {
    const char *text = text_of(config, key, AR_FLOAT);
    double value = 0.0;
    (void)ar_text_to_double(&value, text, strlen(text));
    return value;
}

bool ar_config_is_auto(const alterrec_config *config, const char *key) {
    return strcmp(text_of(config, key, AR_FLOAT), "auto") == 0;
}

bool ar_config_bool(const alterrec_config *config, const char *key) {
    return strcmp(text_of(config, key, AR_BOOL), "true") == 0;
}

const char *ar_config_text(const alterrec_config *config, const char *key) {
    return text_of(config, key, AR_TEXT);
}

int ar_config_choice(const alterrec_config *config, const char *key) {
    const char *text = text_of(config, key, AR_CHOICE);
    int64_t index = ar_option_find(key);
    return index >= 0 ? ar_option_choice(ar_option_at(index), text, strlen(text)) : 0;
}

int64_t ar_config_list(int64_t *values, int64_t most, const alterrec_config *config,
                       const char *key) {
    return ar_option_list(values, most, text_of(config, key, AR_LIST));
}

int64_t ar_config_ranges(int64_t *low, int64_t *high, int64_t most, const alterrec_config *config,
                         const char *key) {
    return ar_option_ranges(low, high, most, text_of(config, key, AR_RANGES));
}
