/* lmplan.c -- plan a mixture from a recipe and a store. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "lib/io/output.h"
#include "longmix/plan.h"
#include "longmix/zio.h"

enum { HIST_MAX = 64 << 20, TEXT_MAX = 64 << 20 };

static const char *recipe_name, *output = "-";
static uint64_t tokens, row = 131072, shards;
static const char *seed;
static int when_short = -1;
static bool table;
static cli_list inputs;

static const cli_opt opts[] = {
    { CLI_ARGS, NULL, 0, &inputs, "SOURCE",
      "A token store (a .lmt file, or a directory of parts), or the JSON of lmhist --json (- is "
      "standard input). A plan from a store meets its budgets to the token and is valid only for "
      "that store; a plan from a histogram meets them in expectation and is valid for any store or "
      "stream.",
      1, 0 },
    { CLI_STR, "recipe", 'r', &recipe_name, "RECIPE",
      "A recipe file, or the name of one that comes with longmix: cut-4k, cut-128k, per-source, "
      "global, up-arxiv-book-github, up-book, up-code, up-arxiv." },
    { CLI_SIZE, "tokens", 't', &tokens, "N",
      "Tokens of the mixture (5B, 300M); overrides the recipe's." },
    { CLI_STR, "seed", 's', &seed, "N", "Seed for selection and order; overrides the recipe's." },
    { CLI_CHOICE, "when-short", 0, &when_short, "error|repeat|shrink",
      "If the source is too small (overrides the recipe's): error stops; repeat uses documents "
      "again, up to the recipe's max_copies; shrink takes all long documents of a domain and more "
      "of its short ones, and if the whole domain is too small, makes the mixture as large as the "
      "shares allow." },
    { CLI_SIZE, "length", 'L', &row, "N", "Tokens per row for lmpack (131072)." },
    { CLI_SIZE, "shards", 0, &shards, "N",
      "Divide the mixture into N shards. Default: about 2^27 tokens per shard, and at least eight "
      "shards or one per row." },
    { CLI_FLAG, "table", 0, &table, NULL,
      "Write a readable table instead of JSON; -v prints it to standard error, too." },
    { CLI_STR, "output", 'o', &output, "FILE", "Output file (standard output)." },
    { .kind = CLI_END },
};

/* ---- recipes by name --------------------------------------------------------------------- */

static int find_recipe(char *out, size_t size)
{
    /* From bin/, build/bin/ and build/asan/bin/ of the sources, and from PREFIX/bin. */
    static const char *const folders[] = { "../recipes", "../../recipes", "../../../recipes",
                                           "../share/longmix/recipes" };
    char self[4096];
    if (!access(recipe_name, F_OK) || strchr(recipe_name, '/')) {
        snprintf(out, size, "%s", recipe_name);
        return LM_OK;
    }
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n < 0 ? 0 : n] = 0;
    char *slash = strrchr(self, '/');
    if (slash) *slash = 0;
    for (size_t i = 0; slash && i < sizeof folders / sizeof *folders; i++) {
        int k = snprintf(out, size, "%s/%s/%s.json", self, folders[i], recipe_name);
        if (k > 0 && (size_t)k < size && !access(out, F_OK)) return LM_OK;
    }
    return lm_fail(LM_EIO, "%s: neither a file nor a recipe of longmix", recipe_name);
}

/* ---- the table --------------------------------------------------------------------------- */

enum { CELLS = 7 };

/* Columns as wide as what is in them. Rows are added twice: to measure, then to print. */
typedef struct grid {
    lm_buf *out; /* NULL while it is measured */
    size_t cells, width[CELLS];
    size_t usual[CELLS]; /* at least, where the output is no terminal: the same for all plans */
    int rc;
} grid;

/* One row; the first cell is a name. */
static void add_row(grid *g, const char *const cell[CELLS])
{
    for (size_t i = 0; i < g->cells && !g->rc; i++) {
        size_t n = strlen(cell[i]);
        if (!g->out && n > g->width[i]) g->width[i] = n;
        if (g->out) g->rc = lm_buf_printf(g->out, i ? "  %*s" : "%-*s", (int)g->width[i], cell[i]);
    }
    if (g->out && !g->rc) g->rc = lm_buf_printf(g->out, "\n");
}

/* From measuring to printing. The last columns go where a terminal is too narrow for them. */
static void begin_printing(grid *g, lm_buf *out)
{
    size_t columns = (size_t)cli_columns(STDOUT_FILENO), total = g->width[0];
    for (size_t i = 0; i < g->cells && !columns; i++)
        if (g->width[i] < g->usual[i]) g->width[i] = g->usual[i];
    for (size_t i = 1; i < g->cells; i++) total += 2 + g->width[i];
    for (; columns && total > columns && g->cells > 2; g->cells--)
        total -= 2 + g->width[g->cells - 1];
    g->out = out;
}

static const char *share_text(double share, int digits, char out[16])
{
    snprintf(out, 16, "%.*f%%", digits, 100 * share);
    return out;
}

static void add_domains(grid *g, const lm_plan *p)
{
    uint64_t long_tokens = 0;
    char source[16], target[16], longer[16];
    add_row(g, (const char *[CELLS]){ "domain", "available", "share", "target", "long", "tokens" });
    for (size_t d = 0; d < p->domains; d++) {
        const lm_plan_domain *pd = &p->domain[d];
        uint64_t available = 0;
        for (size_t i = 0; i < p->strata; i++)
            if (p->stratum[i].domain == d) available += p->stratum[i].available;
        long_tokens += (uint64_t)(pd->target_long_share * (double)pd->tokens + 0.5);
        add_row(g, (const char *[CELLS]){ cli_name(pd->name), cli_count(available),
                                          share_text(pd->source_share, 3, source),
                                          share_text(pd->target_share, 3, target),
                                          share_text(pd->target_long_share, 2, longer),
                                          cli_count(pd->tokens) });
    }
    share_text((double)long_tokens / (double)p->tokens, 2, longer);
    add_row(g, (const char *[CELLS]){ "all", "", "", "", longer, cli_count(p->tokens) });
}

static uint64_t add_strata(grid *g, const lm_plan *p)
{
    uint64_t strata = 0;
    char copies[32], threshold[17];
    add_row(g, (const char *[CELLS]){ "domain", "up to", "documents", "available", "tokens",
                                      "copies", "threshold" });
    for (size_t i = 0; i < p->strata; i++) {
        const lm_stratum *s = &p->stratum[i];
        if (!s->tokens) continue;
        strata++;
        snprintf(copies, sizeof copies, "%.4f", (double)s->tokens / (double)s->available);
        snprintf(threshold, sizeof threshold, "%016" PRIx64, s->threshold);
        add_row(g, (const char *[CELLS]){ cli_name(p->domain[s->domain].name),
                                          cli_count(lm_bucket_upto(s->bucket)),
                                          cli_count(s->documents), cli_count(s->available),
                                          cli_count(s->tokens), copies, threshold });
    }
    return strata;
}

/* Append the plan as a readable table. */
static int add_table(lm_buf *b, const lm_plan *p)
{
    grid domains = { .cells = 6, .usual = { 16, 15, 7, 7, 7, 15 } };
    grid all = { .cells = 7, .usual = { 16, 11, 11, 15, 15, 7, 17 } };
    add_domains(&domains, p);
    begin_printing(&domains, b);
    add_domains(&domains, p);
    int rc = domains.rc ? domains.rc : lm_buf_printf(b, "\n");
    if (rc) return rc;
    add_strata(&all, p);
    begin_printing(&all, b);
    uint64_t strata = add_strata(&all, p);
    if (all.rc) return all.rc;
    return lm_buf_printf(b, "\n%s: %s tokens from %s strata, %s rows of %s, %s shards\n",
                         cli_name(p->recipe), cli_count(p->tokens), cli_count(strata),
                         cli_count(p->tokens / p->row), cli_count(p->row), cli_count(p->shards));
}

/* ---- run --------------------------------------------------------------------------------- */

/* The output is neither the recipe nor the source nor a part of it. */
static int refuse_inputs(const char *recipe, const char *source)
{
    const char *const both[] = { recipe, source };
    int rc = lm_output_refuse_input(output, both, 2);
    return rc ? rc : lm_output_refuse_inputs_in(output, source);
}

/* Is it a store? By its first bytes, so that names do not matter. */
static int is_store(const char *path, bool *out)
{
    char magic[8] = "";
    struct stat st;
    *out = false;
    if (!strcmp(path, "-")) return LM_OK;
    if (stat(path, &st)) return lm_fail(LM_EIO, "%s: cannot be read", path);
    *out = S_ISDIR(st.st_mode);
    if (!S_ISREG(st.st_mode)) return LM_OK; /* a pipe is read once, as JSON */
    lm_in *in = NULL;
    int rc = lm_in_open(&in, path);
    if (rc) return rc;
    rc = lm_in_exact(in, magic, sizeof magic);
    *out = rc == 1 && !memcmp(magic, "LMTOKENS", 8);
    lm_in_close(in);
    return LM_OK; /* other formats are errors of the JSON reader */
}

static int make_plan(lm_plan *p, const lm_recipe *r, const lm_plan_options *o, const char *path)
{
    lm_store *s = NULL;
    lm_json *hist = NULL;
    bool store = false;
    int rc = is_store(path, &store);
    if (rc) return rc;
    if (store) {
        rc = lm_store_open(&s, path);
        if (!rc) rc = lm_plan_from_store(p, r, o, s);
        lm_store_close(s);
    } else {
        rc = lm_json_load(&hist, path, HIST_MAX);
        if (!rc) rc = lm_plan_from_hist(p, r, o, hist);
        lm_json_free(hist);
    }
    return rc;
}

/* Taken before the plan is made, so that a second process is refused, not waited for. */
static lm_out *out;

static int write_plan(const lm_plan *p)
{
    lm_buf text = LM_BUF_INIT(TEXT_MAX), readable = LM_BUF_INIT(TEXT_MAX);
    int rc = add_table(&readable, p);
    if (!rc) rc = lm_json_print(p->json, 2, &text);
    if (!rc && !table) cli_verbose("the plan\n\n%s", (const char *)readable.data);
    const lm_buf *b = table ? &readable : &text;
    if (!rc) rc = out ? lm_out_write(out, b->data, b->size) : cli_write(b->data, b->size);
    if (!rc && out) {
        rc = lm_out_commit(out);
        out = NULL;
    }
    lm_buf_free(&text);
    lm_buf_free(&readable);
    return rc;
}

static int run(void)
{
    char path[8192];
    lm_recipe r = { 0 };
    lm_plan p = { 0 };
    lm_plan_options o = { .tokens = tokens,
                          .row = row,
                          .shards = shards,
                          .has_seed = seed != NULL,
                          .has_when_short = when_short >= 0 };
    if (!recipe_name) return cli_usage("--recipe is missing");
    if (inputs.n != 1) return cli_usage("expected one store or histogram");
    if (!row) return cli_usage("--length 0: a row has at least one token");
    if (seed && lm_parse_size(seed, &o.seed)) return cli_usage("--seed: %s", lm_err());
    if (o.has_when_short) o.when_short = (enum lm_when_short)when_short;

    int rc = find_recipe(path, sizeof path);
    if (!rc) rc = refuse_inputs(path, inputs.v[0]);
    if (!rc) rc = lm_recipe_load(&r, path);
    if (!rc && strcmp(output, "-")) rc = lm_out_open(&out, output, LM_OUT_PLAIN, 0);
    if (!rc) rc = make_plan(&p, &r, &o, inputs.v[0]);
    if (!rc && p.tokens < p.asked)
        cli_note("%s: the source is too small for %s tokens; the mixture shrinks to %s", r.name,
                 cli_count(p.asked), cli_count(p.tokens));
    if (!rc) rc = write_plan(&p);
    lm_out_abandon(out);
    lm_plan_free(&p);
    lm_recipe_free(&r);
    return rc;
}

static const cli_tool tool = {
    .name = "lmplan",
    .summary = "plan a mixture from a recipe and a store",
    .about =
        "Computes how many tokens of each stratum (a domain and a length bucket) a mixture takes, "
        "and writes them as one page of JSON for lmmix. Shares are shares of tokens and are met "
        "exactly.\n\n"
        "A plan is a pure function of recipe, seed and source, without times or host names. If the "
        "source is too small, the message names the domain and the largest mixture that fits, and "
        "the exit status is 3.",
    .opts = opts,
    .examples =
        "# the paper's mixture, as large as a small store allows\n"
        "lmplan -r per-source --tokens 1M --when-short shrink -L 4096 -o plan.json store.lmt\n"
        "# the same as a table\n"
        "lmplan -r per-source --tokens 1M --when-short shrink -L 4096 --table store.lmt\n",
    .see = "lmtok(1), lmhist(1), lmmix(1), lmpack(1)",
    .run = run,
};

int main(int argc, char **argv) { return cli_main(argc, argv, &tool); }
