#include "eval/harness/harness.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "longmix/progress.h"
#include "train/files/model_dir.h"

enum { PATH_SIZE = 4096 };

/* ---- beginning and end ----------------------------------------------------------------- */

static int open_model(eval_context *c, size_t longest)
{
    c->model.length = longest;
    int rc = tr_infer_open(&c->infer, &c->model, c->b);
    if (rc) return rc;
    const tr_config *config = tr_infer_config(c->infer);
    c->by_length = tr_infer_by_length(c->infer);
    if (!c->model.attention && config->dual.sparse)
        eval_note(c, "%s: " TR_SPARSE_NOTE, c->model.model);
    c->limit = longest;
    c->logits = malloc(config->vocab * sizeof *c->logits);
    if (!c->logits) return lm_fail_nomem(config->vocab * sizeof *c->logits);
    return tr_text_check(c->text, config->vocab);
}

int eval_open_text(eval_context *c) { return tr_text_open(&c->text, c->model.model); }

static int add_model_settings(eval_context *c, lm_json *to)
{
    uint64_t weights;
    int rc = model_dir_hash(c->model.model, &weights);
    if (rc) return rc;
    lm_json *of_model = tr_infer_json(c->infer);
    if (!of_model) return lm_fail_nomem(64);
    lm_json_set_all(to, of_model);
    lm_json_free(of_model);
    lm_json_set_hex64(to, "weights", weights);
    if (c->text) lm_json_set_hex64(to, "tokenizer", lm_tokenizer_hash(tr_text_tokenizer(c->text)));
    return LM_OK;
}

/* The members of lines that are not compared. A checkpoint of lmtrain has the number of tokens that
 * it was trained on. */
static int make_labels(eval_context *c, lm_json *labels)
{
    char path[PATH_SIZE];
    lm_json *file = NULL;
    const lm_json *run = NULL;
    uint64_t tokens;
    if (!c->infer) return LM_OK;
    lm_json_set_str(labels, "model", c->model.model);
    int n = snprintf(path, sizeof path, "%s/run.json", c->model.model);
    if (n < 0 || (size_t)n >= sizeof path || access(path, F_OK)) return LM_OK;
    int rc = model_dir_regular(path);
    if (!rc) rc = lm_json_load(&file, path, (size_t)64 << 20);
    if (!rc) rc = lm_json_need(&run, file, "run");
    if (!rc) rc = lm_json_u64(&tokens, run, "tokens");
    if (!rc) lm_json_set_u64(labels, "trained_tokens", tokens);
    lm_json_free(file);
    return rc;
}

static int open_results(eval_context *c, const lm_json *settings)
{
    size_t torn = 0;
    lm_json *labels = lm_json_object();
    int rc = make_labels(c, labels);
    if (!rc) rc = eval_results_open(&c->results, c->output, &c->sink, &torn);
    if (!rc && torn)
        eval_note(c, "%s: the last line was incomplete and has been removed; it is measured again",
                  c->output);
    if (!rc) rc = eval_results_begin(c->results, c->name, labels, settings);
    if (!rc && eval_results_count(c->results))
        eval_note(c, "%s: resumes after %zu results", c->output, eval_results_count(c->results));
    lm_json_free(labels);
    return rc;
}

int eval_begin(eval_context *c, size_t longest, lm_json *settings)
{
    lm_json *all = lm_json_object();
    int rc = longest ? open_model(c, longest) : LM_OK;
    if (!rc && longest) rc = add_model_settings(c, all);
    lm_json_set_all(all, settings);
    lm_json_set_u64(all, "seed", c->seed);
    if (!rc) rc = open_results(c, all);
    lm_json_free(all);
    lm_json_free(settings);
    eval_start(c);
    return rc;
}

void eval_close(eval_context *c)
{
    tr_infer_close(c->infer);
    eval_results_close(c->results);
    tr_text_close(c->text);
    lm_ids_free(&c->cached);
    free(c->logits);
}

int eval_run(eval_context *c, const eval_entry *entry)
{
    c->name = entry->command.name;
    if (entry->asking) c->asking = *entry->asking;
    int rc = entry->run(c);
    if (!rc && c->evaluated < c->prompted)
        eval_note(c, "prefix reuse: evaluated %" PRIu64 " of %" PRIu64 " prompt tokens",
                  c->evaluated, c->prompted);
    /* After an error, too: what was measured is kept. */
    int synced = eval_results_sync(c->results);
    if (!rc) rc = synced;
    eval_close(c);
    return rc;
}

int eval_check_ids(const eval_context *c, const char *data, uint64_t ids, bool allow)
{
    int rc = checksums_ids(c->model.model, data, ids, allow);
    if (rc == CHECKSUMS_IDS_UNKNOWN && ids)
        eval_note(c,
                  "%s: no tokenizer.model: only the sizes of vocabularies were compared, not the "
                  "tokenizer of %s",
                  c->model.model, data);
    if (rc == CHECKSUMS_IDS_OTHER)
        eval_warn(c, "%s: its ids are of another tokenizer than that of %s", data, c->model.model);
    return rc < 0 ? rc : LM_OK;
}

/* ---- cells ----------------------------------------------------------------------------- */

lm_json *eval_cell(const char *key, uint64_t value)
{
    lm_json *cell = lm_json_object();
    lm_json_set_u64(cell, key, value);
    return cell;
}

lm_json *eval_depth_cell(uint64_t length, double depth)
{
    lm_json *cell = eval_cell("length", length);
    if (depth == floor(depth)) lm_json_set_u64(cell, "depth", (uint64_t)depth);
    else lm_json_set_f64(cell, "depth", depth);
    return cell;
}

bool eval_done(const eval_context *c, lm_json *cell)
{
    bool there = eval_results_find(c->results, cell) != NULL;
    lm_json_free(cell);
    return there;
}

void eval_start(eval_context *c) { c->started = lm_seconds(); }

int eval_add(eval_context *c, lm_json *cell, double value, lm_json *more)
{
    return eval_results_add(c->results, cell, value, more, lm_seconds() - c->started);
}

/* ---- messages -------------------------------------------------------------------------- */

void eval_note(const eval_context *c, const char *fmt, ...)
{
    char line[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (c->watch.note) c->watch.note(c->watch.arg, line);
}

void eval_warn(const eval_context *c, const char *fmt, ...)
{
    char line[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (c->watch.warn) c->watch.warn(c->watch.arg, line);
}

void eval_live(eval_context *c, const char *fmt, ...)
{
    char line[256];
    double now = lm_seconds();
    va_list ap;
    if (!c->watch.live || now - c->shown < 0.1) return;
    c->shown = now;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    c->watch.live(c->watch.arg, line);
}

const char *eval_error_text(char out[EVAL_ERROR_TEXT], double error)
{
    out[0] = 0;
    if (isfinite(error)) snprintf(out, EVAL_ERROR_TEXT, " +- %.4f", error);
    return out;
}

/* ---- the model ------------------------------------------------------------------------- */

int eval_use(eval_context *c, size_t length)
{
    if (length > c->model.length)
        return lm_fail(LM_EUSAGE, "%zu tokens in a KV cache for %zu", length, c->model.length);
    c->limit = length;
    if (!c->by_length || tr_infer_length(c->infer) == length) return LM_OK;
    tr_infer_options o = c->model;
    o.length = length;
    c->cached.n = 0;
    return tr_infer_set(c->infer, &o);
}

/* How much of a prompt the KV cache holds: whole blocks, so that the rest is divided into the same
 * blocks as without them, and at least one token is left to evaluate. */
static size_t shared(const eval_context *c, const int32_t *ids, size_t n)
{
    size_t same = 0, most = n - 1 < c->cached.n ? n - 1 : c->cached.n;
    if (!c->asking.share) return 0;
    while (same < most && c->cached.v[same] == ids[same]) same++;
    return same / BK_BLOCK * BK_BLOCK;
}

static int read_more(eval_context *c, const int32_t *ids, size_t n, float *logits)
{
    int rc = tr_infer_eval(c->infer, ids, n, logits, NULL, NULL);
    return rc ? rc : lm_ids_add(&c->cached, ids, n);
}

int eval_read(eval_context *c, const int32_t *ids, size_t n, float *logits)
{
    if (n > c->limit)
        return lm_fail(LM_EUSAGE, "a prompt of %zu tokens, and the limit is %zu", n, c->limit);
    size_t keep = n ? shared(c, ids, n) : 0;
    tr_infer_rewind(c->infer, keep);
    c->cached.n = keep;
    int rc = read_more(c, ids + keep, n - keep, logits);
    c->prompted += n;
    if (!rc) c->evaluated += n - keep;
    return rc;
}

static int32_t argmax(const float *logits, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (logits[i] > logits[best]) best = i;
    return (int32_t)best;
}

int eval_answer(eval_context *c, const lm_ids *prompt, size_t most, bool stop, lm_ids *out)
{
    size_t vocab = tr_infer_config(c->infer)->vocab;
    const lm_tokenizer *t = tr_text_tokenizer(c->text);
    /* A model's vocabulary may be padded: ids past the tokenizer's have no text. */
    if (t && vocab > lm_tokenizer_vocab(t)) vocab = lm_tokenizer_vocab(t);
    int64_t eos = t ? lm_tokenizer_eos(t) : -1;
    out->n = 0;
    if (prompt->n + most > c->limit)
        return lm_fail(LM_EUSAGE,
                       "a prompt of %zu tokens and an answer of %zu, and the limit is %zu",
                       prompt->n, most, c->limit);
    int rc = eval_read(c, prompt->v, prompt->n, c->logits);
    while (!rc && out->n < most) {
        int32_t next = argmax(c->logits, vocab);
        if (stop && next == eos) break;
        rc = lm_ids_add(out, &next, 1);
        if (!rc && out->n < most) rc = read_more(c, &next, 1, c->logits);
    }
    return rc;
}
