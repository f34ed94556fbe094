/* The library's numbers as words for people. */
#ifndef NAMES_H
#define NAMES_H

#include <alterrec/alterrec.h>
#include <stddef.h>

/* "ID", "text", "fused", "popularity". */
const char *names_scorer(int32_t scorer);

/* "random", "hard", "full", "batch", "own". */
const char *names_negatives(int32_t negatives);

/* "Hits", "MRR", "NDCG". */
const char *names_metric(int32_t metric);

/* The metric that validation goes by, as "Hits@20". */
void names_valid_metric(char *name, size_t size, const alterrec_config *config);

#endif
