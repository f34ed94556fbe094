#include "report_evaluation.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { SHOWN_K = 20 };

const char *const series_names[SERIES] = {"fused", "ID", "text", "popularity"};
const char *const figure_metrics[FIGURE_METRICS] = {"Hits", "MRR", "NDCG"};

static const char *const series_keys[SERIES] = {"fused", "id", "text", "popularity"};
static const char *const metric_keys[FIGURE_METRICS] = {"hits", "mrr", "ndcg"};

/* Every scorer that is there has a number for every metric and K. */
static bool check_figures(const report_evaluation *evaluation, const report_source *source,
                          const json_value *figures) {
    for (int s = 0; s < SERIES; s++) {
        const json_value *scorer, *metric;
        if (!source_nested(&scorer, source, figures, series_keys[s], JSON_OBJECT, false))
            return false;
        for (int m = 0; scorer != NULL && m < FIGURE_METRICS; m++) {
            if (!source_nested(&metric, source, scorer, metric_keys[m], JSON_OBJECT, true))
                return false;
            for (int64_t i = 0; i < evaluation->k_count; i++) {
                char k[24];
                double figure;
                snprintf(k, sizeof k, "%" PRId64, evaluation->ks[i]);
                if (!source_number(&figure, source, metric, k, true))
                    return false;
            }
        }
    }
    return true;
}

static bool read_ks(report_evaluation *evaluation, const report_source *source) {
    const json_value *ks;
    if (!source_nested(&ks, source, evaluation->figures, "ks", JSON_ARRAY, true))
        return false;
    if (ks->count > FIGURE_KS_MOST || ks->count == 0)
        return source_fail(source, ks->offset, "\"ks\" has %" PRId64 " values, not 1 to %d",
                           ks->count, FIGURE_KS_MOST);
    for (const json_value *k = ks->first; k != NULL; k = k->next) {
        if (!source_whole(&evaluation->ks[evaluation->k_count], source, k))
            return false;
        evaluation->k_count++;
    }
    return true;
}

static bool read_group(figure_group *group, const report_evaluation *evaluation,
                       const report_source *source, const json_value *value) {
    *group = (figure_group){.high = -1, .figures = value};
    if (value->kind != JSON_OBJECT)
        return source_fail(source, value->offset, "a group is an object");
    const json_value *high = json_member(value, "high");
    bool is_open = high != NULL && high->kind == JSON_NULL;
    if (!source_count(&group->low, source, value, "low", true) ||
        !source_count(&group->examples, source, value, "examples", true) ||
        (!is_open && !source_count(&group->high, source, value, "high", true)))
        return false;
    group->high -= is_open ? 0 : 1; /* in the file the bound is not in the group */
    return check_figures(evaluation, source, value);
}

static bool read_groups(report_evaluation *evaluation, const report_source *source) {
    const json_value *groups;
    if (!source_nested(&groups, source, evaluation->figures, "groups", JSON_ARRAY, false))
        return false;
    if (groups != NULL && groups->count > FIGURE_GROUPS_MOST)
        return source_fail(source, groups->offset, "more than %d groups", FIGURE_GROUPS_MOST);
    for (const json_value *group = groups != NULL ? groups->first : NULL; group != NULL;
         group = group->next) {
        if (!read_group(&evaluation->groups[evaluation->group_count], evaluation, source, group))
            return false;
        evaluation->group_count++;
    }
    return true;
}

bool evaluation_read(report_evaluation *evaluation, const report_source *source,
                     const json_value *figures) {
    *evaluation = (report_evaluation){.figures = figures};
    if (figures->kind != JSON_OBJECT)
        return source_fail(source, figures->offset, "an evaluation is an object");
    for (int s = 0; s < SERIES; s++)
        evaluation->has[s] = json_member(figures, series_keys[s]) != NULL;
    return source_count(&evaluation->examples, source, figures, "examples", true) &&
           read_ks(evaluation, source) && check_figures(evaluation, source, figures) &&
           read_groups(evaluation, source);
}

double evaluation_figure(const json_value *figures, int series, int metric, int64_t k) {
    char key[24];
    snprintf(key, sizeof key, "%" PRId64, k);
    const json_value *of_metric =
        json_member(json_member(figures, series_keys[series]), metric_keys[metric]);
    const json_value *figure = json_member(of_metric, key);
    return figure != NULL && figure->kind == JSON_NUMBER ? figure->number : (double)NAN;
}

int64_t evaluation_k(const report_evaluation *evaluation) {
    int64_t k = evaluation->ks[0];
    for (int64_t i = 0; i < evaluation->k_count; i++) {
        if (evaluation->ks[i] <= SHOWN_K)
            k = evaluation->ks[i];
    }
    return k;
}
