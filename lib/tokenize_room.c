/* tokenize_room.c -- memory that does not grow: large documents share a budget. */
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tokenize_internal.h"

/* A document in work takes up to about four times its size. Chunks up to SMALL come out of
 * what each thread may use; larger ones share BUDGET, and one that is larger still works alone. */
enum { SMALL_BYTES = 1 << 20, BUDGET_BYTES = 32 << 20 };

void tok_room_init(tok_room *m)
{
    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->freed, NULL);
    m->used = 0;
}

void tok_room_destroy(tok_room *m)
{
    pthread_mutex_destroy(&m->lock);
    pthread_cond_destroy(&m->freed);
}

void tok_room_before(tok_room *m)
{
    pthread_mutex_lock(&m->lock);
    while (m->used >= BUDGET_BYTES) pthread_cond_wait(&m->freed, &m->lock);
    pthread_mutex_unlock(&m->lock);
}

size_t tok_room_take(tok_room *m, size_t n)
{
    if (n <= SMALL_BYTES) return 0;
    pthread_mutex_lock(&m->lock);
    while (m->used && m->used + n > BUDGET_BYTES) pthread_cond_wait(&m->freed, &m->lock);
    m->used += n;
    pthread_mutex_unlock(&m->lock);
    return n;
}

void tok_room_leave(tok_room *m, size_t taken)
{
    if (!taken) return;
    pthread_mutex_lock(&m->lock);
    m->used -= taken;
    pthread_cond_signal(&m->freed);
    pthread_mutex_unlock(&m->lock);
}

void tok_give_back(const void *p, size_t n)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = ((uintptr_t)p + page - 1) & ~(page - 1), to = ((uintptr_t)p + n) & ~(page - 1);
    if (to > from) madvise((void *)from, to - from, MADV_DONTNEED); /* a hint: it may fail */
}
