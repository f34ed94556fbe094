/* Sessions whose interactions stand one a row in a table. Level: data. */
#ifndef AR_DATA_SESSION_ROWS_H
#define AR_DATA_SESSION_ROWS_H

#include "data/columns.h"
#include "data/interactions.h"

/* Reads what is left of the table into `out`, which is empty: the rows of a session together, the
 * sessions in the order of their first rows; with a time, each session's rows in that order. Adds
 * to lookup->unknown, to the report and, unless NULL, to the texts. */
alterrec_status ar_session_rows_read(ar_interactions *out, alterrec_data_report *report,
                                     ar_item_lookup *lookup, ar_item_texts *texts,
                                     const ar_table_reader *table, const ar_columns *at);

#endif
