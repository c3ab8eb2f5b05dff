/* threads.h -- parallel regions, and results in input order. */
#ifndef LM_LIB_BASE_THREADS_H
#define LM_LIB_BASE_THREADS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/interrupt.h"
#include "longmix/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Cores this process may run on (at least 1). */
int lm_threads_default(void);

/* Run fn(arg, t) for t = 0 .. n-1, each on its own thread (OpenMP; t = 0 is the caller). 0
 * when all returned 0; else the first negative code in the order of t, whose message becomes
 * the caller's. */
LM_CHECKED int lm_parallel(int n, int (*fn)(void *arg, int t), void *arg);

/* A ticket lock: work is claimed under a lock in order 0, 1, 2, ... and its results are passed
 * on in the same order, whichever thread finishes first. */
typedef struct lm_turns lm_turns;
LM_CHECKED int lm_turns_new(lm_turns **out);
void lm_turns_free(lm_turns *t);

/* Take the lock under which work is claimed. lm_turns_claim ends it: it gives the ticket of
 * the work just taken. lm_turns_leave ends it without taking any. */
void lm_turns_enter(lm_turns *t);
uint64_t lm_turns_claim(lm_turns *t);
void lm_turns_leave(lm_turns *t);

/* Wait until every lower ticket is done. false when lm_turns_stop was called: no more results may be
 * passed on. */
LM_CHECKED bool lm_turns_wait(lm_turns *t, uint64_t ticket);
void lm_turns_done(lm_turns *t, uint64_t ticket);

/* Wake all waiters, after an error. */
void lm_turns_stop(lm_turns *t);
bool lm_turns_stopped(lm_turns *t);

#ifdef __cplusplus
}
#endif
#endif
