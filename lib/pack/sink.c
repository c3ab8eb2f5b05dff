/* sink.c -- rows, and numbered shards with receipts in a directory of one mixture. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/io/output.h"
#include "longmix/zio.h"
#include "lib/pack/internal.h"

/* ---- a row that is being filled -------------------------------------------------------- */

int pack_row_new(pack_row *r, uint64_t row_tokens, unsigned width)
{
    size_t bytes = (size_t)row_tokens * width;
    *r = (pack_row){ .spans = LM_BUF_INIT((size_t)row_tokens * sizeof(lm_span)) };
    r->ids = malloc(bytes);
    return r->ids ? LM_OK : lm_fail_nomem(bytes);
}

void pack_row_free(pack_row *r)
{
    free(r->ids);
    lm_buf_free(&r->spans);
    *r = (pack_row){ 0 };
}

int pack_row_add(pack_row *r, unsigned width, const lm_doc *d, const void *tokens, uint64_t from,
                 uint64_t n)
{
    lm_span s = { .key = d->key,
                  .doc_start = d->start + from,
                  .doc_tokens = d->doc_tokens,
                  .unit_tokens = d->unit_tokens,
                  .line = d->line,
                  .file = d->file,
                  .row_start = (uint32_t)r->fill,
                  .tokens = (uint32_t)n,
                  .domain = d->domain,
                  .copy = d->copy };
    if (from == 0) s.flags |= LM_SPAN_BEGINS;
    if (from + n == d->tokens) s.flags |= LM_SPAN_ENDS;
    if (d->flags & LM_DOC_TRIMMED) s.flags |= LM_SPAN_TRIMMED;
    memcpy(r->ids + r->fill * width, tokens, (size_t)n * width);
    r->fill += n;
    return lm_buf_add(&r->spans, &s, sizeof s);
}

/* ---- rows ------------------------------------------------------------------------------ */

static int open_shard(pack_sink *s)
{
    char *path = NULL;
    int rc = lm_shard_path(&path, s->dir, s->spec.number);
    if (!rc) rc = lm_shard_writer_open(&s->writer, path, &s->spec);
    free(path);
    return rc;
}

int pack_sink_row(pack_sink *s, const void *ids, const lm_span *spans, size_t n)
{
    int rc = s->writer ? LM_OK : open_shard(s);
    if (!rc) rc = lm_shard_writer_row(s->writer, ids, spans, n);
    if (rc) return rc;
    pack_counts_row(&s->counts, spans, n);
    lm_progress_add(s->progress, s->spec.row_tokens * s->spec.width, 1);
    return LM_OK;
}

int pack_sink_input(pack_sink *s, const lm_file_end *f, const char *name)
{
    lm_json *j = lm_json_object();
    if (!s->inputs) s->inputs = lm_json_array();
    lm_json_set_str(j, "file", name);
    lm_json_set_u64(j, "bytes", f->raw_bytes);
    lm_json_set_hex64(j, "xxh3", f->raw_hash);
    lm_json_set_u64(j, "lines", f->lines);
    lm_json_set_u64(j, "documents", f->documents);
    lm_json_set_u64(j, "bad_lines", f->bad_lines);
    if (f->set_aside) {
        lm_json *why = lm_json_object();
        lm_json_set_u64(why, "byte", f->fault);
        lm_json_set_str(why, "reason", f->set_aside);
        lm_json_set(j, "set_aside", why);
    }
    lm_json_set(s->inputs, NULL, j);
    return s->inputs ? LM_OK : lm_fail_nomem(sizeof(void *));
}

void pack_sink_forget_inputs(pack_sink *s)
{
    lm_json_free(s->inputs);
    s->inputs = NULL;
}

static void *commit_thread(void *arg)
{
    pack_commit *c = arg;
    c->rc = lm_shard_writer_commit(c->writer, c->receipt);
    /* The message is local to this thread: keep it for the one that waits. */
    if (c->rc) snprintf(c->message, sizeof c->message, "%s", lm_err());
    return NULL;
}

static void join(pack_commit *c)
{
    if (!c->running) return;
    pthread_join(c->thread, NULL);
    c->running = false;
    lm_json_free(c->receipt);
}

int pack_sink_wait(pack_sink *s)
{
    join(&s->commit);
    if (s->commit.rc) lm_err_set(s->commit.message);
    return s->commit.rc;
}

/* Commit the writer, in the background if wanted, one shard at a time. */
static int commit_writer(pack_sink *s, lm_json *receipt)
{
    int rc = pack_sink_wait(s);
    if (rc) {
        lm_json_free(receipt);
        return rc;
    }
    pack_commit *c = &s->commit;
    *c = (pack_commit){ .writer = s->writer, .receipt = receipt };
    s->writer = NULL;
    c->running = s->background && !pthread_create(&c->thread, NULL, commit_thread, c);
    if (c->running) return LM_OK;
    commit_thread(c);
    lm_json_free(receipt);
    return c->rc;
}

static int commit_shard(pack_sink *s, bool last, uint64_t dropped)
{
    int rc = s->writer ? LM_OK : open_shard(s);
    if (rc) return rc;
    lm_json *receipt = lm_json_object();
    lm_json_set_u64(receipt, "number", s->spec.number);
    lm_json_set_bool(receipt, "last", last);
    pack_counts_to_json(&s->counts, lm_json_get(s->spec.identity, "domains"), receipt);
    lm_json_set_u64(receipt, "dropped_tail", dropped);
    lm_json_set(receipt, "inputs", s->inputs ? s->inputs : lm_json_array());
    s->inputs = NULL;
    if (s->spec.number == 0 && lm_json_size(s->not_read))
        lm_json_set_copy(receipt, "not_read", s->not_read);
    rc = commit_writer(s, receipt);
    if (rc) return rc;
    s->sums->rows += s->counts.rows;
    s->sums->tokens += s->counts.tokens;
    s->sums->padding += s->counts.padding;
    s->sums->dropped += dropped;
    s->sums->shards++;
    pack_counts_reset(&s->counts);
    return LM_OK;
}

int pack_sink_advance(pack_sink *s, uint64_t to, bool last, uint64_t dropped)
{
    int rc = LM_OK;
    for (; s->spec.number < to && !rc; s->spec.number++) {
        bool ends = last && s->spec.number == to - 1;
        rc = commit_shard(s, ends, ends ? dropped : 0);
    }
    return rc;
}

void pack_sink_free(pack_sink *s)
{
    join(&s->commit);
    lm_shard_writer_abandon(s->writer);
    s->writer = NULL;
    pack_sink_forget_inputs(s);
    pack_counts_free(&s->counts);
}

/* ---- the directory --------------------------------------------------------------------- */

static int manifest_path(char **out, const char *dir)
{
    if (asprintf(out, "%s/manifest.json", dir) >= 0) return LM_OK;
    *out = NULL;
    return lm_fail_nomem(strlen(dir));
}

static int remove_file(const char *path)
{
    return !unlink(path) || errno == ENOENT ? LM_OK
                                            : lm_fail_errno(errno, "%s: cannot remove", path);
}

static int remove_manifest(const char *dir)
{
    char *path = NULL;
    int rc = manifest_path(&path, dir);
    if (!rc) rc = remove_file(path);
    free(path);
    return rc;
}

int pack_empty_dir(const char *dir)
{
    uint64_t *number = NULL;
    size_t n = 0;
    int rc = remove_manifest(dir);
    if (!rc) rc = lm_shards_list(&number, &n, dir);
    for (size_t i = 0; i < n && !rc; i++) {
        char *path = NULL;
        rc = lm_shard_path(&path, dir, number[i]);
        if (!rc) rc = remove_file(path);
        free(path);
    }
    free(number);
    return rc;
}

#define OTHER_MIXTURE \
    "belongs to another mixture; choose another directory, or replace it with --force"

/* Whether shard `number` belongs to the mixture with this identity. If not, it is removed with
 * `force`, else LM_EUSAGE. */
static int claim_shard(const char *dir, uint64_t number, uint64_t identity_hash, bool force,
                       bool *ours)
{
    char *path = NULL;
    lm_shard *s = NULL;
    int rc = lm_shard_path(&path, dir, number);
    if (rc) return rc;
    rc = lm_shard_open(&s, path);
    *ours = !rc && lm_shard_identity_hash(s) == identity_hash;
    lm_shard_close(s);
    if (*ours || (rc && rc != LM_EDATA)) goto out;
    if (force) rc = remove_file(path);
    else if (rc)
        rc = lm_fail(LM_EUSAGE,
                     "%s is damaged and may belong to another mixture; remove it, or use --force",
                     path);
    else rc = lm_fail(LM_EUSAGE, "%s " OTHER_MIXTURE, path);
out:
    free(path);
    return rc;
}

int pack_prepare_dir(const char *dir, uint64_t identity, bool alone, bool force)
{
    uint64_t *number = NULL;
    size_t n = 0, kept = 0;
    char *manifest = NULL;
    int rc = lm_shards_list(&number, &n, dir);
    for (size_t i = 0; i < n && !rc; i++) {
        bool ours = false;
        rc = claim_shard(dir, number[i], identity, force, &ours);
        kept += ours;
    }
    if (!rc) rc = manifest_path(&manifest, dir);
    struct stat st;
    bool there = !rc && !stat(manifest, &st);
    if (there && !S_ISREG(st.st_mode))
        rc = lm_fail(LM_EIO, "%s: is in the way and not a regular file; remove it", manifest);
    /* A manifest without our shards, or with other shards removed, is out of date. */
    if (!rc && kept == 0 && n == 0 && !force && there)
        rc = lm_fail(LM_EUSAGE, "%s " OTHER_MIXTURE, manifest);
    if (!rc && (kept == 0 || kept < n)) rc = remove_manifest(dir);
    if (!rc && alone) rc = lm_output_clean(dir);
    free(manifest);
    free(number);
    return rc;
}

int pack_write_manifest(const char *dir, uint64_t count, bool *complete)
{
    uint64_t *number = NULL;
    size_t n = 0;
    lm_json *manifest = NULL;
    char *path = NULL;
    int rc = lm_shards_list(&number, &n, dir);
    *complete = !rc && n == count && (n == 0 || number[n - 1] == n - 1);
    free(number);
    if (rc || !*complete) return rc;
    rc = lm_manifest_build(&manifest, dir);
    if (!rc) rc = manifest_path(&path, dir);
    if (!rc) rc = lm_json_write(path, manifest);
    free(path);
    lm_json_free(manifest);
    return rc;
}
