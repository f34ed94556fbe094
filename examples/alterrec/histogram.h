/* Histograms of a dataset: how long its sessions are, and how often its items occur. */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <alterrec/alterrec.h>
#include <stddef.h>
#include <stdint.h>

/* The whole numbers low..high, and how many were met. */
typedef struct histogram_bin {
    int64_t low;
    int64_t high; /* -1: open */
    int64_t count;
} histogram_bin;

enum { HISTOGRAM_LENGTHS = 11, HISTOGRAM_OCCURRENCES = 8 };

/* Of all splits together. */
typedef struct data_histograms {
    histogram_bin lengths[HISTOGRAM_LENGTHS];         /* sessions by their number of items */
    histogram_bin occurrences[HISTOGRAM_OCCURRENCES]; /* items by how often they occur */
} data_histograms;

alterrec_status histograms_count(data_histograms *histograms, const alterrec_dataset *dataset);

/* "3", "6 to 7", "1000 or more". */
void histogram_range(char *text, size_t size, int64_t low, int64_t high);

/* The bins from the first to the last that is not empty: moves *bins, and returns their number. */
int64_t histogram_trim(const histogram_bin **bins, int64_t count);

/* The largest count of the bins, at least 1. */
int64_t histogram_most(const histogram_bin *bins, int64_t count);

#endif
