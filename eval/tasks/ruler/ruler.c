/* ruler.c -- RULER (Hsieh et al. 2024): its tasks at each length, every sample filled to that
 * length by the model's own tokens. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "eval/harness/ask.h"
#include "eval/data/jsonl.h"
#include "eval/tasks/ruler/tasks.h"
#include "eval/metrics/score.h"

enum { EXAMPLE_TOKENS = 500 };

static struct {
    cli_list tasks, haystack;
    const char *lengths;
    uint64_t samples;
    eval_asking asking;
} opt = { .lengths = "4Ki,8Ki,16Ki,32Ki,64Ki,128Ki", .samples = 500, .asking = ASK_DEFAULTS };

static const cli_opt opts[] = {
    { CLI_ARGS, NULL, 0, &opt.tasks, "TASK...",
      "niah_single_1 to 3, niah_multikey_1 to 3, niah_multivalue, niah_multiquery, vt, cwe, fwe. "
      "Without names: all that the data allows." },
    { CLI_STR, "lengths", 'L', &opt.lengths, "N,N,...",
      "Lengths, in tokens (4Ki,8Ki,16Ki,32Ki,64Ki,128Ki)." },
    { CLI_LIST, "haystack", 0, &opt.haystack, "FILE",
      "Essays, or a directory of *.txt, for the tasks that need them; may be given several "
      "times." },
    { CLI_SIZE, "samples", 0, &opt.samples, "N", "Samples per task and length (500)." },
    ASK_OPTIONS(opt.asking),
    { .kind = CLI_END },
};

typedef struct ruler {
    eval_context *c;
    const ruler_task **task; /* [tasks] */
    size_t tasks;
    ruler_prose prose;
    uint64_t haystack; /* hash */
    uint64_t *length;  /* [lengths] */
    size_t lengths;
    ruler_sample sample;
    lm_buf answer;
} ruler;

/* ---- what is asked for ------------------------------------------------------------------ */

static const ruler_task *find_task(const char *name)
{
    for (const ruler_task *t = ruler_tasks; t->name; t++)
        if (!strcmp(t->name, name)) return t;
    return NULL;
}

/* The tasks that are named; without names, all that the data allows. */
static int choose_tasks(ruler *r)
{
    const cli_list *names = &opt.tasks;
    bool prose = opt.haystack.n > 0;
    size_t room = names->n;
    for (const ruler_task *t = ruler_tasks; t->name; t++) room++;
    r->task = malloc(room * sizeof *r->task);
    if (!r->task) return lm_fail_nomem(room * sizeof *r->task);
    for (size_t i = 0; i < names->n; i++) {
        const ruler_task *t = find_task(names->v[i]);
        if (!t)
            return lm_fail(LM_EUSAGE,
                           "%s: no such task; ruler has niah_single_1 to 3, niah_multikey_1 to 3, "
                           "niah_multivalue, "
                           "niah_multiquery, vt, cwe, fwe",
                           names->v[i]);
        if (t->prose && !prose)
            return lm_fail(
                LM_EUSAGE,
                "%s needs --haystack FILE, or a folder of *.txt (RULER uses the essays of Paul "
                "Graham)",
                t->name);
        r->task[r->tasks++] = t;
    }
    for (const ruler_task *t = ruler_tasks; !names->n && t->name; t++)
        if (prose || !t->prose) r->task[r->tasks++] = t;
    return LM_OK;
}

static int load_prose(ruler *r)
{
    lm_buf text = LM_BUF_INIT(ASK_TEXT_MAX);
    int rc = LM_OK;
    if (opt.haystack.n) {
        rc = eval_load_text(&opt.haystack, &text, &r->haystack, NULL, NULL);
        if (!rc) rc = ruler_prose_make(&r->prose, (char *)text.data, text.size);
    }
    lm_buf_free(&text);
    return rc;
}

/* ---- the size that fills a length ------------------------------------------------------- */

/* Does the sample of this size fit? 1 or 0, or an error. *tokens: of its prompt. */
static int fits(ruler *r, const ruler_task *t, const struct ruler_make *m, bool example,
                size_t limit, size_t *tokens)
{
    int rc = example ? ruler_make_example(t, m, &r->sample) : ruler_make_sample(t, m, &r->sample);
    if (!rc) rc = ask_count(r->c, (char *)r->sample.prompt.data, r->sample.prompt.size - 1, tokens);
    return rc ? rc : *tokens <= limit;
}

/* The greatest *size, from `least` on, whose text has at most `limit` tokens. 1; 0 where not even
 * the least fits; or an error. */
static int find_size(ruler *r, const ruler_task *t, struct ruler_make *m, bool example,
                     size_t limit, size_t *tokens)
{
    size_t *size = example ? &m->example_size : &m->size;
    size_t least = example ? 1 : t->least, most = example ? 0 : t->most;
    size_t good = least, bad = 0;
    *size = least;
    int rc = fits(r, t, m, example, limit, tokens);
    while (rc == 1 && !bad && (!most || good < most)) {
        *size = most && 2 * good > most ? most : 2 * good;
        rc = fits(r, t, m, example, limit, tokens);
        if (rc == 1) good = *size;
        else if (!rc) bad = *size, rc = 1;
    }
    while (rc == 1 && bad > good + 1) {
        *size = good + (bad - good) / 2;
        rc = fits(r, t, m, example, limit, tokens);
        if (rc < 0) return rc;
        *(rc ? &good : &bad) = *size;
        rc = 1;
    }
    *size = good;
    return rc;
}

/* A sample and its example at their sizes. 1; 0 where the length is too short, with the tokens that
 * the least one has; or an error. */
static int size_sample(ruler *r, const ruler_task *t, size_t length, size_t number,
                       struct ruler_make *m, size_t *tokens)
{
    /* RULER's example has 500 tokens; where that is much, a quarter of the length */
    size_t example = length / 4 < EXAMPLE_TOKENS ? length / 4 : EXAMPLE_TOKENS;
    size_t room = length > t->new_tokens ? length - t->new_tokens : 0;
    *m = (struct ruler_make){ .seed = ruler_seed(r->c->seed, t, length, number),
                              .example = ruler_seed(r->c->seed, t, 0, 0),
                              .length = length,
                              .prose = &r->prose };
    int rc = t->make_example ? find_size(r, t, m, true, example, tokens) : 0;
    return rc < 0 ? rc : find_size(r, t, m, false, room, tokens);
}

static int fill(ruler *r, const ruler_task *t, size_t length, size_t number)
{
    struct ruler_make m;
    size_t tokens;
    int rc = size_sample(r, t, length, number, &m, &tokens);
    if (!rc)
        return lm_fail(
            LM_EUSAGE,
            "--lengths %zu: %s needs at least %zu tokens for the prompt and %zu for the answer",
            length, t->name, tokens, t->new_tokens);
    return rc < 0 ? rc : ruler_make_sample(t, &m, &r->sample);
}

/* ---- measuring -------------------------------------------------------------------------- */

static lm_json *cell_of(const ruler *r, const ruler_task *t, size_t length)
{
    lm_json *cell = lm_json_object();
    lm_json_set_str(cell, "task", t->name);
    if (t->prose) lm_json_set_hex64(cell, "haystack", r->haystack);
    lm_json_set_u64(cell, "length", length);
    return cell;
}

static lm_json *sample_cell(const ruler *r, const ruler_task *t, size_t length, size_t number)
{
    lm_json *cell = cell_of(r, t, length);
    lm_json_set_u64(cell, "sample", number);
    return cell;
}

static int score_sample(const ruler *r, double *value, lm_json *more)
{
    const char *refs[16], *at = (char *)r->sample.references.data, *answer = (char *)r->answer.data;
    lm_json *list = lm_json_array();
    for (size_t i = 0; i < r->sample.n; i++, at += strlen(at) + 1) {
        refs[i] = at;
        lm_json_set_str(list, NULL, at);
    }
    lm_json_set(more, "outputs", list);
    *value = score_ruler(answer, refs, r->sample.n);
    return *value < 0 ? LM_ENOMEM : eval_set_text(more, "prediction", answer);
}

/* Where the needles are, in percent of the text. */
static void set_places(const ruler *r, lm_json *more)
{
    if (!r->sample.needles) return;
    lm_json *list = lm_json_array();
    for (size_t i = 0; i < r->sample.needles; i++)
        lm_json_set_f64(list, NULL, round(100 * r->sample.needle[i]) / 100);
    lm_json_set(more, "true_depths", list);
}

static int run_sample(ruler *r, const ruler_task *t, size_t length, size_t number)
{
    eval_context *c = r->c;
    lm_json *cell = sample_cell(r, t, length, number), *more = NULL;
    double value = 0;
    size_t tokens;
    int rc = ask_done(c, cell);
    if (rc) goto out;
    eval_live(c, "%s at %zu: sample %zu of %" PRIu64, t->name, length, number + 1, opt.samples);
    eval_start(c);
    rc = fill(r, t, length, number);
    if (!rc) rc = ask_printed(c, cell, (char *)r->sample.prompt.data);
    if (!rc) rc = ask(c, (char *)r->sample.prompt.data, t->new_tokens, &r->answer);
    if (rc) goto out;
    more = lm_json_object();
    rc = ask_count(c, (char *)r->sample.prompt.data, r->sample.prompt.size - 1, &tokens);
    if (!rc) lm_json_set_u64(more, "tokens", tokens);
    if (!rc) set_places(r, more);
    if (!rc) rc = score_sample(r, &value, more);
    if (!rc) {
        rc = eval_add(c, cell, value, more);
        cell = more = NULL;
    }
out:
    lm_json_free(cell);
    lm_json_free(more);
    return rc > 0 ? LM_OK : rc;
}

static int run_task(ruler *r, const ruler_task *t, size_t length)
{
    uint64_t samples = opt.samples;
    ask_mean mean = { 0 };
    int rc = LM_OK;
    for (size_t i = 0; !rc && i < samples; i++) rc = run_sample(r, t, length, i);
    if (rc || opt.asking.print_prompts) return rc;
    for (size_t i = 0; i < samples; i++)
        ask_mean_add(r->c, &mean, sample_cell(r, t, length, i), NULL);
    eval_note(r->c, "%s at %zu: %.2f of 100", t->name, length, 100 * ask_mean_value(&mean));
    return ask_mean_line(r->c, cell_of(r, t, length), ask_mean_value(&mean), mean.n);
}

static int run_all(ruler *r)
{
    int rc = load_prose(r);
    if (!rc) rc = eval_open_text(r->c);
    if (!rc && !opt.asking.print_prompts)
        rc = eval_begin(r->c, r->length[r->lengths - 1], lm_json_object());
    /* A length that is too short for a task is reported before hours have passed. */
    for (size_t k = 0; !rc && k < r->tasks; k++) rc = fill(r, r->task[k], r->length[0], 0);
    for (size_t i = 0; !rc && i < r->lengths; i++)
        for (size_t k = 0; !rc && k < r->tasks; k++) rc = run_task(r, r->task[k], r->length[i]);
    return rc;
}

static int run(eval_context *c)
{
    ruler r = { .c = c, .answer = LM_BUF_INIT(ASK_TEXT_MAX) };
    int rc = eval_sizes("lengths", opt.lengths, 1, &r.length, &r.lengths);
    if (!rc) rc = choose_tasks(&r);
    if (!rc) rc = run_all(&r);
    ruler_prose_free(&r.prose);
    ruler_sample_free(&r.sample);
    lm_buf_free(&r.answer);
    free(r.length);
    free(r.task);
    return rc;
}

const eval_entry eval_ruler = {
    .command = {
        .name = "ruler",
        .summary = "RULER's retrieval, tracing and counting in synthetic texts, at each length",
        .about =
            "The synthetic tasks of RULER: needles among lines, needles or essays (--haystack), "
            "variable tracking, common and frequent words.",
        .opts = opts,
        .examples = "# the prompts of two of RULER's tasks at 1024 tokens\n"
        "lmeval ruler niah_single_1 fwe --model model --lengths 1024 --samples 1 --print-prompts\n",
        .model = true,
    },
    .asking = &opt.asking,
    .run = run,
};
