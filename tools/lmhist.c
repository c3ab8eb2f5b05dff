/* lmhist.c -- document lengths by domain: JSONL, stores, streams, shards. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "cli_inputs.h"
#include "longmix/hist.h"
#include "longmix/json.h"
#include "lib/plot/plot.h"

enum { BY_TOKENS, BY_DOCS };
static int by, threads;
static bool json, tsv, ascii;
static const char *plot_path;
static cli_inputs jsonl;
static cli_list operands;

static const cli_opt opts[] = {
    { CLI_ARGS, NULL, 0, &operands, "INPUT",
      "A JSONL file, plain or compressed; a store (.lmt) or any token stream; a shard (.lms); a "
      "folder of one of these; - for standard input (the default). A folder is read as shards if "
      "it contains *.lms, else as the parts of a store if it contains *.lmt, else as JSONL: what "
      "it holds that is none is counted, and named with -v." },
    { CLI_CHOICE, "by", 0, &by, "tokens|docs",
      "The unit of shares and bars in the terminal. Default: tokens." },
    { CLI_FLAG, "json", 0, &json, NULL,
      "Print JSON (docs/histograms.md): an object, or with several inputs an array of objects, "
      "each with the name of its input. lmplan accepts it instead of a store." },
    { CLI_FLAG, "tsv", 0, &tsv, NULL, "Print a line of tab-separated columns per domain." },
    { CLI_STR, "plot", 'p', &plot_path, "FILE.svg|.png|.pdf",
      "Also draw the histograms into FILE, a column per input." },
    CLI_INPUTS_OPTIONS(jsonl),
    { CLI_FLAG, "ascii", 0, &ascii, NULL, "Use only ASCII characters, without colour." },
    { CLI_THREADS, "threads", 'j', &threads, "N", "Threads. Default: all cores.", 0, 1024 },
    { .kind = CLI_END },
};

/* ---- tables ----------------------------------------------------------------------------- */

/* The rows to show: one per domain that is not empty in some input, then the total. */
typedef struct table {
    const char **name; /* [rows - 1] */
    size_t rows;
    lm_hist_row *row; /* [inputs][rows] */
    int name_width;
    unsigned low, high; /* the buckets that bars show */
} table;

static const char *row_name(const table *t, size_t k)
{
    return k + 1 < t->rows ? t->name[k] : "all";
}

/* The same for a person to read. */
static const char *shown_name(const table *t, size_t k) { return cli_name(row_name(t, k)); }

static const lm_hist_row *all_of(const table *t, size_t input)
{
    return &t->row[(input + 1) * t->rows - 1];
}

static uint64_t weight(const lm_hist_row *r, unsigned b)
{
    return by == BY_DOCS ? r->bucket_documents[b] : r->bucket_tokens[b];
}
static uint64_t whole(const lm_hist_row *r) { return by == BY_DOCS ? r->documents : r->tokens; }
static uint64_t over(const lm_hist_row *r)
{
    return by == BY_DOCS ? r->long_documents : r->long_tokens;
}
static double percent(uint64_t part, uint64_t all)
{
    return all ? 100.0 * (double)part / (double)all : 0;
}

/* From 64 to 128K, extended until no row has more than 1/200 beyond: similar inputs get the same
 * range. */
static void find_range(table *t, size_t inputs)
{
    t->low = LM_LONG_BUCKET - 7;
    t->high = LM_LONG_BUCKET + 4;
    for (size_t i = 0; i < inputs * t->rows; i++) {
        const lm_hist_row *r = &t->row[i];
        unsigned low = 0, high = LM_BUCKETS - 1;
        uint64_t min = whole(r) / 200;
        if (!whole(r)) continue;
        for (uint64_t sum = weight(r, low); sum <= min; sum += weight(r, ++low)) {}
        for (uint64_t sum = weight(r, high); sum <= min; sum += weight(r, --high)) {}
        if (low < t->low) t->low = low;
        if (high > t->high) t->high = high;
    }
}

static int make_table(table *t, lm_hist *const *hist, size_t n)
{
    int rc = lm_hist_names(&t->name, &t->rows, hist, n);
    if (rc) return rc;
    t->rows++;
    t->row = calloc(n * t->rows, sizeof *t->row);
    if (!t->row) return lm_fail_nomem(n * t->rows * sizeof *t->row);
    for (size_t i = 0; !rc && i < n; i++) {
        lm_hist_row *r = &t->row[i * t->rows];
        for (size_t k = 0; k + 1 < t->rows; k++) lm_hist_row_named(hist[i], t->name[k], &r[k]);
        rc = lm_hist_row_get(hist[i], LM_ALL, &r[t->rows - 1]);
    }
    for (size_t k = 0; k < t->rows; k++)
        if ((int)strlen(shown_name(t, k)) > t->name_width)
            t->name_width = (int)strlen(shown_name(t, k));
    find_range(t, n);
    return rc;
}

/* ---- in the terminal -------------------------------------------------------------------- */

static const char *bold = "", *dim = "", *deep = "", *plain = "";

static int find_width(void)
{
    int columns = cli_columns(STDOUT_FILENO);
    if (!columns) return 80;
    const char *term = getenv("TERM");
    if (!ascii && !getenv("NO_COLOR") && term && strcmp(term, "dumb")) {
        bold = "\033[1m";
        dim = "\033[2m";
        deep = "\033[36m";
        plain = "\033[0m";
    }
    return columns;
}

static void repeat(const char *s, int n)
{
    while (n-- > 0) cli_print("%s", s);
}

/* One bar per bucket, relative to the highest; a rule after 4,096. */
static void print_bars(const table *t, const lm_hist_row *r, int wide)
{
    static const char *const blocks[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
    static const char *const letters[] = { " ", ".", ":", "-", "=", "+", "*", "#", "@" };
    uint64_t peak = 1;
    for (unsigned b = t->low; b <= t->high; b++)
        if (weight(r, b) > peak) peak = weight(r, b);
    for (unsigned b = t->low; b <= t->high; b++) {
        if (b == LM_LONG_BUCKET) cli_print("%s%s%s%s", dim, ascii ? "|" : "│", plain, deep);
        unsigned level = (unsigned)(8 * ((double)weight(r, b) / (double)peak) + 0.5);
        if (!level && weight(r, b)) level = 1;
        repeat((ascii ? letters : blocks)[level], wide);
    }
    cli_print("%s", plain);
}

static int bars_width(const table *t, int wide) { return (int)(t->high - t->low + 1) * wide + 1; }

/* 1024 -> "1K": the upper end of a bucket. */
static void bucket_name(unsigned b, char out[8])
{
    static const char *const unit[] = { "", "K", "M", "G" };
    snprintf(out, 8, "%u%s", 1u << b % 10, unit[b / 10]);
}

/* The scale below the bars: the upper ends of some buckets, right-aligned with them. */
static void print_scale(const table *t, int wide, bool last)
{
    char line[2 * LM_BUCKETS + 2], name[8];
    int n = bars_width(t, wide), free_from = 0;
    memset(line, ' ', sizeof line);
    for (unsigned b = t->low; b <= t->high; b++) {
        int end = (int)(b - t->low + 1) * wide + (b >= LM_LONG_BUCKET);
        bucket_name(b, name);
        int k = (int)strlen(name);
        if (b % 4 || end - k < free_from) continue;
        memcpy(line + end - k, name, (size_t)k);
        free_from = end + 1;
    }
    while (last && n && line[n - 1] == ' ') n--;
    cli_print("%s%.*s%s", dim, n, line, plain);
}

static int count_width(const table *t, size_t column, const char *head)
{
    int width = (int)strlen(head);
    for (size_t k = 0; k < t->rows; k++) {
        const lm_hist_row *r = &t->row[k];
        uint64_t v = column == 0   ? r->documents
                     : column == 1 ? r->tokens
                     : column == 2 ? r->max
                                   : r->percentile[column - 3];
        int n = (int)strlen(cli_count(v));
        if (n > width) width = n;
    }
    return width;
}

/* A rule before the last row, the total. */
static void rule_before(const table *t, size_t k, int width)
{
    if (k + 1 < t->rows || t->rows == 2) return;
    cli_print("%s", dim);
    repeat(ascii ? "-" : "─", width);
    cli_print("%s\n", plain);
}

/* The display name of an input. */
static const char *title_of(const char *path)
{
    return strcmp(path, "-") ? cli_name(path) : "standard input";
}

static void print_total(const char *title, const lm_hist_row *all, const char *unit)
{
    cli_print("%s%s%s: %s documents, %s %s, %.1f%% of them in documents over 4,096\n", bold, title,
              plain, cli_count(all->documents), cli_count(all->tokens), unit,
              percent(all->long_tokens, all->tokens));
}

/* One input: counts, shares and bars; then the percentiles. */
static void print_one(const table *t, const char *path, const char *unit, int width)
{
    static const size_t shown[] = { 0, 1, 2, 3, 5 }; /* of lm_percentiles */
    const lm_hist_row *all = all_of(t, 0);
    int name = t->name_width, docs = count_width(t, 0, "documents"),
        tokens = count_width(t, 1, unit);
    int used = name + 2 + docs + 2 + tokens + 9 + 9 + 2;
    int wide = 2; /* columns for a bar; 0: the terminal is too narrow for them */
    while (wide && used + bars_width(t, wide) > width) wide--;
    int total = wide ? used + bars_width(t, wide) : used - 2;
    print_total(title_of(path), all, unit);
    cli_print("\n%s%*s  %*s  %*s    share  over 4K", bold, name, "", docs, "documents", tokens,
              unit);
    if (wide) cli_print("  %s by length", by == BY_DOCS ? "documents" : unit);
    cli_print("%s\n", plain);
    for (size_t k = 0; k < t->rows; k++) {
        const lm_hist_row *r = &t->row[k];
        rule_before(t, k, total);
        cli_print("%-*s  %*s  %*s  %6.2f%%  %6.1f%%", name, shown_name(t, k), docs,
                  cli_count(r->documents), tokens, cli_count(r->tokens),
                  percent(whole(r), whole(all)), percent(over(r), whole(r)));
        if (wide) {
            cli_print("  ");
            print_bars(t, r, wide);
        }
        cli_print("\n");
    }
    if (wide) {
        cli_print("%*s", used, "");
        print_scale(t, wide, true);
        cli_print("\n");
    }

    size_t first = 0, end = sizeof shown / sizeof *shown; /* the outer ones go where it is narrow */
    int column[sizeof shown / sizeof *shown], longest = count_width(t, 2, "longest");
    total = name + 3 + longest;
    for (size_t i = first; i < end; i++)
        total += 3 + (column[i] = count_width(t, 3 + shown[i], "median"));
    for (; total > width && end - first > 1; first++, end--)
        total -= 6 + column[first] + column[end - 1];
    cli_print("\n%s%-*s", bold, name, "length");
    for (size_t i = first; i < end; i++) {
        char head[8];
        snprintf(head, sizeof head, "%u%%", lm_percentiles[shown[i]]);
        cli_print("   %*s", column[i], lm_percentiles[shown[i]] == 50 ? "median" : head);
    }
    cli_print("   %*s%s\n", longest, "longest", plain);
    for (size_t k = 0; k < t->rows; k++) {
        rule_before(t, k, total);
        cli_print("%-*s", name, shown_name(t, k));
        for (size_t i = first; i < end; i++)
            cli_print("   %*s", column[i], cli_count(t->row[k].percentile[shown[i]]));
        cli_print("   %*s\n", longest, cli_count(t->row[k].max));
    }
}

/* Shorten a path at its start: the end is more specific. */
static void print_fitted(const char *s, int width, bool last)
{
    int n = (int)strlen(s);
    if (n > width) cli_print("%s%s", ascii ? ".." : "…", s + n - width + (ascii ? 2 : 1));
    else cli_print("%-*s", last ? 0 : width, s);
}

/* A share in five columns. */
static const char *short_percent(uint64_t part, uint64_t all, char out[16])
{
    double v = percent(part, all);
    snprintf(out, 16, v >= 99.95 ? "%.0f%%" : "%.1f%%", v);
    return out;
}

/* Several inputs: shares and bars side by side, as many per block as fit the terminal. */
static void print_side_by_side(const table *t, char *const *path, lm_hist *const *hist, size_t n,
                               int width)
{
    for (size_t i = 0; i < n; i++)
        print_total(title_of(path[i]), all_of(t, i), lm_hist_unit(hist[i]));
    int name = t->name_width, block = 5 + 2 + 5 + 2 + bars_width(t, 1);
    int fit = (width - name) / (block + 2), wide = 1;
    if (fit < 1) fit = 1;
    if ((size_t)fit > n) fit = (int)n;
    if (name + fit * (block + 2 + bars_width(t, 2) - bars_width(t, 1)) <= width) wide = 2;
    block += bars_width(t, wide) - bars_width(t, 1);
    for (size_t first = 0; first < n; first += (size_t)fit) {
        size_t last = first + (size_t)fit < n ? first + (size_t)fit : n;
        cli_print("\n%*s%s", name, "", bold);
        for (size_t i = first; i < last; i++) {
            cli_print("  ");
            print_fitted(title_of(path[i]), block, i + 1 == last);
        }
        cli_print("\n%*s", name, "");
        for (size_t i = first; i < last; i++)
            cli_print("  share    >4K  %-*s", i + 1 < last ? block - 14 : 0,
                      by == BY_DOCS ? "documents" : lm_hist_unit(hist[i]));
        cli_print("%s\n", plain);
        for (size_t k = 0; k < t->rows; k++) {
            rule_before(t, k, name + (int)(last - first) * (block + 2));
            cli_print("%-*s", name, shown_name(t, k));
            for (size_t i = first; i < last; i++) {
                const lm_hist_row *r = &t->row[i * t->rows + k];
                char of_all[16], of_row[16];
                cli_print("  %5s  %5s  ", short_percent(whole(r), whole(all_of(t, i)), of_all),
                          short_percent(over(r), whole(r), of_row));
                print_bars(t, r, wide);
            }
            cli_print("\n");
        }
        cli_print("%*s", name, "");
        for (size_t i = first; i < last; i++) {
            cli_print("%*s", 2 + 14, "");
            print_scale(t, wide, i + 1 == last);
        }
        cli_print("\n");
    }
}

/* ---- for programs ----------------------------------------------------------------------- */

static void print_tsv(const table *t, char *const *path, lm_hist *const *hist, size_t n)
{
    cli_print("input\tdomain\tunit\tdocuments\tcount\tshare\tlong_share");
    for (size_t i = 0; i < LM_PERCENTILES; i++) cli_print("\tp%u", lm_percentiles[i]);
    cli_print("\tmax\n");
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < t->rows; k++) {
            const lm_hist_row *r = &t->row[i * t->rows + k], *all = all_of(t, i);
            cli_print("%s\t%s\t%s\t%" PRIu64 "\t%" PRIu64 "\t%.6f\t%.6f", path[i], row_name(t, k),
                      lm_hist_unit(hist[i]), r->documents, r->tokens,
                      percent(r->tokens, all->tokens) / 100,
                      percent(r->long_tokens, r->tokens) / 100);
            for (size_t p = 0; p < LM_PERCENTILES; p++) cli_print("\t%" PRIu64, r->percentile[p]);
            cli_print("\t%" PRIu64 "\n", r->max);
        }
}

static int print_json(char *const *path, lm_hist *const *hist, size_t n)
{
    lm_json *all = n > 1 ? lm_json_array() : NULL, *one = NULL;
    int rc = LM_OK;
    for (size_t i = 0; !rc && i < n; i++) {
        rc = lm_hist_to_json(hist[i], &one);
        if (rc || n == 1) break;
        lm_json_set_str(one, "input", path[i]);
        lm_json_set(all, NULL, one);
        one = NULL;
    }
    if (!rc) rc = cli_write_json(all ? all : one, 2);
    lm_json_free(one);
    lm_json_free(all);
    return rc;
}

static int run(void)
{
    static char *const standard[] = { (char *)"-" };
    size_t n = operands.n ? operands.n : 1;
    char *const *path = operands.n ? operands.v : standard;
    table t = { 0 };
    lm_domains *domains = NULL; /* of JSONL */
    lm_progress *progress = cli_progress("documents", 0);
    if (json && tsv) return cli_usage("--json and --tsv are mutually exclusive");
    if (plot_path && lm_plot_name(plot_path)) return LM_EUSAGE;
    lm_hist **hist = calloc(n, sizeof *hist);
    lm_schema schema;
    int rc = hist ? cli_inputs_open(&domains, &schema, &jsonl) : lm_fail_nomem(n * sizeof *hist);
    for (size_t i = 0; !rc && i < n; i++)
        rc = lm_hist_read(&hist[i], path[i],
                          &(lm_hist_options){ .domains = domains,
                                              .replace = schema.replace,
                                              .threads = threads,
                                              .progress = progress,
                                              .listed = cli_inputs_report });
    if (!rc && plot_path) rc = lm_plot_hist(plot_path, hist, (const char *const *)path, n);
    if (!rc) rc = make_table(&t, hist, n);
    if (rc) goto out;
    if (json) rc = print_json(path, hist, n);
    else if (tsv) print_tsv(&t, path, hist, n);
    else if (n > 1) print_side_by_side(&t, path, hist, n, find_width());
    else print_one(&t, path[0], lm_hist_unit(hist[0]), find_width());
out:
    for (size_t i = 0; hist && i < n; i++) lm_hist_free(hist[i]);
    free(hist);
    free(t.name);
    free(t.row);
    lm_domains_free(domains);
    return rc;
}

int main(int argc, char **argv)
{
    static const cli_tool tool = {
        .name = "lmhist",
        .summary = "show document lengths by domain",
        .about =
            "Counts documents by domain and length: their number and share, the share of those "
            "over 4,096, percentiles, and buckets by powers of two. Lengths are in tokens if the "
            "input has tokens, else in characters (Unicode code points), which needs no tokenizer. "
            "A store is counted from its index alone. Mixtures and shards are counted by units: "
            "documents, or the pieces into which the recipe cuts them.\n\n"
            "Several inputs are compared side by side. Bars are relative to the highest of their "
            "row; the rule in them marks 4,096. docs/histograms.md defines the counts.",

        .opts = opts,
        .examples = "# raw text, in characters\n"
                    "lmhist corpus\n"
                    "# a store, and the same as JSON for lmplan on another machine\n"
                    "lmhist store.lmt\n"
                    "lmhist --json store.lmt > histogram.json\n"
                    "# the effect of a mixture, as a figure\n"
                    "lmhist --plot figure.svg store.lmt shards\n"
                    "# a mixture, from a pipe\n"
                    "lmmix plan.json store.lmt | lmhist -\n",
        .see = "lmtok(1), lmplan(1), lmcat(1)",
        .run = run,
    };
    return cli_main(argc, argv, &tool);
}
