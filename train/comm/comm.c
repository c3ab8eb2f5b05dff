#include "train/comm/comm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- one rank --------------------------------------------------------------------------- */

static void close_alone(comm *c) { (void)c; }

static int reduce_alone(comm *c, bk_acc *x, size_t share)
{
    (void)c;
    (void)x;
    (void)share;
    return LM_OK;
}

static int gather_alone(comm *c, void *x, size_t bytes)
{
    (void)c;
    (void)x;
    (void)bytes;
    return LM_OK;
}

static int sum_alone(comm *c, double *x, size_t n)
{
    (void)c;
    (void)x;
    (void)n;
    return LM_OK;
}

static int broadcast_alone(comm *c, void *x, size_t bytes, int from)
{
    (void)from;
    return gather_alone(c, x, bytes);
}

static int send_alone(comm *c, void *x, size_t bytes, int from, int to)
{
    (void)to;
    return broadcast_alone(c, x, bytes, from);
}

comm *comm_alone(void)
{
    static comm alone = { .name = "none",
                          .size = 1,
                          .locals = 1,
                          .close = close_alone,
                          .reduce_scatter = reduce_alone,
                          .all_gather = gather_alone,
                          .sum = sum_alone,
                          .broadcast = broadcast_alone,
                          .send = send_alone };
    return &alone;
}

/* ---- agreement -------------------------------------------------------------------------- */

/* The rank whose error is reported; -1: no error, or all have the same. */
static int spokesman(const double *codes, int size)
{
    int stopped = -1, same = 1;
    while (same < size && codes[same] == codes[0]) same++;
    if (same == size) return -1;
    for (int i = 0; i < size; i++) {
        if ((int)codes[i] == LM_EINTR) stopped = stopped < 0 ? i : stopped;
        else if (codes[i] < 0) return i;
    }
    return stopped;
}

int comm_agree(comm *c, int rc)
{
    char text[1024], message[1024 + 32];
    if (c->size == 1) return rc;
    double *codes = calloc((size_t)c->size, sizeof *codes);
    if (!codes) return lm_fail_nomem((size_t)c->size * sizeof *codes);
    codes[c->rank] = rc;
    int sent = c->sum(c, codes, (size_t)c->size), who = sent ? -1 : spokesman(codes, c->size);
    if (who >= 0) {
        rc = (int)codes[who];
        snprintf(text, sizeof text, "%s", who == c->rank ? lm_err() : "");
        sent = c->broadcast(c, text, sizeof text, who);
        snprintf(message, sizeof message, "rank %d: %.*s", who, (int)sizeof text - 1, text);
        if (!sent) lm_err_set(rc == LM_EINTR ? text : message);
    }
    free(codes);
    return sent ? sent : rc;
}
