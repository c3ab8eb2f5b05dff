#include "lib/base/threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#ifdef _OPENMP
#include <omp.h>
#endif

/* ---- parallel regions ------------------------------------------------------------------ */

int lm_threads_default(void)
{
    cpu_set_t set;
    bool known = !sched_getaffinity(0, sizeof set, &set);
    long n = known ? CPU_COUNT(&set) : sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > 4096 ? 4096 : (int)n;
}

/* One thread's part and its result; messages are thread-local, so they are copied. */
typedef struct worker {
    int (*fn)(void *arg, int t);
    void *arg;
    int t, rc;
    char message[1024];
} worker;

static void *work(void *p)
{
    worker *w = p;
    w->rc = w->fn(w->arg, w->t);
    if (w->rc < 0) snprintf(w->message, sizeof w->message, "%s", lm_err());
    return NULL;
}

#ifdef _OPENMP

static void run_all(worker *w, int n)
{
#pragma omp parallel num_threads(n)
    /* The runtime may give fewer threads than asked for; every part is run anyway. */
    for (int t = omp_get_thread_num(); t < n; t += omp_get_num_threads()) work(&w[t]);
}

#else

static void run_all(worker *w, int n)
{
    pthread_t *id = malloc((size_t)n * sizeof *id);
    int started = 1;
    while (id && started < n && !pthread_create(&id[started], NULL, work, &w[started])) started++;
    work(&w[0]);
    for (int t = started; t < n; t++) work(&w[t]);
    for (int t = 1; t < started; t++) pthread_join(id[t], NULL);
    free(id);
}

#endif

int lm_parallel(int n, int (*fn)(void *arg, int t), void *arg)
{
    if (n < 1) return lm_fail(LM_EUSAGE, "%d threads", n);
    worker *w = calloc((size_t)n, sizeof *w);
    if (!w) return lm_fail_nomem((size_t)n * sizeof *w);
    for (int t = 0; t < n; t++) w[t] = (worker){ .fn = fn, .arg = arg, .t = t };
    run_all(w, n);
    int first = 0;
    while (first < n && w[first].rc >= 0) first++;
    int rc = LM_OK;
    if (first < n) {
        rc = w[first].rc;
        lm_err_set(w[first].message);
    }
    free(w);
    return rc;
}

/* ---- turns ----------------------------------------------------------------------------- */

enum { SLOTS = 64 };

struct lm_turns {
    pthread_mutex_t claim; /* held while work is claimed */
    uint64_t next;         /* the next ticket, under `claim` */
    pthread_mutex_t lock;  /* of what follows */
    uint64_t turn;         /* the ticket whose turn it is */
    bool stopped;
    /* One for each ticket % SLOTS, so that a finished turn wakes few others than the next. */
    pthread_cond_t wake[SLOTS];
};

int lm_turns_new(lm_turns **out)
{
    lm_turns *t = calloc(1, sizeof *t);
    *out = t;
    if (!t) return lm_fail_nomem(sizeof *t);
    /* With default attributes these do nothing that could fail on Linux. */
    pthread_mutex_init(&t->claim, NULL);
    pthread_mutex_init(&t->lock, NULL);
    for (int i = 0; i < SLOTS; i++) pthread_cond_init(&t->wake[i], NULL);
    return LM_OK;
}

void lm_turns_free(lm_turns *t)
{
    if (!t) return;
    for (int i = 0; i < SLOTS; i++) pthread_cond_destroy(&t->wake[i]);
    pthread_mutex_destroy(&t->lock);
    pthread_mutex_destroy(&t->claim);
    free(t);
}

void lm_turns_enter(lm_turns *t) { pthread_mutex_lock(&t->claim); }

uint64_t lm_turns_claim(lm_turns *t)
{
    uint64_t ticket = t->next++;
    pthread_mutex_unlock(&t->claim);
    return ticket;
}

void lm_turns_leave(lm_turns *t) { pthread_mutex_unlock(&t->claim); }

bool lm_turns_wait(lm_turns *t, uint64_t ticket)
{
    pthread_mutex_lock(&t->lock);
    while (t->turn < ticket && !t->stopped) pthread_cond_wait(&t->wake[ticket % SLOTS], &t->lock);
    bool go = !t->stopped;
    pthread_mutex_unlock(&t->lock);
    return go;
}

void lm_turns_done(lm_turns *t, uint64_t ticket)
{
    pthread_mutex_lock(&t->lock);
    t->turn = ticket + 1;
    pthread_cond_broadcast(&t->wake[t->turn % SLOTS]);
    pthread_mutex_unlock(&t->lock);
}

void lm_turns_stop(lm_turns *t)
{
    pthread_mutex_lock(&t->lock);
    t->stopped = true;
    for (int i = 0; i < SLOTS; i++) pthread_cond_broadcast(&t->wake[i]);
    pthread_mutex_unlock(&t->lock);
}

bool lm_turns_stopped(lm_turns *t)
{
    pthread_mutex_lock(&t->lock);
    bool stopped = t->stopped;
    pthread_mutex_unlock(&t->lock);
    return stopped;
}
