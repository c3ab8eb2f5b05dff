/* interrupt.h -- ending a run cleanly: a flag, and calls that may wait indefinitely. */
#ifndef LM_LIB_BASE_INTERRUPT_H
#define LM_LIB_BASE_INTERRUPT_H

#include <stdbool.h>

#include "longmix/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Ask the library's loops to stop with LM_EINTR as soon as they can do so cleanly, and end the
 * calls that are marked as below, in whichever thread. May be called from a signal handler. Where
 * such a call is under way, SIGALRM and the timer ITIMER_REAL are taken for this. */
void lm_interrupt(void);
bool lm_interrupted(void);

/* LM_OK, or LM_EINTR with its message once lm_interrupt() was called. */
LM_CHECKED int lm_check_interrupt(void);

/* A system call that may wait for another process, such as open, read or write of a pipe, stands
 * between these two. lm_interrupt() then ends it with EINTR, after which lm_check_interrupt() says
 * what to return. LM_OK, or LM_EINTR if the run is already to end: then the call must not be made,
 * nor lm_block_end(). They do not nest. lm_block_end() leaves errno as it is. */
LM_CHECKED int lm_block_begin(void);
void lm_block_end(void);

#ifdef __cplusplus
}
#endif
#endif
