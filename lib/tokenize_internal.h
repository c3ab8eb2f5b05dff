/* tokenize_internal.h -- one run of lm_tokenize, divided among the files of this module. */
#ifndef LM_TOKENIZE_INTERNAL_H
#define LM_TOKENIZE_INTERNAL_H

#include <pthread.h>

#include "longmix/docs.h"
#include "longmix/store.h"
#include "longmix/threads.h"
#include "longmix/tokenize.h"

/* ---- bounded memory (tokenize_room.c) ----------------------------------------------- */

/* How many bytes of large chunks are in work at the same time. */
typedef struct tok_room {
    pthread_mutex_t lock;
    pthread_cond_t freed;
    size_t used;
} tok_room;

void tok_room_init(tok_room *m);
void tok_room_destroy(tok_room *m);

/* Wait until one more chunk may be read at all. */
void tok_room_before(tok_room *m);

/* Wait until a chunk of n bytes that was read may be worked on, and count it: what is to be
 * given to tok_room_leave later (0 for small ones). Only one thread may be in here or in
 * tok_room_before at a time, and it must be the one whose work comes last in order: those it
 * waits for never wait for it. */
size_t tok_room_take(tok_room *m, size_t n);
void tok_room_leave(tok_room *m, size_t taken);

/* Tell the system that n bytes at p are not needed any more. They may read as zeros then. */
void tok_give_back(const void *p, size_t n);

/* ---- comparing with SentencePiece (tokenize_check.c) -------------------------------- */

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

/* Is a document with this key and text size drawn? */
bool tok_check_drawn(const tok_check *c, uint64_t key, size_t size);

/* Compare `n` bytes of ids with the reference's. LM_EDATA with a reason where they differ. */
LM_CHECKED int tok_check_document(tok_check *c, const lm_line *doc, const void *ids, size_t n);

/* ---- the run (tokenize.c) ----------------------------------------------------------- */

typedef struct tok_run {
    const lm_tokenize_options *o;
    char *const *files;    /* of this part */
    size_t count, first;   /* how many, and which number in the whole list the first has */
    unsigned width;
    tok_room room;
    tok_check check;
    lm_turns *turns;

    /* Under the lock of `turns`: where reading is. */
    size_t file;           /* being read, or next */
    lm_chunker *chunker;   /* on it, or NULL */
    bool ended;

    /* What an earlier run has done. */
    size_t done_file;      /* of this file ... */
    uint64_t done_lines;   /* ... so many lines */
    uint64_t aside_size;   /* bytes of `aside` that its records account for */

    /* In the order of the tickets: what is written. */
    lm_store_writer *writer;
    int aside;             /* the quarantine's file; -1 without */
    const char *aside_name;
    lm_file_end open;      /* counts of the file that is not yet at its end */
    lm_tokenize_sums *sums;
} tok_run;

/* ---- a thread's work (tokenize_work.c) ---------------------------------------------- */

/* One thread: its tools, and the chunk in its hands. */
typedef struct tok_work {
    tok_run *run;
    lm_line_parser *parser;
    lm_encoder *encoder;
    lm_chunk chunk;
    size_t taken;          /* of run->room */
    size_t file;           /* of run->files */
    bool at_end;           /* no chunk: the file's end */
    lm_file_end end;       /* its raw_bytes and raw_hash */
    uint64_t raw_bytes;    /* of the input, read with this chunk */

    /* What came of it. */
    lm_buf records, bad;   /* bad: refused lines, with their LF */
    uint64_t lines, documents, bad_lines, unknown, text_bytes;
    uint64_t first_bad, first_unknown; /* their lines */
    double reading, working, waiting, writing;
} tok_work;

LM_CHECKED int tok_work_open(tok_work *w, tok_run *run);
void tok_work_close(tok_work *w);

/* Fill w->records from w->chunk, up to the first line that fails. */
LM_CHECKED int tok_work_lines(tok_work *w);

/* Forget the chunk and what came of it. */
void tok_work_clear(tok_work *w);

#endif
