/* The charts over the epochs of a training: validation and loss, with the tower that trained. */
#ifndef REPORT_EPOCHS_H
#define REPORT_EPOCHS_H

#include "report_log.h"

#include <stdio.h>

void chart_validation(FILE *stream, const report_log *log);
void chart_loss(FILE *stream, const report_log *log);

#endif
