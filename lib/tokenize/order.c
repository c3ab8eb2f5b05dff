/* order.c -- jobs are written in the order in which they were read, and the amount in
 * progress is bounded. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/tokenize/internal.h"

/* A document being processed takes up to about four times its size. Chunks up to SMALL_BYTES are not
 * counted; larger ones share BUDGET_BYTES, and one above that is processed alone. */
enum { SMALL_BYTES = 1 << 20, BUDGET_BYTES = 32 << 20 };

enum {
    JOBS_PER_THREAD = 6,  /* finished jobs that may wait for a slow one */
    KEEP_BYTES = 4 << 20, /* of a buffer, from one job to the next */
};

/* The longest line, if each byte became an id of 4 bytes, and space for SentencePiece's expansion. */
#define RECORDS_MAX ((size_t)64 << 30)

int tok_order_open(tok_order *q, int threads)
{
    *q = (tok_order){ .size = JOBS_PER_THREAD * (size_t)threads + 2 };
    q->ring = calloc(q->size, sizeof *q->ring);
    q->spare = calloc(q->size, sizeof *q->spare);
    if (!q->ring || !q->spare) {
        free(q->ring);
        free(q->spare);
        return lm_fail_nomem(q->size * sizeof *q->ring);
    }
    while (q->spares < q->size)
        q->spare[q->spares++] =
            (tok_bufs){ LM_BUF_INIT(RECORDS_MAX), LM_BUF_INIT(2 * LM_LINE_MAX) };
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->moved, NULL);
    return LM_OK;
}

void tok_order_close(tok_order *q)
{
    if (!q->ring) return;
    for (size_t i = 0; i < q->size; i++) {
        lm_buf_free(&q->ring[i].records);
        lm_buf_free(&q->ring[i].bad);
    }
    for (size_t i = 0; i < q->spares; i++) {
        lm_buf_free(&q->spare[i].records);
        lm_buf_free(&q->spare[i].bad);
    }
    free(q->ring);
    free(q->spare);
    pthread_mutex_destroy(&q->lock);
    pthread_cond_destroy(&q->moved);
}

/* Empty a job that was written. The next one takes its buffers, which may still be in the caches. */
static void clear(tok_order *q, tok_job *job)
{
    lm_buf_reset(&job->records, KEEP_BYTES);
    lm_buf_reset(&job->bad, KEEP_BYTES);
    q->spare[q->spares++] = (tok_bufs){ job->records, job->bad };
    *job = (tok_job){ 0 };
}

bool tok_order_room(tok_order *q, bool wait)
{
    pthread_mutex_lock(&q->lock);
    while (wait && !q->stopped && q->large >= BUDGET_BYTES) pthread_cond_wait(&q->moved, &q->lock);
    bool room = !q->stopped && q->large < BUDGET_BYTES;
    pthread_mutex_unlock(&q->lock);
    return room;
}

tok_job *tok_order_next(tok_order *q)
{
    tok_job *job = NULL;
    pthread_mutex_lock(&q->lock);
    while (!q->stopped && q->begun - q->written == q->size) pthread_cond_wait(&q->moved, &q->lock);
    if (!q->stopped) {
        job = &q->ring[q->begun % q->size];
        tok_bufs b = q->spare[--q->spares]; /* as many as jobs that are empty */
        job->records = b.records;
        job->bad = b.bad;
    }
    pthread_mutex_unlock(&q->lock);
    return job;
}

void tok_order_begin(tok_order *q, tok_job *job, size_t n)
{
    if (n <= SMALL_BYTES) n = 0;
    pthread_mutex_lock(&q->lock);
    while (!q->stopped && n && q->large && q->large + n > BUDGET_BYTES)
        pthread_cond_wait(&q->moved, &q->lock);
    q->large += job->large = n;
    q->begun++;
    pthread_mutex_unlock(&q->lock);
}

int tok_order_done(tok_order *q, tok_job *job, int (*write)(void *arg, tok_job *job), void *arg)
{
    int rc = LM_OK;
    pthread_mutex_lock(&q->lock);
    job->done = true;
    while (!q->writing && !q->stopped && (job = &q->ring[q->written % q->size])->done) {
        q->writing = true;
        pthread_mutex_unlock(&q->lock);
        rc = write(arg, job);
        size_t large = job->large;
        pthread_mutex_lock(&q->lock);
        clear(q, job);
        q->writing = false;
        q->stopped = q->stopped || rc;
        q->large -= large;
        q->written++;
        pthread_cond_broadcast(&q->moved);
    }
    bool stopped = q->stopped;
    pthread_mutex_unlock(&q->lock);
    return rc ? rc : !stopped;
}

void tok_order_stop(tok_order *q)
{
    pthread_mutex_lock(&q->lock);
    q->stopped = true;
    pthread_cond_broadcast(&q->moved);
    pthread_mutex_unlock(&q->lock);
}

bool tok_order_stopped(tok_order *q)
{
    pthread_mutex_lock(&q->lock);
    bool stopped = q->stopped;
    pthread_mutex_unlock(&q->lock);
    return stopped;
}

void tok_discard(const void *p, size_t n)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = ((uintptr_t)p + page - 1) & ~(page - 1), to = ((uintptr_t)p + n) & ~(page - 1);
    if (to > from) madvise((void *)from, to - from, MADV_DONTNEED); /* a hint: it may fail */
}
