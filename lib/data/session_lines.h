/* Sessions that stand one a line in a text file. Level: data. */
#ifndef AR_DATA_SESSION_LINES_H
#define AR_DATA_SESSION_LINES_H

#include "data/interactions.h"

/* Reads what is left of lookup->file into `out`, which is empty, and adds to lookup->unknown. Lines
 * without a key are no sessions. */
alterrec_status ar_session_lines_read(ar_interactions *out, ar_item_lookup *lookup);

#endif
