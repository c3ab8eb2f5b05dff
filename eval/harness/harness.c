#include "eval/harness/harness.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "eval/data/identity.h"
#include "lib/base/endian.h"
#include "longmix/progress.h"

enum { PATH_SIZE = 4096 };

const eval_options eval_defaults = {
    .stride = 256,
    .bins = 32,
    .ranges = "4096,131072",
    .at = "1Ki,16Ki,32Ki,64Ki,128Ki",
    .at_width = 1024,
    .bootstrap = 1000,
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
    .samples = 500,
    .shots = -1,
    .share = true,
};

/* ---- beginning and end ----------------------------------------------------------------- */

static int open_model(eval_context *c, size_t longest)
{
    c->model.length = longest;
    int rc = tr_infer_open(&c->infer, &c->model, c->b);
    if (rc) return rc;
    const tr_config *config = tr_infer_config(c->infer);
    c->by_length = c->model.mscale > 0 || config->rope.type == TR_ROPE_DYNAMIC;
    c->limit = longest;
    c->logits = malloc(config->vocab * sizeof *c->logits);
    if (!c->logits) return lm_fail_nomem(config->vocab * sizeof *c->logits);
    if (c->tokenizer && lm_tokenizer_vocab(c->tokenizer) > config->vocab)
        return lm_fail(LM_EDATA, "%s: tokenizer.model has %" PRIu32 " ids, the model %zu",
                       c->model.model, lm_tokenizer_vocab(c->tokenizer), config->vocab);
    return LM_OK;
}

static int add_model_settings(eval_context *c, lm_json *to)
{
    uint64_t weights;
    int rc = eval_model_hash(c->model.model, &weights);
    if (rc) return rc;
    lm_json *of_model = tr_infer_json(c->infer);
    const char *key;
    const lm_json *value;
    if (!of_model) return lm_fail_nomem(64);
    for (size_t i = 0; lm_json_member(of_model, i, &key, &value); i++)
        lm_json_set_copy(to, key, value);
    lm_json_free(of_model);
    lm_json_set_hex64(to, "weights", weights);
    if (c->tokenizer) lm_json_set_hex64(to, "tokenizer", lm_tokenizer_hash(c->tokenizer));
    return LM_OK;
}

/* What stands in lines and is not compared. A checkpoint of lmtrain says on how many tokens it was
 * trained. */
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
    int rc = lm_json_load(&file, path, (size_t)64 << 20);
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
        eval_note(c, "%s: its last line was torn; cut off, to be measured again", c->output);
    if (!rc) rc = eval_results_begin(c->results, c->name, labels, settings);
    if (!rc && eval_results_count(c->results))
        eval_note(c, "%s: %zu results are there already", c->output,
                  eval_results_count(c->results));
    lm_json_free(labels);
    return rc;
}

int eval_begin(eval_context *c, size_t longest, lm_json *settings)
{
    lm_json *all = lm_json_object();
    const char *key;
    const lm_json *value;
    int rc = longest ? open_model(c, longest) : LM_OK;
    if (!rc && longest) rc = add_model_settings(c, all);
    for (size_t i = 0; lm_json_member(settings, i, &key, &value); i++)
        lm_json_set_copy(all, key, value);
    lm_json_set_u64(all, "seed", c->o->seed);
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
    lm_encoder_free(c->encoder);
    lm_tokenizer_free(c->tokenizer);
    eval_ids_free(&c->held);
    free(c->logits);
}

int eval_run(eval_context *c, const eval_entry *entry)
{
    c->name = entry->name;
    int rc = entry->run(c);
    eval_close(c);
    return rc;
}

/* ---- cells ----------------------------------------------------------------------------- */

lm_json *eval_cell(const char *key, uint64_t value)
{
    lm_json *cell = lm_json_object();
    lm_json_set_u64(cell, key, value);
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

/* ---- words ----------------------------------------------------------------------------- */

void eval_note(const eval_context *c, const char *fmt, ...)
{
    char line[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (c->watch.note) c->watch.note(c->watch.arg, line);
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

/* ---- the tokenizer --------------------------------------------------------------------- */

int eval_tokenizer(eval_context *c)
{
    char path[PATH_SIZE];
    if (c->tokenizer) return LM_OK;
    if ((size_t)snprintf(path, sizeof path, "%s/tokenizer.model", c->model.model) >= sizeof path)
        return lm_fail(LM_EUSAGE, "%s: the path is too long", c->model.model);
    if (access(path, F_OK))
        return lm_fail(
            LM_EDATA,
            "%s: the model has no tokenizer.model (SentencePiece), which %s needs to read "
            "text; put the one it was trained with there",
            c->model.model, c->name);
    int rc = lm_tokenizer_open(&c->tokenizer, path, 0);
    return rc ? rc : lm_encoder_new(&c->encoder, c->tokenizer);
}

int eval_encode(eval_context *c, const char *text, size_t n, bool bos, eval_ids *out)
{
    int64_t first = lm_tokenizer_bos(c->tokenizer);
    unsigned width = lm_tokenizer_width(c->tokenizer);
    lm_buf ids = LM_BUF_INIT(lm_encode_bound(c->tokenizer, n));
    int32_t one = (int32_t)first;
    int rc = bos && first >= 0 ? eval_ids_add(out, &one, 1) : LM_OK;
    if (!rc && n) rc = lm_encode(c->encoder, text, n, &ids);
    if (!rc) rc = eval_ids_add(out, NULL, ids.size / width);
    for (size_t i = 0, at = out->n - (rc ? 0 : ids.size / width); !rc && i < ids.size / width; i++)
        out->v[at + i] =
            width == 2 ? lm_le16(ids.data + 2 * i) : (int32_t)lm_le32(ids.data + 4 * i);
    lm_buf_free(&ids);
    return rc;
}

int eval_decode(eval_context *c, const int32_t *ids, size_t n, lm_buf *out)
{
    unsigned width = lm_tokenizer_width(c->tokenizer);
    unsigned char *raw = malloc(n * width + 1);
    if (!raw) return lm_fail_nomem(n * width + 1);
    for (size_t i = 0; i < n; i++) {
        if (width == 2) lm_put16(raw + 2 * i, (uint16_t)ids[i]);
        else lm_put32(raw + 4 * i, (uint32_t)ids[i]);
    }
    int rc = lm_decode(c->tokenizer, raw, n, out);
    if (!rc) rc = lm_buf_add(out, "", 1);
    if (!rc) out->size--;
    free(raw);
    return rc;
}

int eval_ids_add(eval_ids *ids, const int32_t *v, size_t n)
{
    if (n > ids->room - ids->n) {
        size_t room = ids->n + n > 2 * ids->room ? ids->n + n : 2 * ids->room;
        int32_t *p = room < SIZE_MAX / 8 ? realloc(ids->v, room * sizeof *p) : NULL;
        if (!p) return lm_fail_nomem(room * sizeof *p);
        ids->v = p;
        ids->room = room;
    }
    if (v && n) memcpy(ids->v + ids->n, v, n * sizeof *v);
    ids->n += n;
    return LM_OK;
}

void eval_ids_free(eval_ids *ids)
{
    free(ids->v);
    *ids = (eval_ids){ 0 };
}

/* ---- the model ------------------------------------------------------------------------- */

int eval_use(eval_context *c, size_t length)
{
    if (length > c->model.length)
        return lm_fail(LM_EUSAGE, "%zu tokens in a cache made for %zu", length, c->model.length);
    c->limit = length;
    if (!c->by_length || tr_infer_length(c->infer) == length) return LM_OK;
    tr_infer_options o = c->model;
    o.length = length;
    c->held.n = 0;
    return tr_infer_set(c->infer, &o);
}

/* How much of a prompt the cache holds: whole blocks, so that what is read after it is cut as it
 * would be without them, and one token at least is left to read. */
static size_t shared(const eval_context *c, const int32_t *ids, size_t n)
{
    size_t same = 0, most = n - 1 < c->held.n ? n - 1 : c->held.n;
    if (!c->o->share) return 0;
    while (same < most && c->held.v[same] == ids[same]) same++;
    return same / BK_BLOCK * BK_BLOCK;
}

/* Read on, and remember what the cache holds. */
static int read_more(eval_context *c, const int32_t *ids, size_t n, float *logits)
{
    int rc = tr_infer_eval(c->infer, ids, n, logits, NULL, NULL);
    if (!rc) rc = eval_ids_add(&c->held, ids, n);
    if (!rc) c->read += n;
    return rc;
}

int eval_read(eval_context *c, const int32_t *ids, size_t n, float *logits)
{
    if (n > c->limit)
        return lm_fail(LM_EUSAGE, "a prompt of %zu tokens, where %zu are allowed", n, c->limit);
    size_t keep = n ? shared(c, ids, n) : 0;
    tr_infer_rewind(c->infer, keep);
    c->held.n = keep;
    c->asked += n;
    return read_more(c, ids + keep, n - keep, logits);
}

static int32_t argmax(const float *logits, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (logits[i] > logits[best]) best = i;
    return (int32_t)best;
}

int eval_answer(eval_context *c, const eval_ids *prompt, size_t most, bool stop, eval_ids *out)
{
    size_t vocab = tr_infer_config(c->infer)->vocab;
    /* A model's vocabulary may be padded: ids past the tokenizer's have no text. */
    if (c->tokenizer && vocab > lm_tokenizer_vocab(c->tokenizer))
        vocab = lm_tokenizer_vocab(c->tokenizer);
    int64_t eos = c->tokenizer ? lm_tokenizer_eos(c->tokenizer) : -1;
    out->n = 0;
    if (prompt->n + most > c->limit)
        return lm_fail(LM_EUSAGE, "a prompt of %zu tokens and %zu of answer, where %zu are allowed",
                       prompt->n, most, c->limit);
    int rc = eval_read(c, prompt->v, prompt->n, c->logits);
    while (!rc && out->n < most) {
        int32_t next = argmax(c->logits, vocab);
        if (stop && next == eos) break;
        rc = eval_ids_add(out, &next, 1);
        if (rc || out->n == most) break;
        c->asked++;
        rc = read_more(c, &next, 1, c->logits);
    }
    return rc;
}
