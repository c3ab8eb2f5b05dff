/* tokenize.c -- the run: files are read in order (read.c), chunks are processed by all threads, and
 * the results are written in order. */
#include "longmix/tokenize.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/hash.h"
#include "lib/base/text.h"
#include "lib/tokenize/internal.h"

/* ---- writing, in the order of the jobs ---------------------------------------------- */

static void add_counts(tok_run *r, const tok_job *job)
{
    lm_tokenize_sums *s = &r->now.counts;
    r->now.open.lines += job->lines;
    r->now.open.documents += job->documents;
    r->now.open.bad_lines += job->bad_lines;
    if (job->bad_lines && !s->bad_lines) {
        s->bad_file = job->file;
        s->bad_line = job->first_bad;
    }
    if (job->unknown && !s->unknown) {
        s->unknown_file = job->file;
        s->unknown_line = job->first_unknown;
    }
    s->bad_lines += job->bad_lines;
    s->unknown += job->unknown;
    s->text_bytes += job->text_bytes;
    s->repaired += job->repaired;
}

/* The record of a file's end, which also ends what can be taken back. */
static int put_end(tok_run *r, lm_file_end end, size_t file)
{
    lm_buf record = LM_BUF_INIT(4096);
    lm_record rec = { .kind = LM_REC_FILE, .file = end };
    rec.file.file = (uint32_t)file;
    int rc = lm_record_add(&record, r->width, &rec);
    if (!rc && end.set_aside) rc = tok_past_add(r, &rec.file); /* for the list */
    if (!rc) rc = lm_store_append(r->writer, record.data, record.size);
    lm_buf_free(&record);
    r->now.file = file + 1;
    r->now.open = (lm_file_end){ 0 };
    r->now.chain = 0;
    r->now.counts.files++;
    r->file_start = r->now;
    r->held[0] = 0;
    return rc;
}

/* A message about a file without the file's name, which is stored next to it. */
static void without_name(const char *message, const char *name, char *out, size_t size)
{
    size_t n = strlen(name);
    bool named = !strncmp(message, name, n) && message[n] == ':';
    if (named) message += n + 1;
    snprintf(out, size, "%s%s", named && isdigit((unsigned char)*message) ? "line " : "",
             message + (*message == ' '));
}

/* Make it one line of UTF-8, as the store and the list of files need it. */
static void clean_text(char *s)
{
    const char *why = NULL;
    for (size_t n = strlen(s); n;) {
        size_t k = lm_utf8_next((unsigned char *)s, n, &why);
        if (k == 0 || (unsigned char)*s < ' ' || *s == 127) *s = '?';
        s += k ? k : 1;
        n -= k ? k : 1;
    }
}

/* Quarantine a whole file: take back what is in the store and in the quarantine of it. */
static int quarantine_file(tok_run *r, const tok_job *job, const char *message)
{
    char reason[LM_REASON_MAX + 1];
    const char *name = tok_shown(&r->in, job->file);
    lm_file_end end = job->end;
    without_name(message, name, reason, sizeof reason);
    clean_text(reason);
    end.set_aside = reason;
    int rc = lm_store_take_back(r->writer);
    if (!rc) rc = tok_bad_take_back(r, r->file_start.bad_bytes);
    if (rc) return rc;
    r->now = r->file_start;
    lm_tokenize_sums *s = &r->now.counts;
    if (!s->bad_files++)
        snprintf(s->first_bad_file, sizeof s->first_bad_file, "%s: %s", name, end.set_aside);
    return put_end(r, end, job->file);
}

/* No line of the file is a document. */
static int no_document(tok_run *r, tok_job *job)
{
    char message[1024];
    const char *name = tok_shown(&r->in, job->file);
    uint64_t lines = r->now.open.bad_lines;
    snprintf(message, sizeof message, "%s: none of its %" PRIu64 " lines is a document; line %s",
             name, lines, r->held);
    if (!r->o->bad_files) return lm_fail(LM_EDATA, "%s", message);
    job->end.raw_read = job->end.raw_bytes;
    return quarantine_file(r, job, message);
}

static int end_file(tok_run *r, tok_job *job)
{
    if (r->now.open.bad_lines && !r->now.open.documents) return no_document(r, job);
    if (r->now.open.bad_lines && !r->bad.name)
        return lm_fail(LM_EDATA, "%s:%s", tok_shown(&r->in, job->file), r->held);
    lm_file_end end = r->now.open;
    end.raw_bytes = job->end.raw_bytes;
    end.raw_hash = job->end.raw_hash;
    return put_end(r, end, job->file);
}

/* A chunk of lines: quarantined lines first, so that the store never has more of them. */
static int put_chunk(tok_run *r, tok_job *job)
{
    tok_state *now = &r->now;
    add_counts(r, job);
    if (job->bad_lines && !r->held[0]) snprintf(r->held, sizeof r->held, "%s", job->bad_message);
    /* Where files may be quarantined and lines may not, the end of the file decides: it may be damaged,
     * or hold no document. Nothing of it is kept from here on. */
    if (!r->bad.name && now->open.bad_lines) return LM_OK;
    now->chain = tok_chain(now->chain, job->hash, job->lines);
    int rc = tok_bad_write(r, &job->bad);
    lm_record end = { .kind = LM_REC_CHUNK,
                      .chunk = { .file = (uint32_t)job->file,
                                 .lines = now->open.lines,
                                 .hash = now->chain,
                                 .bad_bytes = now->bad_bytes,
                                 .bad_hash = now->bad_hash } };
    if (!rc) rc = lm_record_add(&job->records, r->width, &end);
    return rc ? rc : lm_store_append(r->writer, job->records.data, job->records.size);
}

/* Is it of the lines that an earlier run has done? */
static bool is_again(const tok_run *r, const tok_job *job)
{
    return job->file == r->done.file && r->again_lines < r->done.open.lines;
}

static int put_job(tok_run *r, tok_job *job)
{
    if (is_again(r, job)) return tok_prove_job(r, job);
    if (job->lost) return quarantine_file(r, job, job->message);
    if (job->fault) return lm_fail(job->fault, "%s", job->message);
    return job->at_end ? end_file(r, job) : put_chunk(r, job);
}

static int write_job(void *arg, tok_job *job)
{
    tok_run *r = arg;
    double start = lm_seconds();
    int rc = put_job(r, job);
    lm_progress_text(r->o->progress, job->text_bytes);
    lm_progress_add(r->o->progress, job->raw_bytes, job->documents);
    r->write_seconds += lm_seconds() - start;
    return rc;
}

/* ---- a thread ----------------------------------------------------------------------- */

/* Process one job: 1, 0 when none is left, or an error. */
static int one_job(tok_work *w)
{
    tok_run *r = w->run;
    double start = lm_seconds();
    tok_claim(w);
    double claimed = lm_seconds();
    w->reading += claimed - start;
    tok_job *job = w->job;
    if (!job) return 0;
    if (!job->fault && !job->at_end) {
        job->fault = tok_work_lines(w);
        if (job->fault) snprintf(job->message, sizeof job->message, "%s", lm_err());
    }
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
    pthread_mutex_lock(&r->reader.lock);
    r->read_seconds += w.reading;
    r->work_seconds += w.working;
    pthread_mutex_unlock(&r->reader.lock);
    return rc;
}

/* ---- resuming ----------------------------------------------------------------------- */

/* A document of an earlier run. */
static void seen_document(tok_run *r, const lm_doc *d)
{
    lm_tokenize_sums *s = &r->now.counts;
    s->resumed++;
    r->now.file = d->file;
    r->now.open.documents++;
    if ((size_t)d->domain + 1 == lm_domains_count(r->o->domains) && !s->unknown++) {
        s->unknown_file = d->file;
        s->unknown_line = d->line;
    }
}

static void seen_bad_line(tok_run *r, const lm_bad_line *b)
{
    lm_tokenize_sums *s = &r->now.counts;
    r->now.file = b->file;
    r->now.open.bad_lines++;
    if (!s->bad_lines++) {
        s->bad_file = b->file;
        s->bad_line = b->line;
    }
}

/* The end of a chunk, up to which all can be kept: into r->done. */
static int seen_chunk(tok_run *r, const lm_chunk_end *c)
{
    int rc = tok_bad_match(r, c);
    if (rc) return rc;
    r->now.file = c->file;
    r->now.open.lines = c->lines;
    r->now.chain = c->hash;
    r->now.bad_bytes = c->bad_bytes;
    r->now.bad_hash = c->bad_hash;
    r->done = r->now;
    return LM_OK;
}

static int seen_file(tok_run *r, const lm_file_end *f)
{
    r->now.file = (size_t)f->file + 1;
    r->now.open = (lm_file_end){ 0 };
    r->now.chain = 0;
    r->now.counts.files++;
    if (f->set_aside && !r->now.counts.bad_files++)
        snprintf(r->now.counts.first_bad_file, sizeof r->now.counts.first_bad_file, "%s: %s",
                 r->in.keeps ? tok_name(&r->in, f->file) : tok_shown(&r->in, f->file),
                 f->set_aside);
    r->done = r->file_start = r->now;
    return tok_past_add(r, f);
}

/* A record of an earlier run. */
static int seen(void *arg, const lm_record *rec)
{
    tok_run *r = arg;
    int rc = lm_check_interrupt();
    if (rc) return rc;
    switch (rec->kind) {
    case LM_REC_DOC: seen_document(r, &rec->doc); break;
    case LM_REC_BAD: seen_bad_line(r, &rec->bad); break;
    case LM_REC_CHUNK: return seen_chunk(r, &rec->chunk);
    case LM_REC_FILE: return seen_file(r, &rec->file);
    case LM_REC_SHARD: break; /* lmtok writes none */
    }
    return LM_OK;
}

static int seen_end(void *arg, const lm_file_end *f) { return seen_file(arg, f); }

/* Find the files of an earlier run among those given, and compare the ones that it has read. */
static int prove_past(tok_run *r, const char *store, const struct timespec *since)
{
    bool *quarantined = calloc(r->in.count + 1, sizeof *quarantined);
    if (!quarantined) return lm_fail_nomem(r->in.count);
    for (size_t i = 0; i < r->pasts; i++)
        quarantined[r->past[i].end.file] = r->past[i].reason != NULL;
    int rc = tok_inputs_match(&r->in, quarantined, store);
    free(quarantined);
    return rc ? rc : tok_prove(r, since);
}

/* The store is complete: are its inputs still those that it was made from? */
static int prove_store(tok_run *r, const char *path)
{
    struct stat st;
    lm_store *s = NULL;
    if (stat(path, &st)) return lm_fail_errno(errno, "%s", path);
    int rc = lm_store_open(&s, path);
    if (!rc) rc = lm_store_files(s, seen_end, r);
    lm_store_close(s);
    return rc ? rc : prove_past(r, path, &st.st_mtim);
}

/* ---- the whole ---------------------------------------------------------------------- */

/* Where this part's outputs are. */
typedef struct outputs {
    lm_buf store, bad, list;
} outputs;

static int name_output(lm_buf *out, const char *name, const char *part, bool divided)
{
    if (!name) return LM_OK;
    return divided ? lm_buf_printf(out, "%s.%s", name, part) : lm_buf_printf(out, "%s", name);
}

static int name_outputs(const lm_tokenize_options *o, const char *path, outputs *out)
{
    char part[LM_PART_NAME];
    lm_part_name(part, o->part, o->parts);
    bool divided = o->parts > 1, folder = divided && strcmp(path, "-");
    int rc = lm_buf_printf(&out->store, "%s%s%s", path, folder ? "/" : "", folder ? part : "");
    part[strlen(part) - strlen(".lmt")] = 0;
    if (!rc) rc = name_output(&out->bad, o->quarantine, part, divided);
    if (!rc) rc = name_output(&out->list, o->bad_files, part, divided);
    return rc;
}

static const char *text_of(const lm_buf *b) { return b->size ? (const char *)b->data : NULL; }

/* For the progress line: bytes of all files, 0 where they cannot be known. */
static uint64_t total_size(const tok_inputs *in)
{
    uint64_t total = 0;
    for (size_t i = 0; i < in->count; i++) {
        struct stat st;
        const char *path = tok_path(in, i);
        if (!path) continue;
        if (!strcmp(path, "-") || stat(path, &st)) return 0;
        total += (uint64_t)st.st_size;
    }
    return total;
}

/* Process all input. */
static int run_all(tok_run *r)
{
    const lm_tokenize_options *o = r->o;
    int rc = tok_order_open(&r->order, o->threads);
    if (rc) return rc;
    tok_reader_init(&r->reader, r->now.file);
    tok_check_init(&r->check, o);
    rc = lm_parallel(o->threads, run_thread, r);
    tok_check_destroy(&r->check);
    tok_reader_destroy(&r->reader);
    tok_order_close(&r->order);
    return rc;
}

/* Without a document, the next run begins again: the files may be readable by then. */
static void remove_outputs(tok_run *r)
{
    r->bad.out.keep = false;
    lm_output_abandon(&r->bad.out);
    lm_store_remove(r->writer);
    r->writer = NULL;
    r->begun = false;
}

/* Each file has its record, and one of them a document, or the store must not look complete. */
static int check_result(tok_run *r, const char *store)
{
    const lm_tokenize_sums *s = &r->now.counts;
    if (s->files != r->in.count)
        return lm_fail(LM_EDATA, "%s: %" PRIu64 " of %zu files were read", store, s->files,
                       r->in.count);
    if (r->o->parts > 1 || !s->bad_files || lm_store_writer_documents(r->writer)) return LM_OK;
    remove_outputs(r);
    return lm_fail(LM_EDATA, "no input has a document; the first that had to be quarantined: %s",
                   s->first_bad_file);
}

/* Open what belongs to the store, once it is clear that the run may continue it. */
static int open_outputs(tok_run *r, const outputs *out)
{
    int rc = tok_bad_open(r);
    if (!rc) rc = tok_list_open(r, text_of(&out->list));
    /* From here on the quarantine belongs to this store: its header must survive a power cut. */
    if (!rc && r->bad.name) rc = lm_store_sync(r->writer);
    return rc;
}

/* The quarantine is complete before the store is: where the store has lines of it, they are safe. */
static int commit(tok_run *r)
{
    lm_tokenize_sums *s = &r->now.counts;
    s->documents = lm_store_writer_documents(r->writer);
    s->tokens = lm_store_writer_tokens(r->writer);
    int rc = r->bad.name || r->list.path ? lm_store_sync(r->writer) : LM_OK;
    if (!rc) rc = tok_bad_commit(r);
    if (!rc) rc = tok_list_commit(r);
    if (!rc) {
        rc = lm_store_finish(r->writer);
        r->writer = NULL;
    }
    return rc;
}

/* Files are numbered as in the header: now as given. */
static void number_as_given(const tok_inputs *in, lm_tokenize_sums *s)
{
    if (s->bad_lines && in->given) s->bad_file = in->given[s->bad_file];
    if (s->unknown && in->given) s->unknown_file = in->given[s->unknown_file];
}

/* A file without a document so far is begun again: why its first line is none was not recorded. */
static int begin_again(tok_run *r)
{
    r->now = r->done; /* what followed was cut off */
    if (!r->now.open.bad_lines || r->now.open.documents) return LM_OK;
    r->now = r->done = r->file_start;
    return lm_store_take_back(r->writer);
}

static int run_store(tok_run *r, const outputs *out)
{
    const char *store = text_of(&out->store);
    int rc = lm_store_writer_open(&r->writer, store, r->in.header,
                                  r->o->force ? LM_STORE_AGAIN : LM_STORE_RESUME, seen, r);
    r->already = rc == 1;
    if (r->already) return prove_store(r, store);
    if (!rc) rc = begin_again(r);
    if (!rc) rc = prove_past(r, store, NULL);
    if (!rc) rc = open_outputs(r, out);
    r->begun = !rc;
    if (!rc) rc = run_all(r);
    if (!rc) rc = check_result(r, store);
    if (!rc) rc = commit(r);
    return rc;
}

int lm_tokenize(const lm_tokenize_options *o, const lm_files *files, const char *path,
                lm_tokenize_sums *sums)
{
    tok_run r = {
        .o = o, .bad.past = -1, .bad.out.fd = -1, .width = lm_tokenizer_width(o->tokenizer)
    };
    outputs out = { LM_BUF_INIT(65536), LM_BUF_INIT(65536), LM_BUF_INIT(65536) };
    int rc = name_outputs(o, path, &out);
    if (!rc)
        rc = tok_inputs_guard(o, files, text_of(&out.store), text_of(&out.bad), text_of(&out.list));
    if (!rc && o->parts > 1 && strcmp(path, "-")) rc = lm_make_dir(path);
    if (!rc) rc = tok_inputs_open(&r.in, o, files, text_of(&out.store));
    r.bad.name = text_of(&out.bad);
    if (!rc && o->progress && o->progress->show) o->progress->total = total_size(&r.in);
    if (!rc) rc = run_store(&r, &out);
    if (r.begun) lm_store_leave(r.writer);
    else lm_store_discard(r.writer); /* a store that exists claims the quarantine for its run */
    tok_bad_leave(&r);
    lm_output_abandon(&r.list);
    *sums = r.now.counts;
    number_as_given(&r.in, sums);
    sums->already = r.already;
    sums->begun = r.begun;
    sums->checked = r.check.done;
    sums->reading = r.read_seconds;
    sums->working = r.work_seconds;
    sums->writing = r.write_seconds;
    tok_past_free(&r);
    tok_inputs_close(&r.in);
    lm_buf_free(&out.store);
    lm_buf_free(&out.bad);
    lm_buf_free(&out.list);
    return rc;
}
