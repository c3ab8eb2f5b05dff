/* internal.h -- one run of lm_tokenize, divided among the files of this module. */
#ifndef LM_LIB_TOKENIZE_INTERNAL_H
#define LM_LIB_TOKENIZE_INTERNAL_H

#include <pthread.h>
#include <time.h>

#include "longmix/docs.h"
#include "longmix/store.h"
#include "lib/base/threads.h"
#include "lib/io/output.h"
#include "longmix/tokenize.h"

struct tok_work;

/* ---- order and memory (order.c) ---------------------------------------------- */

/* A chunk from reading to writing. */
typedef struct tok_job {
    size_t file;        /* of the run's files */
    bool at_end;        /* no chunk: the file's end ... */
    bool lost;          /* ... or where it could not be read further, for the reason in `message` */
    lm_file_end end;    /* its raw_bytes and raw_hash; of a lost file, raw_read and fault, too */
    uint64_t raw_bytes; /* of the input, read with this chunk */

    /* Results. */
    bool skipped;        /* an earlier run has done it: only lines and hash are set */
    lm_buf records, bad; /* bad: refused lines, with their LF */
    uint64_t hash;       /* of the chunk's bytes */
    uint64_t lines, documents, bad_lines, unknown, repaired, text_bytes;
    uint64_t first_bad, first_unknown; /* their lines */
    char bad_message[512];             /* about first_bad */
    int fault;                         /* the error that ended it early, or 0, and its message */
    char message[1024];

    bool done;    /* all of the above is set */
    size_t large; /* bytes of the chunk, where it is a large one */
} tok_job;

/* The buffers of a job. */
typedef struct tok_bufs {
    lm_buf records, bad;
} tok_bufs;

/* Jobs in the order of the input. They finish in any order and are written in this one, by the thread
 * that finishes the next: no thread waits for a slower one while the ring has space. */
typedef struct tok_order {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    tok_job *ring; /* job number n is in ring[n % size] */
    size_t size;
    tok_bufs *spare; /* [size], of which the last is the one that was used last */
    size_t spares;
    uint64_t begun, written; /* numbers of the next */
    size_t large;            /* bytes of large chunks that are read and not yet written */
    bool writing, stopped;
} tok_order;

LM_CHECKED int tok_order_open(tok_order *q, int threads);
void tok_order_close(tok_order *q);

/* Does the memory budget allow that another chunk is read? With `wait`, wait until it does; false is
 * then that the run was stopped. */
bool tok_order_room(tok_order *q, bool wait);

/* The next job, empty, once the ring has space for it; NULL when stopped. One thread at a time,
 * until it has called tok_order_begin. */
tok_job *tok_order_next(tok_order *q);

/* The job is for a chunk of n bytes, 0 for none: wait until the memory budget allows it. It waits only
 * for earlier jobs, which never wait for a later one. */
void tok_order_begin(tok_order *q, tok_job *job, size_t n);

/* The job is finished: write it and those after it that are next in order, if no other thread does. 1, 0
 * when stopped, or what `write` returned, which stops all. */
LM_CHECKED int tok_order_done(tok_order *q, tok_job *job, int (*write)(void *arg, tok_job *job),
                              void *arg);
void tok_order_stop(tok_order *q);
bool tok_order_stopped(tok_order *q);

/* Tell the system that n bytes at p are no longer needed. They may then read as zeros. */
void tok_discard(const void *p, size_t n);

/* ---- comparison with the reference (work.c)  -------------------------------- */

/* The reference, loaded when the first document is sampled. */
typedef struct tok_check {
    pthread_mutex_t lock;
    const lm_tokenizer *fast;
    bool parse; /* special tokens */
    uint64_t every;
    lm_tokenizer *tokenizer;
    lm_encoder *encoder;
    lm_buf ids;
    uint64_t done;
} tok_check;

void tok_check_init(tok_check *c, const lm_tokenize_options *o);
void tok_check_destroy(tok_check *c);

/* ---- reading (read.c) ---------------------------------------------------------- */

enum { TOK_AHEAD = 16 }; /* chunks of a compressed input that are read ahead */

/* What was read for a job: a chunk, or what tok_job says. */
typedef struct tok_read {
    lm_chunk chunk;
    size_t bytes, file;
    bool at_end, lost, packed; /* packed: from a compressed input */
    lm_file_end end;
    uint64_t raw_bytes;
    int fault;
    char message[1024];
} tok_read;

typedef struct tok_reader {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    tok_read ahead[TOK_AHEAD]; /* a ring: `count`, the first at `first`, of chunks of `bytes` */
    size_t first, count, bytes;
    bool reading; /* a thread is; what follows is its own meanwhile */
    bool failed;
    size_t file;         /* being read, or next */
    lm_chunker *chunker; /* on it, or NULL */
} tok_reader;

void tok_reader_init(tok_reader *q, size_t file);
void tok_reader_destroy(tok_reader *q);

/* Take the next job, with its chunk, or set w->job to NULL where there is none. An error is a job too:
 * of several errors, the first in the order of the input is reported. */
void tok_claim(struct tok_work *w);

/* ---- the inputs and the header (inputs.c) ------------------------------------- */

/* The files of this part, as the header numbers them. A store that an earlier run began keeps its
 * header, which may list quarantined files that are no longer given. */
typedef struct tok_inputs {
    const lm_files *files;   /* all that is given; borrowed */
    size_t first, count;     /* the part: count files, of which the first is number `first` */
    size_t *given;           /* [count] number of each file in `files`; NOT_GIVEN */
    lm_json *header;         /* of the store */
    lm_meta earlier;         /* the header of an earlier run, and whether it is at hand: */
    bool has_earlier, keeps; /* keeps: its list of files is used */
} tok_inputs;
#define NOT_GIVEN SIZE_MAX

/* Find the part's files, and make the header for a store at `path`. */
LM_CHECKED int tok_inputs_open(tok_inputs *in, const lm_tokenize_options *o, const lm_files *files,
                               const char *path);
void tok_inputs_close(tok_inputs *in);

/* Set `given`, for a list of an earlier run of which the marked files were quarantined: the given list
 * may lack some of those. LM_EUSAGE if it differs in another way. */
LM_CHECKED int tok_inputs_match(tok_inputs *in, const bool *quarantined, const char *store);

/* A file's path, NULL if it is not given; its name in the store; and as messages name it. */
const char *tok_path(const tok_inputs *in, size_t file);
const char *tok_name(const tok_inputs *in, size_t file);
const char *tok_shown(const tok_inputs *in, size_t file);

/* LM_EUSAGE if an output is an input, the model, the table of domains, or another output. */
LM_CHECKED int tok_inputs_guard(const lm_tokenize_options *o, const lm_files *files,
                                const char *store, const char *bad, const char *list);

/* ---- the run (tokenize.c) ----------------------------------------------------------- */

/* How far the output is: what is restored when the end of it is taken back. */
typedef struct tok_state {
    size_t file;             /* in progress, or next */
    lm_file_end open;        /* its counts */
    uint64_t chain;          /* the hash of its contents so far */
    uint64_t bad_bytes;      /* of all quarantined lines ... */
    uint64_t bad_hash;       /* ... and the hash of them */
    lm_tokenize_sums counts; /* without times */
} tok_state;

/* A chained hash with one more item. */
uint64_t tok_chain(uint64_t before, uint64_t hash, uint64_t size);

/* The quarantine of lines (aside.c). */
typedef struct tok_bad {
    const char *name; /* as given; NULL for none */
    lm_output out;    /* being written while out.fd >= 0 */
    int past;         /* the file of the earlier run, while its records are read; -1 */
    bool past_final;  /* ... under its final name */
    bool trusted;     /* it is a pipe or a device, which cannot be compared */
} tok_bad;

/* A file that an earlier run finished, or that this one quarantined. */
typedef struct tok_past {
    lm_file_end end;
    char *reason; /* of a quarantined one; owned */
} tok_past;

typedef struct tok_run {
    const lm_tokenize_options *o;
    tok_inputs in;
    unsigned width;
    tok_check check;
    tok_order order;

    tok_reader reader;
    double read_seconds, work_seconds; /* under reader.lock */

    /* What an earlier run has finished of the file that it was reading, and how much of it was read
     * again so far. */
    tok_state done;
    uint64_t again_lines, again_chain;

    /* In the order of the jobs: what is written. */
    lm_store_writer *writer;
    tok_bad bad;
    lm_output list; /* of quarantined files; list.path NULL for none */
    tok_state now, file_start;
    tok_past *past; /* [pasts] */
    size_t pasts, past_cap;
    char held[512]; /* the first bad line of a file without a document so far */
    bool already, begun;
    double write_seconds;
} tok_run;

/* Note the end of a file. Copies end->set_aside. */
LM_CHECKED int tok_past_add(tok_run *r, const lm_file_end *end);
void tok_past_free(tok_run *r);

/* ---- what an earlier run has read (prove.c) ----------------------------------- */

/* Compare the files of r->past with what is now there: size, then contents. With `since`, files that
 * were not changed after that time are not read. LM_EDATA names the file that differs. */
LM_CHECKED int tok_prove(tok_run *r, const struct timespec *since);

/* The file of an earlier run's unfinished store, when its chunks are read again: compare one of them,
 * or the end of the file. */
LM_CHECKED int tok_prove_job(tok_run *r, const tok_job *job);

/* ---- quarantine (aside.c) ------------------------------------------------------- */

/* Does the quarantine file of the earlier run have the lines up to the end of this chunk, the next one
 * after r->now? 0, 1 if not, or an error. */
LM_CHECKED int tok_bad_match(tok_run *r, const lm_chunk_end *c);

/* Open it, with what r->now says it has; write; cut it back to `bytes`; commit or leave. */
LM_CHECKED int tok_bad_open(tok_run *r);
LM_CHECKED int tok_bad_write(tok_run *r, const lm_buf *lines);
LM_CHECKED int tok_bad_take_back(tok_run *r, uint64_t bytes);
LM_CHECKED int tok_bad_commit(tok_run *r);
void tok_bad_leave(tok_run *r);

/* The list of quarantined files, written from r->past at the end. */
LM_CHECKED int tok_list_open(tok_run *r, const char *name);
LM_CHECKED int tok_list_commit(tok_run *r);

/* ---- a thread's work (work.c) ---------------------------------------------- */

/* The state of one thread, with its current chunk. */
typedef struct tok_work {
    tok_run *run;
    lm_line_parser *parser;
    lm_encoder *encoder;
    int64_t bos, eos; /* put around each document; -1: not */
    lm_chunk chunk;
    tok_job *job;            /* that the chunk belongs to */
    double reading, working; /* seconds */
} tok_work;

LM_CHECKED int tok_work_open(tok_work *w, tok_run *run);
void tok_work_close(tok_work *w);

/* Process the chunk, up to the first line that fails; the results are in w->job. */
LM_CHECKED int tok_work_lines(tok_work *w);

#endif
