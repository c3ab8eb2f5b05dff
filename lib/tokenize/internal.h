/* internal.h -- one run of lm_tokenize, divided among the files of this module. */
#ifndef LM_LIB_TOKENIZE_INTERNAL_H
#define LM_LIB_TOKENIZE_INTERNAL_H

#include <pthread.h>

#include "longmix/docs.h"
#include "longmix/store.h"
#include "lib/base/threads.h"
#include "longmix/tokenize.h"

/* ---- order and memory (order.c) ---------------------------------------------- */

/* A chunk from reading to writing. */
typedef struct tok_job {
    size_t file;        /* of the run's files */
    bool at_end;        /* no chunk: the file's end */
    lm_file_end end;    /* its raw_bytes and raw_hash */
    uint64_t raw_bytes; /* of the input, read with this chunk */

    /* Results. */
    lm_buf records, bad; /* bad: refused lines, with their LF */
    uint64_t lines, documents, bad_lines, unknown, text_bytes;
    uint64_t first_bad, first_unknown; /* their lines */
    int fault;                         /* the error that ended it early, or 0, and its message */
    char message[1024];

    bool done;    /* all of the above is set */
    size_t large; /* bytes of the chunk, where it is a large one */
} tok_job;

/* Jobs in the order of the input. They finish in any order and are written in this one, by the thread
 * that finishes the next: no thread waits for a slower one while the ring has space. */
typedef struct tok_order {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    tok_job *ring; /* job number n is in ring[n % size] */
    size_t size;
    uint64_t begun, written; /* numbers of the next */
    size_t large;            /* bytes of large chunks that are read and not yet written */
    bool writing, stopped;
} tok_order;

LM_CHECKED int tok_order_open(tok_order *q, int threads);
void tok_order_close(tok_order *q);

/* The next job, empty, once the ring has space for it; NULL when stopped. One thread at a time,
 * until it has called tok_order_begin. */
tok_job *tok_order_next(tok_order *q);

/* The job has read a chunk of n bytes, or failed to: wait until the memory budget allows it. It
 * waits only for earlier jobs, which never wait for a later one. */
void tok_order_begin(tok_order *q, tok_job *job, size_t n);

/* The job is finished: write it and those after it that are next in order, if no other thread does. 1, 0
 * when stopped, or what `write` returned, which stops all. */
LM_CHECKED int tok_order_done(tok_order *q, tok_job *job, int (*write)(void *arg, tok_job *job),
                              void *arg);
void tok_order_stop(tok_order *q);

/* Tell the system that n bytes at p are no longer needed. They may then read as zeros. */
void tok_discard(const void *p, size_t n);

/* ---- comparison with SentencePiece (work.c) -------------------------------- */

/* The reference, loaded when the first document is sampled. */
typedef struct tok_check {
    pthread_mutex_t lock;
    const char *model;
    uint64_t every;
    lm_tokenizer *tokenizer;
    lm_encoder *encoder;
    lm_buf ids;
    uint64_t done;
} tok_check;

void tok_check_init(tok_check *c, const lm_tokenize_options *o);
void tok_check_destroy(tok_check *c);

/* ---- the run (tokenize.c) ----------------------------------------------------------- */

typedef struct tok_run {
    const lm_tokenize_options *o;
    char *const *files;  /* of this part */
    size_t count, first; /* how many, and which number in the whole list the first has */
    unsigned width;
    tok_check check;
    tok_order order;

    /* Under `reading`: the position in the input. */
    pthread_mutex_t reading;
    size_t file;         /* being read, or next */
    lm_chunker *chunker; /* on it, or NULL */
    bool ended;

    /* What an earlier run has finished. */
    size_t done_file;    /* of this file ... */
    uint64_t done_lines; /* ... so many lines */
    uint64_t bad_size;   /* bytes of the quarantine file that its records account for */

    /* In the order of the jobs: what is written. */
    lm_store_writer *writer;
    int bad_fd; /* the quarantine file; -1 for none */
    const char *bad_name;
    lm_file_end open; /* counts of the file that is not yet at its end */
    lm_tokenize_sums *sums;
} tok_run;

/* ---- a thread's work (work.c) ---------------------------------------------- */

/* The state of one thread, with its current chunk. */
typedef struct tok_work {
    tok_run *run;
    lm_line_parser *parser;
    lm_encoder *encoder;
    lm_chunk chunk;
    tok_job *job;            /* that the chunk belongs to */
    double reading, working; /* seconds */
} tok_work;

LM_CHECKED int tok_work_open(tok_work *w, tok_run *run);
void tok_work_close(tok_work *w);

/* Process the chunk, up to the first line that fails; the results are in w->job. */
LM_CHECKED int tok_work_lines(tok_work *w);

#endif
