/* progress.h -- a progress line for a terminal. The line is passed to a callback: the library does
 * not print. */
#ifndef LONGMIX_PROGRESS_H
#define LONGMIX_PROGRESS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lm_progress {
    void (*show)(void *arg, const char *line); /* NULL: silent. Called at most ten times a second */
    void *arg;
    const char *noun; /* what is counted: "documents", "rows" */
    uint64_t total;   /* bytes expected, 0 when unknown */
    /* The rest is private to the library. */
    double started, shown;
    uint64_t bytes, things, text;
} lm_progress;

/* Count `bytes` and `things` more (thread-safe; p may be NULL) and show the line if it is time:
 * bytes, percentage, things, MB/s, time left. */
void lm_progress_add(lm_progress *p, uint64_t bytes, uint64_t things);

/* Count bytes of text, where `bytes` are those of compressed files: amount and rate are then those
 * of the text. Shown with the next lm_progress_add. */
void lm_progress_text(lm_progress *p, uint64_t text);

/* Seconds of a monotonic clock, from an arbitrary start. */
double lm_seconds(void);

#ifdef __cplusplus
}
#endif
#endif
