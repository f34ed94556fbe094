/* The page of a report: one HTML document without script, that fetches nothing. */
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

#include "report_log.h"

#include <stdio.h>

typedef struct report_page {
    const char *title;
    const report_log *log;
    const report_evaluation *test; /* the log's, or that of --evaluation; its figures may be NULL */
    const char *test_path;         /* the file of --evaluation, or NULL */
} report_page;

void page_write(FILE *stream, const report_page *page);

/* The style sheet of the page. */
extern const char page_style[];

#endif
