/* bookqa.c -- questions about whole books, as Fu et al. 2024 ask them (eval/book of their
 * repository): En.QA of InfiniteBench (Zhang et al. 2024). */
#include <stdlib.h>
#include <string.h>

#include "eval/harness/ask.h"
#include "eval/data/jsonl.h"
#include "eval/metrics/score.h"

enum { NEW_TOKENS = 40, PROMPT_TOKENS = 128000, SEAM = 16 };

static struct {
    cli_list files;
    uint64_t max_prompt;
    eval_asking asking;
} opt = { .asking = ASK_DEFAULTS };

static const cli_opt opts[] = {
    { CLI_ARGS, NULL, 0, &opt.files, "FILE", "longbook_qa_eng.jsonl of InfiniteBench." },
    { CLI_SIZE, "max-prompt", 0, &opt.max_prompt, "N",
      "Tokens of a prompt; the middle of a longer one is cut out (128000)." },
    ASK_OPTIONS(opt.asking),
    { .kind = CLI_END },
};

typedef struct bookqa {
    eval_context *c;
    size_t longest; /* bytes of the longest prompt */
    size_t n, most; /* questions; tokens of a prompt */
    lm_buf prompt, answer;
} bookqa;

static int make_prompt(bookqa *q, const lm_json *line)
{
    const char *context, *question;
    lm_buf_reset(&q->prompt, q->prompt.cap);
    int rc = lm_json_str(&context, line, "context");
    if (!rc) rc = lm_json_str(&question, line, "input");
    if (!rc)
        rc =
            lm_buf_printf(&q->prompt, "<|im_start|>Read the book below and answer a question.\n\n");
    if (!rc) rc = lm_buf_add(&q->prompt, context, strlen(context));
    return rc ? rc : lm_buf_printf(&q->prompt, "\n\nQuestion: %s\n\nAnswer:", question);
}

/* First pass: is every line valid, and how long is the longest prompt? */
static int look(void *arg, const lm_json *line, size_t i)
{
    bookqa *q = arg;
    eval_texts answers;
    int rc = make_prompt(q, line);
    if (!rc) rc = eval_get_texts(&answers, line, "answer", 1);
    if (rc) return rc;
    free(answers.v);
    if (q->prompt.size > q->longest) q->longest = q->prompt.size;
    q->n = i + 1;
    return LM_OK;
}

/* A prompt of more than `most` tokens keeps the first and the last half of them. They become text
 * again, which is what the model is asked. */
static int cut_middle(bookqa *q)
{
    eval_context *c = q->c;
    lm_ids ids = { 0 };
    size_t half = q->most / 2, bos = lm_tokenizer_bos(tr_text_tokenizer(c->text)) >= 0;
    int rc = tr_text_encode(c->text, (char *)q->prompt.data, q->prompt.size, true, &ids);
    if (!rc && ids.n > q->most) {
        memmove(ids.v + half, ids.v + ids.n - half, half * sizeof *ids.v);
        lm_buf_reset(&q->prompt, q->prompt.cap);
        rc = tr_text_decode(c->text, ids.v + bos, 2 * half - bos, &q->prompt);
    }
    lm_ids_free(&ids);
    return rc;
}

static lm_json *cell_of(size_t i) { return eval_cell("question", i); }

static int run_question(void *arg, const lm_json *line, size_t i)
{
    bookqa *q = arg;
    eval_context *c = q->c;
    eval_texts answers = { 0 };
    lm_json *cell = cell_of(i);
    double recall = 0, f1 = 0;
    int rc = ask_done(c, cell);
    if (rc) goto out;
    eval_live(c, "question %zu of %zu", i + 1, q->n);
    eval_start(c);
    rc = eval_get_texts(&answers, line, "answer", 1);
    if (!rc) rc = make_prompt(q, line);
    if (!rc) rc = cut_middle(q);
    if (!rc) rc = ask_printed(c, cell, (char *)q->prompt.data);
    if (!rc) rc = ask(c, (char *)q->prompt.data, NEW_TOKENS, &q->answer);
    if (rc) goto out;
    const char *answer = (char *)q->answer.data;
    recall = score_recall(answer, answers.v[0]); /* the first alone, as the authors do */
    f1 = score_best(score_f1, answer, answers.v, answers.n);
    rc = recall < 0 || f1 < 0 ? LM_ENOMEM : LM_OK;
    lm_json *more = lm_json_object();
    lm_json_set_f64(more, "f1", f1);
    if (!rc) rc = eval_set_text(more, "prediction", answer);
    if (!rc) {
        rc = eval_add(c, cell, recall, more);
        cell = NULL;
    } else {
        lm_json_free(more);
    }
out:
    free(answers.v);
    lm_json_free(cell);
    return rc > 0 ? LM_OK : rc;
}

static int add_means(bookqa *q)
{
    static const char *const METRICS[][2] = { { "recall", NULL }, { "f1", "f1" } };
    ask_mean mean[2] = { { 0 } };
    int rc = LM_OK;
    for (int k = 0; !rc && k < 2; k++) {
        for (size_t i = 0; i < q->n; i++) ask_mean_add(q->c, &mean[k], cell_of(i), METRICS[k][1]);
        lm_json *cell = lm_json_object();
        lm_json_set_str(cell, "metric", METRICS[k][0]);
        rc = ask_mean_line(q->c, cell, ask_mean_value(&mean[k]), mean[k].n);
    }
    if (!rc)
        eval_note(q->c,
                  "%zu questions: recall %.2f (the authors' number), F1 %.2f (InfiniteBench's)",
                  mean[0].n, 100 * ask_mean_value(&mean[0]), 100 * ask_mean_value(&mean[1]));
    return rc;
}

static int run(eval_context *c)
{
    bookqa q = { .c = c,
                 .most = opt.max_prompt ? opt.max_prompt : PROMPT_TOKENS,
                 .prompt = LM_BUF_INIT(ASK_TEXT_MAX),
                 .answer = LM_BUF_INIT(ASK_TEXT_MAX) };
    uint64_t hash = 0;
    if (opt.files.n != 1)
        return lm_fail(LM_EUSAGE,
                       "bookqa needs one operand: longbook_qa_eng.jsonl of InfiniteBench "
                       "(xinrongzhang2022/InfiniteBench among the datasets of Hugging Face)");
    int rc = eval_jsonl(opt.files.v[0], &hash, look, &q);
    if (!rc && !q.n) rc = lm_fail(LM_EDATA, "%s: no question in it", opt.files.v[0]);
    if (!rc) rc = eval_open_text(c);
    if (!rc && !opt.asking.print_prompts) {
        /* A token has a byte at least; what was cut and encoded again may differ at the seam. */
        size_t tokens = q.longest + 2 < q.most ? q.longest + 2 : q.most + SEAM;
        lm_json *settings = lm_json_object();
        lm_json_set_hex64(settings, "data", hash);
        lm_json_set_u64(settings, "max_prompt", q.most);
        rc = eval_begin(c, tokens + NEW_TOKENS, settings);
    }
    if (!rc) rc = eval_jsonl(opt.files.v[0], NULL, run_question, &q);
    if (!rc && !opt.asking.print_prompts) rc = add_means(&q);
    lm_buf_free(&q.prompt);
    lm_buf_free(&q.answer);
    return rc;
}

const eval_entry eval_bookqa = {
    .command = {
        .name = "bookqa",
        .summary = "questions about whole books",
        .about =
            "Questions about whole books: En.QA of InfiniteBench, as Fu et al. 2024 ask and "
            "score it.",
        .opts = opts,
        .examples = "# a book of four words\n"
        "echo '{\"context\": \"John Smith was here.\", \"input\": \"Who was here?\", \"answer\": "
        "[\"John Smith\"]}' > book.jsonl && lmeval bookqa book.jsonl --model model "
        "--print-prompts\n",
        .model = true,
    },
    .asking = &opt.asking,
    .run = run,
};
