/* The list of figures, their memory, and tables on their way out. */
#include "figures/figures.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figures/internal.h"
#include "longmix/zio.h"

const fig_entry fig_list[] = {
    { "needle", "retrieval by depth and length, as heat maps" },
    { "passkey", "the same of passkey retrieval" },
    { "loss", "learning curves from logs of lmtrain" },
    { "ppl", "perplexity against length" },
    { "position", "loss against position" },
    { "speed", "time and memory against length" },
    { "curve", "retrieval against training tokens" },
    { "domains", "loss by domain and range beside a baseline" },
    { "histogram", "lengths by domain from lmhist --json" },
    { NULL, NULL },
};

static int (*const draw_list[])(fig *f) = { fig_needle, fig_passkey,  fig_loss,
                                            fig_ppl,    fig_position, fig_speed,
                                            fig_curve,  fig_domains,  fig_histogram };

/* ---- memory ------------------------------------------------------------------------------ */

void *fig_new(fig *f, size_t n, size_t size)
{
    if (f->chunks == f->chunk_room) {
        size_t room = f->chunk_room ? 2 * f->chunk_room : 64;
        void **chunk = realloc(f->chunk, room * sizeof *chunk);
        if (!chunk) {
            f->rc = lm_fail_nomem(room * sizeof *chunk);
            return NULL;
        }
        f->chunk = chunk;
        f->chunk_room = room;
    }
    void *p = calloc(n ? n : 1, size);
    if (p) f->chunk[f->chunks++] = p;
    else f->rc = lm_fail_nomem(n * size);
    return p;
}

const char *fig_text(fig *f, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    char *text = n < 0 ? NULL : fig_new(f, (size_t)n + 1, 1);
    if (text) vsnprintf(text, (size_t)n + 1, fmt, again);
    va_end(again);
    va_end(ap);
    return text ? text : "";
}

void fig_note(const fig *f, const char *fmt, ...)
{
    char line[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (f->o->note) f->o->note(f->o->arg, line);
}

/* ---- out --------------------------------------------------------------------------------- */

static bool named(const char *path, const char *end)
{
    size_t n = strlen(path), k = strlen(end);
    return n > k && !strcmp(path + n - k, end);
}

static bool table_name(const char *out)
{
    return !strcmp(out, "-") || named(out, ".md") || named(out, ".tsv");
}

bool fig_wants_table(const fig *f) { return table_name(f->o->out); }

int fig_table(fig *f, const lm_plot_table *t)
{
    lm_buf text = LM_BUF_INIT((size_t)1 << 28);
    lm_out *out = NULL;
    int rc = f->rc;
    if (!rc && named(f->o->out, ".tsv")) rc = lm_plot_table_tsv(&text, t);
    else if (!rc) rc = lm_plot_table_markdown(&text, t);
    if (!rc) rc = lm_out_open(&out, f->o->out, LM_OUT_PLAIN, 0);
    if (!rc) rc = lm_out_write(out, text.data, text.size);
    if (!rc) rc = lm_out_commit(out);
    else lm_out_abandon(out);
    lm_buf_free(&text);
    return rc;
}

static int find(const char *name, size_t *which)
{
    for (*which = 0; fig_list[*which].name; ++*which)
        if (!strcmp(fig_list[*which].name, name)) return LM_OK;
    char all[256] = "";
    for (size_t i = 0, n = 0; fig_list[i].name && n < sizeof all; i++)
        n += (size_t)snprintf(all + n, sizeof all - n, "%s%s", i ? ", " : "", fig_list[i].name);
    return lm_fail(LM_EUSAGE, "%s: there is no such figure; there are %s", name, all);
}

int fig_check(const char *name, const char *out)
{
    size_t which;
    int rc = find(name, &which);
    if (rc || table_name(out) || !lm_plot_name(out)) return rc;
    return lm_fail(LM_EUSAGE,
                   "%s: the name of a figure ends in .svg, .png or .pdf, that of a table in .md or "
                   ".tsv",
                   out);
}

int fig_draw(const char *name, const fig_options *o)
{
    fig f = { .o = o };
    size_t which;
    int rc = fig_check(name, o->out);
    if (!rc) rc = find(name, &which);
    if (!rc) rc = draw_list[which](&f);
    if (!rc) rc = f.rc;
    for (size_t i = 0; i < f.lines; i++) lm_json_free(f.line[i].json);
    free(f.line);
    for (size_t i = 0; i < f.chunks; i++) free(f.chunk[i]);
    free(f.chunk);
    return rc;
}
