/* needle -- a sentence in a long book of essays, and a question about it: the grid of Fu et al.
 * 2024 (eval/needle), after Kamradt. Everything goes through text, as with them: the book is cut to
 * the length in tokens and made text again, the needle goes in at a full stop, and the prompt
 * around it is tokenized as a whole. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "eval/harness/ask.h"
#include "eval/tasks/insert.h"
#include "eval/metrics/score.h"
#include "lib/tokenizer/plain.h"

#define BOOK_MAX ((size_t)1 << 30)
/* Points from the depth that is asked for: the authors' place is left, or a warning is due. */
enum { GRID_LENGTHS = 40, DEPTH_FAR = 10, DEPTH_OFF = 5 };
static const char grid_depths[] = "0,11,22,33,44,56,67,78,89,100"; /* round(100 k / 9) */
/* A fluent answer of a model without the context. */
static const char wrong_answer[] =
    "to visit the Golden Gate Bridge and have a drink in a bar on the water.";

static const struct measure {
    const char *name;
    score_fn *fn;
    bool of_needle; /* against the whole needle, not the answer in it */
} measures[] = {
    { "repo", score_needle_repo, false },
    { "dedup", score_needle_dedup, false },
    { "rouge1", score_rouge1, true },
    { "exact", score_exact, false },
};
enum { MEASURES = sizeof measures / sizeof *measures };

static struct {
    const char *lengths, *depths, *needle, *question, *answer, *prompt;
    cli_list haystack;
    uint64_t new_tokens, buffer;
    bool bos_quirk;
    eval_asking asking;
} opt = {
    .needle =
        "\nThe best thing to do in San Francisco is eat a sandwich and sit in Dolores Park on a "
        "sunny day.\n",
    .question = "What is the best thing to do in San Francisco?",
    .answer = "eat a sandwich and sit in Dolores Park on a sunny day.",
    .prompt =
        "<|im_start|> This is a very long story book: <book> {context} </book>.\n Based on the "
        "content of the book, Question: {question}\nAnswer:",
    .new_tokens = 50,
    .buffer = 200,
    .asking = ASK_DEFAULTS,
};

static const cli_opt opts[] = {
    { CLI_STR, "lengths", 'L', &opt.lengths, "N,N,...",
      "Lengths, in tokens (the authors' 40, from 1,000 to 128,000)." },
    { CLI_STR, "depths", 0, &opt.depths, "P,P,...",
      "Positions of the needle, in percent of the context (the authors' 10, from 0 to 100)." },
    { CLI_LIST, "haystack", 0, &opt.haystack, "FILE",
      "The essays, or a directory of *.txt; may be given several times." },
    { CLI_STR, "needle", 0, &opt.needle, "TEXT",
      "The sentence to hide (the authors' sandwich in Dolores Park)." },
    { CLI_STR, "question", 0, &opt.question, "TEXT", "The question (the authors')." },
    { CLI_STR, "answer", 0, &opt.answer, "TEXT", "A perfect answer (the authors')." },
    { CLI_STR, "prompt", 0, &opt.prompt, "TEXT",
      "The prompt, with {context} and {question} (the authors')." },
    { CLI_SIZE, "new-tokens", 0, &opt.new_tokens, "N", "Tokens of an answer, at most (50)." },
    { CLI_SIZE, "buffer", 0, &opt.buffer, "N",
      "Tokens of a length that are reserved for prompt and answer (200)." },
    { CLI_FLAG, "bos-quirk", 0, &opt.bos_quirk, NULL,
      "Leave a beginning-of-text before the needle, as the authors' code does." },
    ASK_OPTIONS(opt.asking),
    { .kind = CLI_END },
};

typedef struct needle_cell {
    uint64_t length;
    double depth;
    size_t at; /* about where the needle is in the book: for the order */
    bool any; /* no full stop is near the depth: sentence ends of any script, and line ends count */
    double is;  /* where it is, in percent: about, and exactly once the prompt is built */
    size_t pos; /* and in tokens of the context */
} needle_cell;

typedef struct needle {
    eval_context *c;
    uint64_t *lengths;
    double *depths;
    size_t n_lengths, n_depths, n_cells, done;
    needle_cell *cells;
    uint64_t book_hash;
    lm_ids book, needle, periods;           /* ids without a beginning-of-text */
    lm_ids context, placed, prompt, answer; /* of the cell at work */
    lm_buf essays, text, prompt_text;
} needle;

/* ---- the book -------------------------------------------------------------------------- */

static int read_book(needle *n)
{
    const cli_list *files = &opt.haystack;
    if (!files->n) return lm_fail(LM_EUSAGE, "needle needs --haystack");
    int rc = eval_load_text(files, &n->essays, &n->book_hash, NULL, NULL);
    if (!rc && !n->essays.size) rc = lm_fail(LM_EUSAGE, "%s: no text in it", files->v[0]);
    return rc;
}

/* The essays as often as it takes to have `longest` tokens. */
static int fill_book(needle *n, uint64_t longest)
{
    lm_buf all = LM_BUF_INIT(BOOK_MAX);
    int rc = LM_OK;
    while (!rc && n->book.n < longest) {
        rc = lm_buf_add(&all, n->essays.data, n->essays.size);
        n->book.n = 0;
        if (!rc) rc = tr_text_encode(n->c->text, (char *)all.data, all.size, false, &n->book);
    }
    lm_buf_free(&all);
    return rc;
}

/* ---- a prompt -------------------------------------------------------------------------- */

/* Append `template` from *at up to `key` (its end where key is NULL), {question} filled in. */
static int fill(lm_buf *out, const char **at, const char *key, const char *question)
{
    const char *end = key ? strstr(*at, key) : *at + strlen(*at);
    static const char mark[] = "{question}";
    int rc = LM_OK;
    while (!rc && *at < end) {
        const char *q = strstr(*at, mark);
        bool here = q && q < end;
        rc = lm_buf_add(out, *at, (size_t)((here ? q : end) - *at));
        if (!rc && here) rc = lm_buf_add(out, question, strlen(question));
        *at = here ? q + sizeof mark - 1 : end;
    }
    if (key) *at = end + strlen(key);
    return rc;
}

static int add_text(needle *n, const int32_t *ids, size_t count)
{
    return tr_text_decode(n->c->text, ids, count, &n->prompt_text);
}

/* Encode the text so far, and start a new one. */
static int flush_text(needle *n, bool bos)
{
    int rc = tr_text_encode(n->c->text, (char *)n->prompt_text.data, n->prompt_text.size, bos,
                            &n->prompt);
    n->prompt_text.size = 0;
    return rc;
}

/* n->prompt from n->placed, whose needle is at `at`. With the authors' quirk the beginning-of-text
 * that their tokenizer put before the needle has stayed there. */
static int make_prompt(needle *n, size_t at)
{
    const char *template = opt.prompt;
    size_t before = opt.bos_quirk ? at : n->placed.n;
    n->prompt.n = n->prompt_text.size = 0;
    int rc = fill(&n->prompt_text, &template, "{context}", opt.question);
    if (!rc) rc = add_text(n, n->placed.v, before);
    if (!rc && opt.bos_quirk) {
        rc = flush_text(n, true);
        int32_t bos = (int32_t)lm_tokenizer_bos(tr_text_tokenizer(n->c->text));
        if (!rc) rc = lm_ids_add(&n->prompt, &bos, 1);
        if (!rc) rc = add_text(n, n->placed.v + before, n->placed.n - before);
    }
    if (!rc) rc = fill(&n->prompt_text, &template, NULL, opt.question);
    return rc ? rc : flush_text(n, !opt.bos_quirk);
}

/* The place of the needle in n->placed. */
static int place(needle *n, needle_cell *cell, size_t *at)
{
    size_t kept = 0;
    int rc = eval_insert_room(&kept, &n->context, &n->needle, cell->length - opt.buffer);
    if (rc) return rc;
    *at = cell->any
              ? eval_insert_near(tr_text_tokenizer(n->c->text), n->context.v, kept, cell->depth)
              : eval_insert_at(n->context.v, kept, cell->depth, &n->periods);
    cell->pos = *at;
    cell->is = eval_insert_depth(*at, kept);
    return eval_insert_put(&n->placed, &n->context, kept, &n->needle, *at);
}

static int build(needle *n, needle_cell *cell)
{
    size_t at = 0;
    n->context.n = n->text.size = 0;
    int rc = tr_text_decode(n->c->text, n->book.v, cell->length, &n->text);
    if (!rc)
        rc = tr_text_encode(n->c->text, (char *)n->text.data, n->text.size, false, &n->context);
    if (!rc) rc = place(n, cell, &at);
    if (!rc) rc = make_prompt(n, at);
    if (!rc && n->prompt.n + opt.new_tokens > cell->length)
        rc = lm_fail(LM_EUSAGE,
                     "needle: at length %" PRIu64
                     " the prompt has %zu tokens and the answer up to %" PRIu64
                     "; use --buffer %" PRIu64 " or more",
                     cell->length, n->prompt.n, opt.new_tokens,
                     opt.buffer + n->prompt.n + opt.new_tokens - cell->length);
    return rc;
}

/* ---- cells ----------------------------------------------------------------------------- */

static lm_json *cell_json(const needle_cell *cell, const char *score)
{
    lm_json *o = eval_depth_cell(cell->length, cell->depth);
    if (cell->any) lm_json_set_str(o, "ends", "any");
    if (score) lm_json_set_str(o, "score", score);
    return o;
}

static bool finished(const needle *n, const needle_cell *cell)
{
    for (size_t i = 0; i < MEASURES; i++)
        if (!eval_done(n->c, cell_json(cell, measures[i].name))) return false;
    return true;
}

/* Next to the depth that is asked for. */
static void set_place(lm_json *o, const needle_cell *cell)
{
    lm_json_set_u64(o, "position", cell->pos);
    lm_json_set_f64(o, "true_depth", round(100 * cell->is) / 100);
}

static int add_scores(needle *n, const needle_cell *cell, const char *response)
{
    int rc = LM_OK;
    for (size_t i = 0; !rc && i < MEASURES; i++) {
        const struct measure *m = &measures[i];
        const char *expected = m->of_needle ? opt.needle : opt.answer;
        double v = m->fn(response, expected), ceiling = m->fn(opt.answer, expected);
        double wrong = m->fn(wrong_answer, expected);
        if (v < 0 || ceiling < 0 || wrong < 0) return LM_ENOMEM;
        lm_json *more = lm_json_object();
        lm_json_set_f64(more, "ceiling", ceiling);
        lm_json_set_f64(more, "floor", wrong);
        lm_json_set_u64(more, "tokens", n->prompt.n);
        set_place(more, cell);
        lm_json_set_str(more, "response", response);
        rc = eval_add(n->c, cell_json(cell, m->name), v, more);
    }
    return rc;
}

static int print(needle *n, const needle_cell *cell)
{
    lm_json *key = cell_json(cell, NULL);
    set_place(key, cell);
    n->text.size = 0;
    int rc = tr_text_decode(n->c->text, n->prompt.v, n->prompt.n, &n->text);
    if (!rc) rc = ask_printed(n->c, key, (char *)n->text.data);
    lm_json_free(key);
    return rc < 0 ? rc : LM_OK;
}

static int measure(needle *n, needle_cell *cell)
{
    bool print_only = opt.asking.print_prompts;
    n->done++;
    if (!print_only && finished(n, cell)) return LM_OK;
    eval_live(n->c, "needle: %zu of %zu, at %" PRIu64 " tokens, depth %.0f", n->done, n->n_cells,
              cell->length, cell->depth);
    eval_start(n->c);
    int rc = build(n, cell);
    if (rc || print_only) return rc ? rc : print(n, cell);
    rc = eval_use(n->c, cell->length);
    if (!rc) rc = eval_answer(n->c, &n->prompt, opt.new_tokens, true, &n->answer);
    n->text.size = 0;
    if (!rc) rc = tr_text_decode(n->c->text, n->answer.v, n->answer.n, &n->text);
    return rc ? rc : add_scores(n, cell, (char *)n->text.data);
}

/* Deepest first: each cell then shares all before its needle with the one before it. */
static int by_depth(const void *a, const void *b)
{
    const needle_cell *x = a, *y = b;
    if (x->at != y->at) return x->at < y->at ? 1 : -1;
    return x->length < y->length ? 1 : x->length > y->length ? -1 : 0;
}

static int by_length(const void *a, const void *b)
{
    const needle_cell *x = a, *y = b;
    return x->length != y->length ? (x->length < y->length ? 1 : -1) : by_depth(a, b);
}

static double off(const needle_cell *cell) { return fabs(cell->is - cell->depth); }

/* As the authors do, after a full stop; where none is near, after any end of a sentence or a line.
 * With their quirk everything is as in their code. */
static void choose_place(const needle *n, needle_cell *cell)
{
    const lm_tokenizer *t = tr_text_tokenizer(n->c->text);
    size_t kept = cell->length - opt.buffer - n->needle.n;
    cell->at = eval_insert_at(n->book.v, kept, cell->depth, &n->periods);
    cell->is = eval_insert_depth(cell->at, kept);
    cell->any = false;
    if (opt.bos_quirk || off(cell) <= DEPTH_FAR) return;
    size_t near = eval_insert_near(t, n->book.v, kept, cell->depth);
    double is = eval_insert_depth(near, kept);
    if (fabs(is - cell->depth) >= off(cell)) return;
    cell->at = near;
    cell->is = is;
    cell->any = true;
}

/* Before anything is measured. */
static void warn_of_depths(const needle *n)
{
    const needle_cell *worst = NULL;
    size_t count = 0;
    for (size_t i = 0; i < n->n_cells; i++) {
        const needle_cell *cell = &n->cells[i];
        if (off(cell) <= DEPTH_OFF) continue;
        count++;
        if (!worst || off(cell) > off(worst)) worst = cell;
    }
    if (worst)
        eval_warn(
            n->c,
            "needle: in %zu of %zu cells the needle is more than %d points from the depth that "
            "is asked for: at length %" PRIu64 " and depth %g it is at %.1f percent, because no "
            "sentence ends nearer%s; \"true_depth\" in the results says where it is",
            count, n->n_cells, DEPTH_OFF, worst->length, worst->depth, worst->is,
            opt.bos_quirk ? " with an ASCII full stop (--bos-quirk)" : "");
}

static int make_cells(needle *n)
{
    n->n_cells = n->n_lengths * n->n_depths;
    n->cells = malloc(n->n_cells * sizeof *n->cells);
    if (!n->cells) return lm_fail_nomem(n->n_cells * sizeof *n->cells);
    for (size_t i = 0; i < n->n_cells; i++) {
        needle_cell *cell = &n->cells[i];
        cell->length = n->lengths[i / n->n_depths];
        cell->depth = n->depths[i % n->n_depths];
        if (cell->length <= opt.buffer + n->needle.n)
            return lm_fail(LM_EUSAGE,
                           "needle: a length of %" PRIu64
                           " is too short for a needle of %zu tokens "
                           "and --buffer %" PRIu64,
                           cell->length, n->needle.n, opt.buffer);
        choose_place(n, cell);
    }
    warn_of_depths(n);
    qsort(n->cells, n->n_cells, sizeof *n->cells, n->c->by_length ? by_length : by_depth);
    return LM_OK;
}

/* ---- the grid -------------------------------------------------------------------------- */

static int read_grid(needle *n)
{
    int rc = eval_depths(opt.depths ? opt.depths : grid_depths, &n->depths, &n->n_depths);
    if (rc || opt.lengths)
        return rc ? rc : eval_sizes("lengths", opt.lengths, 1, &n->lengths, &n->n_lengths);
    n->lengths = malloc(GRID_LENGTHS * sizeof *n->lengths);
    if (!n->lengths) return lm_fail_nomem(GRID_LENGTHS * sizeof *n->lengths);
    n->n_lengths = GRID_LENGTHS;
    for (size_t k = 0; k < GRID_LENGTHS; k++)
        n->lengths[k] = (uint64_t)llround(1000 + (double)k * 127000 / (GRID_LENGTHS - 1));
    return LM_OK;
}

static lm_json *settings(const needle *n)
{
    lm_json *s = lm_json_object();
    lm_json_set_hex64(s, "haystack", n->book_hash);
    lm_json_set_str(s, "needle", opt.needle);
    lm_json_set_str(s, "question", opt.question);
    lm_json_set_str(s, "answer", opt.answer);
    lm_json_set_str(s, "prompt", opt.prompt);
    lm_json_set_u64(s, "buffer", opt.buffer);
    lm_json_set_u64(s, "new_tokens", opt.new_tokens);
    lm_json_set_bool(s, "bos_quirk", opt.bos_quirk);
    return s;
}

/* Arguments are text as files are. */
static int check_texts(void)
{
    const char *const texts[][2] = { { "--needle", opt.needle },
                                     { "--question", opt.question },
                                     { "--answer", opt.answer },
                                     { "--prompt", opt.prompt } };
    int rc = LM_OK;
    for (size_t i = 0; !rc && i < sizeof texts / sizeof *texts; i++)
        rc = lm_plain_text(texts[i][1], strlen(texts[i][1]), 0, texts[i][0]);
    return rc;
}

static int begin(needle *n)
{
    if (!strstr(opt.prompt, "{context}"))
        return lm_fail(LM_EUSAGE, "--prompt: {context} is missing in it");
    if (!opt.new_tokens) return lm_fail(LM_EUSAGE, "--new-tokens 0: it must be positive");
    int rc = check_texts();
    if (!rc) rc = read_grid(n);
    if (!rc) rc = eval_open_text(n->c);
    if (!rc && opt.bos_quirk && lm_tokenizer_bos(tr_text_tokenizer(n->c->text)) < 0)
        rc = lm_fail(LM_EUSAGE, "--bos-quirk: the tokenizer has no beginning-of-text");
    uint64_t longest = rc ? 0 : n->lengths[n->n_lengths - 1];
    if (!rc) rc = read_book(n);
    if (!rc) rc = tr_text_encode(n->c->text, opt.needle, strlen(opt.needle), false, &n->needle);
    if (!rc) rc = eval_period_ids(tr_text_tokenizer(n->c->text), &n->periods);
    if (!rc && !opt.asking.print_prompts) rc = eval_begin(n->c, longest, settings(n));
    if (!rc) rc = fill_book(n, longest);
    return rc ? rc : make_cells(n);
}

/* The mean of one score over the depths of a length, or of all where length is 0. */
static double mean_score(const needle *n, uint64_t length, const char *score)
{
    ask_mean mean = { 0 };
    for (size_t i = 0; i < n->n_cells; i++) {
        const needle_cell *cell = &n->cells[i];
        if (!length || cell->length == length)
            ask_mean_add(n->c, &mean, cell_json(cell, score), NULL);
    }
    return mean.n ? ask_mean_value(&mean) : NAN;
}

static void summary(const needle *n)
{
    for (size_t i = 0; i < n->n_lengths; i++)
        eval_note(n->c, "at %" PRIu64 ": repo %.3f, dedup %.3f, rouge1 %.2f, exact %.2f",
                  n->lengths[i], mean_score(n, n->lengths[i], "repo"),
                  mean_score(n, n->lengths[i], "dedup"), mean_score(n, n->lengths[i], "rouge1"),
                  mean_score(n, n->lengths[i], "exact"));
    eval_note(
        n->c,
        "mean of %zu cells: repo %.3f (a perfect answer scores %.3f, a fluent wrong one %.3f), "
        "dedup %.3f (%.3f, %.3f), exact %.3f",
        n->n_cells, mean_score(n, 0, "repo"), score_needle_repo(opt.answer, opt.answer),
        score_needle_repo(wrong_answer, opt.answer), mean_score(n, 0, "dedup"),
        score_needle_dedup(opt.answer, opt.answer), score_needle_dedup(wrong_answer, opt.answer),
        mean_score(n, 0, "exact"));
}

static int run(eval_context *c)
{
    needle n = { .c = c,
                 .essays = LM_BUF_INIT(BOOK_MAX),
                 .text = LM_BUF_INIT(BOOK_MAX),
                 .prompt_text = LM_BUF_INIT(BOOK_MAX) };
    int rc = begin(&n);
    for (size_t i = 0; !rc && i < n.n_cells; i++) rc = measure(&n, &n.cells[i]);
    if (!rc && !opt.asking.print_prompts) summary(&n);
    lm_ids *ids[] = { &n.book, &n.needle, &n.periods, &n.context, &n.placed, &n.prompt, &n.answer };
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) lm_ids_free(ids[i]);
    lm_buf_free(&n.essays);
    lm_buf_free(&n.text);
    lm_buf_free(&n.prompt_text);
    free(n.lengths);
    free(n.depths);
    free(n.cells);
    return rc;
}

const eval_entry eval_needle = {
    .command = {
        .name = "needle",
        .summary = "a sentence in a book of essays, by length and depth",
        .about =
            "A sentence hidden in a book of essays, and a question about it, by length and "
            "depth, as Fu et al. 2024 do it. Four scores for each answer.",
        .opts = opts,
        .examples = "# a sentence in a book, at two lengths and three depths\n"
        "lmeval needle --model model --haystack recipes/README.md --lengths 800,1200 --depths "
        "0,50,100 --buffer 300 -o needle.jsonl\n",
        .model = true,
    },
    .asking = &opt.asking,
    .run = run,
};
