/* fewshot.c -- NarrativeQA, Qasper, QuALITY and QMSum after examples, as An et al. 2024 ask them
 * (the folder few-shot of their repository). */
#include <stdlib.h>
#include <string.h>

#include "eval/harness/ask.h"
#include "eval/metrics/bm25.h"
#include "eval/data/jsonl.h"
#include "eval/metrics/score.h"
#include "lib/base/hash.h"
#include "lib/base/rng.h"

enum { QUESTIONS_MAX = 1 << 24, PROMPT_TOKENS = 16000, SPARE = 200, SEAM = 16 };

enum measure { BY_F1, BY_MATCH, BY_ROUGE };

static const struct task {
    ask_task is;
    size_t shots, new_tokens;
    enum measure measure;
} TASKS[] = {
    { { "narrative_qa", "narrative" }, 0, 64, BY_F1 },
    { { "qasper", "qasper" }, 2, 64, BY_F1 },
    { { "quality", "quality" }, 2, 64, BY_MATCH },
    { { "qmsum", "qmsum" }, 1, 128, BY_ROUGE },
};

enum { GIVEN, RANDOM, BEST, WORST };

static struct {
    cli_list files;
    uint64_t max_prompt;
    int shots; /* -1: the task's own */
    int exemplars;
    const char *pool;
    eval_asking asking;
} opt = { .shots = -1, .asking = ASK_DEFAULTS };

static const cli_opt opts[] = {
    { CLI_ARGS, NULL, 0, &opt.files, "FILE...",
      "few_shot_*.jsonl of ChunkLlama; the name says which task it is." },
    { CLI_SIZE, "max-prompt", 0, &opt.max_prompt, "N",
      "Tokens of prompt and answer, about; documents are cut at their start (16000)." },
    { CLI_INT, "shots", 0, &opt.shots, "N",
      "Examples before a question (narrative_qa 0, qasper 2, quality 2, qmsum 1).", 0, 1000 },
    { CLI_CHOICE, "exemplars", 0, &opt.exemplars, "given|random|best|worst",
      "Which examples: those that the file gives with a question; or from --pool random ones, "
      "those "
      "most similar to the question by BM25, or those least similar." },
    { CLI_STR, "pool", 0, &opt.pool, "FILE", "Choose examples from this file; the same format." },
    ASK_OPTIONS(opt.asking),
    { .kind = CLI_END },
};

/* A question: what is kept of its line, and of later lines with the same id. */
typedef struct item {
    uint64_t id; /* hash */
    size_t line;
    char **output;
    size_t outputs;
} item;

typedef struct source {
    const char *path;
    const struct task *task;
    uint64_t hash;
    item *v;
    size_t n, room;
    size_t next; /* of v, in the second pass */
} source;

/* Examples of --pool. */
typedef struct pool {
    char **query, **output;
    size_t n, room;
    uint64_t hash;
    bm25 *index;
    double *score;
} pool;

typedef struct fewshot {
    eval_context *c;
    source *file; /* [files] */
    size_t files;
    source *now;
    pool pool;
    size_t most;    /* --max-prompt */
    size_t longest; /* tokens of a prompt and its answer */
    lm_buf tail, prompt, answer;
} fewshot;

/* ---- examples --------------------------------------------------------------------------- */

static int add_to_pool(void *arg, const lm_json *line, size_t i)
{
    pool *p = arg;
    const char *query;
    eval_texts output = { 0 };
    if (i == p->room) {
        size_t room = p->room ? 2 * p->room : 256;
        char **q = realloc(p->query, room * sizeof *q);
        if (q) p->query = q;
        char **o = q ? realloc(p->output, room * sizeof *o) : NULL;
        if (!o) return lm_fail_nomem(room * sizeof *o);
        p->output = o;
        p->room = room;
    }
    int rc = lm_json_str(&query, line, "query");
    if (!rc) rc = eval_get_texts(&output, line, "output", 1);
    if (rc) return rc;
    p->query[i] = strdup(query);
    p->output[i] = strdup(output.v[0]);
    p->n = i + 1;
    free(output.v);
    return p->query[i] && p->output[i] ? LM_OK : lm_fail_nomem(strlen(query));
}

static int load_pool(pool *p, const char *path)
{
    int rc = eval_jsonl(path, &p->hash, add_to_pool, p);
    if (!rc && !p->n) rc = lm_fail(LM_EDATA, "%s: no example in it", path);
    if (!rc) rc = bm25_new(&p->index, (const char *const *)p->query, p->n);
    if (rc) return rc;
    p->score = malloc(p->n * sizeof *p->score);
    return p->score ? LM_OK : lm_fail_nomem(p->n * sizeof *p->score);
}

static void free_pool(pool *p)
{
    for (size_t i = 0; i < p->n; i++) {
        free(p->query[i]);
        free(p->output[i]);
    }
    free(p->query);
    free(p->output);
    free(p->score);
    bm25_free(p->index);
}

/* How examples rank: the score by which the greatest comes first; of equal ones the first in the
 * file. A question is no example of itself. */
static int rank_pool(fewshot *f, const char *query, uint64_t id)
{
    pool *p = &f->pool;
    int how = opt.exemplars, rc = LM_OK;
    if (how != RANDOM) rc = bm25_scores(p->index, query, p->score);
    for (size_t i = 0; !rc && i < p->n; i++) {
        if (how == RANDOM) p->score[i] = lm_unit(lm_hash4(f->c->seed, id, i, 0));
        else if (how == WORST) p->score[i] = -p->score[i];
        if (!strcmp(p->query[i], query)) p->score[i] = -1e300;
    }
    return rc;
}

static int add_example(lm_buf *b, const char *query, const char *output)
{
    return lm_buf_printf(b, "\n\nQuestion: %s \nAnswer:%s", query, output);
}

static int add_from_pool(fewshot *f, const char *query, uint64_t id, size_t shots)
{
    pool *p = &f->pool;
    int rc = rank_pool(f, query, id);
    for (size_t k = 0; !rc && k < shots && k < p->n; k++) {
        size_t best = 0;
        for (size_t i = 1; i < p->n; i++)
            if (p->score[i] > p->score[best]) best = i;
        if (p->score[best] == -1e300) break;
        rc = add_example(&f->tail, p->query[best], p->output[best]);
        p->score[best] = -1e300;
    }
    return rc;
}

/* The examples that the line has: all of them, or the first `shots`. */
static int add_given(fewshot *f, const lm_json *line)
{
    eval_texts q = { 0 }, o = { 0 };
    int shots = opt.shots;
    size_t least = shots < 0 ? f->now->task->shots : (size_t)shots;
    if (!least && !lm_json_get(line, "query_examples")) return LM_OK;
    int rc = eval_get_texts(&q, line, "query_examples", least);
    if (!rc) rc = eval_get_texts(&o, line, "output_examples", least);
    if (!rc && q.n != o.n)
        rc = lm_json_fail(line, "%zu query_examples and %zu output_examples", q.n, o.n);
    for (size_t i = 0; !rc && i < (shots < 0 ? q.n : least); i++)
        rc = add_example(&f->tail, q.v[i], o.v[i]);
    free(q.v);
    free(o.v);
    return rc;
}

/* What follows the document: examples and the question. */
static int make_tail(fewshot *f, const lm_json *line, uint64_t id)
{
    const char *query;
    int shots = opt.shots;
    lm_buf_reset(&f->tail, f->tail.cap);
    int rc = lm_json_str(&query, line, "query");
    if (!rc && opt.exemplars == GIVEN) rc = add_given(f, line);
    else if (!rc) rc = add_from_pool(f, query, id, shots < 0 ? f->now->task->shots : (size_t)shots);
    return rc ? rc : lm_buf_printf(&f->tail, "\n\nQuestion: %s \nAnswer:", query);
}

/* ---- first pass: questions and their answers -------------------------------------------- */

static int add_outputs(item *it, const eval_texts *more)
{
    char **v = realloc(it->output, (it->outputs + more->n) * sizeof *v);
    if (!v) return lm_fail_nomem((it->outputs + more->n) * sizeof *v);
    it->output = v;
    for (size_t i = 0; i < more->n; i++) {
        v[it->outputs] = strdup(more->v[i]);
        if (!v[it->outputs]) return lm_fail_nomem(strlen(more->v[i]));
        it->outputs++;
    }
    return LM_OK;
}

static item *find_item(source *s, uint64_t id)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->v[i].id == id) return &s->v[i];
    return NULL;
}

static int new_item(source *s, uint64_t id, size_t line)
{
    if (s->n == s->room) {
        item *v = lm_grow(s->v, &s->room, sizeof *v, QUESTIONS_MAX);
        if (!v) return LM_ENOMEM;
        s->v = v;
    }
    s->v[s->n++] = (item){ .id = id, .line = line };
    return LM_OK;
}

static size_t room_for_document(const fewshot *f)
{
    size_t other = f->now->task->new_tokens + SPARE;
    return f->most > other ? f->most - other : 0;
}

/* A document that is cut, and what follows it: how many tokens can that be? */
static int measure(fewshot *f, const lm_json *line, uint64_t id)
{
    const char *document;
    size_t tail, room = room_for_document(f);
    int rc = lm_json_str(&document, line, "input");
    if (!rc) rc = make_tail(f, line, id);
    if (!rc) rc = ask_count(f->c, (char *)f->tail.data, f->tail.size, &tail);
    if (rc) return rc;
    size_t bytes = strlen(document) + 2; /* a token has a byte at least */
    size_t all = (bytes < room ? bytes : room) + tail + SEAM + f->now->task->new_tokens;
    if (all > f->longest) f->longest = all;
    return LM_OK;
}

static int look(void *arg, const lm_json *line, size_t i)
{
    fewshot *f = arg;
    const char *id;
    eval_texts outputs = { 0 };
    int rc = lm_json_str(&id, line, "id");
    if (!rc) rc = eval_get_texts(&outputs, line, "output", 1);
    if (!rc) {
        uint64_t hash = lm_hash64(id, strlen(id));
        if (!find_item(f->now, hash)) {
            rc = measure(f, line, hash);
            if (!rc) rc = new_item(f->now, hash, i);
        }
        if (!rc) rc = add_outputs(find_item(f->now, hash), &outputs);
    }
    free(outputs.v);
    return rc;
}

static int open_source(fewshot *f, source *s, const char *path)
{
    const void *task;
    int rc = ask_find_task(path, TASKS, sizeof *TASKS, sizeof TASKS / sizeof *TASKS, &task);
    if (rc) return rc;
    s->task = task;
    s->path = path;
    f->now = s;
    if (!room_for_document(f))
        return lm_fail(LM_EUSAGE,
                       "--max-prompt %zu: %zu of it are reserved for the answer and %d as a margin",
                       f->most, s->task->new_tokens, SPARE);
    rc = eval_jsonl(path, &s->hash, look, f);
    if (!rc && !s->n) rc = lm_fail(LM_EDATA, "%s: no question in it", path);
    return rc;
}

/* ---- second pass ------------------------------------------------------------------------ */

static lm_json *cell_of(const source *s, const char *key, uint64_t i)
{
    lm_json *cell = lm_json_object();
    lm_json_set_str(cell, "task", s->task->is.name);
    lm_json_set_hex64(cell, "data", s->hash);
    if (key) lm_json_set_u64(cell, key, i);
    return cell;
}

static int make_prompt(fewshot *f, const lm_json *line, const item *it)
{
    const char *document;
    size_t room = room_for_document(f), words = f->most - f->now->task->new_tokens;
    int rc = lm_json_str(&document, line, "input");
    if (!rc) rc = make_tail(f, line, it->id);
    if (rc) return rc;
    size_t n = strlen(document);
    lm_buf_reset(&f->prompt, f->prompt.cap);
    rc = ask_cut_words(f->c, &document, &n, room, words, true);
    if (!rc) rc = lm_buf_add(&f->prompt, document, n);
    if (!rc) rc = lm_buf_add(&f->prompt, f->tail.data, f->tail.size);
    if (!rc) rc = lm_buf_add(&f->prompt, "", 1);
    return rc;
}

static int score_answer(const item *it, enum measure by, const char *answer, double *value,
                        lm_json *more)
{
    static const char *const NAMES[] = { "rouge1", "rouge2", "rougeL" };
    const char *const *outputs = (const char *const *)it->output;
    if (by != BY_ROUGE) {
        *value = score_best(by == BY_F1 ? score_f1 : score_em, answer, outputs, it->outputs);
        return *value < 0 ? LM_ENOMEM : LM_OK;
    }
    double best[3] = { 0 }, f[3];
    for (size_t i = 0; i < it->outputs; i++) {
        int rc = score_rouge(f, answer, outputs[i], false);
        if (rc) return rc;
        for (int k = 0; k < 3; k++)
            if (f[k] > best[k]) best[k] = f[k];
    }
    for (int k = 0; k < 3; k++) lm_json_set_f64(more, NAMES[k], best[k]);
    *value = score_rouge_mean(best);
    return LM_OK;
}

static int ask_item(fewshot *f, const lm_json *line, const item *it, lm_json *cell)
{
    eval_context *c = f->c;
    double value = 0;
    eval_start(c);
    int rc = make_prompt(f, line, it);
    if (!rc) rc = ask_printed(c, cell, (char *)f->prompt.data);
    if (!rc) rc = ask(c, (char *)f->prompt.data, f->now->task->new_tokens, &f->answer);
    if (rc) {
        lm_json_free(cell);
        return rc > 0 ? LM_OK : rc;
    }
    const char *answer = score_fewshot_piece((char *)f->answer.data);
    lm_json *more = lm_json_object();
    rc = score_answer(it, f->now->task->measure, answer, &value, more);
    if (!rc) rc = eval_set_text(more, "prediction", answer);
    if (!rc) return eval_add(c, cell, value, more);
    lm_json_free(cell);
    lm_json_free(more);
    return rc;
}

static int run_line(void *arg, const lm_json *line, size_t i)
{
    fewshot *f = arg;
    source *s = f->now;
    if (s->next == s->n || s->v[s->next].line != i) return LM_OK; /* more answers to one before */
    size_t k = s->next++;
    eval_live(f->c, "%s: question %zu of %zu", s->task->is.name, k + 1, s->n);
    lm_json *cell = cell_of(s, "question", k);
    if (ask_done(f->c, cell)) {
        lm_json_free(cell);
        return LM_OK;
    }
    return ask_item(f, line, &s->v[k], cell);
}

static int add_mean(fewshot *f, const source *s)
{
    static const char *const FIELDS[] = { "rouge1", "rouge2", "rougeL" };
    ask_mean mean[3] = { { 0 } };
    int fields = s->task->measure == BY_ROUGE ? 3 : 1;
    for (int k = 0; k < fields; k++)
        for (size_t i = 0; i < s->n; i++)
            ask_mean_add(f->c, &mean[k], cell_of(s, "question", i), fields == 3 ? FIELDS[k] : NULL);
    double value = ask_mean_value(&mean[0]);
    if (fields == 3)
        value = score_rouge_mean(
            (double[]){ value, ask_mean_value(&mean[1]), ask_mean_value(&mean[2]) });
    eval_note(f->c, "%s: %zu questions: %.2f", s->task->is.name, s->n, 100 * value);
    return ask_mean_line(f->c, cell_of(s, NULL, 0), value, mean[0].n);
}

/* ---- all of it -------------------------------------------------------------------------- */

static int begin(fewshot *f)
{
    static const char *const HOW[] = { "given", "random", "best", "worst" };
    lm_json *settings = lm_json_object();
    lm_json_set_u64(settings, "max_prompt", f->most);
    lm_json_set_str(settings, "exemplars", HOW[opt.exemplars]);
    if (opt.shots >= 0) lm_json_set_u64(settings, "shots", (uint64_t)opt.shots);
    if (opt.pool) lm_json_set_hex64(settings, "pool", f->pool.hash);
    return eval_begin(f->c, f->longest, settings);
}

static int run_files(fewshot *f)
{
    int rc = opt.pool ? load_pool(&f->pool, opt.pool) : LM_OK;
    for (size_t i = 0; !rc && i < f->files; i++) rc = open_source(f, &f->file[i], opt.files.v[i]);
    if (!rc && !opt.asking.print_prompts) rc = begin(f);
    for (size_t i = 0; !rc && i < f->files; i++) {
        f->now = &f->file[i];
        rc = eval_jsonl(f->now->path, NULL, run_line, f);
        if (!rc && !opt.asking.print_prompts) rc = add_mean(f, f->now);
    }
    return rc;
}

static void free_source(source *s)
{
    for (size_t i = 0; i < s->n; i++) {
        for (size_t k = 0; k < s->v[i].outputs; k++) free(s->v[i].output[k]);
        free(s->v[i].output);
    }
    free(s->v);
}

static int run(eval_context *c)
{
    fewshot f = { .c = c,
                  .files = opt.files.n,
                  .most = opt.max_prompt ? opt.max_prompt : PROMPT_TOKENS,
                  .tail = LM_BUF_INIT(ASK_TEXT_MAX),
                  .prompt = LM_BUF_INIT(ASK_TEXT_MAX),
                  .answer = LM_BUF_INIT(ASK_TEXT_MAX) };
    if (!f.files)
        return lm_fail(
            LM_EUSAGE,
            "fewshot needs files: few_shot_{narrative_qa,qasper,quality,qmsum}.jsonl, which the "
            "README of github.com/HKUNLP/ChunkLlama links as few-shot-data");
    if (!opt.pool != (opt.exemplars == GIVEN))
        return lm_fail(
            LM_EUSAGE,
            "--exemplars random, best and worst need --pool FILE, and given does not use it");
    f.file = calloc(f.files, sizeof *f.file);
    int rc = f.file ? eval_open_text(c) : lm_fail_nomem(f.files * sizeof *f.file);
    if (!rc) rc = run_files(&f);
    for (size_t i = 0; f.file && i < f.files; i++) free_source(&f.file[i]);
    free(f.file);
    free_pool(&f.pool);
    lm_buf_free(&f.tail);
    lm_buf_free(&f.prompt);
    lm_buf_free(&f.answer);
    return rc;
}

const eval_entry eval_fewshot = {
    .command = {
        .name = "fewshot",
        .summary = "NarrativeQA, Qasper, QuALITY, QMSum after examples",
        .about =
            "NarrativeQA, Qasper, QuALITY and QMSum after examples, asked and scored as An et "
            "al. 2024 do.",
        .opts = opts,
        .examples = "# a question of Qasper without examples\n"
        "echo '{\"id\": \"1\", \"input\": \"John Smith was here.\", \"query\": \"Who was "
        "here?\", \"output\": [\"John Smith\"]}' > few_shot_qasper.jsonl && lmeval fewshot "
        "few_shot_qasper.jsonl --shots 0 --model model --print-prompts\n",
        .model = true,
    },
    .asking = &opt.asking,
    .run = run,
};
