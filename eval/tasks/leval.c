/* leval.c -- the four closed tasks of L-Eval (An et al. 2023), as An et al. 2024 ask them (the
 * folder zero-shot of their repository): chat prompts of Llama 2, documents cut at their end. */
#include <stdlib.h>
#include <string.h>

#include "eval/harness/ask.h"
#include "eval/data/jsonl.h"
#include "eval/metrics/score.h"

enum { DOCUMENTS_MAX = 1 << 24, PROMPT_TOKENS = 16000, NEW_TOKENS = 512, SPARE = 200, SEAM = 16 };

#define DOCUMENT                                                                           \
    "Now you are given a very long document. Please follow the instruction based on this " \
    "document. For multi-choice questions, "
#define LETTERS "Please only provide the letter corresponding to the answer "

static const struct task {
    ask_task is;
    const char *system;
    score_fn *score; /* NULL: true or false, twice */
} TASKS[] = {
    /* The spelling is the authors'. */
    { { "coursera", "coursera" },
      DOCUMENT "there could be a sinlge correct option or multiple correct options. " LETTERS
               "(like A or AB) when answering. ",
      score_leval_several },
    { { "quality", "quality" },
      DOCUMENT "there is only a sinlge correct option. " LETTERS
               "(like A or B) when answering. For other questions, please directly give the "
               "concise and accurate answer. ",
      score_leval_single },
    { { "tpo", "tpo" },
      DOCUMENT "there is only a sinlge correct option. " LETTERS
               "(like A or B) when answering. For other questions, please directly give the "
               "concise and accurate answer. ",
      score_leval_single },
    { { "sci_fi", "sci_fi" },
      "Now you are given a scientific fiction. I will ask you some questions and the answer should "
      "be \"True\" or \"False\". Notice that you should answer the question based on the evidence "
      "in "
      "the document instead of your background knowledge.",
      NULL },
};

static struct {
    cli_list files;
    uint64_t max_prompt;
    eval_asking asking;
} opt = { .asking = ASK_DEFAULTS };

static const cli_opt opts[] = {
    { CLI_ARGS, NULL, 0, &opt.files, "FILE...",
      "coursera.jsonl, quality.jsonl, tpo.jsonl, sci_fi.jsonl of L-Eval; the name says which task "
      "it "
      "is." },
    { CLI_SIZE, "max-prompt", 0, &opt.max_prompt, "N",
      "Tokens of prompt and answer, about; documents are cut at their end (16000)." },
    ASK_OPTIONS(opt.asking),
    { .kind = CLI_END },
};

typedef struct source {
    const char *path;
    const struct task *task;
    uint64_t hash;
    size_t *questions; /* [documents] */
    size_t documents, room, total;
} source;

typedef struct leval {
    eval_context *c;
    source *file; /* [files] */
    size_t files;
    source *now;
    size_t most, longest;
    lm_buf prompt, answer, fact;
} leval;

/* ---- prompts ---------------------------------------------------------------------------- */

/* [INST]<<SYS>> ... with the document between */
static int make_prompt(const leval *l, lm_buf *b, const char *document, size_t n,
                       const char *question)
{
    lm_buf_reset(b, b->cap);
    int rc = lm_buf_printf(b, "[INST]<<SYS>>\n%s\n<</SYS>>\n\nDocument is as follows. ",
                           l->now->task->system);
    if (!rc) rc = lm_buf_add(b, document, n);
    return rc ? rc
              : lm_buf_printf(
                    b,
                    " \nQuestion: %s. Please directly give answer without any additional output or "
                    "explanation [/INST]\nAnswer:",
                    question);
}

/* SFiction asks again, without the document, for what is true outside it. */
static int make_fact_prompt(lm_buf *b, const char *question)
{
    static const char WORLD[] = "based on the world described in the document.",
                      REAL[] =
                          "based on the real-world knowledge and facts up until your last training";
    lm_buf_reset(b, b->cap);
    int rc = LM_OK;
    for (const char *at; !rc && (at = strstr(question, WORLD)); question = at + strlen(WORLD)) {
        rc = lm_buf_add(b, question, (size_t)(at - question));
        if (!rc) rc = lm_buf_add(b, REAL, strlen(REAL));
    }
    return rc ? rc : lm_buf_printf(b, "%s\nAnswer:", question);
}

static size_t room_for_document(const leval *l)
{
    return l->most > NEW_TOKENS + SPARE ? l->most - NEW_TOKENS - SPARE : 0;
}

/* ---- first pass ------------------------------------------------------------------------- */

static int get_line(const lm_json *line, const char **document, eval_texts *questions,
                    eval_texts *answers)
{
    *questions = *answers = (eval_texts){ 0 };
    int rc = lm_json_str(document, line, "input");
    if (!rc) rc = eval_get_texts(questions, line, "instructions", 1);
    if (!rc) rc = eval_get_texts(answers, line, "outputs", questions->n);
    if (!rc && answers->n != questions->n)
        rc = lm_json_fail(line, "%zu instructions and %zu outputs", questions->n, answers->n);
    return rc;
}

static int add_document(source *s, size_t questions)
{
    if (s->documents == s->room) {
        size_t *v = lm_grow(s->questions, &s->room, sizeof *v, DOCUMENTS_MAX);
        if (!v) return LM_ENOMEM;
        s->questions = v;
    }
    s->questions[s->documents++] = questions;
    s->total += questions;
    return LM_OK;
}

static int look(void *arg, const lm_json *line, size_t i)
{
    leval *l = arg;
    const char *document;
    eval_texts questions, answers;
    (void)i;
    int rc = get_line(line, &document, &questions, &answers);
    size_t room = room_for_document(l), bytes = rc ? 0 : strlen(document) + 2;
    for (size_t k = 0; !rc && k < questions.n; k++) {
        size_t tokens;
        rc = make_prompt(l, &l->prompt, "", 0, questions.v[k]);
        if (!rc) rc = ask_count(l->c, (char *)l->prompt.data, l->prompt.size, &tokens);
        if (!rc) tokens += (bytes < room ? bytes : room) + SEAM + NEW_TOKENS;
        if (!rc && tokens > l->longest) l->longest = tokens;
    }
    if (!rc) rc = add_document(l->now, questions.n);
    free(questions.v);
    free(answers.v);
    return rc;
}

static int open_source(leval *l, source *s, const char *path)
{
    const void *task;
    int rc = ask_find_task(path, TASKS, sizeof *TASKS, sizeof TASKS / sizeof *TASKS, &task);
    if (rc) return rc;
    s->task = task;
    s->path = path;
    l->now = s;
    rc = eval_jsonl(path, &s->hash, look, l);
    if (!rc && !s->documents) rc = lm_fail(LM_EDATA, "%s: no document in it", path);
    return rc;
}

/* ---- second pass ------------------------------------------------------------------------ */

static lm_json *cell_of(const source *s, size_t document, size_t question)
{
    lm_json *cell = lm_json_object();
    lm_json_set_str(cell, "task", s->task->is.name);
    lm_json_set_hex64(cell, "data", s->hash);
    lm_json_set_u64(cell, "document", document);
    lm_json_set_u64(cell, "question", question);
    return cell;
}

/* The two answers to a question of SFiction as one text, as the authors keep them. */
static int ask_fact(leval *l, const char *question)
{
    l->answer.size = strlen((char *)l->answer.data);
    int rc = make_fact_prompt(&l->prompt, question);
    if (!rc) rc = ask(l->c, (char *)l->prompt.data, NEW_TOKENS, &l->fact);
    return rc ? rc : lm_buf_printf(&l->answer, " [fact: %s]", (char *)l->fact.data);
}

static int score_answer(const leval *l, const char *right, double *value, lm_json *more)
{
    const char *answer = (char *)l->answer.data;
    double part[2];
    if (l->now->task->score) {
        *value = l->now->task->score(answer, right);
        return *value < 0 ? LM_ENOMEM : LM_OK;
    }
    int rc = score_leval_judge(part, answer, right);
    if (rc) return rc;
    *value = (part[0] + part[1]) / 2;
    lm_json_set_f64(more, "loyalty", part[0]);
    lm_json_set_f64(more, "fact", part[1]);
    return LM_OK;
}

static int ask_question(leval *l, const char *document, size_t n, const char *question,
                        const char *right, lm_json *cell)
{
    eval_context *c = l->c;
    double value = 0;
    eval_start(c);
    int rc = make_prompt(l, &l->prompt, document, n, question);
    if (!rc) rc = ask_printed(c, cell, (char *)l->prompt.data);
    if (!rc) rc = ask(c, (char *)l->prompt.data, NEW_TOKENS, &l->answer);
    if (!rc && !l->now->task->score) rc = ask_fact(l, question);
    if (rc == 1 && !l->now->task->score) { /* the prompts are shown, both of them */
        rc = make_fact_prompt(&l->prompt, question);
        if (!rc) rc = ask_printed(c, cell, (char *)l->prompt.data);
    }
    if (rc) {
        lm_json_free(cell);
        return rc > 0 ? LM_OK : rc;
    }
    lm_json *more = lm_json_object();
    rc = score_answer(l, right, &value, more);
    if (!rc) rc = eval_set_text(more, "prediction", (char *)l->answer.data);
    if (!rc) return eval_add(c, cell, value, more);
    lm_json_free(cell);
    lm_json_free(more);
    return rc;
}

static int run_document(void *arg, const lm_json *line, size_t i)
{
    leval *l = arg;
    const char *document;
    eval_texts questions, answers;
    bool cut = false;
    int rc = get_line(line, &document, &questions, &answers);
    size_t n = rc ? 0 : strlen(document);
    for (size_t k = 0; !rc && k < questions.n; k++) {
        lm_json *cell = cell_of(l->now, i, k);
        eval_live(l->c, "%s: document %zu of %zu, question %zu of %zu", l->now->task->is.name,
                  i + 1, l->now->documents, k + 1, questions.n);
        if (ask_done(l->c, cell)) {
            lm_json_free(cell);
            continue;
        }
        if (!cut)
            rc = ask_cut_words(l->c, &document, &n, room_for_document(l), l->most - NEW_TOKENS,
                               false);
        cut = true;
        if (!rc) rc = ask_question(l, document, n, questions.v[k], answers.v[k], cell);
        else lm_json_free(cell);
    }
    free(questions.v);
    free(answers.v);
    return rc;
}

static double mean_of(const leval *l, const source *s, const char *field)
{
    ask_mean mean = { 0 };
    for (size_t i = 0; i < s->documents; i++)
        for (size_t k = 0; k < s->questions[i]; k++)
            ask_mean_add(l->c, &mean, cell_of(s, i, k), field);
    return ask_mean_value(&mean);
}

static int add_mean(leval *l, const source *s)
{
    double value = mean_of(l, s, NULL);
    lm_json *cell = lm_json_object();
    lm_json_set_str(cell, "task", s->task->is.name);
    lm_json_set_hex64(cell, "data", s->hash);
    if (s->task->score)
        eval_note(l->c, "%s: %zu questions: %.2f", s->task->is.name, s->total, 100 * value);
    else
        eval_note(l->c, "%s: %zu questions: %.2f (loyalty %.2f, fact %.2f)", s->task->is.name,
                  s->total, 100 * value, 100 * mean_of(l, s, "loyalty"),
                  100 * mean_of(l, s, "fact"));
    return ask_mean_line(l->c, cell, value, s->total);
}

/* ---- all of it -------------------------------------------------------------------------- */

static int run_files(leval *l)
{
    int rc = LM_OK;
    for (size_t i = 0; !rc && i < l->files; i++) rc = open_source(l, &l->file[i], opt.files.v[i]);
    if (!rc && !opt.asking.print_prompts) {
        lm_json *settings = lm_json_object();
        lm_json_set_u64(settings, "max_prompt", l->most);
        rc = eval_begin(l->c, l->longest, settings);
    }
    for (size_t i = 0; !rc && i < l->files; i++) {
        l->now = &l->file[i];
        rc = eval_jsonl(l->now->path, NULL, run_document, l);
        if (!rc && !opt.asking.print_prompts) rc = add_mean(l, l->now);
    }
    return rc;
}

static int run(eval_context *c)
{
    leval l = { .c = c,
                .files = opt.files.n,
                .most = opt.max_prompt ? opt.max_prompt : PROMPT_TOKENS,
                .prompt = LM_BUF_INIT(ASK_TEXT_MAX),
                .answer = LM_BUF_INIT(ASK_TEXT_MAX),
                .fact = LM_BUF_INIT(ASK_TEXT_MAX) };
    if (!l.files)
        return lm_fail(
            LM_EUSAGE,
            "leval needs files: coursera.jsonl, quality.jsonl, tpo.jsonl, sci_fi.jsonl, which "
            "are in zero-shot/Closed-ended-tasks of github.com/HKUNLP/ChunkLlama");
    if (!room_for_document(&l))
        return lm_fail(LM_EUSAGE,
                       "--max-prompt %zu: %d of it are reserved for the answer and %d as a margin",
                       l.most, NEW_TOKENS, SPARE);
    l.file = calloc(l.files, sizeof *l.file);
    int rc = l.file ? eval_open_text(c) : lm_fail_nomem(l.files * sizeof *l.file);
    if (!rc) rc = run_files(&l);
    for (size_t i = 0; l.file && i < l.files; i++) free(l.file[i].questions);
    free(l.file);
    lm_buf_free(&l.prompt);
    lm_buf_free(&l.answer);
    lm_buf_free(&l.fact);
    return rc;
}

const eval_entry eval_leval = {
    .command = {
        .name = "leval",
        .summary = "L-Eval's closed tasks: Coursera, QuALITY, TOEFL, SFiction",
        .about = "The closed tasks of L-Eval, asked and scored as An et al. 2024 do.",
        .opts = opts,
        .examples = "# a question of Coursera\n"
        "echo '{\"input\": \"John Smith was here.\", \"instructions\": [\"Who was here? A. John "
        "B. Mary\"], \"outputs\": [\"A\"]}' > coursera.jsonl && lmeval leval coursera.jsonl "
        "--model model --print-prompts\n",
        .model = true,
    },
    .asking = &opt.asking,
    .run = run,
};
