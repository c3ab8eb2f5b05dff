#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "train/files/checksums.h"
#include "train/run/internal.h"

enum { MICRO_TOKENS = 4096 };

/* ---- opening --------------------------------------------------------------------------- */

/* The model's config.json. A run that was killed while it replaced its own model (--model D -o D)
 * has removed that file; its last checkpoint has the same: then *own is false. */
static int config_path(const tr_run *r, char path[MODEL_PATH], bool *own)
{
    char last[MODEL_PATH];
    int rc = model_dir_path(path, r->o.model, MODEL_CONFIG);
    if (rc || !r->o.resume || !r->o.out || !access(path, F_OK)) return rc;
    rc = tr_checkpoint_last(r->o.out, false, last);
    *own = rc == 0;
    return rc > 0 ? model_dir_path(path, last, MODEL_CONFIG) : rc;
}

static bool same_directory(const char *a, const char *b)
{
    struct stat x, y;
    return a && b && !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static int open_config(tr_run *r)
{
    char path[MODEL_PATH];
    int rc = LM_OK;
    if (r->o.model) {
        bool own = true;
        rc = config_path(r, path, &own);
        if (!rc && own) rc = model_dir_usable(r->o.model);
        if (!rc) rc = tr_config_load(&r->c, path);
        /* Where it is replaced at the end, it cannot be recognised. */
        if (!rc && own && !same_directory(r->o.model, r->o.out))
            rc = lm_hash_file(&r->state.model_hash, path);
    } else if (!access(r->o.init, F_OK)) {
        rc = tr_config_load(&r->c, r->o.init);
    } else {
        rc = tr_config_preset(&r->c, r->o.init);
        if (rc)
            rc = lm_fail(LM_EUSAGE,
                         "--init %s: neither a file nor a known shape (llama2-7b, "
                         "llama2-13b, llama2-70b)",
                         r->o.init);
    }
    if (!rc && r->o.rope_base > 0) r->c.rope.theta = r->o.rope_base;
    return rc;
}

static int choose_attention(tr_run *r)
{
    char *kept = r->state.attention, form[TR_FORM];
    double own = tr_config_attention(&r->c, form);
    const char *text = r->o.attention ? r->o.attention : form;
    const size_t size = sizeof r->state.attention;
    r->l.mscale = r->o.attention ? 0 : own;
    int n = r->l.mscale > 0 ? snprintf(kept, size, "%s, mscale %g", text, r->l.mscale)
                            : snprintf(kept, size, "%s", text);
    if ((size_t)n >= size) return lm_fail(LM_EUSAGE, "attention %s: too long", text);
    if (!r->o.attention && r->c.dual.sparse)
        tr_note(r, "%s: " TR_SPARSE_NOTE, r->o.model ? r->o.model : r->o.init);
    return attn_form_parse(&r->l.attention, text, tr_config_trained(&r->c));
}

/* Every id in the shards must be in the model's vocabulary. */
static int check_vocab(const tr_run *r, const tr_data *d, const char *path)
{
    if (tr_data_vocab(d) <= r->c.vocab) return LM_OK;
    return lm_fail(LM_EDATA,
                   "%s: made with a vocabulary of %" PRIu32
                   " ids, but the model's vocab_size is %zu",
                   path, tr_data_vocab(d), r->c.vocab);
}

/* The data's ids must be those of the model's tokenizer, and the tokenizer that lies in the output
 * directory will be taken for the new model's. */
static int check_tokenizer(tr_run *r)
{
    uint64_t there = 0;
    int rc = r->o.model ? checksums_ids(r->o.model, r->o.data, r->ids, r->o.allow_tokenizer)
                        : CHECKSUMS_IDS_SAME;
    if (rc < 0) return rc;
    if (rc == CHECKSUMS_IDS_UNKNOWN && r->ids)
        tr_note(r,
                "%s: no tokenizer.model: only the sizes of vocabularies were compared, not the "
                "tokenizer of %s",
                r->o.model, r->o.data);
    r->other_tokenizer = rc == CHECKSUMS_IDS_OTHER;
    if (r->other_tokenizer)
        tr_warn(r, "%s: its ids are of another tokenizer than that of %s, which is not copied",
                r->o.data, r->o.model);
    rc = r->o.out && r->ids ? checksums_tokenizer(r->o.out, &there) : 0;
    if (rc <= 0 || there == r->ids) return rc < 0 ? rc : LM_OK;
    return lm_fail(
        LM_EUSAGE,
        "%s: holds a model of another tokenizer than that of %s, which would be taken for "
        "the new model's; choose another --output, or remove its tokenizer files and "
        "checksums.json",
        r->o.out, r->o.data);
}

/* The ids of both must be of one tokenizer. */
static int check_eval_tokenizer(const tr_run *r)
{
    uint64_t ids = 0;
    int rc = tr_data_tokenizer(r->eval, &ids);
    if (rc || !ids || !r->ids || ids == r->ids || r->o.allow_tokenizer) return rc;
    return lm_fail(LM_EDATA,
                   "%s: its ids are of another tokenizer than those of %s; tokenize it with the "
                   "same, or --allow-tokenizer-mismatch",
                   r->o.eval_data, r->o.data);
}

static int open_data(tr_run *r)
{
    int rc = tr_data_open(&r->data, r->o.data, (size_t)r->o.length, r->o.doc_mask);
    if (!rc) rc = check_vocab(r, r->data, r->o.data);
    if (!rc) rc = tr_data_hash(r->data, &r->state.data_hash);
    if (!rc) rc = tr_data_tokenizer(r->data, &r->ids);
    if (!rc) rc = check_tokenizer(r);
    if (rc || !r->o.eval_data) return rc;
    rc = tr_data_open(&r->eval, r->o.eval_data, tr_data_length(r->data), r->o.doc_mask);
    if (!rc) rc = check_vocab(r, r->eval, r->o.eval_data);
    if (!rc) rc = check_eval_tokenizer(r);
    if (rc) return rc;
    r->eval_sequences = tr_data_sequences(r->eval);
    uint64_t most = r->o.eval_tokens / tr_data_length(r->data);
    if (r->o.eval_tokens && most < r->eval_sequences) r->eval_sequences = most ? most : 1;
    return LM_OK;
}

/* Steps, sequences and memory layout from the options. */
static void lay_out(tr_run *r)
{
    uint64_t length = tr_data_length(r->data), batch = (r->o.batch + length / 2) / length;
    r->state.seed = r->o.seed;
    r->state.length = length;
    r->state.doc_mask = r->o.doc_mask;
    r->state.batch = batch ? batch : 1;
    uint64_t step = r->state.batch * length;
    r->steps = (r->o.tokens + step - 1) / step;
    r->o.optimizer.total = (double)(r->steps * step);
    r->pass.micro = r->o.micro ? r->o.micro : length < MICRO_TOKENS ? MICRO_TOKENS / length : 1;
    uint64_t size = (uint64_t)r->ranks->size, share = (r->state.batch + size - 1) / size;
    if (r->pass.micro > share) r->pass.micro = share;
    /* max_position_embeddings: the longest sequence for readers of config.json. With these two
     * scalings RoPE depends on it, and with DCA the size of chunks. */
    bool parameter = r->c.rope.type == TR_ROPE_DYNAMIC || r->c.rope.type == TR_ROPE_YARN ||
                     r->l.attention.stride;
    if (!parameter && length > r->c.positions) r->c.positions = (size_t)length;
    size_t slice = (size_t)((r->o.slice + BK_BLOCK - 1) / BK_BLOCK * BK_BLOCK);
    size_t tokens = (size_t)(r->pass.micro * length),
           whole = (tokens + BK_BLOCK - 1) / BK_BLOCK * BK_BLOCK;
    r->l = (tr_layout){ .tokens = tokens,
                        .length = (size_t)length,
                        .slice = slice < whole ? slice : whole,
                        .attention = r->l.attention,
                        .mscale = r->l.mscale,
                        .train = true,
                        .recompute = r->o.recompute,
                        .keep_attention = r->o.keep_attention,
                        .offload_optimizer = r->o.offload_optimizer,
                        .offload_checkpoints = r->o.offload_checkpoints,
                        .ranks = r->ranks };
}

/* Each rank needs sequences, and all the same shards. */
static int check_ranks(tr_run *r)
{
    comm *c = r->ranks;
    uint64_t first = r->state.data_hash;
    if ((uint64_t)c->size > r->state.batch)
        return lm_fail(LM_EUSAGE,
                       "%d ranks, but --batch makes steps of %" PRIu64 " sequences: at "
                       "least one for each rank is needed",
                       c->size, r->state.batch);
    int rc = c->broadcast(c, &first, sizeof first, 0);
    if (!rc && first != r->state.data_hash)
        rc = lm_fail(LM_EUSAGE, "%s: not the shards of rank 0", r->o.data);
    return comm_agree(c, rc);
}

int tr_run_open(tr_run **out, const tr_options *o, backend *b, const tr_watch *w)
{
    *out = NULL;
    tr_run *r = calloc(1, sizeof *r);
    if (!r) return lm_fail_nomem(sizeof *r);
    r->o = *o;
    r->b = b;
    r->ranks = o->ranks ? o->ranks : comm_alone();
    r->host = tr_host_available();
    r->log = r->lock = -1;
    if (w && r->ranks->rank == 0) r->watch = *w;
    int rc = open_config(r);
    if (!rc) rc = choose_attention(r);
    if (!rc) rc = open_data(r);
    if (!rc) rc = tr_config_check_length(&r->c, tr_data_length(r->data));
    if (!rc) lay_out(r);
    if (!rc) rc = tr_settings_make(r);
    if (!rc) rc = tr_settings_check(r);
    r->state.settings = r->settings;
    r->state.overrides = r->overrides;
    r->state.ids = r->ids;
    rc = comm_agree(r->ranks, rc);
    if (!rc) rc = check_ranks(r);
    if (rc) tr_run_close(r);
    else *out = r;
    return rc;
}

void tr_run_close(tr_run *r)
{
    if (!r) return;
    if (r->log >= 0) close(r->log);
    lm_hasher_free(r->log_hash);
    lm_json_free(r->settings);
    lm_json_free(r->overrides);
    if (r->lock >= 0) close(r->lock);
    tr_model_free(r->pass.m);
    tr_data_close(r->data);
    tr_data_close(r->eval);
    tr_rows_free(&r->rows);
    tr_config_free(&r->c);
    free(r->pass.starts);
    free(r->pass.losses);
    free(r);
}

/* ---- training ------------------------------------------------------------------------- */

static int save(tr_run *r)
{
    if (r->saved == r->state.step) return LM_OK;
    int rc = comm_agree(r->ranks, tr_log_mark(r));
    if (!rc) rc = tr_checkpoint_save(r->pass.m, &r->c, &r->state, r->o.out, r->o.keep);
    if (!rc) rc = comm_agree(r->ranks, tr_log_known(r));
    if (rc) return rc;
    r->saved = r->state.step;
    tr_note(r, "step %" PRIu64 ": saved", r->state.step);
    return LM_OK;
}

/* Did the last step cross a multiple of `every` tokens? */
static bool due(const tr_run *r, uint64_t every)
{
    uint64_t step = r->state.batch * r->l.length;
    return every && r->state.tokens / every > (r->state.tokens - step) / every;
}

static int allocate(tr_run *r)
{
    uint64_t first = 0, share = tr_share(r, r->state.batch, &first);
    int rc = tr_check_memory(r);
    if (!rc) rc = tr_model_new(&r->pass.m, &r->c, &r->l, r->b);
    if (!rc) rc = tr_rows_new(&r->rows, r->l.length, (size_t)share);
    if (rc) return rc;
    r->pass.starts = malloc((r->l.tokens + 1) * sizeof *r->pass.starts);
    r->pass.losses = malloc(r->l.tokens * sizeof *r->pass.losses);
    return r->pass.starts && r->pass.losses ? LM_OK : lm_fail_nomem(r->l.tokens * 8);
}

static int train_steps(tr_run *r)
{
    int rc = r->state.eval_due ? tr_evaluate(r) : LM_OK;
    while (!rc && r->state.step < r->steps) {
        rc = tr_take_step(r);
        if (rc) break;
        bool last = r->state.step == r->steps;
        r->state.eval_due = r->eval && (last || due(r, r->o.eval_every));
        if (r->state.eval_due) rc = tr_evaluate(r);
        if (!rc && (last || due(r, r->o.save_every))) rc = save(r);
    }
    return rc;
}

int tr_run_train(tr_run *r)
{
    bool resumed = false;
    int rc = tr_take_directory(r);
    if (!rc) rc = allocate(r);
    rc = comm_agree(r->ranks, rc);
    if (!rc) rc = tr_begin(r, &resumed);
    if (!rc) rc = comm_agree(r->ranks, tr_log_open(r, resumed));
    if (rc) return rc;
    r->peak = r->b->peak(r->b);
    rc = r->ranks->sum(r->ranks, &r->peak, 1);
    if (rc) return rc;
    /* The loss at the start is part of the curve. */
    if (!resumed) r->state.eval_due = r->eval && r->o.eval_every;
    rc = train_steps(r);
    if (rc == LM_EINTR) {
        /* The current step is discarded: the run resumes after the last complete one. */
        int saved = save(r);
        return saved ? saved
                     : lm_fail(LM_EINTR, "interrupted; --resume continues from step %" PRIu64,
                               r->state.step);
    }
    return rc ? rc : comm_agree(r->ranks, tr_write_model(r));
}
