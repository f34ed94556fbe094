#include "support/torture.h"

#include "core/memory.h"
#include "support/small_model.h"

#include <check.h>
#include <string.h>

void torture(torture_attempt attempt, torture_undo undo, int least) {
    int failures = 0;
    for (int64_t n = 1;; n++) {
        ar_memory_fail_after(n);
        alterrec_status status = attempt();
        ar_memory_fail_after(0);
        if (status == ALTERREC_OK)
            break;
        failures++;
        ck_assert_msg(status == ALTERREC_ERROR_OUT_OF_MEMORY, "allocation %lld: %s, %s",
                      (long long)n, alterrec_status_name(status), alterrec_last_error());
        ck_assert_msg(strstr(alterrec_last_error(), "out of memory") != NULL,
                      "allocation %lld: \"%s\"", (long long)n, alterrec_last_error());
        MUST(attempt());
        undo();
    }
    undo();
    ck_assert_msg(failures >= least, "%d allocations failed, at least %d were expected", failures,
                  least);
}

alterrec_status torture_made(alterrec_status status, const void *handle) {
    ck_assert_int_eq(status == ALTERREC_OK, handle != NULL);
    return status;
}
