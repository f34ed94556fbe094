#include "data/columns.h"

#include "core/text.h"
#include "data/config.h"

#include <string.h>

/* Finds the column that an option names; -1 if it names none. */
static alterrec_status optional_column(int64_t *column, const ar_table_reader *table,
                                       const char *option, const alterrec_config *config) {
    const char *name = ar_config_text(config, option);
    *column = -1;
    return name[0] == '\0' ? ALTERREC_OK : ar_table_reader_column(column, table, name, option);
}

/* RecBole's list of items: the item column's name with "_list", or the name RecBole itself gives.
 */
static void find_list(ar_columns *at, const ar_table_reader *table, const char *item) {
    for (int64_t i = 0; i < table->columns; i++) {
        const char *name = table->header[i].name;
        size_t length = strlen(item);
        bool own = strncmp(name, item, length) == 0 && strcmp(name + length, "_list") == 0;
        if (table->header[i].sequence && (own || strcmp(name, "item_id_list") == 0)) {
            at->list = i;
            at->item = ar_table_reader_find(table, own ? item : "item_id");
            return;
        }
    }
}

alterrec_status ar_columns_find(ar_columns *at, const ar_table_reader *table,
                                const ar_item_source *source, const alterrec_config *config) {
    *at = (ar_columns){-1, -1, -1, -1, -1, -1};
    const char *item = ar_config_text(config, "data.item_column");
    if (table->format == AR_FORMAT_RECBOLE)
        find_list(at, table, item);
    if (at->list < 0) {
        AR_TRY(ar_table_reader_column(&at->session, table,
                                      ar_config_text(config, "data.session_column"),
                                      "data.session_column"));
        AR_TRY(ar_table_reader_column(&at->item, table, item, "data.item_column"));
        if (source->texts != NULL)
            AR_TRY(optional_column(&at->text, table, "data.text_column", config));
    }
    AR_TRY(optional_column(&at->time, table, "data.time_column", config));
    return optional_column(&at->positive, table, "data.positive_column", config);
}

static alterrec_status bad_cell(const ar_table_reader *table, int64_t column, const char *option,
                                const char *wanted) {
    const ar_cell *cell = &table->cells[column];
    return ar_text_file_at(&table->file, cell->place,
                           ar_fail(ALTERREC_ERROR_PARSE, "`%.*s` in column `%s` (%s) is not %s",
                                   (int)(cell->length < 60 ? cell->length : 60), cell->bytes,
                                   table->header[column].name, option, wanted));
}

alterrec_status ar_columns_check(bool *counts, double *time, const ar_table_reader *table,
                                 const ar_columns *at, alterrec_data_report *report) {
    report->rows_read++;
    *counts = true;
    *time = 0.0;
    if (at->positive >= 0) {
        ar_cell cell = ar_cell_trim(table->cells[at->positive]);
        double value;
        if (!ar_text_to_double(&value, cell.bytes, cell.length))
            return bad_cell(table, at->positive, "data.positive_column", "a number");
        *counts = value > 0;
        report->rows_condition += !*counts;
    }
    if (*counts && at->time >= 0) {
        ar_cell cell = ar_cell_trim(table->cells[at->time]);
        if (!ar_text_to_time(time, cell.bytes, cell.length))
            return bad_cell(table, at->time, "data.time_column",
                            "a time: a number or YYYY-MM-DD[ hh:mm[:ss]] was expected");
    }
    return ALTERREC_OK;
}
