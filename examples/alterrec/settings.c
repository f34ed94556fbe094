#include "settings.h"
#include "program.h"
#include "terminal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int apply_assignment(alterrec_config *config, const command_line *line,
                            const char *assignment) {
    const char *equals = strchr(assignment, '=');
    if (equals == NULL || equals == assignment)
        return arguments_wrong(line, "--set %s is not key=value", assignment);
    size_t length = (size_t)(equals - assignment);
    char *key = program_resize(NULL, (int64_t)length + 1, 1);
    memcpy(key, assignment, length);
    key[length] = '\0';
    alterrec_status status = alterrec_config_set(config, key, equals + 1);
    free(key);
    return status == ALTERREC_OK ? PROGRAM_OK : program_library_error();
}

int settings_apply(alterrec_config *config, const command_line *line, const text_list *files,
                   const text_list *assignments) {
    for (int64_t i = 0; i < files->count; i++) {
        if (alterrec_config_read(config, files->texts[i]) != ALTERREC_OK)
            return program_library_error();
    }
    for (int64_t i = 0; i < assignments->count; i++) {
        int code = apply_assignment(config, line, assignments->texts[i]);
        if (code != PROGRAM_OK)
            return code;
    }
    return PROGRAM_OK;
}

const char *settings_get(const alterrec_config *config, const char *key) {
    const char *value;
    return alterrec_config_get(&value, config, key) == ALTERREC_OK ? value : "";
}

void settings_warn_sizes(const alterrec_config *config, const alterrec_config *own) {
    static const char *const keys[] = {"model.dim", "model.heads", "model.blocks", "model.max_len"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const char *asked = settings_get(config, keys[i]), *kept = settings_get(own, keys[i]);
        if (strcmp(asked, kept) != 0)
            program_warn("%s %s is not the trained model's, which stays %s", keys[i], asked, kept);
    }
}

bool settings_have_data(const alterrec_config *config) {
    return settings_get(config, "data.interactions")[0] != '\0' ||
           settings_get(config, "data.train")[0] != '\0';
}

int64_t *settings_ks(int64_t *count, const alterrec_config *config) {
    const char *text = settings_get(config, "eval.ks");
    int64_t *ks = NULL;
    *count = 0;
    while (*(text += strcspn(text, "0123456789")) != '\0') {
        char *end;
        ks = program_resize(ks, *count + 1, sizeof *ks);
        ks[(*count)++] = strtoll(text, &end, 10);
        text = end;
    }
    return ks;
}

/* Appends the session's items that `target` has; the number of those it has not. */
static int64_t move_session(int32_t *items, int64_t *used, const int32_t *source, int64_t length,
                            const alterrec_catalog *source_catalog,
                            const alterrec_catalog *target) {
    int64_t missing = 0;
    for (int64_t i = 0; i < length; i++) {
        int32_t item =
            alterrec_catalog_find(target, alterrec_catalog_key(source_catalog, source[i]));
        if (item >= 0)
            items[(*used)++] = item;
        else
            missing++;
    }
    return missing;
}

alterrec_status settings_move_sessions(alterrec_sessions **moved, int64_t *missing,
                                       const alterrec_sessions *source,
                                       const alterrec_catalog *source_catalog,
                                       const alterrec_catalog *target) {
    int64_t count = alterrec_sessions_count(source);
    int32_t *items = program_resize(NULL, alterrec_sessions_interactions(source), sizeof *items);
    int64_t *offsets = program_resize(NULL, count + 1, sizeof *offsets);
    int64_t used = 0;
    alterrec_status status = ALTERREC_OK;
    *missing = 0;
    offsets[0] = 0;
    for (int64_t session = 0; session < count && status == ALTERREC_OK; session++) {
        const int32_t *source_items;
        int64_t length;
        status = alterrec_sessions_get(&source_items, &length, source, session);
        if (status == ALTERREC_OK)
            *missing += move_session(items, &used, source_items, length, source_catalog, target);
        offsets[session + 1] = used;
    }
    if (status == ALTERREC_OK)
        status = alterrec_sessions_create(moved, target, items, offsets, count);
    free(items);
    free(offsets);
    return status;
}

/* One line of what was dropped, if anything was. */
static void print_dropped(int64_t count, const char *what, const char *detail) {
    if (count > 0)
        printf("%-8s %12s %s%s%s\n", "dropped", terminal_count(count), what,
               detail[0] != '\0' ? " " : "", detail);
}

static void print_drops(const alterrec_data_report *report, const alterrec_config *config) {
    print_dropped(report->rows_condition, "rows with a value not above 0 in column",
                  settings_get(config, "data.positive_column"));
    print_dropped(report->rows_missing, "rows without a session or an item", "");
    print_dropped(report->rows_unknown_item, "rows of items that are not in",
                  settings_get(config, "data.items"));
    print_dropped(report->repeats_dropped, "repeated items, data.repeats is",
                  settings_get(config, "data.repeats"));
    char detail[96];
    snprintf(detail, sizeof detail, "%s rare items, data.min_item_count is %.20s",
             terminal_count(report->rare_items_dropped),
             settings_get(config, "data.min_item_count"));
    print_dropped(report->rare_interactions, "interactions of", detail);
    print_dropped(report->sessions_too_short, "sessions shorter than",
                  settings_get(config, "data.min_session_length"));
    bool cut = strcmp(settings_get(config, "data.long_sessions"), "cut") == 0;
    if (report->sessions_too_long > 0)
        printf("%-8s %12s sessions longer than %s\n", cut ? "cut" : "dropped",
               terminal_count(report->sessions_too_long),
               settings_get(config, "data.max_session_length"));
}

void settings_print_report(const alterrec_data_report *report, const alterrec_config *config) {
    static const char *const splits[3] = {"train", "valid", "test"};
    const char *file = settings_get(config, "data.interactions");
    printf("%-8s %12s rows, %s sessions%s%s\n", "read", terminal_count(report->rows_read),
           terminal_count(report->sessions_read), file[0] != '\0' ? " from " : "", file);
    print_drops(report, config);
    printf("%-8s %12s, %s of them with text\n", "items", terminal_count(report->items),
           terminal_count(report->items_with_text));
    for (int split = 0; split < 3; split++)
        printf("%-8s %12s sessions, %s interactions\n", splits[split],
               terminal_count(report->sessions[split]),
               terminal_count(report->interactions[split]));
}

alterrec_status settings_open_recommender(alterrec_recommender **recommender, const char *model,
                                          const char *snapshot) {
    if (model == NULL)
        return alterrec_recommender_open(recommender, snapshot, NULL);
    alterrec_model *loaded;
    alterrec_status status = alterrec_model_load(&loaded, model);
    if (status == ALTERREC_OK)
        status = alterrec_recommender_create(recommender, loaded, NULL);
    alterrec_model_free(loaded); /* the recommender has what it needs */
    return status;
}
