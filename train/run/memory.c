/* The memory plan of a rank: device memory and host memory. */
#include <inttypes.h>
#include <stdio.h>

#include "train/run/internal.h"

static size_t mib(size_t bytes) { return bytes >> 20; }

size_t tr_host_available(void)
{
    FILE *f = fopen("/proc/meminfo", "r");
    char line[128];
    unsigned long long kib = 0;
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1) break;
    if (f) fclose(f);
    return (size_t)kib * 1024;
}

/* ---- as text ---------------------------------------------------------------------------- */

static int add_line(lm_buf *text, const char *where, const char *name, size_t bytes)
{
    char label[64];
    snprintf(label, sizeof label, "%s%s", where, name);
    return lm_buf_printf(text, "%-36s %12.1f MiB\n", label, (double)bytes / (1024 * 1024));
}

static int add_lines(lm_buf *text, const size_t *bytes, size_t all, size_t available,
                     const char *where)
{
    int rc = LM_OK;
    for (size_t i = 0; !rc && i < TR_MEM_KINDS; i++)
        if (bytes[i]) rc = add_line(text, where, tr_memory_names[i], bytes[i]);
    if (!rc) rc = add_line(text, where, "all", all);
    if (!rc && available) rc = add_line(text, where, "available", available);
    return rc;
}

int tr_run_plan(const tr_run *r, lm_buf *text)
{
    tr_plan p;
    int rc = tr_model_plan(&p, &r->c, &r->l, r->b);
    if (!rc)
        rc = lm_buf_printf(text,
                           "%.4g M weights, %zu layers; %" PRIu64 " steps of %" PRIu64
                           " x %zu tokens, %" PRIu64 " at a time",
                           tr_config_weights(&r->c) / 1e6, r->c.layers, r->steps, r->state.batch,
                           r->l.length, r->pass.micro);
    if (!rc && r->ranks->size > 1)
        rc = lm_buf_printf(text, "; for each of %d ranks", r->ranks->size);
    if (!rc) rc = lm_buf_add(text, "\n", 1);
    if (!rc) rc = add_lines(text, p.bytes, p.total, r->b->available(r->b), "");
    if (!rc && p.host_total)
        rc = add_lines(text, p.host, p.host_total, r->b->unified ? 0 : r->host, "host: ");
    return rc;
}

/* ---- what fits -------------------------------------------------------------------------- */

/* Bytes needed and available; available 0: unknown. */
typedef struct need {
    size_t device, host, device_free, host_free;
} need;

static int need_of(need *n, const tr_run *r, const tr_layout *l)
{
    tr_plan p;
    int rc = tr_model_plan(&p, &r->c, l, r->b);
    size_t available = rc ? 0 : r->b->available(r->b), locals = (size_t)r->ranks->locals;
    *n = (need){ p.total, p.host_total, available, 0 };
    if (r->b->unified) {
        if (__builtin_add_overflow(p.total, p.host_total, &n->device)) n->device = SIZE_MAX;
        n->host = 0;
        n->device_free = available / locals;
    } else if (p.host_total) {
        n->host_free = r->host / locals;
    }
    return rc;
}

static bool fits(const need *n)
{
    return (!n->device_free || n->device <= n->device_free) &&
           (!n->host_free || n->host <= n->host_free);
}

/* Ways to need less memory, the cheapest first; options already given stay. The first four apply
 * where device memory is host memory. */
enum { UNIFIED_WAYS = 4 };
static const struct {
    bool keep_attention, one, optimizer, checkpoints;
    size_t slice;
} ways[] = {
    { true, false, false, false, 0 }, { false, false, false, false, 0 },
    { false, true, false, false, 0 }, { false, true, false, false, 512 },
    { true, true, true, false, 0 },   { false, true, true, false, 0 },
    { true, true, true, true, 0 },    { false, true, true, true, 0 },
    { false, true, true, true, 512 },
};

static tr_layout way_of(const tr_run *r, size_t i)
{
    tr_layout l = r->l;
    l.recompute = true;
    l.keep_attention = ways[i].keep_attention;
    l.offload_optimizer |= ways[i].optimizer;
    l.offload_checkpoints |= ways[i].checkpoints;
    if (ways[i].one) l.tokens = l.length;
    if (ways[i].slice && ways[i].slice < l.slice) l.slice = ways[i].slice;
    return l;
}

static void options_of(char *text, size_t size, const tr_run *r, const tr_layout *l)
{
    char slice[32] = "";
    if (l->slice < r->l.slice) snprintf(slice, sizeof slice, " --slice %zu", l->slice);
    snprintf(text, size, "--recompute%s%s%s%s%s%s", l->keep_attention ? " --keep-attention" : "",
             l->tokens < r->l.tokens ? " --micro-batch 1" : "",
             l->offload_optimizer || l->offload_checkpoints ? " --offload " : "",
             l->offload_optimizer ? "optimizer" : "",
             l->offload_checkpoints ? l->offload_optimizer ? ",checkpoints" : "checkpoints" : "",
             slice);
}

/* "N MiB are needed ...", "N MiB of the device and M of host memory are needed ..." */
static void say_need(char *text, size_t size, const need *n)
{
    if (!n->host)
        snprintf(text, size, "%zu MiB are needed and %zu MiB are available", mib(n->device),
                 mib(n->device_free));
    else
        snprintf(text, size,
                 "%zu MiB are needed and %zu MiB are available, and %zu MiB of host memory, where "
                 "%zu MiB are available",
                 mib(n->device), mib(n->device_free), mib(n->host), mib(n->host_free));
}

int tr_check_memory(const tr_run *r)
{
    need now, then = { 0 };
    char text[256], with[128], host[64];
    int rc = need_of(&now, r, &r->l);
    if (rc || fits(&now)) return rc;
    say_need(text, sizeof text, &now);
    bool fit = false;
    const size_t all = sizeof ways / sizeof *ways, n = r->b->unified ? UNIFIED_WAYS : all;
    for (size_t i = 0; !fit && i < n; i++) {
        tr_layout l = way_of(r, i);
        rc = need_of(&then, r, &l);
        if (rc) return rc;
        fit = fits(&then);
        options_of(with, sizeof with, r, &l);
    }
    snprintf(host, sizeof host, ", and %zu MiB of host memory", mib(then.host));
    return lm_fail(LM_ENOMEM, "%s; %s%s it would be %zu MiB%s (--dry-run shows what takes it)",
                   text, fit ? "with " : "no option makes it fit: with ", with, mib(then.device),
                   then.host ? host : "");
}
