#include "core/host_struct.h"
#include "core/memory.h"
#include "core/threads.h"
#include "data/catalog.h"
#include "data/config.h"
#include "data/interactions.h"
#include "data/sessions.h"
#include "data/split.h"

#include <string.h>

struct alterrec_dataset {
    alterrec_catalog *catalog;
    alterrec_sessions *sessions[3]; /* NULL: none */
    alterrec_data_report report;
};

/* A dataset in the making. */
typedef struct making {
    const alterrec_config *config;
    const char *paths[3]; /* data.train, .valid, .test; or the interaction file and no others */
    bool split;           /* paths[0] is the interaction file */
    ar_interactions sets[3];
    ar_dictionary keys; /* without an item file: of the items that are read */
    ar_item_texts texts;
    bool has_texts; /* `texts` is filled */
} making;

enum { SOURCE_AUTO, SOURCE_NPY, SOURCE_HASH, SOURCE_NONE };

void alterrec_dataset_free(alterrec_dataset *dataset) {
    if (dataset == NULL)
        return;
    alterrec_catalog_free(dataset->catalog);
    for (int set = 0; set < 3; set++)
        alterrec_sessions_free(dataset->sessions[set]);
    ar_free(dataset);
}

/* The path that an option names, NULL if it is empty. */
static const char *path_of(const alterrec_config *config, const char *option) {
    const char *path = ar_config_text(config, option);
    return path[0] != '\0' ? path : NULL;
}

static alterrec_status find_paths(making *make) {
    const alterrec_config *config = make->config;
    const char *interactions = path_of(config, "data.interactions");
    make->paths[ALTERREC_SPLIT_TRAIN] = path_of(config, "data.train");
    make->paths[ALTERREC_SPLIT_VALID] = path_of(config, "data.valid");
    make->paths[ALTERREC_SPLIT_TEST] = path_of(config, "data.test");
    bool any_set = make->paths[0] != NULL || make->paths[1] != NULL || make->paths[2] != NULL;
    if (interactions != NULL && any_set)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "data.interactions is a file to be split, data.train, data.valid and "
                       "data.test are files already split: set one or the other");
    if (interactions == NULL && make->paths[0] == NULL)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       any_set ? "data.valid or data.test names a file, but data.train does not"
                               : "no file is named: set data.interactions or data.train");
    make->split = interactions != NULL;
    if (make->split)
        make->paths[0] = interactions;
    if (!make->split && ar_config_int(config, "data.min_item_count") > 1)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "data.min_item_count: %lld, but it filters only data.interactions, not "
                       "files already split",
                       (long long)ar_config_int(config, "data.min_item_count"));
    if (path_of(config, "data.features") != NULL && path_of(config, "data.items") == NULL)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "data.features needs data.items: its rows are in the order of that file");
    return ALTERREC_OK;
}

/* Adds what reading one file met. */
static void add_report(alterrec_data_report *all, const alterrec_data_report *part) {
    all->rows_read += part->rows_read;
    all->rows_condition += part->rows_condition;
    all->rows_missing += part->rows_missing;
    all->rows_unknown_item += part->rows_unknown_item;
    all->interactions_read += part->interactions_read;
    all->repeats_dropped += part->repeats_dropped;
    all->rare_items_dropped += part->rare_items_dropped;
    all->rare_interactions += part->rare_interactions;
    all->sessions_read += part->sessions_read;
    all->sessions_too_short += part->sessions_too_short;
    all->sessions_too_long += part->sessions_too_long;
}

static alterrec_status read_set(making *make, alterrec_dataset *dataset, int set) {
    ar_item_source source = {.catalog = dataset->catalog,
                             .keys = &make->keys,
                             .texts = make->has_texts ? &make->texts : NULL};
    alterrec_data_report report = {0};
    AR_TRY(
        ar_interactions_read(&make->sets[set], &report, &source, make->paths[set], make->config));
    int64_t items = dataset->catalog != NULL ? dataset->catalog->items : make->keys.count;
    AR_TRY(ar_interactions_filter(&make->sets[set], &report, items, make->split, make->config));
    AR_TRY(ar_interactions_check_left(&make->sets[set], &report, make->paths[set]));
    add_report(&dataset->report, &report);
    return ALTERREC_OK;
}

/* Makes the catalog of the items that the sessions hold, in the order of first appearance. */
static alterrec_status collect_catalog(making *make, alterrec_dataset *dataset) {
    int64_t read = make->keys.count;
    int32_t *old_numbers = ar_new(read, sizeof *old_numbers);
    const char **chosen = ar_new(read, sizeof *chosen);
    const char **texts = ar_new(read, sizeof *texts);
    alterrec_status status = ALTERREC_ERROR_OUT_OF_MEMORY;
    if (old_numbers == NULL || chosen == NULL || texts == NULL)
        goto done;
    if (make->has_texts) {
        status = ar_item_texts_choose(chosen, &make->texts, read);
        if (status != ALTERREC_OK)
            goto done;
    }
    status = ar_interactions_renumber(make->sets, 3, &make->keys, old_numbers);
    if (status != ALTERREC_OK)
        goto done;
    for (int64_t item = 0; item < make->keys.count; item++)
        texts[item] = chosen[old_numbers[item]];
    status = ar_catalog_from_keys(&dataset->catalog, &make->keys, make->has_texts ? texts : NULL);
done:
    ar_free(old_numbers);
    ar_free(chosen);
    ar_free(texts);
    return status;
}

static alterrec_status make_sessions(making *make, alterrec_dataset *dataset) {
    if (make->split)
        return ar_split(dataset->sessions, &make->sets[0], dataset->catalog, make->config);
    for (int set = 0; set < 3; set++)
        if (make->paths[set] != NULL)
            AR_TRY(ar_sessions_take(&dataset->sessions[set], dataset->catalog,
                                    &make->sets[set].items, &make->sets[set].offsets,
                                    make->sets[set].count));
    return ALTERREC_OK;
}

static alterrec_status make_features(alterrec_catalog *catalog, const alterrec_config *config) {
    const char *features = path_of(config, "data.features");
    switch (ar_config_choice(config, "text.source")) {
    case SOURCE_NPY:
        if (features == NULL)
            return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                           "text.source: npy, but data.features names no file");
        return alterrec_catalog_read_features(catalog, features);
    case SOURCE_HASH:
        return alterrec_catalog_hash_features(catalog, config);
    case SOURCE_AUTO:
        if (features != NULL)
            return alterrec_catalog_read_features(catalog, features);
        return catalog->texts != NULL ? alterrec_catalog_hash_features(catalog, config)
                                      : ALTERREC_OK;
    default:
        return ALTERREC_OK;
    }
}

static void finish_report(alterrec_dataset *dataset) {
    alterrec_data_report *report = &dataset->report;
    report->items = dataset->catalog->items;
    for (int32_t item = 0; item < dataset->catalog->items; item++)
        report->items_with_text += alterrec_catalog_text(dataset->catalog, item)[0] != '\0';
    for (int set = 0; set < 3; set++) {
        report->sessions[set] = alterrec_sessions_count(dataset->sessions[set]);
        report->interactions[set] = alterrec_sessions_interactions(dataset->sessions[set]);
    }
}

static alterrec_status read_all(making *make, alterrec_dataset *dataset) {
    AR_TRY(find_paths(make));
    const char *items = path_of(make->config, "data.items");
    if (items != NULL)
        AR_TRY(alterrec_catalog_read(&dataset->catalog, items, make->config));
    make->has_texts = items == NULL && path_of(make->config, "data.text_column") != NULL;
    for (int set = 0; set < 3; set++)
        if (make->paths[set] != NULL)
            AR_TRY(read_set(make, dataset, set));
    if (items == NULL)
        AR_TRY(collect_catalog(make, dataset));
    AR_TRY(make_sessions(make, dataset));
    AR_TRY(make_features(dataset->catalog, make->config));
    finish_report(dataset);
    return ALTERREC_OK;
}

alterrec_status alterrec_dataset_read(alterrec_dataset **dataset, const alterrec_config *config) {
    AR_NOT_NULL(dataset);
    *dataset = NULL;
    alterrec_dataset *made;
    AR_NEW(made, 1);
    making make = {.config = config};
    int previous = ar_threads_enter(ar_config_int(config, "compute.threads"));
    alterrec_status status = read_all(&make, made);
    ar_threads_leave(previous);
    for (int set = 0; set < 3; set++)
        ar_interactions_free(&make.sets[set]);
    ar_dictionary_free(&make.keys);
    ar_item_texts_free(&make.texts);
    if (status != ALTERREC_OK) {
        alterrec_dataset_free(made);
        return status;
    }
    *dataset = made;
    return ALTERREC_OK;
}

const alterrec_catalog *alterrec_dataset_catalog(const alterrec_dataset *dataset) {
    return dataset != NULL ? dataset->catalog : NULL;
}

const alterrec_sessions *alterrec_dataset_sessions(const alterrec_dataset *dataset, int32_t split) {
    if (dataset == NULL || split < ALTERREC_SPLIT_TRAIN || split > ALTERREC_SPLIT_TEST)
        return NULL;
    return dataset->sessions[split];
}

alterrec_status alterrec_dataset_report(alterrec_data_report *report,
                                        const alterrec_dataset *dataset) {
    AR_NOT_NULL(report);
    AR_NOT_NULL(dataset);
    AR_TRY(ar_host_struct_check(&ar_data_report_struct, report, __func__));
    ar_host_struct_fill(report, &dataset->report, &ar_data_report_struct);
    return ALTERREC_OK;
}
