/* The figures of an evaluation, read from what alterrec_evaluation_json writes. */
#ifndef REPORT_EVALUATION_H
#define REPORT_EVALUATION_H

#include "report_source.h"

enum { SERIES_FUSED, SERIES_ID, SERIES_TEXT, SERIES_POPULARITY, SERIES };

/* "fused", "ID", "text", "popularity", as people read it. */
extern const char *const series_names[SERIES];

enum { FIGURE_METRICS = 3 };

/* "Hits", "MRR", "NDCG". */
extern const char *const figure_metrics[FIGURE_METRICS];

enum { FIGURE_KS_MOST = 64, FIGURE_GROUPS_MOST = 64 };

typedef struct figure_group {
    int64_t low;
    int64_t high; /* the largest number of occurrences; -1: open */
    int64_t examples;
    const json_value *figures;
} figure_group;

/* Points into the tree it was read from. */
typedef struct report_evaluation {
    const json_value *figures; /* NULL: there is no evaluation */
    int64_t examples;
    int64_t ks[FIGURE_KS_MOST];
    int64_t k_count;
    figure_group groups[FIGURE_GROUPS_MOST];
    int64_t group_count;
    bool has[SERIES];
} report_evaluation;

/* False: something in it is malformed, and that has been said. */
bool evaluation_read(report_evaluation *evaluation, const report_source *source,
                     const json_value *figures);

/* One figure of all examples (`figures` of the evaluation) or of a group (its own); NAN if there is
 * none. */
double evaluation_figure(const json_value *figures, int series, int metric, int64_t k);

/* The K to show where there is place for one: 20, or the largest below it, or the smallest. */
int64_t evaluation_k(const report_evaluation *evaluation);

#endif
