/* mmlu.c -- MMLU (Hendrycks et al. 2021): does the model give the right one of four answers the
 * greatest likelihood after the question and five examples? The examples come first, so a
 * subject's questions share their cache. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eval/harness/ask.h"
#include "eval/data/csv.h"
#include "eval/data/identity.h"
#include "lib/base/rng.h"
#include "train/infer/sample.h"

enum {
    QUESTIONS_MAX = 1 << 24,
    CHOICES = 4,
    FIELDS = CHOICES + 2,
    LETTER_TOKENS = 8,
    EXAMPLES = 5,
    PROMPT_TOKENS = 2048
};

static struct {
    cli_list files;
    int shots;           /* -1: EXAMPLES */
    uint64_t max_prompt; /* tokens */
    bool one_space;
    eval_asking asking;
} opt = { .shots = -1, .asking = ASK_DEFAULTS };

static const cli_opt opts[] = {
    { CLI_ARGS, NULL, 0, &opt.files, "DIR",
      "The directory with test/*_test.csv and dev/*_dev.csv." },
    { CLI_INT, "shots", 0, &opt.shots, "N", "Examples before a question (5).", 0, 1000 },
    { CLI_SIZE, "max-prompt", 0, &opt.max_prompt, "N",
      "Tokens of a prompt; a longer one gets fewer examples (2048)." },
    { CLI_FLAG, "one-space", 0, &opt.one_space, NULL,
      "One space before the subject, as in EleutherAI's harness, not the original's two." },
    ASK_OPTIONS(opt.asking),
    { .kind = CLI_END },
};

typedef struct question {
    char *field[FIELDS]; /* question, four answers, the letter of the right one */
} question;

typedef struct questions {
    const char *path;
    question *v;
    size_t n, room;
} questions;

typedef struct subject {
    char *name; /* "abstract_algebra" */
    questions dev, test;
} subject;

typedef struct mmlu {
    eval_context *c;
    subject *v;
    size_t n;
    uint64_t hash;      /* of all files */
    size_t shots, most; /* examples; tokens of a prompt */
} mmlu;

/* ---- the files -------------------------------------------------------------------------- */

static int add_question(void *arg, const char *const *field, size_t row)
{
    questions *q = arg;
    const char *right = field[FIELDS - 1];
    if (strlen(right) != 1 || *right < 'A' || *right >= 'A' + CHOICES)
        return lm_fail(LM_EDATA,
                       "%s: question %zu: its last field, the answer, is \"%.20s\", not A to D",
                       q->path, row + 1, right);
    if (q->n == q->room) {
        question *v = lm_grow(q->v, &q->room, sizeof *v, QUESTIONS_MAX);
        if (!v) return LM_ENOMEM;
        q->v = v;
    }
    question *new = &q->v[q->n++];
    memset(new, 0, sizeof *new);
    for (size_t i = 0; i < FIELDS; i++)
        if (!(new->field[i] = strdup(field[i]))) return lm_fail_nomem(strlen(field[i]));
    return LM_OK;
}

static int load_file(mmlu *m, const char *path, questions *q)
{
    char *one[] = { (char *)path };
    lm_buf text = LM_BUF_INIT(1 << 28);
    uint64_t hash = 0;
    int rc = eval_load_text(&(cli_list){ one, 1 }, &text, &hash, NULL, NULL);
    q->path = path;
    if (!rc) rc = eval_csv(path, (char *)text.data, text.size, FIELDS, add_question, q);
    if (!rc && !q->n) rc = lm_fail(LM_EDATA, "%s: no question in it", path);
    m->hash = lm_hash4(m->hash, hash, 0, 0);
    lm_buf_free(&text);
    return rc;
}

/* DIR/test/NAME_test.csv and DIR/dev/NAME_dev.csv */
static int load_subject(mmlu *m, const char *dir, const char *test, subject *s)
{
    char dev[4096];
    const char *base = strrchr(test, '/') + 1;
    s->name = strndup(base, strlen(base) - strlen("_test.csv"));
    if (!s->name) return lm_fail_nomem(strlen(base));
    if (snprintf(dev, sizeof dev, "%s/dev/%s_dev.csv", dir, s->name) >= (int)sizeof dev)
        return lm_fail(LM_EUSAGE, "%.60s...: the name is too long", dir);
    int rc = load_file(m, test, &s->test);
    return rc ? rc : load_file(m, dev, &s->dev);
}

static int load(mmlu *m, const char *dir)
{
    char path[4096], **files = NULL;
    size_t n = 0;
    if (snprintf(path, sizeof path, "%s/test", dir) >= (int)sizeof path)
        return lm_fail(LM_EUSAGE, "%.60s...: the name is too long", dir);
    int rc = eval_dir_files(path, "_test.csv", &files, &n);
    if (!rc && !n)
        rc = lm_fail(LM_EUSAGE,
                     "%s: no SUBJECT_test.csv in it; MMLU is the archive data.tar that github.com/"
                     "hendrycks/test names, with the folders dev and test",
                     path);
    if (!rc && !(m->v = calloc(n + 1, sizeof *m->v))) rc = lm_fail_nomem(n * sizeof *m->v);
    for (size_t i = 0; !rc && i < n; i++) {
        m->n = i + 1;
        rc = load_subject(m, dir, files[i], &m->v[i]);
    }
    eval_dir_free(files, n);
    return rc;
}

static void free_questions(questions *q)
{
    for (size_t i = 0; i < q->n; i++)
        for (size_t k = 0; k < FIELDS; k++) free(q->v[i].field[k]);
    free(q->v);
}

static void free_all(mmlu *m)
{
    for (size_t i = 0; i < m->n; i++) {
        free(m->v[i].name);
        free_questions(&m->v[i].dev);
        free_questions(&m->v[i].test);
    }
    free(m->v);
}

/* ---- the prompt ------------------------------------------------------------------------- */

static int add_example(lm_buf *b, const question *q, bool answered)
{
    int rc = lm_buf_add(b, q->field[0], strlen(q->field[0]));
    for (int k = 0; !rc && k < CHOICES; k++)
        rc = lm_buf_printf(b, "\n%c. %s", 'A' + k, q->field[1 + k]);
    if (!rc) rc = lm_buf_printf(b, "\nAnswer:");
    if (!rc && answered) rc = lm_buf_printf(b, " %s\n\n", q->field[FIELDS - 1]);
    return rc;
}

/* The original joins the words of the subject with a space before each, so that there are two after
 * "about"; EleutherAI's harness has one. */
static int make_prompt(const subject *s, const question *q, size_t shots, lm_buf *b)
{
    lm_buf_reset(b, b->cap);
    int rc = lm_buf_printf(b, "The following are multiple choice questions (with answers) about%s",
                           opt.one_space ? "" : " ");
    size_t from = b->size;
    if (!rc) rc = lm_buf_printf(b, " %s.\n\n", s->name);
    for (size_t i = from; !rc && i < b->size; i++)
        if (b->data[i] == '_') b->data[i] = ' ';
    for (size_t i = 0; !rc && i < shots && i < s->dev.n; i++)
        rc = add_example(b, &s->dev.v[i], true);
    return rc ? rc : add_example(b, q, false);
}

/* The prompt with as many examples as fit. */
static int fit_prompt(const mmlu *m, const subject *s, const question *q, lm_buf *b)
{
    size_t shots = m->shots < s->dev.n ? m->shots : s->dev.n;
    for (;; shots--) {
        size_t count;
        int rc = make_prompt(s, q, shots, b);
        if (!rc) rc = ask_count(m->c, (char *)b->data, b->size, &count);
        if (rc || count <= m->most) return rc;
        if (!shots)
            return lm_fail(
                LM_EDATA,
                "%s: a question has %zu tokens without any example, and --max-prompt is %zu",
                s->name, count, m->most);
    }
}

/* ---- the answer ------------------------------------------------------------------------- */

static double log_likelihood(const eval_context *c, int32_t id)
{
    return tr_logprob(c->logits, tr_infer_config(c->infer)->vocab, id);
}

/* Log-likelihoods of " A" to " D" after the prompt. In most vocabularies each is one token, and one
 * reading gives all four. */
static int judge(eval_context *c, const lm_buf *prompt, double logp[CHOICES])
{
    lm_ids whole[CHOICES] = { { 0 } };
    lm_buf text = LM_BUF_INIT(ASK_TEXT_MAX);
    int rc = lm_buf_add(&text, prompt->data, prompt->size);
    if (!rc) rc = lm_buf_add(&text, " A", 2);
    for (int k = 0; !rc && k < CHOICES; k++) {
        text.data[text.size - 1] = (unsigned char)('A' + k);
        rc = tr_text_encode(c->text, (char *)text.data, text.size, true, &whole[k]);
        logp[k] = 0;
    }
    size_t common = 0; /* tokens of the prompt: what all four begin with */
    bool same = !rc;
    while (same) {
        for (int k = 0; k < CHOICES; k++)
            same &= common < whole[k].n && whole[k].v[common] == whole[0].v[common];
        common += same;
    }
    if (!rc) rc = eval_read(c, whole[0].v, common, c->logits);
    for (int k = 0; !rc && k < CHOICES; k++) logp[k] = log_likelihood(c, whole[k].v[common]);
    for (int k = 0; !rc && k < CHOICES; k++)
        for (size_t i = common + 1; !rc && i < whole[k].n; i++) {
            rc = eval_read(c, whole[k].v, i, c->logits);
            if (!rc) logp[k] += log_likelihood(c, whole[k].v[i]);
        }
    for (int k = 0; k < CHOICES; k++) lm_ids_free(&whole[k]);
    lm_buf_free(&text);
    return rc;
}

/* Of a subject, or of all. */
static lm_json *cell_of(const subject *s)
{
    lm_json *cell = lm_json_object();
    lm_json_set_str(cell, "subject", s ? s->name : "all");
    return cell;
}

static lm_json *question_cell(const subject *s, size_t i)
{
    lm_json *cell = cell_of(s);
    lm_json_set_u64(cell, "question", i);
    return cell;
}

static int run_question(mmlu *m, const subject *s, size_t i, lm_buf *prompt)
{
    eval_context *c = m->c;
    lm_json *cell = question_cell(s, i);
    double logp[CHOICES];
    int best = 0;
    if (ask_done(c, cell)) {
        lm_json_free(cell);
        return LM_OK;
    }
    eval_start(c);
    int rc = fit_prompt(m, s, &s->test.v[i], prompt);
    if (!rc) rc = ask_printed(c, cell, (char *)prompt->data);
    if (!rc) rc = judge(c, prompt, logp);
    if (rc) {
        lm_json_free(cell);
        return rc > 0 ? LM_OK : rc;
    }
    for (int k = 1; k < CHOICES; k++)
        if (logp[k] > logp[best]) best = k;
    char choice[] = { (char)('A' + best), 0 };
    lm_json *more = lm_json_object();
    lm_json_set_str(more, "answer", s->test.v[i].field[FIELDS - 1]);
    lm_json_set_str(more, "choice", choice);
    lm_json_set_f64(more, "logp", logp[best]);
    return eval_add(c, cell, *choice == *s->test.v[i].field[FIELDS - 1], more);
}

static int run_all(mmlu *m)
{
    lm_buf prompt = LM_BUF_INIT(ASK_TEXT_MAX);
    int rc = LM_OK;
    for (size_t k = 0; !rc && k < m->n; k++)
        for (size_t i = 0; !rc && i < m->v[k].test.n; i++) {
            eval_live(m->c, "%s (%zu of %zu): question %zu of %zu", m->v[k].name, k + 1, m->n,
                      i + 1, m->v[k].test.n);
            rc = run_question(m, &m->v[k], i, &prompt);
        }
    lm_buf_free(&prompt);
    return rc;
}

static int add_means(mmlu *m)
{
    ask_mean all = { 0 };
    int rc = LM_OK;
    for (size_t k = 0; !rc && k < m->n; k++) {
        ask_mean one = { 0 };
        for (size_t i = 0; i < m->v[k].test.n; i++)
            ask_mean_add(m->c, &one, question_cell(&m->v[k], i), NULL);
        all.sum += one.sum;
        all.n += one.n;
        rc = ask_mean_line(m->c, cell_of(&m->v[k]), ask_mean_value(&one), one.n);
    }
    if (!rc) rc = ask_mean_line(m->c, cell_of(NULL), ask_mean_value(&all), all.n);
    if (!rc)
        eval_note(m->c, "%zu subjects, %zu questions: %.2f %% right (25 %% is chance)", m->n, all.n,
                  100 * ask_mean_value(&all));
    return rc;
}

static int run(eval_context *c)
{
    mmlu m = { .c = c,
               .shots = opt.shots < 0 ? EXAMPLES : (size_t)opt.shots,
               .most = opt.max_prompt ? opt.max_prompt : PROMPT_TOKENS };
    if (opt.files.n != 1)
        return lm_fail(
            LM_EUSAGE,
            "mmlu needs one operand: the folder with dev/*_dev.csv and test/*_test.csv (the "
            "archive data.tar that github.com/hendrycks/test names)");
    int rc = load(&m, opt.files.v[0]);
    if (!rc) rc = eval_open_text(c);
    if (!rc && !opt.asking.print_prompts) {
        lm_json *settings = lm_json_object();
        lm_json_set_hex64(settings, "data", m.hash);
        lm_json_set_u64(settings, "shots", m.shots);
        lm_json_set_u64(settings, "max_prompt", m.most);
        lm_json_set_bool(settings, "one_space", opt.one_space);
        rc = eval_begin(c, m.most + LETTER_TOKENS, settings);
    }
    if (!rc) rc = run_all(&m);
    if (!rc && !opt.asking.print_prompts) rc = add_means(&m);
    free_all(&m);
    return rc;
}

const eval_entry eval_mmlu = {
    .command = {
        .name = "mmlu",
        .summary = "multiple choice questions of 57 subjects",
        .about =
            "The questions of the subjects in DIR, after examples, by the likelihood of the four "
            "letters.",
        .opts = opts,
        .examples = "# what is asked about a question of one subject\n"
        "mkdir -p mmlu/dev mmlu/test && echo '1+1?,1,2,3,4,B' | tee mmlu/dev/sums_dev.csv > "
        "mmlu/test/sums_test.csv && lmeval mmlu mmlu --model model --shots 1 --print-prompts\n",
        .model = true,
    },
    .asking = &opt.asking,
    .run = run,
};
