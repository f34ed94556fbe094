#include "table.h"
#include "names.h"
#include "settings.h"
#include "terminal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const int32_t scorers[] = {ALTERREC_FUSED, ALTERREC_ID, ALTERREC_TEXT, ALTERREC_POPULARITY};
static const int32_t metrics[] = {ALTERREC_HITS, ALTERREC_MRR, ALTERREC_NDCG};

enum { SCORERS = 4, METRICS = 3, GROUP_K = 20 };

static void print_figure(const alterrec_evaluation *evaluation, int32_t scorer, int32_t metric,
                         int64_t k, int64_t group, int width) {
    double value;
    if (alterrec_evaluation_metric(&value, evaluation, scorer, metric, k, group) == ALTERREC_OK)
        printf("%*.4f", width, value);
    else
        printf("%*s", width, "-");
}

/* Whether the scorer was evaluated: a model without texts has no text scores. */
static bool has_scorer(const alterrec_evaluation *evaluation, int32_t scorer, int64_t k) {
    double value;
    return alterrec_evaluation_metric(&value, evaluation, scorer, ALTERREC_HITS, k, -1) ==
           ALTERREC_OK;
}

static void print_overall(const alterrec_evaluation *evaluation, const int64_t *ks, int64_t count) {
    printf("%-17s", "");
    for (int64_t i = 0; i < count; i++) {
        char head[24];
        snprintf(head, sizeof head, "@%" PRId64, ks[i]);
        printf("%8s", head);
    }
    putchar('\n');
    for (int metric = 0; metric < METRICS; metric++) {
        const char *name = names_metric(metrics[metric]);
        for (int scorer = 0; scorer < SCORERS; scorer++) {
            if (!has_scorer(evaluation, scorers[scorer], ks[0]))
                continue;
            printf("%-5s %-11s", name, names_scorer(scorers[scorer]));
            for (int64_t i = 0; i < count; i++)
                print_figure(evaluation, scorers[scorer], metrics[metric], ks[i], -1, 8);
            putchar('\n');
            name = "";
        }
    }
}

static void print_group(const alterrec_evaluation *evaluation, int64_t group, int64_t k) {
    int64_t low;
    int64_t high;
    int64_t examples;
    if (alterrec_evaluation_group(&low, &high, &examples, evaluation, group) != ALTERREC_OK)
        return;
    char range[48];
    if (high < 0)
        snprintf(range, sizeof range, "%" PRId64 " or more", low);
    else
        snprintf(range, sizeof range, "%" PRId64 " to %" PRId64, low, high - 1);
    printf("%-13s %10s", range, terminal_count(examples));
    for (int scorer = 0; scorer < SCORERS; scorer++)
        print_figure(evaluation, scorers[scorer], ALTERREC_HITS, k, group, 12);
    putchar('\n');
}

/* By groups one K is enough: 20, or the largest below it. */
static void print_groups(const alterrec_evaluation *evaluation, const int64_t *ks, int64_t count) {
    int64_t groups = alterrec_evaluation_groups(evaluation);
    if (groups == 0)
        return;
    int64_t k = ks[0];
    for (int64_t i = 0; i < count && ks[i] <= GROUP_K; i++)
        k = ks[i];
    printf("\nHits@%" PRId64 " by how often the label occurs in training\n", k);
    printf("%-13s %10s", "occurrences", "examples");
    for (int scorer = 0; scorer < SCORERS; scorer++)
        printf("%12s", names_scorer(scorers[scorer]));
    putchar('\n');
    for (int64_t group = 0; group < groups; group++)
        print_group(evaluation, group, k);
}

void table_print(const alterrec_evaluation *evaluation, const alterrec_config *config) {
    int64_t count;
    int64_t *ks = settings_ks(&count, config);
    printf("%s examples, ranked against the whole catalog\n\n",
           terminal_count(alterrec_evaluation_examples(evaluation)));
    if (count > 0) {
        print_overall(evaluation, ks, count);
        print_groups(evaluation, ks, count);
    }
    free(ks);
}
