/* The start of a run: its directory; weights from a checkpoint, from a model, or random. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>

#include "lib/io/output.h"
#include "train/run/internal.h"

/* A resumed run must have the options of the run that made the checkpoint. */
static int check_state(const tr_run *r, const tr_run_state *p, const char *path)
{
    const tr_run_state *now = &r->state;
    if (p->data_hash != now->data_hash)
        return lm_fail(LM_EUSAGE,
                       "%s was made with other data than %s: a resumed run needs the same shards",
                       path, r->o.data);
    if (p->model_hash && now->model_hash && p->model_hash != now->model_hash)
        return lm_fail(LM_EUSAGE,
                       "%s was made from another --model than %s: a resumed run needs the same",
                       path, r->o.model);
    if (p->seed != now->seed || p->length != now->length || p->batch != now->batch ||
        p->doc_mask != now->doc_mask)
        return lm_fail(LM_EUSAGE,
                       "%s was made with --seed %" PRIu64 " --seq-len %" PRIu64 " --batch %" PRIu64
                       "%s (now %" PRIu64 ", %" PRIu64 ", %" PRIu64
                       "%s): a resumed run needs the same",
                       path, p->seed, p->length, p->batch * p->length,
                       p->doc_mask ? " --doc-mask" : " and no --doc-mask", now->seed, now->length,
                       now->batch * now->length, now->doc_mask ? ", --doc-mask" : "");
    if (strcmp(p->attention, now->attention))
        return lm_fail(LM_EUSAGE,
                       "%s was made with --attention %s (now %s): a resumed run needs the same",
                       path, p->attention, now->attention);
    return LM_OK;
}

static bool same_rope(const tr_rope *a, const tr_rope *b)
{
    return a->type == b->type && a->factor == b->factor && a->original == b->original &&
           a->attention_factor == b->attention_factor && a->beta_fast == b->beta_fast &&
           a->beta_slow == b->beta_slow && a->low_freq == b->low_freq &&
           a->high_freq == b->high_freq;
}

/* Model settings that are not visible in tensors. */
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

int tr_take_directory(tr_run *r)
{
    const char *out = r->o.out;
    if (r->ranks->rank) return LM_OK;
    int rc = lm_make_dir(out);
    if (rc) return rc;
    r->lock = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (r->lock < 0) return lm_fail_errno(errno, "%s", out);
    if (flock(r->lock, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
        return lm_fail(LM_EUSAGE, "%s: in use by another run", out);
    return LM_OK;
}

/* The path of the latest checkpoint, found by rank 0 for all: 1, or 0 where there is none. */
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
    tr_run_state p;
    int rc = tr_checkpoint_state(path, &p);
    if (!rc) rc = check_state(r, &p, path);
    if (!rc) rc = check_model(r, path);
    for (size_t i = 0; !rc && i < lm_json_size(p.overrides); i++)
        lm_json_set_copy(r->overrides, NULL, lm_json_at(p.overrides, i));
    r->state.step = p.step;
    if (!rc) rc = tr_settings_compare(r, p.settings, path);
    if (!rc) rc = tr_checkpoint_load(r->pass.m, path);
    if (!rc && r->o.model) rc = tr_model_dtype(r->o.model, &r->read);
    lm_json_free(p.record);
    if (rc) return rc;
    p.record = NULL;
    p.settings = r->settings;
    p.overrides = r->overrides;
    p.ids = r->ids;
    p.model_hash = r->state.model_hash;
    r->state = p;
    r->saved = p.step;
    tr_note(r, "resumed from %s", path);
    /* A run that was killed after saving may have left too many. */
    return r->ranks->rank ? LM_OK : tr_checkpoint_drop(r->o.out, r->o.keep);
}

int tr_begin(tr_run *r, bool *resumed)
{
    char path[MODEL_PATH];
    int found = find_checkpoint(r, path);
    if (found < 0) return found;
    if (found && !r->o.resume)
        return lm_fail(LM_EUSAGE, "%s already holds a run: use --resume to continue it", r->o.out);
    *resumed = found > 0;
    r->read = ST_F32;
    if (found) return comm_agree(r->ranks, resume(r, path));
    r->saved = UINT64_MAX;
    return comm_agree(r->ranks, r->o.model ? tr_model_load(r->pass.m, r->o.model, &r->read)
                                           : tr_model_init(r->pass.m, r->o.seed));
}
