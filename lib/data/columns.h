/* The columns of a table that the options name, and what they say of a row. Level: data. */
#ifndef AR_DATA_COLUMNS_H
#define AR_DATA_COLUMNS_H

#include "data/item_lookup.h"
#include "data/table_reader.h"

/* -1: not wanted or not there. With `list` a row is a session, else an interaction. */
typedef struct ar_columns {
    int64_t session, item, list, time, text, positive;
} ar_columns;

alterrec_status ar_columns_find(ar_columns *at, const ar_table_reader *table,
                                const ar_item_source *source, const alterrec_config *config);

/* Whether the table's row counts by data.positive_column, and its time; 0 without one. */
alterrec_status ar_columns_check(bool *counts, double *time, const ar_table_reader *table,
                                 const ar_columns *at, alterrec_data_report *report);

#endif
