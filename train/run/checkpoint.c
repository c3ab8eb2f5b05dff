#include "train/run/checkpoint.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/hash.h"
#include "lib/base/threads.h"
#include "longmix/zio.h"
#include "train/files/sealed.h"
#include "train/model/state.h"

#define RUN_JSON "run.json"
enum { CHUNK = 1 << 18, FORM = 3 };

/* ---- tensors: weights, then both moments ------------------------------------------------ */

enum { KIND_WEIGHT, KIND_M, KIND_V, KINDS };
static const char *const kind_suffix[KINDS] = { "", ".m", ".v" };

static void tensor_name(char name[96], const tr_param *p, int kind)
{
    snprintf(name, 96, "%s%s", p->name, kind_suffix[kind]);
}

static int get_numbers(tr_model *m, float *dst, const tr_param *p, int kind, size_t at, size_t n)
{
    if (kind == KIND_WEIGHT) return tr_weights_get(m, p, at, dst, n);
    return tr_state_get(m, kind == KIND_M ? TR_STATE_M : TR_STATE_V, p, at, dst, n);
}

static void put_numbers(tr_model *m, tr_param *p, int kind, size_t at, const float *src, size_t n)
{
    if (kind == KIND_WEIGHT) tr_weights_put(m, p, at, src, n);
    else tr_state_put(m, kind == KIND_M ? TR_STATE_M : TR_STATE_V, p, at, src, n);
}

/* State of a tensor file that is being written. */
typedef struct tensor_file {
    char (*names)[96];
    st_spec *specs;
    float *part;
    st_writer *w;
    lm_hasher *h;
} tensor_file;

static int begin_tensors(tensor_file *f, tr_model *m, int from, int to)
{
    size_t n = tr_model_params(m), all = n * (size_t)(to - from);
    f->names = calloc(all, sizeof *f->names);
    f->specs = calloc(all, sizeof *f->specs);
    f->part = malloc(CHUNK * sizeof *f->part);
    int rc = f->names && f->specs && f->part ? lm_hasher_new(&f->h)
                                             : lm_fail_nomem(all * sizeof *f->specs);
    for (size_t i = 0; !rc && i < all; i++) {
        const tr_param *p = tr_model_param(m, i % n);
        tensor_name(f->names[i], p, from + (int)(i / n));
        f->specs[i] = (st_spec){ f->names[i], p->vector ? 1 : 2, { p->rows, p->cols } };
        if (p->vector) f->specs[i].shape[0] = p->cols;
    }
    return rc;
}

static void end_tensors(tensor_file *f)
{
    st_abandon(f->w);
    lm_hasher_free(f->h);
    free(f->names);
    free(f->specs);
    free(f->part);
}

/* Write all tensors of the kinds from..to-1 into one file and their hashes into `sums`. Rank 0
 * writes; after a write error it still receives the rest, because the other ranks send it. */
static int save_tensors(tr_model *m, const char *path, int from, int to, lm_json *sums)
{
    size_t n = tr_model_params(m), all = n * (size_t)(to - from);
    comm *ranks = tr_model_ranks(m);
    bool writes = ranks->rank == 0;
    tensor_file f = { 0 };
    int rc = comm_agree(ranks, begin_tensors(&f, m, from, to)), got = rc;
    if (!rc && writes) rc = st_create(&f.w, path, f.specs, all, ST_F32);
    for (size_t i = 0; !got && i < all; i++) {
        const tr_param *p = tr_model_param(m, i % n);
        lm_hasher_reset(f.h);
        for (size_t at = 0, k; !got && at < tr_param_count(p); at += k) {
            k = tr_param_count(p) - at < CHUNK ? tr_param_count(p) - at : CHUNK;
            got = get_numbers(m, f.part, p, from + (int)(i / n), at, k);
            if (got || rc || !writes) continue;
            lm_hasher_add(f.h, f.part, k * sizeof *f.part);
            rc = st_write(f.w, f.part, k);
        }
        if (!rc) lm_json_set_hex64(sums, f.names[i], lm_hasher_digest(f.h));
    }
    if (!rc) rc = got;
    if (!rc && writes) {
        rc = st_commit(f.w);
        f.w = NULL;
    }
    end_tensors(&f);
    return comm_agree(ranks, rc);
}

static int load_tensors(tr_model *m, const char *path, int from, int to, const lm_json *sums)
{
    size_t n = tr_model_params(m), all = n * (size_t)(to - from);
    float *part = malloc(CHUNK * sizeof *part);
    st_reader *r = NULL;
    lm_hasher *h = NULL;
    int rc = part ? lm_hasher_new(&h) : lm_fail_nomem(CHUNK * sizeof *part);
    if (!rc) rc = st_open(&r, path);
    for (size_t i = 0; !rc && i < all; i++) {
        tr_param *p = tr_model_param(m, i % n);
        char name[96];
        tensor_name(name, p, from + (int)(i / n));
        const st_tensor *t = st_find(r, name);
        uint64_t want = 0;
        if (!t || t->dtype != ST_F32 || t->count != tr_param_count(p))
            rc = lm_fail(LM_EDATA, "%s: tensor %s is missing, or not of this model's shape", path,
                         name);
        if (!rc) rc = lm_json_hex64(&want, sums, name);
        lm_hasher_reset(h);
        for (size_t at = 0, k; !rc && at < tr_param_count(p); at += k) {
            k = tr_param_count(p) - at < CHUNK ? tr_param_count(p) - at : CHUNK;
            rc = st_read(r, t, at, part, k);
            if (rc) break;
            lm_hasher_add(h, part, k * sizeof *part);
            put_numbers(m, p, from + (int)(i / n), at, part, k);
        }
        if (!rc && lm_hasher_digest(h) != want)
            rc = lm_fail(LM_EDATA,
                         "%s: tensor %s is damaged: its checksum "
                         "differs; remove this checkpoint to resume from the previous one",
                         path, name);
    }
    st_close(r);
    lm_hasher_free(h);
    free(part);
    return rc ? rc : tr_model_backend(m)->finish(tr_model_backend(m));
}

/* ---- directories ------------------------------------------------------------------------ */

/* The step of "checkpoint-STEP"; false for any other name. */
static bool step_of(const char *name, uint64_t *step)
{
    int used = 0;
    return sscanf(name, "checkpoint-%" SCNu64 "%n", step, &used) == 1 && !name[used];
}

static bool is_leftover(const char *name)
{
    uint64_t step = 0;
    int used = 0;
    return sscanf(name, "checkpoint-%" SCNu64 "%n", &step, &used) == 1 &&
           !strcmp(name + used, ".partial");
}

/* Remove a directory of plain files. Best effort. */
static void remove_dir(const char *path)
{
    DIR *d = opendir(path);
    const struct dirent *e = NULL;
    while (d && (e = readdir(d))) {
        char file[MODEL_PATH];
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") &&
            !model_dir_path(file, path, e->d_name))
            unlink(file);
    }
    if (d) closedir(d);
    rmdir(path);
}

/* The checkpoints in `out`: their number, the first and the last step. `sweep` removes incomplete
 * ones, which a killed run has left. */
static int survey(const char *out, bool sweep, uint64_t *highest, uint64_t *lowest, uint64_t *count)
{
    *count = *highest = 0;
    *lowest = UINT64_MAX;
    DIR *d = opendir(out);
    if (!d) return errno == ENOENT ? LM_OK : lm_fail_errno(errno, "%s", out);
    const struct dirent *e = NULL;
    while ((e = readdir(d))) {
        uint64_t step = 0;
        char path[MODEL_PATH];
        if (sweep && is_leftover(e->d_name) && !model_dir_path(path, out, e->d_name))
            remove_dir(path);
        if (!step_of(e->d_name, &step)) continue;
        ++*count;
        if (step >= *highest) *highest = step;
        if (step < *lowest) *lowest = step;
    }
    closedir(d);
    return LM_OK;
}

int tr_checkpoint_drop(const char *out, uint64_t keep)
{
    for (;;) {
        uint64_t highest = 0, lowest = 0, count = 0;
        char name[64], path[MODEL_PATH];
        int rc = survey(out, false, &highest, &lowest, &count);
        if (rc || count <= keep) return rc;
        snprintf(name, sizeof name, "checkpoint-%08" PRIu64, lowest);
        rc = model_dir_path(path, out, name);
        if (rc) return rc;
        /* Renamed first, so that a partly removed one is never taken for complete. */
        char gone[MODEL_PATH + 8];
        snprintf(gone, sizeof gone, "%s.partial", path);
        if (rename(path, gone)) return lm_fail_errno(errno, "%s: removing", path);
        remove_dir(gone);
    }
}

int tr_checkpoint_last(const char *out, bool sweep, char path[MODEL_PATH])
{
    char name[64];
    uint64_t highest = 0, lowest = 0, count = 0;
    int rc = survey(out, sweep, &highest, &lowest, &count);
    if (rc || !count) return rc;
    snprintf(name, sizeof name, "checkpoint-%08" PRIu64, highest);
    rc = model_dir_path(path, out, name);
    return rc ? rc : 1;
}

/* ---- run.json --------------------------------------------------------------------------- */

/* { "form", "check", "run": { the state; "tensors": their hashes } } */
static lm_json *state_json(const tr_run_state *p)
{
    lm_json *o = lm_json_object();
    lm_json_set_u64(o, "step", p->step);
    lm_json_set_u64(o, "tokens", p->tokens);
    lm_json_set_hex64(o, "data", p->data_hash);
    if (p->model_hash) lm_json_set_hex64(o, "model", p->model_hash);
    if (p->ids) lm_json_set_hex64(o, "tokenizer", p->ids);
    lm_json_set_u64(o, "seed", p->seed);
    lm_json_set_u64(o, "seq_len", p->length);
    lm_json_set_u64(o, "sequences_a_step", p->batch);
    lm_json_set_bool(o, "doc_mask", p->doc_mask);
    lm_json_set_str(o, "attention", p->attention);
    lm_json_set_bool(o, "eval_due", p->eval_due);
    lm_json_set_u64(o, "log_bytes", p->log_bytes);
    lm_json_set_hex64(o, "log_hash", p->log_hash);
    if (p->settings) lm_json_set_copy(o, "options", p->settings);
    if (p->overrides) lm_json_set_copy(o, "overrides", p->overrides);
    return o;
}

static int load_run(lm_json **out, const lm_json **run, const char *path)
{
    uint64_t form = 0;
    int rc = sealed_load(out, run, &form, path, RUN_JSON, FORM, "run");
    bool later = !rc && lm_json_get(*run, "log_hash"); /* since form 3, which no checksum covers */
    if ((!rc && later != (form > 2)) || (rc == LM_EDATA && strstr(lm_err(), "is damaged")))
        rc = lm_fail(LM_EDATA,
                     "%s/" RUN_JSON " is damaged: remove this checkpoint to resume from the "
                     "previous one",
                     path);
    return rc;
}

/* What version 0.1.0 did not record. */
static int read_later(tr_run_state *p, const lm_json *o)
{
    p->settings = lm_json_get(o, "options");
    p->overrides = lm_json_get(o, "overrides");
    int rc = lm_json_get(o, "log_hash") ? lm_json_hex64(&p->log_hash, o, "log_hash") : LM_OK;
    if (!rc && lm_json_get(o, "tokenizer")) rc = lm_json_hex64(&p->ids, o, "tokenizer");
    if (!rc && lm_json_get(o, "model")) rc = lm_json_hex64(&p->model_hash, o, "model");
    return rc;
}

int tr_checkpoint_state(const char *path, tr_run_state *p)
{
    const lm_json *o = NULL;
    const char *attention = NULL;
    *p = (tr_run_state){ 0 };
    int rc = load_run(&p->record, &o, path);
    if (!rc) rc = lm_json_u64(&p->step, o, "step");
    if (!rc) rc = lm_json_u64(&p->tokens, o, "tokens");
    if (!rc) rc = lm_json_hex64(&p->data_hash, o, "data");
    if (!rc) rc = lm_json_u64(&p->seed, o, "seed");
    if (!rc) rc = lm_json_u64(&p->length, o, "seq_len");
    if (!rc) rc = lm_json_u64(&p->batch, o, "sequences_a_step");
    if (!rc) rc = lm_json_bool(&p->doc_mask, o, "doc_mask");
    if (!rc) rc = lm_json_str(&attention, o, "attention");
    if (!rc) snprintf(p->attention, sizeof p->attention, "%s", attention);
    if (!rc) rc = lm_json_bool(&p->eval_due, o, "eval_due");
    if (!rc) rc = lm_json_u64(&p->log_bytes, o, "log_bytes");
    return rc ? rc : read_later(p, o);
}

/* config.json, by the hash that run.json has of it. */
static int write_config(const char *dir, const tr_config *c, lm_json *run)
{
    char path[MODEL_PATH];
    lm_buf text = LM_BUF_INIT((size_t)64 << 20);
    lm_json *o = tr_config_json(c, "float32");
    int rc = model_dir_path(path, dir, MODEL_CONFIG);
    if (!rc) rc = lm_json_print(o, 2, &text);
    if (!rc) rc = lm_write_file(path, text.data, text.size);
    if (!rc) lm_json_set_hex64(run, "config", lm_hash64(text.data, text.size));
    lm_json_free(o);
    lm_buf_free(&text);
    return rc;
}

static int check_config(const char *dir, const lm_json *run)
{
    char path[MODEL_PATH];
    uint64_t want = 0, hash = 0;
    if (!lm_json_get(run, "config")) return LM_OK; /* version 0.1.0 */
    int rc = lm_json_hex64(&want, run, "config");
    if (!rc) rc = model_dir_path(path, dir, MODEL_CONFIG);
    if (!rc) rc = model_dir_regular(path);
    if (!rc) rc = lm_hash_file(&hash, path);
    if (!rc && hash != want)
        rc = lm_fail(LM_EDATA,
                     "%s is damaged: its checksum differs; remove this checkpoint to "
                     "resume from the previous one",
                     path);
    return rc;
}

static int save_files(tr_model *m, const tr_config *c, const tr_run_state *p, const char *dir)
{
    char path[MODEL_PATH];
    bool writes = tr_model_ranks(m)->rank == 0;
    lm_json *sums = lm_json_object(), *run = state_json(p);
    int rc = model_dir_path(path, dir, MODEL_WEIGHTS);
    if (!rc) rc = save_tensors(m, path, KIND_WEIGHT, KIND_M, sums);
    if (!rc) rc = model_dir_path(path, dir, "optimizer.safetensors");
    if (!rc) rc = save_tensors(m, path, KIND_M, KINDS, sums);
    lm_json_set(run, "tensors", sums);
    if (!rc && writes) rc = write_config(dir, c, run);
    /* Syncs the directory, too. */
    if (!rc && writes) rc = sealed_write(dir, RUN_JSON, FORM, "run", run);
    lm_json_free(run);
    return rc;
}

int tr_checkpoint_save(tr_model *m, const tr_config *c, const tr_run_state *p, const char *out,
                       uint64_t keep)
{
    char name[64], path[MODEL_PATH], aside[MODEL_PATH + 8];
    bool writes = tr_model_ranks(m)->rank == 0;
    snprintf(name, sizeof name, "checkpoint-%08" PRIu64, p->step);
    int rc = model_dir_path(path, out, name);
    if (rc) return rc;
    snprintf(aside, sizeof aside, "%s.partial", path);
    if (writes) remove_dir(aside);
    if (writes && mkdir(aside, 0777)) rc = lm_fail_errno(errno, "%s: making the directory", aside);
    rc = comm_agree(tr_model_ranks(m), rc);
    if (!rc) rc = save_files(m, c, p, aside);
    if (!rc && writes && rename(aside, path))
        rc = lm_fail_errno(errno, "%s: renaming to %s", aside, path);
    if (!rc && writes) rc = lm_sync_dir(path);
    if (rc && writes) remove_dir(aside);
    if (!rc && writes) rc = tr_checkpoint_drop(out, keep);
    return comm_agree(tr_model_ranks(m), rc);
}

int tr_checkpoint_load(tr_model *m, const char *path)
{
    char file[MODEL_PATH];
    lm_json *all = NULL;
    const lm_json *run = NULL, *sums = NULL;
    int rc = load_run(&all, &run, path);
    if (!rc) rc = check_config(path, run);
    if (!rc) rc = lm_json_need(&sums, run, "tensors");
    if (!rc) rc = model_dir_path(file, path, MODEL_WEIGHTS);
    if (!rc) rc = load_tensors(m, file, KIND_WEIGHT, KIND_M, sums);
    if (!rc) rc = model_dir_path(file, path, "optimizer.safetensors");
    if (!rc) rc = load_tensors(m, file, KIND_M, KINDS, sums);
    lm_json_free(all);
    return rc;
}

/* ---- without a model --------------------------------------------------------------------- */

/* Each tensor of the file that run.json names, in its place in the sums. *found counts them. */
static int check_tensors(const char *path, const lm_json *sums, bool quick, size_t *found)
{
    enum { PART = 1 << 16 };
    float *part = malloc(PART * sizeof *part);
    st_reader *r = NULL;
    lm_hasher *h = NULL;
    int rc = part ? lm_hasher_new(&h) : lm_fail_nomem(PART * sizeof *part);
    if (!rc) rc = st_open(&r, path);
    for (size_t i = 0; !rc && i < st_count(r); i++) {
        const st_tensor *t = st_at(r, i);
        uint64_t want = 0;
        if (!lm_json_get(sums, t->name) || t->dtype != ST_F32)
            rc = lm_fail(LM_EDATA, "%s: tensor %s is not one of the checkpoint's", path, t->name);
        if (!rc) rc = lm_json_hex64(&want, sums, t->name);
        lm_hasher_reset(h);
        for (uint64_t at = 0, k; !rc && !quick && at < t->count; at += k) {
            k = t->count - at < PART ? t->count - at : PART;
            rc = lm_check_interrupt();
            if (!rc) rc = st_read(r, t, at, part, (size_t)k);
            if (!rc) lm_hasher_add(h, part, (size_t)k * sizeof *part);
        }
        if (!rc && !quick && lm_hasher_digest(h) != want)
            rc = lm_fail(LM_EDATA, "%s: tensor %s is damaged: its checksum differs", path, t->name);
        if (!rc) ++*found;
    }
    st_close(r);
    lm_hasher_free(h);
    free(part);
    return rc;
}

int tr_checkpoint_check(const char *path, bool quick, uint64_t *step)
{
    static const char *const files[] = { MODEL_WEIGHTS, "optimizer.safetensors" };
    char file[MODEL_PATH];
    lm_json *all = NULL;
    const lm_json *run = NULL, *sums = NULL;
    size_t found = 0;
    int rc = load_run(&all, &run, path);
    if (!rc) rc = lm_json_u64(step, run, "step");
    if (!rc) rc = check_config(path, run);
    if (!rc) rc = lm_json_need(&sums, run, "tensors");
    for (size_t i = 0; !rc && i < sizeof files / sizeof *files; i++) {
        rc = model_dir_path(file, path, files[i]);
        if (!rc) rc = check_tensors(file, sums, quick, &found);
    }
    if (!rc && found != lm_json_size(sums))
        rc = lm_fail(LM_EDATA, "%s: holds %zu of the checkpoint's %zu tensors", path, found,
                     lm_json_size(sums));
    lm_json_free(all);
    return rc;
}
