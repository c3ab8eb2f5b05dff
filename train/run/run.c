#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "longmix/progress.h"
#include "lib/base/threads.h"
#include "longmix/zio.h"
#include "train/run/internal.h"

enum { MICRO_TOKENS = 4096 };

/* ---- opening --------------------------------------------------------------------------- */

/* The model's config.json. A run that was killed while it replaced its own model (--model D -o D)
 * has removed that file; its last checkpoint has the same. */
static int config_path(const tr_run *r, char path[MODEL_PATH])
{
    char last[MODEL_PATH];
    int rc = model_dir_path(path, r->o.model, MODEL_CONFIG);
    if (rc || !r->o.resume || !r->o.out || !access(path, F_OK)) return rc;
    rc = tr_checkpoint_last(r->o.out, false, last);
    return rc > 0 ? model_dir_path(path, last, MODEL_CONFIG) : rc;
}

static int open_config(tr_run *r)
{
    char path[MODEL_PATH];
    int rc = LM_OK;
    if (r->o.model) {
        rc = config_path(r, path);
        if (!rc) rc = tr_config_load(&r->c, path);
    } else if (!access(r->o.init, F_OK)) {
        rc = tr_config_load(&r->c, r->o.init);
    } else {
        rc = tr_config_preset(&r->c, r->o.init);
        if (rc)
            rc = lm_fail(LM_EUSAGE,
                         "--init %s: neither a file nor a shape of this name (llama2-7b, "
                         "llama2-13b, llama2-70b)",
                         r->o.init);
    }
    if (!rc && r->o.rope_base > 0) r->c.rope.theta = r->o.rope_base;
    return rc;
}

static int choose_attention(tr_run *r)
{
    char *kept = r->place.attention;
    const char *text = r->o.attention ? r->o.attention : "rope";
    if ((size_t)snprintf(kept, sizeof r->place.attention, "%s", text) >= sizeof r->place.attention)
        return lm_fail(LM_EUSAGE, "attention %s: too long", text);
    return attn_form_parse(&r->l.attention, text, r->c.positions);
}

/* The model must be able to say every id that the shards hold. */
static int check_vocab(const tr_run *r, const tr_data *d, const char *path)
{
    if (tr_data_vocab(d) <= r->c.vocab) return LM_OK;
    return lm_fail(LM_EDATA,
                   "%s: made with a vocabulary of %" PRIu32
                   " ids, but the model's vocab_size is %zu",
                   path, tr_data_vocab(d), r->c.vocab);
}

static int open_data(tr_run *r)
{
    int rc = tr_data_open(&r->data, r->o.data, (size_t)r->o.length, r->o.doc_mask);
    if (!rc) rc = check_vocab(r, r->data, r->o.data);
    if (!rc) rc = tr_data_hash(r->data, &r->place.data_hash);
    if (rc || !r->o.eval_data) return rc;
    rc = tr_data_open(&r->eval, r->o.eval_data, tr_data_length(r->data), r->o.doc_mask);
    if (!rc) rc = check_vocab(r, r->eval, r->o.eval_data);
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
    r->place.seed = r->o.seed;
    r->place.length = length;
    r->place.doc_mask = r->o.doc_mask;
    r->place.batch = batch ? batch : 1;
    uint64_t step = r->place.batch * length;
    r->steps = (r->o.tokens + step - 1) / step;
    r->o.optimizer.total = (double)(r->steps * step);
    r->micro = r->o.micro ? r->o.micro : length < MICRO_TOKENS ? MICRO_TOKENS / length : 1;
    uint64_t size = (uint64_t)r->ranks->size, share = (r->place.batch + size - 1) / size;
    if (r->micro > share) r->micro = share;
    /* Readers of config.json take this as the longest sequence the model knows; with these two
     * scalings it is a parameter of the rotation, and with chunks of their size. */
    bool parameter = r->c.rope.type == TR_ROPE_DYNAMIC || r->c.rope.type == TR_ROPE_YARN ||
                     r->l.attention.stride;
    if (!parameter && length > r->c.positions) r->c.positions = (size_t)length;
    size_t slice = (size_t)((r->o.slice + BK_BLOCK - 1) / BK_BLOCK * BK_BLOCK);
    size_t tokens = (size_t)(r->micro * length),
           whole = (tokens + BK_BLOCK - 1) / BK_BLOCK * BK_BLOCK;
    r->l = (tr_layout){ .tokens = tokens,
                        .length = (size_t)length,
                        .slice = slice < whole ? slice : whole,
                        .attention = r->l.attention,
                        .train = true,
                        .recompute = r->o.recompute,
                        .keep_attention = r->o.keep_attention,
                        .offload_optimizer = r->o.offload_optimizer,
                        .offload_checkpoints = r->o.offload_checkpoints,
                        .ranks = r->ranks };
}

/* Ranks with a share each, and the same shards. */
static int check_ranks(tr_run *r)
{
    comm *c = r->ranks;
    uint64_t first = r->place.data_hash;
    if ((uint64_t)c->size > r->place.batch)
        return lm_fail(LM_EUSAGE,
                       "%d ranks, but --batch makes steps of %" PRIu64 " sequences: at "
                       "least one for each rank is needed",
                       c->size, r->place.batch);
    int rc = c->broadcast(c, &first, sizeof first, 0);
    if (!rc && first != r->place.data_hash)
        rc = lm_fail(LM_EUSAGE, "%s: other shards than those of rank 0", r->o.data);
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
    if (!rc) lay_out(r);
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
    if (r->lock >= 0) close(r->lock);
    tr_model_free(r->m);
    tr_data_close(r->data);
    tr_data_close(r->eval);
    tr_rows_free(&r->rows);
    tr_config_free(&r->c);
    free(r->starts);
    free(r->losses);
    free(r);
}

/* ---- steps ----------------------------------------------------------------------------- */

static int not_finite(const tr_run *r, const tr_data *d, const tr_rows *rows, size_t sequence)
{
    char where[768];
    tr_data_lineage(d, rows->which[sequence], where, sizeof where);
    return lm_fail(LM_EDATA, "step %" PRIu64 ": the loss is not finite in %s", r->place.step + 1,
                   where);
}

int tr_run_rows(tr_run *r, const tr_data *d, const tr_rows *rows, double scale, double *total,
                const tr_sums *by_domain)
{
    for (size_t from = 0; from < rows->count; from += (size_t)r->micro) {
        if (lm_interrupted()) return lm_fail(LM_EINTR, "interrupted");
        size_t left = rows->count - from, count = left < r->micro ? left : (size_t)r->micro;
        tr_batch t = tr_rows_batch(rows, from, count, r->starts);
        int rc = tr_model_run(r->m, &t, scale, r->losses);
        if (rc) return rc;
        for (size_t i = 0; i < t.n; i++) {
            if (!isfinite(r->losses[i])) return not_finite(r, d, rows, from + i / rows->length);
            *total += (double)r->losses[i];
            if (!by_domain || t.targets[i] < 0) continue;
            uint16_t domain = rows->domains[from * rows->length + i];
            by_domain->loss[domain] += (double)r->losses[i];
            by_domain->count[domain]++;
        }
    }
    return LM_OK;
}

/* Divided by the tokens: the context that attention sees on average, to count its operations. */
static double squares(const tr_rows *rows)
{
    double sum = 0;
    for (size_t i = 0; i < rows->n_segments; i++) {
        double n = (double)(rows->starts[i + 1] - rows->starts[i]);
        sum += n * n;
    }
    return sum;
}

static int log_step(tr_run *r, const tr_report *p)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    lm_json *line = lm_json_object();
    lm_json_set_u64(line, "step", p->step);
    lm_json_set_u64(line, "tokens", p->tokens);
    lm_json_set_f64(line, "loss", p->loss);
    lm_json_set_f64(line, "grad_norm", p->norm);
    lm_json_set_f64(line, "lr", p->lr);
    lm_json_set_f64(line, "tokens_per_second", floor(p->tokens_per_second * 10) / 10);
    lm_json_set_f64(line, "mfu", floor(p->mfu * 1e4) / 1e4);
    lm_json_set_u64(line, "memory_mib", (uint64_t)u.ru_maxrss / 1024);
    return tr_log_line(r, line);
}

/* This rank's share of the step's sequences, and in `all` the targets of all ranks. */
static int take_rows(tr_run *r, uint64_t *all)
{
    uint64_t sequences = tr_data_sequences(r->data), first = 0;
    uint64_t count = tr_share(r, r->place.batch, &first);
    int rc = LM_OK;
    first += r->place.step * r->place.batch;
    tr_rows_clear(&r->rows);
    for (uint64_t i = 0; !rc && i < count; i++)
        rc = tr_data_add(r->data, tr_data_order(sequences, r->o.seed, first + i), &r->rows);
    double sum = (double)r->rows.predicted;
    rc = comm_agree(r->ranks, rc);
    if (!rc) rc = r->ranks->sum(r->ranks, &sum, 1);
    *all = (uint64_t)sum;
    if (!rc && !*all)
        rc = lm_fail(LM_EDATA, "step %" PRIu64 ": its rows hold nothing to predict",
                     r->place.step + 1);
    return rc;
}

static int report_step(tr_run *r, tr_report *p, double context)
{
    p->step = r->place.step;
    p->steps = r->steps;
    p->tokens = r->place.tokens;
    if (r->peak > 0) p->mfu = p->tokens_per_second * tr_config_flops(&r->c, context) / r->peak;
    int rc = comm_agree(r->ranks, log_step(r, p));
    if (!rc && r->watch.step) r->watch.step(r->watch.arg, p);
    return rc;
}

static int take_step(tr_run *r)
{
    double start = lm_seconds(), norm = 0;
    double sums[2] = { 0, 0 }; /* the losses; the squares of the segments' lengths */
    uint64_t predicted = 0;
    int rc = take_rows(r, &predicted);
    if (!rc)
        rc = comm_agree(r->ranks,
                        tr_run_rows(r, r->data, &r->rows, 1 / (double)predicted, &sums[0], NULL));
    sums[1] = rc ? 0 : squares(&r->rows);
    if (!rc) rc = r->ranks->sum(r->ranks, sums, 2);
    if (!rc) rc = tr_reduce(r->m, &norm);
    if (rc) return rc;
    double tokens = (double)(r->place.batch * r->l.length);
    if (!isfinite(norm)) {
        char where[768];
        tr_data_lineage(r->data, r->rows.which[0], where, sizeof where);
        return comm_agree(r->ranks, lm_fail(LM_EDATA,
                                            "step %" PRIu64 ": the gradient is not "
                                            "finite; its %" PRIu64 " rows begin with %s",
                                            r->place.step + 1, r->place.batch, where));
    }
    double lr = tr_learning_rate(&r->o.optimizer, (double)r->place.tokens, tokens);
    rc = tr_step(r->m, &r->o.optimizer, r->place.step + 1, lr, norm);
    if (rc) return rc;
    r->place.step++;
    r->place.tokens += r->place.batch * r->l.length;
    double seconds = lm_seconds() - start;
    tr_report p = { .loss = sums[0] / (double)predicted,
                    .norm = norm,
                    .lr = lr,
                    .tokens_per_second = tokens / seconds,
                    .seconds_left = seconds * (double)(r->steps - r->place.step) };
    return report_step(r, &p, sums[1] / tokens);
}

/* ---- checkpoints and the model at the end ----------------------------------------------- */

static int save(tr_run *r)
{
    if (r->saved == r->place.step) return LM_OK;
    int rc = comm_agree(r->ranks, tr_log_size(r, &r->place.log_bytes));
    if (!rc) rc = tr_checkpoint_save(r->m, &r->c, &r->place, r->o.out, r->o.keep);
    if (rc) return rc;
    r->saved = r->place.step;
    tr_note(r, "step %" PRIu64 ": saved", r->place.step);
    return LM_OK;
}

/* A run goes on only with what it began with. */
static int check_place(const tr_run *r, const tr_place *p, const char *path)
{
    const tr_place *now = &r->place;
    if (p->data_hash != now->data_hash)
        return lm_fail(LM_EUSAGE,
                       "%s was made with other data than %s: a resumed run needs the same shards",
                       path, r->o.data);
    if (p->seed != now->seed || p->length != now->length || p->batch != now->batch ||
        p->doc_mask != now->doc_mask)
        return lm_fail(LM_EUSAGE,
                       "%s was made with --seed %" PRIu64 " --seq-len %" PRIu64 " --batch %" PRIu64
                       "%s: a resumed run needs the same",
                       path, p->seed, p->length, p->batch * p->length,
                       p->doc_mask ? " --doc-mask" : " and no --doc-mask");
    if (strcmp(p->attention, now->attention))
        return lm_fail(LM_EUSAGE, "%s was made with --attention %s: a resumed run needs the same",
                       path, p->attention);
    return LM_OK;
}

static bool same_rope(const tr_rope *a, const tr_rope *b)
{
    return a->type == b->type && a->factor == b->factor && a->original == b->original &&
           a->attention_factor == b->attention_factor && a->beta_fast == b->beta_fast &&
           a->beta_slow == b->beta_slow && a->low_freq == b->low_freq &&
           a->high_freq == b->high_freq;
}

/* What of a model no tensor shows. */
static int check_model(const tr_run *r, const char *path)
{
    char file[MODEL_PATH];
    tr_config was = { 0 };
    int rc = model_dir_path(file, path, MODEL_CONFIG);
    if (!rc) rc = tr_config_load(&was, file);
    if (rc) return rc;
    if (was.rope.theta != tr_rope_base(&r->c))
        rc = lm_fail(LM_EUSAGE, "%s was made with --rope-base %.10g: a resumed run needs the same",
                     path, was.rope.theta);
    else if (was.norm_eps != r->c.norm_eps || was.positions != r->c.positions ||
             !same_rope(&was.rope, &r->c.rope))
        rc = lm_fail(LM_EUSAGE,
                     "%s: rms_norm_eps, max_position_embeddings or the RoPE scaling differ from "
                     "the model's: a resumed run needs the same model",
                     file);
    tr_config_free(&was);
    return rc;
}

/* The output directory, for this run alone until it ends. */
static int take_directory(tr_run *r)
{
    const char *out = r->o.out;
    if (r->ranks->rank) return LM_OK;
    if (mkdir(out, 0777) && errno != EEXIST) return lm_fail_errno(errno, "%s", out);
    r->lock = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (r->lock < 0) return lm_fail_errno(errno, "%s", out);
    if (flock(r->lock, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
        return lm_fail(LM_EUSAGE, "%s: another run is at work in it", out);
    return LM_OK;
}

/* The last checkpoint, which rank 0 looks for: 1, or 0 where there is none. */
static int find_checkpoint(tr_run *r, char path[MODEL_PATH])
{
    comm *c = r->ranks;
    int found = c->rank ? 0 : tr_checkpoint_last(r->o.out, true, path);
    int rc = comm_agree(c, found < 0 ? found : LM_OK);
    if (!rc) rc = c->broadcast(c, &found, sizeof found, 0);
    if (!rc && found) rc = c->broadcast(c, path, MODEL_PATH, 0);
    return rc ? rc : found;
}

static int resume(tr_run *r, const char *path)
{
    tr_place p;
    int rc = tr_checkpoint_place(path, &p);
    if (!rc) rc = check_place(r, &p, path);
    if (!rc) rc = check_model(r, path);
    if (!rc) rc = tr_checkpoint_load(r->m, path);
    if (!rc && r->o.model) rc = tr_model_dtype(r->o.model, &r->read);
    if (rc) return rc;
    r->place = p;
    r->saved = p.step;
    tr_note(r, "resumed from %s", path);
    /* A run that was killed after it saved may have left more. */
    return r->ranks->rank ? LM_OK : tr_checkpoint_drop(r->o.out, r->o.keep);
}

/* Weights: of the last checkpoint, of the model, or random. */
static int begin(tr_run *r, bool *resumed)
{
    char path[MODEL_PATH];
    int found = find_checkpoint(r, path);
    if (found < 0) return found;
    if (found && !r->o.resume)
        return lm_fail(LM_EUSAGE, "%s holds a run already: --resume goes on with it", r->o.out);
    *resumed = found > 0;
    r->read = ST_F32;
    if (found) return comm_agree(r->ranks, resume(r, path));
    r->saved = UINT64_MAX;
    return comm_agree(r->ranks, r->o.model ? tr_model_load(r->m, r->o.model, &r->read)
                                           : tr_model_init(r->m, r->o.seed));
}

/* ---- the whole ------------------------------------------------------------------------- */

/* Did the last step cross a multiple of `every` tokens? */
static bool due(const tr_run *r, uint64_t every)
{
    uint64_t step = r->place.batch * r->l.length;
    return every && r->place.tokens / every > (r->place.tokens - step) / every;
}

static int allocate(tr_run *r)
{
    uint64_t first = 0, share = tr_share(r, r->place.batch, &first);
    int rc = tr_check_memory(r);
    if (!rc) rc = tr_model_new(&r->m, &r->c, &r->l, r->b);
    if (!rc) rc = tr_rows_new(&r->rows, r->l.length, (size_t)share);
    if (rc) return rc;
    r->starts = malloc((r->l.tokens + 1) * sizeof *r->starts);
    r->losses = malloc(r->l.tokens * sizeof *r->losses);
    return r->starts && r->losses ? LM_OK : lm_fail_nomem(r->l.tokens * 8);
}

static int train(tr_run *r)
{
    int rc = r->place.eval_due ? tr_evaluate(r) : LM_OK;
    while (!rc && r->place.step < r->steps) {
        rc = take_step(r);
        if (rc) break;
        bool last = r->place.step == r->steps;
        r->place.eval_due = r->eval && (last || due(r, r->o.eval_every));
        if (r->place.eval_due) rc = tr_evaluate(r);
        if (!rc && (last || due(r, r->o.save_every))) rc = save(r);
    }
    return rc;
}

int tr_run_go(tr_run *r)
{
    bool resumed = false;
    int rc = take_directory(r);
    if (!rc) rc = allocate(r);
    rc = comm_agree(r->ranks, rc);
    if (!rc) rc = begin(r, &resumed);
    if (!rc) rc = comm_agree(r->ranks, tr_log_open(r, resumed));
    if (rc) return rc;
    r->peak = r->b->peak(r->b);
    rc = r->ranks->sum(r->ranks, &r->peak, 1);
    if (rc) return rc;
    /* Where the run starts from is part of its curve. */
    if (!resumed) r->place.eval_due = r->eval && r->o.eval_every;
    rc = train(r);
    if (rc == LM_EINTR) {
        /* The step under way is dropped: the run goes on from the last whole one. */
        int saved = save(r);
        return saved ? saved
                     : lm_fail(LM_EINTR, "interrupted; --resume goes on from step %" PRIu64,
                               r->place.step);
    }
    return rc ? rc : comm_agree(r->ranks, tr_write_model(r));
}
