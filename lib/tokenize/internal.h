/* internal.h -- one run of lm_tokenize, divided among the files of this module. */
#ifndef LM_LIB_TOKENIZE_INTERNAL_H
#define LM_LIB_TOKENIZE_INTERNAL_H

#include <pthread.h>

#include "longmix/docs.h"
#include "longmix/store.h"
#include "lib/base/threads.h"
#include "longmix/tokenize.h"

/* ---- order and room (order.c) ---------------------------------------------- */

/* A chunk's way: read, worked on, written. */
typedef struct tok_job {
    size_t file;        /* of the run's files */
    bool at_end;        /* no chunk: the file's end */
    lm_file_end end;    /* its raw_bytes and raw_hash */
    uint64_t raw_bytes; /* of the input, read with this chunk */

    /* What came of it. */
    lm_buf records, bad; /* bad: refused lines, with their LF */
    uint64_t lines, documents, bad_lines, unknown, text_bytes;
    uint64_t first_bad, first_unknown; /* their lines */
    int fault;                         /* what ended it early, 0, and the message */
    char message[1024];

    bool done;    /* all of the above is set */
    size_t large; /* bytes of the chunk, where it is a large one */
} tok_job;

/* Jobs in the order of the input. They are done in any order and written in this one, by whichever
 * thread is done with the next: nobody waits for a slower one while there is room. */
typedef struct tok_order {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    tok_job *ring; /* job number n is in ring[n % size] */
    size_t size;
    uint64_t begun, written; /* numbers of the next */
    size_t large;            /* bytes of large chunks between read and written */
    bool writing, stopped;
} tok_order;

LM_CHECKED int tok_order_open(tok_order *q, int threads);
void tok_order_close(tok_order *q);

/* The next job, empty, once there is room for one more; NULL when stopped. One thread at a time,
 * until it has called tok_order_begin. */
tok_job *tok_order_next(tok_order *q);

/* The job has read a chunk of n bytes, or failed to: wait until there is room to work on it. Those
 * that are waited for are ahead in order and never wait for this one. */
void tok_order_begin(tok_order *q, tok_job *job, size_t n);

/* The job is done: write it and those behind it whose turn has come, if no other thread does. 1, 0
 * when stopped, or what `write` returned, which stops all. */
LM_CHECKED int tok_order_done(tok_order *q, tok_job *job, int (*write)(void *arg, tok_job *job),
                              void *arg);
void tok_order_stop(tok_order *q);

/* Tell the system that n bytes at p are not needed any more. They may read as zeros then. */
void tok_give_back(const void *p, size_t n);

/* ---- comparing with SentencePiece (work.c) -------------------------------- */

/* The reference, loaded when the first document is drawn. */
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

    /* Under `reading`: where it is. */
    pthread_mutex_t reading;
    size_t file;         /* being read, or next */
    lm_chunker *chunker; /* on it, or NULL */
    bool ended;

    /* What an earlier run has done. */
    size_t done_file;    /* of this file ... */
    uint64_t done_lines; /* ... so many lines */
    uint64_t aside_size; /* bytes of `aside` that its records account for */

    /* In the order of the jobs: what is written. */
    lm_store_writer *writer;
    int aside; /* the quarantine's file; -1 without */
    const char *aside_name;
    lm_file_end open; /* counts of the file that is not yet at its end */
    lm_tokenize_sums *sums;
} tok_run;

/* ---- a thread's work (work.c) ---------------------------------------------- */

/* One thread: its tools, and the chunk in its hands. */
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

/* Work on the chunk, up to the first line that fails: w->job says what came of it. */
LM_CHECKED int tok_work_lines(tok_work *w);

#endif
