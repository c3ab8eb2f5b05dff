/* figures.c -- the list of figures, and drawing one by its name. */
#include "figures/figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figures/internal.h"
#include "lib/base/text.h"

const fig_entry fig_list[] = {
    { "needle", "retrieval by depth and length, as heat maps" },
    { "passkey", "the same for passkey retrieval" },
    { "loss", "learning curves from logs of lmtrain" },
    { "ppl", "perplexity against length" },
    { "position", "loss against position" },
    { "speed", "time and memory against length" },
    { "curve", "retrieval against training tokens" },
    { "domains", "loss by domain and range, compared with a baseline" },
    { "histogram", "lengths by domain from lmhist --json" },
    { NULL, NULL },
};

static int (*const draw_list[])(fig *f) = { fig_needle, fig_passkey,  fig_loss,
                                            fig_ppl,    fig_position, fig_speed,
                                            fig_curve,  fig_domains,  fig_histogram };

static int find(const char *name, size_t *which)
{
    for (*which = 0; fig_list[*which].name; ++*which)
        if (!strcmp(fig_list[*which].name, name)) return LM_OK;
    char all[256] = "";
    lm_nearest best = lm_nearest_begin(strlen(name));
    for (size_t i = 0, n = 0; fig_list[i].name && n < sizeof all; i++) {
        const char *one = fig_list[i].name;
        n += (size_t)snprintf(all + n, sizeof all - n, "%s%s", i ? ", " : "", one);
        lm_nearest_try(&best, name, strlen(name), one, strlen(one));
    }
    if (best.name)
        return lm_fail(LM_EUSAGE, "%s: no such figure; did you mean %s? (%s)", name, best.name,
                       all);
    return lm_fail(LM_EUSAGE, "%s: no such figure; choose one of %s", name, all);
}

int fig_check(const char *name, const char *out)
{
    size_t which;
    int rc = find(name, &which);
    if (rc || fig_is_table(out) || !lm_plot_name(out)) return rc;
    return lm_fail(LM_EUSAGE, "%s: a figure must end in .svg, .png or .pdf, a table in .md or .tsv",
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
