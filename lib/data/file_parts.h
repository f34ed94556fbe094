/* A text file cut into parts of whole lines, one for each thread, whose items get the numbers that
 * they would have if the file were read from front to back. Level: data. */
#ifndef AR_DATA_FILE_PARTS_H
#define AR_DATA_FILE_PARTS_H

#include "data/item_lookup.h"

typedef struct ar_file_part {
    const char *from, *to;
    ar_item_lookup lookup; /* of this part alone, unless it is the first one */
    ar_dictionary keys;    /* what `lookup` takes in, unless it is the first one */
    int32_t *numbers;      /* [keys.count] the final number of each; NULL: they are final */
    alterrec_status status;
    char error[AR_FAIL_TEXT_SIZE];
} ar_file_part;

typedef struct ar_file_parts {
    ar_file_part *parts;
    int64_t count;
} ar_file_parts;

/* Cuts what is left of lookup->file; into a single part if it is small, or is to be kept `whole`. A
 * line ends at a newline, whatever stands before it. */
alterrec_status ar_file_parts_create(ar_file_parts *parts, const ar_item_lookup *lookup,
                                     bool whole);
void ar_file_parts_free(ar_file_parts *parts);

/* Has every part worked on, side by side. Of several errors the one that stands first in the file
 * is returned. */
typedef alterrec_status (*ar_file_part_work)(ar_file_part *part, int64_t index, void *state);
alterrec_status ar_file_parts_run(ar_file_parts *parts, ar_file_part_work work, void *state);

/* Gives each part `numbers`, where its items are not those of the whole. */
alterrec_status ar_file_parts_number(ar_file_parts *parts);

/* items [count] of a part become those of the whole. */
void ar_file_part_renumber(const ar_file_part *part, int32_t *items, int64_t count);

/* The keys of all parts that are no item's. */
int64_t ar_file_parts_unknown(const ar_file_parts *parts);

#endif
