#include "longmix/progress.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

double lm_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void format(const lm_progress *p, double now, char *line, size_t size)
{
    double elapsed = now - p->started, rate = elapsed > 0 ? (double)p->bytes / elapsed : 0;
    double shown = (double)(p->text ? p->text : p->bytes);
    int k = snprintf(line, size, "%.2f GB%s", 1e-9 * shown, p->text ? " of text" : "");
    if (p->total)
        k += snprintf(line + k, size - (size_t)k, "  %3.0f%%",
                      100.0 * (double)p->bytes / (double)p->total);
    k += snprintf(line + k, size - (size_t)k, "  %" PRIu64 " %s  %.0f MB/s", p->things, p->noun,
                  elapsed > 0 ? 1e-6 * shown / elapsed : 0);
    if (p->total <= p->bytes || rate <= 0) return;
    uint64_t left = (uint64_t)((double)(p->total - p->bytes) / rate);
    snprintf(line + k, size - (size_t)k, "  %" PRIu64 ":%02" PRIu64 ":%02" PRIu64 " left",
             left / 3600, left / 60 % 60, left % 60);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void lm_progress_text(lm_progress *p, uint64_t text)
{
    if (!p || !p->show) return;
    pthread_mutex_lock(&lock);
    p->text += text;
    pthread_mutex_unlock(&lock);
}

void lm_progress_add(lm_progress *p, uint64_t bytes, uint64_t things)
{
    if (!p || !p->show) return;
    pthread_mutex_lock(&lock);
    double now = lm_seconds();
    if (p->started == 0) p->started = now;
    p->bytes += bytes;
    p->things += things;
    if (now - p->shown >= 0.1) {
        char line[160];
        p->shown = now;
        format(p, now, line, sizeof line);
        p->show(p->arg, line);
    }
    pthread_mutex_unlock(&lock);
}
