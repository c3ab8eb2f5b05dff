/* lmplot.c -- figures and tables from result lines, logs and histograms. */
#include <math.h>
#include <string.h>

#include "cli.h"
#include "figures/figures.h"

static fig_options o;
static cli_list operands, where, by, over, names, tokens;
static int score, layout;
static double smooth, max = -1;

static const cli_opt opts[] = {
    { CLI_ARGS, NULL, 0, &operands, "NAME RESULTS...",
      "The figure and its input: result lines of lmeval; for `loss`, logs of lmtrain; for "
      "`histogram`, the output of lmhist --json. Files may be compressed; - is standard input.",
      2, 0 },
    { CLI_STR, "output", 'o', &o.out, "FILE.svg|.png|.pdf|.md|.tsv",
      "Output file; the extension selects the format. The last two write the numbers of the figure "
      "as a table; - prints it as Markdown." },
    { CLI_STR, "title", 't', &o.title, "TEXT", "Title of the figure." },
    { CLI_LIST, "where", 'w', &where, "FIELD=VALUE",
      "Only lines whose FIELD is VALUE. May be repeated; all must hold." },
    { CLI_LIST, "by", 'b', &by, "FIELD",
      "Lines that differ in FIELD are separate series. May be repeated." },
    { CLI_LIST, "over", 0, &over, "FIELD",
      "Lines that differ in FIELD, such as several needles or texts, are parts of one run, which "
      "is "
      "drawn as their mean. May be repeated." },
    { CLI_LIST, "name", 'n', &names, "MODEL=NAME",
      "Show MODEL (as in the lines; for `loss` and `histogram`, the file or input) as NAME. Models "
      "with the same name are runs of one series: their mean is drawn." },
    { CLI_CHOICE, "score", 0, &score, "own|repo|dedup|rouge1|exact",
      "For needle and curve: the score to draw. Default: repo, or the only one." },
    { CLI_CHOICE, "layout", 0, &layout, "own|fu|an",
      "For needle and passkey: wide maps stacked vertically with a dashed grid, as in Fu et al., "
      "or "
      "small ones side by side, as in An et al. Default: fu for needle, an for passkey." },
    { CLI_FLAG, "overlay", 0, &o.overlay, NULL,
      "For loss: a panel per curve with a line per run, instead of a panel per run." },
    { CLI_REAL, "smooth", 0, &smooth, "STEPS",
      "For loss: averaging window of the training loss in steps (1/50 of the run).", 0, 1e9 },
    { CLI_REAL, "max", 0, &max, "Y",
      "Upper end of the y axis. Points beyond it are drawn at the edge, with their value.", 0,
      1e12 },
    { CLI_FLAG, "log", 0, &o.log, NULL, "For ppl and speed: a logarithmic y axis." },
    { CLI_FLAG, "red-flag", 0, &o.red_flag, NULL,
      "For ppl: a line 1.0 above the first series' value at its training length." },
    { CLI_STR, "baseline", 0, &o.baseline, "NAME",
      "For domains: the series to compare the others with (the first); lines of lmeval compare "
      "have "
      "their own." },
    { CLI_FLAG, "at", 0, &o.at, NULL, "For domains: losses at positions instead of ranges." },
    { CLI_LIST, "tokens", 0, &tokens, "MODEL=COUNT",
      "For curve: the training tokens of MODEL (500M, 5B), if its lines lack them." },
    { .kind = CLI_END },
};

static void note(void *arg, const char *line)
{
    (void)arg;
    cli_note("%s", line);
}

static int run(void)
{
    static const char *const scores[] = { NULL, "repo", "dedup", "rouge1", "exact" };
    if (!o.out) return cli_usage("--output is missing");
    int rc = fig_check(operands.v[0], o.out);
    if (rc) return rc;
    o.files = (fig_words){ operands.v + 1, operands.n - 1 };
    o.where = (fig_words){ where.v, where.n };
    o.by = (fig_words){ by.v, by.n };
    o.over = (fig_words){ over.v, over.n };
    o.names = (fig_words){ names.v, names.n };
    o.tokens = (fig_words){ tokens.v, tokens.n };
    o.score = scores[score];
    o.layout = layout;
    o.smooth = smooth;
    o.max = max < 0 ? NAN : max;
    o.note = note;
    return fig_draw(operands.v[0], &o);
}

static const cli_tool tool = {
    .name = "lmplot",
    .summary = "draw the papers' figures and tables from results",
    .about =
        "Figures: needle and passkey (retrieval by depth and length, as heat maps), loss (learning "
        "curves), ppl (perplexity against length), position (loss against position), speed (time "
        "and memory against length), curve (retrieval against training tokens), domains (loss "
        "by domain and range, compared with a baseline), histogram (lengths by domain). "
        "docs/evaluation.md shows each.\n\n"
        "Lines with the same model and attention are a series. Lines that differ only in their "
        "seed are runs of a series, drawn as their mean with one standard deviation; so are the "
        "lines of models to which --name gives one name. Lines that differ in anything but their "
        "position in the figure are an error that names both lines and the field: --where selects "
        "one kind, --by draws both, --over their mean.\n\n"
        "The same input gives the same SVG.",
    .opts = opts,
    .examples = "# the effect of a mixture on document lengths\n"
                "lmhist --json store.lmt shards > lengths.json && lmplot histogram lengths.json -o "
                "lengths.svg\n"
                "# the curves of a run, and its final losses\n"
                "lmplot loss log.jsonl -o loss.pdf && lmplot loss log.jsonl -o -\n"
                "# perplexity of three attention variants, table and figure\n"
                "lmplot ppl results.jsonl -o ppl.md && lmplot ppl results.jsonl --red-flag -o "
                "ppl.png\n"
                "# the heat map of one variant\n"
                "lmplot needle results.jsonl --where attention=dca -o needle.svg\n",
    .see = "lmeval(1), lmtrain(1), lmhist(1)",
    .run = run,
};

int main(int argc, char **argv) { return cli_main(argc, argv, &tool); }
