/* read.c -- histograms of inputs: JSONL in characters, by several threads; stores from their index;
 * token streams; shards from their spans. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "longmix/docs.h"
#include "longmix/hist.h"
#include "longmix/shard.h"
#include "longmix/store.h"
#include "lib/base/fd.h"
#include "lib/base/threads.h"

typedef struct source {
    const char *path;
    const lm_hist_options *o;
} source;

/* ---- JSONL ----------------------------------------------------------------------------- */

typedef struct reading {
    const source *src;
    /* Under the lock of `turns`: */
    lm_files files;
    size_t next;
    lm_chunker *chunker; /* of file next - 1 */
    lm_turns *turns;
    lm_hist **part; /* one for each thread */
} reading;

static lm_schema schema_of(const source *src)
{
    const lm_domains *d = src->o->domains;
    return (lm_schema){ lm_domains_text(d), lm_domains_keys(d), src->o->replace };
}

static int new_hist(lm_hist **out, const lm_domains *d)
{
    const char *names[LM_DOMAINS_MAX];
    size_t n = lm_domains_count(d);
    for (size_t i = 0; i < n; i++) names[i] = lm_domains_name(d, i);
    return lm_hist_new(out, "characters", names, n);
}

/* The next chunk and its file: 1, or 0 after the last file. */
static int next_chunk(reading *r, lm_chunk *c, size_t *file)
{
    for (;;) {
        if (!r->chunker) {
            lm_in *in = NULL;
            if (r->next == r->files.n) return 0;
            int rc = lm_in_open(&in, r->files.path[r->next]);
            if (!rc) rc = lm_chunker_new(&r->chunker, in);
            if (rc) return rc;
            r->next++;
        }
        *file = r->next - 1;
        uint64_t before = lm_in_raw_offset(lm_chunker_in(r->chunker));
        int rc = lm_chunker_next(r->chunker, c);
        lm_progress_add(r->src->o->progress, lm_in_raw_offset(lm_chunker_in(r->chunker)) - before,
                        0);
        if (rc) return rc;
        lm_chunker_free(r->chunker);
        r->chunker = NULL;
    }
}

static uint64_t characters(const char *s, size_t n)
{
    uint64_t count = 0;
    for (size_t i = 0; i < n; i++) count += ((unsigned char)s[i] & 0xc0) != 0x80;
    return count;
}

/* One thread's work. */
typedef struct job {
    const source *src;
    const lm_files *files;
    lm_hist *hist;
    lm_line_parser *parser;
    lm_chunk chunk;
    size_t file; /* its number */
} job;

/* 1 for a document, 0 for a blank line. */
static int count_line(job *j, char *s, size_t n, size_t *fault)
{
    lm_line doc;
    int rc = lm_line_spend(j->parser, s, n, &doc, fault);
    if (rc <= 0) return rc;
    int id = lm_domains_tag(j->src->o->domains, doc.label, doc.labels, j->files->full[j->file],
                            j->files->top[j->file]);
    if (id < 0) return id;
    uint64_t length = characters(doc.text, doc.text_size);
    rc = lm_hist_add(j->hist, (size_t)id, length, length);
    return rc ? rc : 1;
}

/* The file, as messages name it. */
static const char *shown_name(const job *j)
{
    const char *path = j->files->path[j->file];
    return strcmp(path, "-") ? path : "stdin";
}

static int count_chunk(job *j)
{
    char *first = (char *)j->chunk.bytes.data, *end = first + j->chunk.bytes.size;
    uint64_t documents = 0, line = j->chunk.line;
    int rc = lm_check_interrupt();
    if (rc) return rc;
    for (char *s = first; s < end; line++) {
        size_t n = (size_t)((char *)memchr(s, '\n', (size_t)(end - s)) - s), fault = 0;
        rc = count_line(j, s, n, &fault);
        if (rc == LM_EDATA)
            return lm_line_error(shown_name(j), line,
                                 j->chunk.offset + (uint64_t)(s - first) + fault, lm_err());
        if (rc < 0) return rc;
        documents += rc > 0;
        s += n + 1;
    }
    lm_line_parser_trim(j->parser);
    lm_progress_text(j->src->o->progress, j->chunk.bytes.size);
    lm_progress_add(j->src->o->progress, 0, documents);
    return LM_OK;
}

/* An error waits for its turn, so that the first one in the input is reported, as with one
 * thread. */
static int count_lines(void *arg, int t)
{
    reading *r = arg;
    job j = { .src = r->src, .files = &r->files, .hist = r->part[t] };
    const lm_schema schema = schema_of(r->src);
    int rc = lm_line_parser_new(&j.parser, &schema);
    while (!rc) {
        lm_turns_enter(r->turns);
        rc = lm_turns_stopped(r->turns) ? 0 : next_chunk(r, &j.chunk, &j.file);
        if (rc == 0) {
            lm_turns_leave(r->turns);
            break;
        }
        uint64_t ticket = lm_turns_claim(r->turns);
        if (rc > 0) rc = count_chunk(&j);
        if (!lm_turns_wait(r->turns, ticket)) rc = LM_OK; /* an earlier chunk failed */
        else if (!rc) lm_turns_done(r->turns, ticket);
        else break;
    }
    if (rc) lm_turns_stop(r->turns);
    lm_line_parser_free(j.parser);
    lm_buf_free(&j.chunk.bytes);
    return rc;
}

static int list_files(reading *r)
{
    const lm_schema schema = schema_of(r->src);
    int rc = lm_files_expand(&r->files, (char *const[]){ (char *)r->src->path }, 1, &schema);
    if (!rc && r->src->o->listed) r->src->o->listed(&r->files);
    return rc;
}

static int read_jsonl(lm_hist **out, const source *src)
{
    reading r = { .src = src };
    int rc = list_files(&r);
    if (!rc) rc = lm_turns_new(&r.turns);
    if (!rc) rc = new_hist(out, src->o->domains);
    if (!rc) {
        r.part = calloc((size_t)src->o->threads, sizeof *r.part);
        if (!r.part) rc = lm_fail_nomem((size_t)src->o->threads * sizeof *r.part);
    }
    for (int t = 0; !rc && t < src->o->threads; t++) rc = new_hist(&r.part[t], src->o->domains);
    for (size_t i = 0; src->o->progress && i < r.files.n; i++) {
        struct stat st;
        if (!stat(r.files.path[i], &st)) src->o->progress->total += (uint64_t)st.st_size;
    }
    if (!rc) rc = lm_parallel(src->o->threads, count_lines, &r);
    for (int t = 0; !rc && t < src->o->threads; t++) rc = lm_hist_merge(*out, r.part[t]);
    for (int t = 0; r.part && t < src->o->threads; t++) lm_hist_free(r.part[t]);
    free(r.part);
    lm_chunker_free(r.chunker);
    lm_turns_free(r.turns);
    lm_files_free(&r.files);
    return rc;
}

/* ---- token streams, stores, shards ------------------------------------------------------ */

/* A mixture is counted by the length of its units. The overlap belongs to the next part. */
static int read_stream(lm_hist **out, const source *src)
{
    lm_stream *s = NULL;
    lm_record r;
    int rc = lm_stream_open(&s, src->path);
    if (rc) return rc;
    const lm_meta *m = lm_stream_meta(s);
    rc = lm_hist_new(out, "tokens", m->domain, m->domains);
    uint64_t seen = 0;
    while (!rc && (rc = lm_stream_next(s, &r)) > 0) {
        rc = lm_check_interrupt();
        if (!rc && r.kind == LM_REC_DOC && !(r.doc.flags & LM_DOC_OVERLAP))
            rc = lm_hist_add(*out, r.doc.domain, r.doc.unit_tokens, r.doc.tokens);
        lm_progress_add(src->o->progress, lm_stream_offset(s) - seen, 1);
        seen = lm_stream_offset(s);
    }
    lm_stream_close(s);
    return rc;
}

static int add_entry(void *arg, uint64_t number, const lm_entry *e)
{
    (void)number;
    return lm_hist_add(arg, e->domain, e->tokens, e->tokens);
}

/* The index of a store is enough; a mixture is read through, because its index lacks the units. */
static int read_store(lm_hist **out, const source *src)
{
    lm_store *s = NULL;
    int rc = lm_store_open(&s, src->path);
    if (rc) return rc;
    const lm_meta *m = lm_store_meta(s);
    if (m->plan) {
        rc = read_stream(out, src);
    } else {
        rc = lm_hist_new(out, "tokens", m->domain, m->domains);
        if (!rc) rc = lm_store_each(s, add_entry, *out);
    }
    lm_store_close(s);
    return rc;
}

static int count_shard(lm_hist *h, const lm_shard *s)
{
    for (uint64_t row = 0; row < lm_shard_rows(s); row++) {
        const lm_span *span = NULL;
        size_t n = 0;
        int rc = lm_shard_spans(s, row, &span, &n);
        for (size_t i = 0; !rc && i < n; i++)
            rc = (span[i].flags & LM_SPAN_BEGINS ? lm_hist_add : lm_hist_add_more)(
                h, span[i].domain, span[i].unit_tokens, span[i].tokens);
        if (rc) return rc;
    }
    return LM_OK;
}

static int read_shards(lm_hist **out, const char *path)
{
    lm_shards *all = NULL;
    const lm_json *list = NULL;
    const char *names[LM_DOMAINS_MAX];
    int rc = lm_shards_open(&all, path);
    if (rc) return rc;
    if (lm_shards_count(all))
        rc = lm_json_need(&list, lm_shard_identity(lm_shards_at(all, 0)), "domains");
    size_t n = list ? lm_json_size(list) : 0;
    if (!rc && n > LM_DOMAINS_MAX) rc = lm_json_fail(list, "more than %d domains", LM_DOMAINS_MAX);
    for (size_t i = 0; !rc && i < n; i++) rc = lm_json_str(&names[i], lm_json_at(list, i), NULL);
    if (!rc) rc = lm_hist_new(out, "tokens", names, n);
    for (size_t i = 0; !rc && i < lm_shards_count(all); i++)
        rc = count_shard(*out, lm_shards_at(all, i));
    lm_shards_close(all);
    return rc;
}

/* ---- the format of an input
 * ------------------------------------------------------------------- */

enum kind { KIND_JSONL, KIND_STREAM, KIND_STORE, KIND_SHARDS };

/* The first bytes of standard input, left unread. -1 or 0 if its kind has no way to peek. */
static ssize_t peek(char *to, size_t n)
{
    int copy[2];
    off_t at = lseek(0, 0, SEEK_CUR);
    if (at >= 0) return pread(0, to, n, at);
    if (lm_fd_wait(0)) return -1; /* interrupted: so is the first read */
    ssize_t got = recv(0, to, n, MSG_PEEK);
    if (got >= 0 || pipe(copy)) return got;
    got = tee(0, copy[1], n, 0); /* copies from one pipe to another without consuming */
    if (got > 0) got = read(copy[0], to, (size_t)got);
    close(copy[0]);
    close(copy[1]);
    return got;
}

static int dir_kind(const char *path, enum kind *out)
{
    DIR *d = opendir(path);
    if (!d) return lm_fail_errno(errno, "%s", path);
    *out = KIND_JSONL;
    for (struct dirent *e; (e = readdir(d));) {
        const char *dot = strrchr(e->d_name, '.');
        if (dot && !strcmp(dot, ".lms")) *out = KIND_SHARDS;
        if (dot && !strcmp(dot, ".lmt") && *out == KIND_JSONL) *out = KIND_STORE;
    }
    closedir(d);
    return LM_OK;
}

/* From the first bytes, not from the name. */
static int find_kind(const char *path, enum kind *out)
{
    char head[8] = "";
    if (!strcmp(path, "-")) {
        *out = peek(head, sizeof head) > 1 && !memcmp(head, "LM", 2) ? KIND_STREAM : KIND_JSONL;
        return LM_OK;
    }
    struct stat st;
    if (stat(path, &st)) return lm_fail_errno(errno, "%s", path);
    if (S_ISDIR(st.st_mode)) return dir_kind(path, out);
    if (!S_ISREG(st.st_mode)) { /* a named pipe can be read only once */
        *out = KIND_STREAM;
        return LM_OK;
    }
    int fd = lm_fd_open_regular(path);
    if (fd < 0) return fd;
    int rc = st.st_size < (off_t)sizeof head ? LM_OK : lm_pread_all(fd, head, sizeof head, 0, path);
    close(fd);
    if (rc) return rc;
    *out = !memcmp(head, "LMTOKENS", 8)    ? KIND_STORE
           : !memcmp(head, "LMSHARD\n", 8) ? KIND_SHARDS
                                           : KIND_JSONL;
    return LM_OK;
}

int lm_hist_read(lm_hist **out, const char *path, const lm_hist_options *o)
{
    source src = { path, o };
    enum kind kind = KIND_JSONL;
    lm_hist *h = NULL;
    int rc = find_kind(path, &kind);
    if (rc) return rc;
    switch (kind) {
    case KIND_STREAM: rc = read_stream(&h, &src); break;
    case KIND_STORE: rc = read_store(&h, &src); break;
    case KIND_SHARDS: rc = read_shards(&h, path); break;
    case KIND_JSONL: rc = read_jsonl(&h, &src); break;
    }
    if (rc) lm_hist_free(h);
    else *out = h;
    return rc;
}
