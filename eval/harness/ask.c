#include "eval/harness/ask.h"

#include <stdio.h>
#include <string.h>

#include "eval/data/jsonl.h"

enum { CUT_STEP = 100 };

bool ask_done(const eval_context *c, const lm_json *cell)
{
    return !c->asking.print_prompts && eval_results_find(c->results, cell);
}

int ask_printed(const eval_context *c, const lm_json *cell, const char *prompt)
{
    if (!c->asking.print_prompts) return LM_OK;
    lm_buf line = LM_BUF_INIT(ASK_TEXT_MAX);
    lm_json *o = lm_json_object();
    lm_json_set_str(o, "eval", c->name);
    lm_json_set_all(o, cell);
    int rc = eval_set_text(o, "prompt", prompt);
    if (!rc) rc = lm_json_print(o, 0, &line);
    if (!rc) rc = c->sink.write(c->sink.arg, line.data, line.size);
    lm_json_free(o);
    lm_buf_free(&line);
    return rc ? rc : 1;
}

int ask(eval_context *c, const char *prompt, size_t most, lm_buf *answer)
{
    lm_ids ids = { 0 }, out = { 0 };
    lm_buf_reset(answer, answer->cap);
    int rc = tr_text_encode(c->text, prompt, strlen(prompt), true, &ids);
    if (!rc) rc = eval_use(c, ids.n + most);
    if (!rc) rc = eval_answer(c, &ids, most, true, &out);
    if (!rc) rc = tr_text_decode(c->text, out.v, out.n, answer);
    lm_ids_free(&ids);
    lm_ids_free(&out);
    return rc;
}

int ask_count(eval_context *c, const char *text, size_t n, size_t *count)
{
    lm_ids ids = { 0 };
    int rc = tr_text_encode(c->text, text, n, true, &ids);
    *count = ids.n;
    lm_ids_free(&ids);
    return rc;
}

/* The first (`tail`: the last) `words` of a text. */
static void take_words(const char **doc, size_t *n, size_t words, bool tail)
{
    if (tail) {
        for (size_t i = *n; i > 0; i--)
            if ((*doc)[i - 1] == ' ' && !--words) {
                *doc += i;
                *n -= i;
                return;
            }
    } else {
        for (size_t i = 0; i < *n; i++)
            if ((*doc)[i] == ' ' && !--words) {
                *n = i;
                return;
            }
    }
}

int ask_cut_words(eval_context *c, const char **doc, size_t *n, size_t limit, size_t words,
                  bool tail)
{
    size_t count, whole, low = 0, high = words / CUT_STEP; /* steps after the first cut */
    int rc = ask_count(c, *doc, *n, &count);
    if (rc || count <= limit) return rc;
    whole = count;
    if (!high)
        return lm_fail(LM_EUSAGE, "--max-prompt leaves room for %zu words; at least 100 are needed",
                       words);
    /* The least number of steps after which it fits; more steps, fewer tokens. */
    while (low < high) {
        size_t middle = (low + high) / 2, m = *n;
        const char *part = *doc;
        take_words(&part, &m, words - middle * CUT_STEP, tail);
        rc = ask_count(c, part, m, &count);
        if (rc) return rc;
        if (count <= limit) high = middle;
        else low = middle + 1;
    }
    if (low == words / CUT_STEP)
        return lm_fail(LM_EDATA,
                       "a document has %zu tokens, and 100 words of it do not fit into %zu", whole,
                       limit);
    take_words(doc, n, words - low * CUT_STEP, tail);
    return LM_OK;
}

int ask_find_task(const char *path, const void *tasks, size_t size, size_t n, const void **out)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    char list[256] = "";
    *out = NULL;
    for (size_t i = 0, used = 0; i < n; i++) {
        const ask_task *t = (const void *)((const char *)tasks + i * size);
        if (strstr(base, t->in_file)) *out = t;
        if (used < sizeof list)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "",
                                     t->in_file);
    }
    if (*out) return LM_OK;
    return lm_fail(LM_EUSAGE, "%s: the file's name must contain its task: one of %s", path, list);
}

void ask_mean_add(const eval_context *c, ask_mean *m, lm_json *cell, const char *field)
{
    double v;
    const lm_json *line = eval_results_find(c->results, cell);
    if (line && !lm_json_f64(&v, line, field ? field : "value")) {
        m->sum += v;
        m->n++;
    }
    lm_json_free(cell);
}

int ask_mean_line(eval_context *c, lm_json *cell, double value, size_t questions)
{
    if (!questions) {
        lm_json_free(cell);
        return LM_OK;
    }
    lm_json_set_u64(cell, "questions", questions);
    eval_start(c);
    return eval_add(c, cell, 100 * value, lm_json_object());
}
