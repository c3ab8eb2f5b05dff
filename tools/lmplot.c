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
      "The figure, then its files: result lines of lmeval, for `loss` logs of lmtrain, for "
      "`histogram` the output of lmhist --json. Files may be compressed; - is standard input.",
      2, 0 },
    { CLI_STR, "output", 'o', &o.out, "FILE.svg|.png|.pdf|.md|.tsv",
      "What to write; the ending says how. The last two write the figure's numbers as a table; - "
      "prints it as Markdown." },
    { CLI_STR, "title", 't', &o.title, "TEXT", "In place of the figure's own title." },
    { CLI_LIST, "where", 'w', &where, "FIELD=VALUE",
      "Only lines whose FIELD is VALUE. May be given again; all must hold." },
    { CLI_LIST, "by", 'b', &by, "FIELD",
      "Lines that differ in FIELD are series of their own. May be given again." },
    { CLI_LIST, "over", 0, &over, "FIELD",
      "Lines that differ in FIELD are parts of one run, which is drawn as their mean: so many "
      "needles or texts. May be given again." },
    { CLI_LIST, "name", 'n', &names, "MODEL=NAME",
      "Show MODEL (as it stands in the lines; of `loss` and `histogram`, the file or input) as "
      "NAME. Models of one name are runs of one series: their mean is drawn." },
    { CLI_CHOICE, "score", 0, &score, "own|repo|dedup|rouge1|exact",
      "Of needle and curve: which score. Default: repo, or the one that is there." },
    { CLI_CHOICE, "layout", 0, &layout, "own|fu|an",
      "Of needle and passkey: wide maps under each other with a dashed grid, as Fu et al. draw "
      "them, or small ones beside each other, as An et al. do. Default: fu for needle, an for "
      "passkey." },
    { CLI_FLAG, "overlay", 0, &o.overlay, NULL,
      "Of loss: a panel for each curve with a line for each run, in place of a panel for each "
      "run." },
    { CLI_REAL, "smooth", 0, &smooth, "STEPS",
      "Of loss: steps over which the training loss is averaged (a fiftieth of the run).", 0, 1e9 },
    { CLI_REAL, "max", 0, &max, "Y",
      "Upper end of the y axis. Points past it are drawn at the edge, with their number.", 0,
      1e12 },
    { CLI_FLAG, "log", 0, &o.log, NULL, "Of ppl and speed: a logarithmic y axis." },
    { CLI_FLAG, "red-flag", 0, &o.red_flag, NULL,
      "Of ppl: a line 1.0 above the first series' value at the length it was trained at." },
    { CLI_STR, "baseline", 0, &o.baseline, "NAME",
      "Of domains: the series that the others are compared with (the first); lines of lmeval "
      "compare have theirs." },
    { CLI_FLAG, "at", 0, &o.at, NULL,
      "Of domains: the losses at positions in place of those in ranges." },
    { CLI_LIST, "tokens", 0, &tokens, "MODEL=COUNT",
      "Of curve: how many tokens MODEL was trained on (500M, 5B), where its lines do not say." },
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
    .summary = "draw the figures and tables of both papers from results",
    .about =
        "Figures: needle and passkey (retrieval by depth and length, as heat maps), loss (learning "
        "curves), ppl (perplexity against length), position (loss against position), speed (time "
        "and memory against length), curve (retrieval against tokens of training), domains (loss "
        "by domain and range beside a baseline), histogram (lengths by domain). "
        "docs/evaluation.md shows each.\n\n"
        "Lines of one model and one form of attention are a series. Lines that differ in their "
        "seed alone are runs of a series, drawn as their mean with one standard deviation; so are "
        "the lines of models that --name gives one name. Lines that differ in anything else than "
        "their place in the figure are refused, with both lines and the field: --where picks one "
        "kind, --by draws both, --over their mean.\n\n"
        "The same input gives the same SVG.",
    .opts = opts,
    .examples = "# what a mixture did to lengths\n"
                "lmhist --json store.lmt shards > lengths.json && lmplot histogram lengths.json -o "
                "lengths.svg\n"
                "# the curves of a run, and where it ended\n"
                "lmplot loss log.jsonl -o loss.pdf && lmplot loss log.jsonl -o -\n"
                "# perplexity of three forms of attention, the table and the figure\n"
                "lmplot ppl results.jsonl -o ppl.md && lmplot ppl results.jsonl --red-flag -o "
                "ppl.png\n"
                "# the heat map of one form\n"
                "lmplot needle results.jsonl --where attention=dca -o needle.svg\n",
    .see = "lmeval(1), lmtrain(1), lmhist(1)",
    .run = run,
};

int main(int argc, char **argv) { return cli_main(argc, argv, &tool); }
