#include "histogram.h"
#include "program.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const data_histograms empty = {
    .lengths = {{1, 1, 0},
                {2, 2, 0},
                {3, 3, 0},
                {4, 4, 0},
                {5, 5, 0},
                {6, 7, 0},
                {8, 10, 0},
                {11, 20, 0},
                {21, 50, 0},
                {51, 100, 0},
                {101, -1, 0}},
    .occurrences = {{0, 0, 0},
                    {1, 1, 0},
                    {2, 4, 0},
                    {5, 9, 0},
                    {10, 29, 0},
                    {30, 99, 0},
                    {100, 999, 0},
                    {1000, -1, 0}},
};

static void bins_add(histogram_bin *bins, int count, int64_t value) {
    for (int i = 0; i < count; i++) {
        if (value >= bins[i].low && (bins[i].high < 0 || value <= bins[i].high))
            bins[i].count++;
    }
}

/* Counts lengths into the histogram, and occurrences item by item. */
static alterrec_status count_split(data_histograms *histograms, int64_t *occurrences,
                                   const alterrec_sessions *sessions) {
    for (int64_t session = 0; session < alterrec_sessions_count(sessions); session++) {
        const int32_t *items;
        int64_t length;
        alterrec_status status = alterrec_sessions_get(&items, &length, sessions, session);
        if (status != ALTERREC_OK)
            return status;
        bins_add(histograms->lengths, HISTOGRAM_LENGTHS, length);
        for (int64_t i = 0; i < length; i++)
            occurrences[items[i]]++;
    }
    return ALTERREC_OK;
}

alterrec_status histograms_count(data_histograms *histograms, const alterrec_dataset *dataset) {
    int64_t items = alterrec_catalog_items(alterrec_dataset_catalog(dataset));
    int64_t *occurrences = program_resize(NULL, items, sizeof *occurrences);
    memset(occurrences, 0, (size_t)items * sizeof *occurrences);
    *histograms = empty;
    alterrec_status status = ALTERREC_OK;
    for (int32_t split = ALTERREC_SPLIT_TRAIN;
         split <= ALTERREC_SPLIT_TEST && status == ALTERREC_OK; split++)
        status = count_split(histograms, occurrences, alterrec_dataset_sessions(dataset, split));
    for (int64_t i = 0; i < items; i++)
        bins_add(histograms->occurrences, HISTOGRAM_OCCURRENCES, occurrences[i]);
    free(occurrences);
    return status;
}

void histogram_range(char *text, size_t size, int64_t low, int64_t high) {
    if (high < 0)
        snprintf(text, size, "%" PRId64 " or more", low);
    else if (high == low)
        snprintf(text, size, "%" PRId64, low);
    else
        snprintf(text, size, "%" PRId64 " to %" PRId64, low, high);
}

int64_t histogram_trim(const histogram_bin **bins, int64_t count) {
    while (count > 0 && (*bins)->count == 0) {
        ++*bins;
        count--;
    }
    while (count > 0 && (*bins)[count - 1].count == 0)
        count--;
    return count;
}

int64_t histogram_most(const histogram_bin *bins, int64_t count) {
    int64_t most = 1;
    for (int64_t i = 0; i < count; i++)
        most = bins[i].count > most ? bins[i].count : most;
    return most;
}
