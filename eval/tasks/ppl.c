/* ppl -- perplexity over sliding windows, as ChunkLlama's ppl/test_ppl.py measures it: for each
 * window the mean over ALL its next-token losses, for a length 2.71828 to the mean of the windows'
 * means. So every early position of every window counts, and dilutes the effect of long context;
 * it also reports the last `stride` tokens of each window alone ("tail") and the loss by position.
 * Windows do not begin with a beginning-of-text of their own. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "eval/tasks/tokens.h"
#include "eval/tasks/windows.h"
#include "lib/base/threads.h"

static struct {
    const char *lengths;
    eval_tokens_source source;
    uint64_t stride, windows, bins;
} opt = { .stride = 256, .bins = 32 };

static const cli_opt opts[] = {
    { CLI_STR, "lengths", 'L', &opt.lengths, "N,N,...", "Lengths of the windows, in tokens." },
    { CLI_LIST, "text", 't', &opt.source.text, "FILE",
      "Text, or a directory of *.txt; may be given several times." },
    { CLI_STR, "data", 'd', &opt.source.data, "SHARDS", "Packed shards, from lmpack." },
    { CLI_STR, "bin", 0, &opt.source.bin, "FILE",
      "Token ids without a header, little-endian, as ChunkLlama's scripts keep them." },
    { CLI_CHOICE, "bin-type", 0, &opt.source.bin_type, "uint16|uint32",
      "The type of the ids of --bin." },
    CHECKSUMS_IDS_OPTION(opt.source.other_tokenizer),
    { CLI_SIZE, "stride", 0, &opt.stride, "N",
      "Tokens from one window's start to the next, and tokens of a window's tail (256)." },
    { CLI_SIZE, "windows", 0, &opt.windows, "N",
      "At most N windows per length, spread evenly over the text (all)." },
    { CLI_SIZE, "bins", 0, &opt.bins, "N", "Bins of the loss by position (32; 0: none)." },
    { .kind = CLI_END },
};

typedef struct ppl {
    eval_context *c;
    eval_tokens *t;
    uint64_t *lengths;
    size_t n;
    /* Of the length at work. */
    uint64_t length, count, taken, tail, width, bins; /* width: positions in a bin */
    int32_t *ids;
    float *losses;
    eval_mean full, last, *bin;
} ppl;

static lm_json *cell(uint64_t length, const char *mode)
{
    lm_json *o = eval_cell("length", length);
    lm_json_set_str(o, "mode", mode);
    return o;
}

static lm_json *bin_cell(const ppl *p, uint64_t i)
{
    lm_json *o = cell(p->length, "position");
    uint64_t to = (i + 1) * p->width;
    lm_json_set_u64(o, "from", i * p->width);
    lm_json_set_u64(o, "to", to < p->length ? to : p->length);
    return o;
}

/* ---- measuring ------------------------------------------------------------------------- */

static double mean_of(const float *v, uint64_t n)
{
    double sum = 0;
    for (uint64_t i = 0; i < n; i++) sum += (double)v[i];
    return sum / (double)n;
}

/* losses[i] is of the token at position i + 1. */
static void add_window(ppl *p)
{
    uint64_t n = p->length - 1;
    eval_mean_add(&p->full, mean_of(p->losses, n));
    eval_mean_add(&p->last, mean_of(p->losses + n - p->tail, p->tail));
    for (uint64_t b = 0; b < p->bins; b++) {
        uint64_t from = b ? b * p->width : 1, to = (b + 1) * p->width;
        if (to > p->length) to = p->length;
        if (from < to) eval_mean_add(&p->bin[b], mean_of(p->losses + from - 1, to - from));
    }
}

static int read_windows(ppl *p)
{
    size_t vocab = tr_infer_config(p->c->infer)->vocab;
    int rc = eval_use(p->c, p->length);
    for (uint64_t i = 0; !rc && i < p->taken; i++) {
        uint64_t start = eval_windows_start(p->count, p->taken, opt.stride, i);
        eval_live(p->c, "ppl: window %" PRIu64 " of %" PRIu64 " at %" PRIu64 " tokens", i + 1,
                  p->taken, p->length);
        rc = eval_tokens_get(p->t, start, p->length, vocab, p->ids);
        tr_infer_rewind(p->c->infer, 0);
        if (!rc) rc = tr_infer_eval(p->c->infer, p->ids, p->length, NULL, p->losses, NULL);
        if (!rc) add_window(p);
    }
    return rc;
}

/* ---- results --------------------------------------------------------------------------- */

/* Windows that count as independent where each has `width` tokens: those that do not overlap. */
static double independent(const ppl *p, uint64_t width)
{
    uint64_t last = eval_windows_start(p->count, p->taken, opt.stride, p->taken - 1);
    double apart = (double)(last + width) / (double)width;
    return apart < (double)p->taken ? apart : (double)p->taken;
}

static lm_json *counts(const ppl *p, uint64_t tokens)
{
    lm_json *o = lm_json_object();
    lm_json_set_u64(o, "windows", p->taken);
    lm_json_set_u64(o, "tokens", p->taken * tokens);
    return o;
}

static int add_perplexity(ppl *p, const char *mode, const eval_mean *m, uint64_t width,
                          uint64_t tokens)
{
    double loss = eval_mean_value(m), error = eval_mean_error(m, independent(p, width));
    double value = eval_perplexity(loss);
    lm_json *more = counts(p, tokens);
    if (isfinite(loss)) lm_json_set_f64(more, "loss", loss);
    if (isfinite(error) && isfinite(value)) lm_json_set_f64(more, "error", error * value);
    return eval_add(p->c, cell(p->length, mode), value, more);
}

static int add_bins(ppl *p)
{
    int rc = LM_OK;
    for (uint64_t b = 0; !rc && b < p->bins; b++) {
        const eval_mean *m = &p->bin[b];
        uint64_t to = (b + 1) * p->width < p->length ? (b + 1) * p->width : p->length;
        uint64_t from = b ? b * p->width : 1;
        if (!m->n) continue;
        double error = eval_mean_error(m, independent(p, p->width));
        lm_json *more = counts(p, to - from);
        if (isfinite(error)) lm_json_set_f64(more, "error", error);
        rc = eval_add(p->c, bin_cell(p, b), eval_mean_value(m), more);
    }
    return rc;
}

static bool finished(const ppl *p)
{
    bool all = eval_done(p->c, cell(p->length, "full")) && eval_done(p->c, cell(p->length, "tail"));
    for (uint64_t b = 0; all && b < p->bins; b++)
        if (b * p->width < p->length && (b || p->width > 1)) all = eval_done(p->c, bin_cell(p, b));
    return all;
}

/* ---- a length -------------------------------------------------------------------------- */

static int set_length(ppl *p, uint64_t length)
{
    uint64_t tokens = eval_tokens_count(p->t);
    p->length = length;
    p->count = eval_windows_count(tokens, length, opt.stride);
    p->taken = opt.windows && opt.windows < p->count ? opt.windows : p->count;
    p->tail = opt.stride < length - 1 ? opt.stride : length - 1;
    p->bins = opt.bins;
    p->width = p->bins ? (length + p->bins - 1) / p->bins : length;
    p->full = p->last = (eval_mean){ 0 };
    for (uint64_t b = 0; b < p->bins; b++) p->bin[b] = (eval_mean){ 0 };
    if (!p->count)
        return lm_fail(LM_ESHORT,
                       "ppl: a text of %" PRIu64 " tokens has no window of %" PRIu64
                       " (it takes more than %" PRIu64 ": length and stride)",
                       tokens, length, length + opt.stride);
    return LM_OK;
}

static int measure(ppl *p, uint64_t length)
{
    int rc = set_length(p, length);
    if (rc || finished(p)) return rc;
    eval_start(p->c);
    rc = read_windows(p);
    if (!rc) rc = add_perplexity(p, "full", &p->full, length, length - 1);
    if (!rc) rc = add_perplexity(p, "tail", &p->last, p->tail, p->tail);
    return rc ? rc : add_bins(p);
}

/* ---- the run --------------------------------------------------------------------------- */

static double member(const lm_json *line, const char *key)
{
    double v;
    return line && !lm_json_f64(&v, line, key) ? v : NAN;
}

static void summary(const ppl *p)
{
    char e1[EVAL_ERROR_TEXT], e2[EVAL_ERROR_TEXT];
    for (size_t i = 0; i < p->n; i++) {
        lm_json *full = cell(p->lengths[i], "full"), *tail = cell(p->lengths[i], "tail");
        const lm_json *a = eval_results_find(p->c->results, full);
        const lm_json *b = eval_results_find(p->c->results, tail);
        eval_note(
            p->c, "at %" PRIu64 ": perplexity %.4f%s, of the windows' tails %.4f%s, %.0f windows",
            p->lengths[i], member(a, "value"), eval_error_text(e1, member(a, "error")),
            member(b, "value"), eval_error_text(e2, member(b, "error")), member(a, "windows"));
        lm_json_free(full);
        lm_json_free(tail);
    }
}

static int begin(ppl *p)
{
    if (!opt.lengths) return lm_fail(LM_EUSAGE, "ppl needs --lengths");
    if (!opt.stride) return lm_fail(LM_EUSAGE, "--stride 0: it must be positive");
    if (opt.bins > 65536) return lm_fail(LM_EUSAGE, "--bins: at most 65536");
    int rc = eval_sizes("lengths", opt.lengths, 2, &p->lengths, &p->n);
    if (!rc) rc = eval_tokens_open(&p->t, p->c, &opt.source);
    if (rc) return rc;
    uint64_t longest = p->lengths[p->n - 1];
    p->ids = malloc(longest * sizeof *p->ids);
    p->losses = malloc(longest * sizeof *p->losses);
    p->bin = calloc(opt.bins + 1, sizeof *p->bin);
    if (!p->ids || !p->losses || !p->bin) return lm_fail_nomem(longest * 8);
    for (size_t i = 0; !rc && i < p->n; i++) rc = set_length(p, p->lengths[i]);
    if (rc) return rc;
    lm_json *settings = lm_json_object();
    lm_json_set_hex64(settings, "text", eval_tokens_hash(p->t));
    lm_json_set_u64(settings, "stride", opt.stride);
    lm_json_set_u64(settings, "max_windows", opt.windows);
    lm_json_set_u64(settings, "bins", opt.bins);
    return eval_begin(p->c, longest, settings);
}

static int run(eval_context *c)
{
    ppl p = { .c = c };
    int rc = begin(&p);
    for (size_t i = 0; !rc && i < p.n; i++) rc = measure(&p, p.lengths[i]);
    if (!rc) summary(&p);
    eval_tokens_close(p.t);
    free(p.lengths);
    free(p.ids);
    free(p.losses);
    free(p.bin);
    return rc;
}

const eval_entry eval_ppl = {
    .command = {
        .name = "ppl",
        .summary = "perplexity over sliding windows, at each length",
        .about =
            "Perplexity over sliding windows of --text, --data or --bin, by the windows and the "
            "formula of ChunkLlama's script; perplexity of the last --stride tokens of each "
            "window alone; and the loss by position.",
        .opts = opts,
        .examples = "# perplexity at three lengths\n"
        "lmeval ppl --model model --text recipes/README.md --lengths 64,128,256 --windows 4 -o "
        "ppl.jsonl\n",
        .model = true,
    },
    .run = run,
};
