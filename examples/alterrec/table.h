/* The figures of an evaluation as tables for people. */
#ifndef TABLE_H
#define TABLE_H

#include <alterrec/alterrec.h>

/* Every metric at every K of eval.ks, for each scorer, and then by popularity group. */
void table_print(const alterrec_evaluation *evaluation, const alterrec_config *config);

#endif
