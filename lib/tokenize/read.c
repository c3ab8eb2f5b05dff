/* read.c -- the inputs, in order, as jobs for the threads.
 *
 * Compressed inputs are read some chunks ahead: a decompressor works in a window of several MiB, and a
 * tokenizer in tables of that size. Where the two alternate for every chunk, each finds its memory
 * evicted from the processor's caches by the other. Whichever thread finds no chunk reads the next
 * ones, and the others take them meanwhile. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/hash.h"
#include "lib/tokenize/internal.h"
#include "longmix/zio.h"

enum {
    STEP_BYTES = 1 << 20,
    AHEAD_BYTES = TOK_AHEAD * LM_CHUNK_BYTES, /* of larger chunks, fewer are read ahead */
    KEEP_BYTES = 1 << 20,                     /* of a buffer that waits for its next chunk */
};

void tok_reader_init(tok_reader *q, size_t file)
{
    *q = (tok_reader){ .file = file };
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->moved, NULL);
}

void tok_reader_destroy(tok_reader *q)
{
    for (size_t i = 0; i < TOK_AHEAD; i++) lm_buf_free(&q->ahead[i].chunk.bytes);
    lm_chunker_free(q->chunker);
    pthread_mutex_destroy(&q->lock);
    pthread_cond_destroy(&q->moved);
}

/* ---- one file after the other ------------------------------------------------------- */

/* The bytes of the file on disk; of what is no regular file, those that were read. */
static uint64_t size_on_disk(const char *path, uint64_t read)
{
    struct stat st;
    bool known = strcmp(path, "-") && !stat(path, &st) && S_ISREG(st.st_mode);
    return known ? (uint64_t)st.st_size : read;
}

/* Is it the file that cannot be read, now and again? Too many open files, or an error of the moment,
 * are no reason to leave it out for good. */
static bool fails_again(const char *path)
{
    static const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    struct stat st;
    if (!strcmp(path, "-")) return true; /* it cannot be read again */
    char *bytes = malloc(STEP_BYTES);
    int fd = bytes ? open(path, flags) : -1;
    bool known = bytes && (fd >= 0 || (errno != EMFILE && errno != ENFILE && errno != ENOMEM));
    bool regular = fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode);
    ssize_t got = regular ? 1 : -1;
    while (got > 0 && !lm_interrupted()) got = read(fd, bytes, STEP_BYTES);
    if (fd >= 0) close(fd);
    free(bytes);
    return known && got < 0;
}

/* The file cannot be read further, for the reason in lm_err(). */
static void lose_file(tok_run *r, tok_read *a)
{
    lm_in *in = r->reader.chunker ? lm_chunker_in(r->reader.chunker) : NULL;
    uint64_t read = in ? lm_in_raw_offset(in) : 0;
    a->lost = true;
    a->end = (lm_file_end){ .raw_bytes = size_on_disk(tok_path(&r->in, a->file), read),
                            .raw_read = read,
                            .raw_hash = in ? lm_in_raw_hash(in) : lm_hash64(NULL, 0),
                            .fault = read };
}

static void next_file(tok_reader *q, tok_read *a)
{
    a->at_end = true;
    lm_chunker_free(q->chunker);
    q->chunker = NULL;
    q->file++;
}

/* The next chunk, or the end of the file. */
static int read_chunk(tok_run *r, tok_read *a)
{
    tok_reader *q = &r->reader;
    int rc = LM_OK;
    if (!q->chunker) {
        lm_in *in = NULL;
        rc = lm_in_open(&in, tok_path(&r->in, q->file));
        if (!rc) rc = lm_chunker_new(&q->chunker, in);
        if (rc) return rc;
    }
    lm_in *in = lm_chunker_in(q->chunker);
    uint64_t before = lm_in_raw_offset(in);
    rc = lm_chunker_next(q->chunker, &a->chunk);
    a->raw_bytes = lm_in_raw_offset(in) - before;
    a->packed = lm_in_packed(in);
    if (rc < 0) return rc;
    if (rc > 0) {
        a->bytes = a->chunk.bytes.size;
        return LM_OK;
    }
    a->end = (lm_file_end){ .raw_bytes = lm_in_raw_offset(in), .raw_hash = lm_in_raw_hash(in) };
    next_file(q, a);
    return LM_OK;
}

/* The same; an error is a result, too. Where files may be quarantined, reading continues with the next
 * one. */
static void read_next(tok_run *r, tok_read *a)
{
    tok_reader *q = &r->reader;
    *a = (tok_read){ .chunk = a->chunk, .file = q->file };
    int rc = read_chunk(r, a);
    if (!rc) return;
    a->fault = rc;
    snprintf(a->message, sizeof a->message, "%s", lm_err());
    const char *path = tok_path(&r->in, q->file);
    bool its = rc == LM_EDATA || (rc == LM_EIO && fails_again(path));
    if (its && r->o->bad_files) lose_file(r, a);
    if (a->lost) next_file(q, a);
    else q->failed = true;
}

/* ---- the chunks that were read ahead ------------------------------------------------ */

static bool at_end(const tok_run *r) { return r->reader.failed || r->reader.file == r->in.count; }

/* Read one chunk, or more of a compressed input. The lock is held, but not while reading. */
static void fill(tok_run *r)
{
    tok_reader *q = &r->reader;
    bool more = true;
    q->reading = true;
    while (more && !at_end(r) && tok_order_room(&r->order, q->count == 0)) {
        tok_read *a = &q->ahead[(q->first + q->count) % TOK_AHEAD];
        pthread_mutex_unlock(&q->lock);
        read_next(r, a);
        pthread_mutex_lock(&q->lock);
        q->count++;
        q->bytes += a->bytes;
        pthread_cond_broadcast(&q->moved);
        more = a->packed && q->count < TOK_AHEAD && q->bytes < AHEAD_BYTES;
    }
    q->reading = false;
    pthread_cond_broadcast(&q->moved);
}

/* Make the first chunk that was read the thread's, for the next job. */
static tok_job *take(tok_work *w)
{
    tok_reader *q = &w->run->reader;
    tok_job *job = tok_order_next(&w->run->order);
    if (!job) return NULL;
    tok_read *a = &q->ahead[q->first];
    lm_chunk chunk = a->chunk;
    a->chunk = w->chunk;
    w->chunk = chunk;
    lm_buf_reset(&a->chunk.bytes, KEEP_BYTES);
    job->file = a->file;
    job->at_end = a->at_end;
    job->lost = a->lost;
    job->end = a->end;
    job->raw_bytes = a->raw_bytes;
    job->fault = a->fault;
    memcpy(job->message, a->message, sizeof job->message);
    q->first = (q->first + 1) % TOK_AHEAD;
    q->count--;
    q->bytes -= a->bytes;
    tok_order_begin(&w->run->order, job, a->bytes);
    return job;
}

/* After an interruption nothing more is begun: it becomes the first result. */
static void check_interrupt(tok_reader *q)
{
    int rc = q->count ? lm_check_interrupt() : LM_OK;
    if (!rc) return;
    tok_read *a = &q->ahead[q->first];
    q->count = 1;
    q->bytes = 0;
    q->failed = true;
    *a = (tok_read){ .chunk = a->chunk, .file = a->file, .fault = rc };
    snprintf(a->message, sizeof a->message, "%s", lm_err());
}

void tok_claim(tok_work *w)
{
    tok_reader *q = &w->run->reader;
    pthread_mutex_lock(&q->lock);
    while (!q->count && (q->reading || !at_end(w->run)) && !tok_order_stopped(&w->run->order)) {
        if (q->reading) pthread_cond_wait(&q->moved, &q->lock);
        else fill(w->run);
    }
    if (!q->reading) check_interrupt(q);
    w->job = q->count ? take(w) : NULL;
    pthread_mutex_unlock(&q->lock);
}
