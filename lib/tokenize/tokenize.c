/* tokenize.c -- the run: files are read in order under one lock, chunks are processed by all
 * threads, and the results are written in order. */
#include "longmix/tokenize.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "longmix/version.h"
#include "longmix/zio.h"
#include "lib/tokenize/internal.h"

/* ---- which files -------------------------------------------------------------------- */

/* Bytes of a file on disk. */
static int file_size(const char *path, double *out)
{
    struct stat st;
    if (stat(path, &st)) return lm_fail_errno(errno, "%s", path);
    *out = (double)st.st_size;
    return LM_OK;
}

int lm_tokenize_part(char *const *files, size_t n, uint32_t part, uint32_t parts, size_t *first,
                     size_t *count)
{
    double total = 0, before = 0, size = 0;
    int rc = LM_OK;
    *first = 0;
    *count = n;
    if (parts == 1) return LM_OK;
    for (size_t i = 0; i < n && !rc; i++) {
        if (!strcmp(files[i], "-"))
            return lm_fail(LM_EUSAGE, "standard input cannot be divided into parts");
        rc = file_size(files[i], &size);
        total += size;
    }
    *first = *count = 0;
    for (size_t i = 0; i < n && !rc; i++) {
        rc = file_size(files[i], &size);
        /* A file is in the part where its middle is; without bytes, where its number says. */
        double middle = total > 0 ? (before + size / 2) / total : (double)i / (double)n;
        uint32_t k = (uint32_t)(middle * parts);
        if (k >= parts) k = parts - 1;
        before += size;
        if (k + 1 < part) *first = i + 1;
        if (k + 1 == part) ++*count;
    }
    return rc;
}

/* ---- the header --------------------------------------------------------------------- */

static lm_json *header_json(const tok_run *r)
{
    const lm_tokenize_options *o = r->o;
    const char *slash = strrchr(o->model, '/');
    lm_json *j = lm_json_object(), *t = lm_json_object(), *domains = lm_json_array(),
            *files = lm_json_array(), *part = lm_json_object();
    lm_json_set_str(j, "format", "longmix store 1");
    lm_json_set_str(j, "longmix", LM_VERSION);
    lm_json_set_str(t, "name", slash ? slash + 1 : o->model);
    lm_json_set_hex64(t, "xxh3", lm_tokenizer_hash(o->tokenizer));
    lm_json_set_u64(t, "vocab", lm_tokenizer_vocab(o->tokenizer));
    int64_t bos = lm_tokenizer_bos(o->tokenizer), eos = lm_tokenizer_eos(o->tokenizer);
    if (o->bos && bos >= 0) lm_json_set_u64(t, "bos", (uint64_t)bos);
    if (o->eos && eos >= 0) lm_json_set_u64(t, "eos", (uint64_t)eos);
    lm_json_set(j, "tokenizer", t);
    for (size_t i = 0; i < lm_domains_count(o->domains); i++)
        lm_json_set_str(domains, NULL, lm_domains_name(o->domains, i));
    lm_json_set(j, "domains", domains);
    for (size_t i = 0; i < r->count; i++) lm_json_set_str(files, NULL, r->files[i]);
    lm_json_set(j, "files", files);
    lm_json_set_u64(part, "k", o->part);
    lm_json_set_u64(part, "of", o->parts);
    lm_json_set(j, "part", part);
    return j;
}

/* ---- reading, under its lock -------------------------------------------------------- */

/* The next chunk, or the end of a file: 1, 0 when all files are read, or an error. */
static int read_next(tok_work *w, tok_job *job)
{
    tok_run *r = w->run;
    int rc = LM_OK;
    if (!r->chunker) {
        lm_in *in = NULL;
        rc = lm_in_open(&in, r->files[r->file]);
        if (!rc) rc = lm_chunker_new(&r->chunker, in);
        if (rc) return rc;
    }
    lm_in *in = lm_chunker_in(r->chunker);
    uint64_t before = lm_in_raw_offset(in);
    rc = lm_chunker_next(r->chunker, &w->chunk);
    job->file = r->file;
    job->raw_bytes = lm_in_raw_offset(in) - before;
    if (rc) return rc;
    job->at_end = true;
    job->end = (lm_file_end){ .raw_bytes = lm_in_raw_offset(in), .raw_hash = lm_in_raw_hash(in) };
    lm_chunker_free(r->chunker);
    r->chunker = NULL;
    r->file++;
    return 1;
}

/* Take the next job, or leave w->job NULL when there is none. An error is a job too: of several
 * errors, the first in the order of the input is reported. */
static void claim(tok_work *w)
{
    tok_run *r = w->run;
    w->job = NULL;
    pthread_mutex_lock(&r->reading);
    tok_job *job = r->ended || r->file == r->count ? NULL : tok_order_next(&r->order);
    if (job) {
        int rc = read_next(w, job);
        if (rc < 0) {
            r->ended = true;
            job->fault = rc;
        }
        tok_order_begin(&r->order, job, rc > 0 && !job->at_end ? w->chunk.bytes.size : 0);
        w->job = job;
    }
    pthread_mutex_unlock(&r->reading);
}

/* ---- writing, in the order of the jobs ---------------------------------------------- */

static int end_file(tok_run *r, tok_job *job)
{
    lm_record end = { .kind = LM_REC_FILE, .file = r->open };
    end.file.file = (uint32_t)job->file;
    end.file.raw_bytes = job->end.raw_bytes;
    end.file.raw_hash = job->end.raw_hash;
    r->open = (lm_file_end){ 0 };
    r->sums->files++;
    return lm_record_add(&job->records, r->width, &end);
}

static void add_sums(tok_run *r, const tok_job *job)
{
    lm_tokenize_sums *s = r->sums;
    r->open.lines += job->lines;
    r->open.documents += job->documents;
    r->open.bad_lines += job->bad_lines;
    if (job->bad_lines && !s->bad_lines) {
        s->bad_file = r->first + job->file;
        s->bad_line = job->first_bad;
    }
    if (job->unknown && !s->unknown) {
        s->unknown_file = r->first + job->file;
        s->unknown_line = job->first_unknown;
    }
    s->bad_lines += job->bad_lines;
    s->unknown += job->unknown;
    s->text_bytes += job->text_bytes;
}

static int write_job(void *arg, tok_job *job)
{
    tok_run *r = arg;
    double start = lm_seconds();
    int rc = LM_OK;
    add_sums(r, job);
    if (job->at_end) rc = end_file(r, job);
    /* Quarantined lines go first: a resumed run cuts off those without a record. */
    if (!rc && job->bad.size)
        rc = lm_write_all(r->bad_fd, job->bad.data, job->bad.size, r->bad_name);
    if (!rc) rc = lm_store_append(r->writer, job->records.data, job->records.size);
    lm_progress_add(r->o->progress, job->raw_bytes, job->documents);
    r->sums->writing += lm_seconds() - start;
    if (rc || !job->fault) return rc;
    /* What came before the error is written, for a resumed run. */
    lm_err_set(job->message);
    return job->fault;
}

/* ---- a thread ----------------------------------------------------------------------- */

/* Process one job: 1, 0 when none is left, or an error. */
static int one_job(tok_work *w)
{
    tok_run *r = w->run;
    double start = lm_seconds();
    claim(w);
    double claimed = lm_seconds();
    w->reading += claimed - start;
    tok_job *job = w->job;
    if (!job) return 0;
    if (!job->fault && !job->at_end) job->fault = tok_work_lines(w);
    if (job->fault) snprintf(job->message, sizeof job->message, "%s", lm_err());
    w->working += lm_seconds() - claimed;
    return tok_order_done(&r->order, job, write_job, r);
}

static int run_thread(void *arg, int t)
{
    (void)t;
    tok_run *r = arg;
    tok_work w;
    int rc = tok_work_open(&w, r);
    if (rc) tok_order_stop(&r->order);
    else
        while ((rc = one_job(&w)) > 0) continue;
    tok_work_close(&w);
    pthread_mutex_lock(&r->reading);
    r->sums->reading += w.reading;
    r->sums->working += w.working;
    pthread_mutex_unlock(&r->reading);
    return rc;
}

/* ---- resuming ----------------------------------------------------------------------- */

/* A record of an earlier run: count it, and note how far that run came. */
static int seen(void *arg, const lm_record *rec)
{
    tok_run *r = arg;
    lm_tokenize_sums *s = r->sums;
    switch (rec->kind) {
    case LM_REC_DOC:
        s->resumed++;
        r->file = rec->doc.file;
        r->open.documents++;
        r->open.lines = rec->doc.line;
        if ((size_t)rec->doc.domain + 1 == lm_domains_count(r->o->domains) && !s->unknown++) {
            s->unknown_file = r->first + r->file;
            s->unknown_line = rec->doc.line;
        }
        break;
    case LM_REC_BAD:
        r->file = rec->bad.file;
        r->open.bad_lines++;
        r->open.lines = rec->bad.line;
        r->bad_size += rec->bad.bytes + 1;
        if (!s->bad_lines++) {
            s->bad_file = r->first + r->file;
            s->bad_line = rec->bad.line;
        }
        break;
    case LM_REC_FILE:
        r->file = (size_t)rec->file.file + 1;
        r->open = (lm_file_end){ 0 };
        s->files++;
        break;
    case LM_REC_SHARD: /* lmtok writes none */ break;
    }
    return LM_OK;
}

/* Open the quarantine file and truncate it to what the records account for. */
static int open_quarantine(tok_run *r)
{
    struct stat st;
    const char *name = r->bad_name;
    if (!name && r->bad_size == 0) return LM_OK;
    if (!name)
        return lm_fail(
            LM_EUSAGE,
            "the run that is to be resumed quarantined lines: name the same quarantine file");
    r->bad_fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (r->bad_fd < 0) return lm_fail_errno(errno, "%s: cannot open for writing", name);
    if (flock(r->bad_fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
        return lm_fail(LM_EUSAGE, "%s: another process is writing it", name);
    if (fstat(r->bad_fd, &st)) return lm_fail_errno(errno, "%s", name);
    if (!S_ISREG(st.st_mode)) return LM_OK;
    if ((uint64_t)st.st_size < r->bad_size)
        return lm_fail(LM_EDATA, "%s: lacks lines that the run to be resumed quarantined", name);
    if (ftruncate(r->bad_fd, (off_t)r->bad_size) || lseek(r->bad_fd, 0, SEEK_END) < 0)
        return lm_fail_errno(errno, "%s: cannot truncate", name);
    return LM_OK;
}

static int close_quarantine(tok_run *r, int rc)
{
    if (r->bad_fd < 0) return rc;
    if (!rc && fsync(r->bad_fd) && errno != EINVAL && errno != EROFS)
        rc = lm_fail_errno(errno, "%s: cannot sync", r->bad_name);
    close(r->bad_fd);
    return rc;
}

/* ---- the whole ---------------------------------------------------------------------- */

/* Where this part's store and quarantine are. */
static int name_outputs(const lm_tokenize_options *o, const char *path, lm_buf *store,
                        lm_buf *aside)
{
    char part[LM_PART_NAME];
    lm_part_name(part, o->part, o->parts);
    bool divided = o->parts > 1;
    int rc = LM_OK;
    if (divided && strcmp(path, "-")) {
        if (mkdir(path, 0777) && errno != EEXIST)
            rc = lm_fail_errno(errno, "%s: cannot make the directory", path);
        if (!rc) rc = lm_buf_printf(store, "%s/%s", path, part);
    } else {
        rc = lm_buf_printf(store, "%s", path);
    }
    part[strlen(part) - strlen(".lmt")] = 0;
    if (!rc && o->quarantine)
        rc = divided ? lm_buf_printf(aside, "%s.%s", o->quarantine, part)
                     : lm_buf_printf(aside, "%s", o->quarantine);
    return rc;
}

/* For the progress line: bytes of all files, 0 where they cannot be known. */
static uint64_t total_size(char *const *files, size_t n)
{
    double total = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        if (!strcmp(files[i], "-") || file_size(files[i], &size)) return 0;
        total += size;
    }
    return (uint64_t)total;
}

/* Process all input. */
static int run_all(tok_run *r)
{
    const lm_tokenize_options *o = r->o;
    r->done_file = r->file;
    r->done_lines = r->open.lines;
    if (o->progress) o->progress->total = total_size(r->files, r->count);
    int rc = tok_order_open(&r->order, o->threads);
    if (rc) return rc;
    pthread_mutex_init(&r->reading, NULL);
    tok_check_init(&r->check, o);
    rc = lm_parallel(o->threads, run_thread, r);
    r->sums->checked = r->check.done;
    tok_check_destroy(&r->check);
    pthread_mutex_destroy(&r->reading);
    tok_order_close(&r->order);
    lm_chunker_free(r->chunker);
    return rc;
}

int lm_tokenize(const lm_tokenize_options *o, const lm_files *files, const char *path,
                lm_tokenize_sums *sums)
{
    *sums = (lm_tokenize_sums){ 0 };
    tok_run r = { .o = o, .sums = sums, .bad_fd = -1, .width = lm_tokenizer_width(o->tokenizer) };
    lm_buf store = LM_BUF_INIT(65536), aside = LM_BUF_INIT(65536);
    lm_json *header = NULL;
    int rc = lm_tokenize_part(files->path, files->n, o->part, o->parts, &r.first, &r.count);
    r.files = files->path + r.first;
    if (!rc) rc = name_outputs(o, path, &store, &aside);
    if (rc) goto out;
    r.bad_name = aside.size ? (const char *)aside.data : NULL;
    header = header_json(&r);
    rc = lm_store_writer_open(&r.writer, (const char *)store.data, header, !o->force, seen, &r);
    if (rc == 1) {
        sums->already = true;
        rc = LM_OK;
    }
    if (rc || sums->already) goto out;
    rc = open_quarantine(&r);
    sums->begun = !rc;
    if (!rc) rc = run_all(&r);
    /* Each file has its record, or the store must not look complete. */
    if (!rc && sums->files != r.count)
        rc = lm_fail(LM_EDATA, "%s: %" PRIu64 " of %zu files were read", (const char *)store.data,
                     sums->files, r.count);
    rc = close_quarantine(&r, rc);
    sums->documents = lm_store_writer_documents(r.writer);
    sums->tokens = lm_store_writer_tokens(r.writer);
    if (rc) lm_store_leave(r.writer);
    else rc = lm_store_finish(r.writer);
out:
    lm_json_free(header);
    lm_buf_free(&store);
    lm_buf_free(&aside);
    return rc;
}
