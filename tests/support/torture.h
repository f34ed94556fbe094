/* Calls with the first, the second, the third ... allocation failing. */
#ifndef TEST_TORTURE_H
#define TEST_TORTURE_H

#include <alterrec/alterrec.h>

typedef alterrec_status (*torture_attempt)(void);
typedef void (*torture_undo)(void);

/* Runs `attempt` with one allocation failing, each in turn, until it succeeds; aborts the test if
 * it fails with anything but OUT_OF_MEMORY, or less often than `least`. After each failure it runs
 * once with enough memory, and `undo` then puts away what that made. */
void torture(torture_attempt attempt, torture_undo undo, int least);

/* `status`; aborts the test if a call that makes a handle has failed and left one, or the reverse.
 */
alterrec_status torture_made(alterrec_status status, const void *handle);

#endif
