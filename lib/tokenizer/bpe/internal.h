/* internal.h -- private to lib/tokenizer/bpe.
 *
 *   proof.c  what the vocabulary proves: where to cut, which merges can happen
 *   scan.c   text to cut positions; avx2.c the same with SIMD
 *   merge.c  the merges of one part; stream.c those of a very long one
 *   bpe.c    a segment of characters to parts
 *   words.c  the table of words seen, and the loop over a text */
#ifndef LM_LIB_TOKENIZER_BPE_INTERNAL_H
#define LM_LIB_TOKENIZER_BPE_INTERNAL_H

#include "lib/tokenizer/bpe/words.h"
#include "lib/tokenizer/ids.h"

/* ---- scan.c, avx2.c --------------------------------------------- */

/* Cut positions of `blocks` times 64 bytes from `pos` on, written to `cuts` (room for 64 a block
 * and 16 more); returns their number. `prev` is the class of the byte before `pos`, or
 * LM_CLASSES at the start of a text; it is moved on. One byte past the last block is read.
 * *flags gains LM_SAW_FF for a byte 0xFF (no UTF-8 has it) and LM_SAW_RUN where a cut was made
 * before the last space of a run. */
enum { LM_SAW_FF = 1, LM_SAW_RUN = 2 };
typedef size_t lm_scan(const lm_vocab *v, const unsigned char *text, size_t pos, size_t blocks,
                       uint8_t *prev, unsigned *flags, uint32_t *cuts);
lm_scan lm_scan_scalar, lm_scan_avx2;
bool lm_avx2(void); /* the machine has what lm_scan_avx2 and lm_bpe_*_avx2 need */

/* Choose how to cut, from what may join. */
void lm_scan_prepare(lm_vocab *v);

/* Is there a cut before byte i, 0 < i < n? */
bool lm_cut_at(const lm_vocab *v, const unsigned char *text, size_t i, size_t n);

/* ---- merge.c: the merges of one part --------------------------------------- */

typedef struct lm_merger lm_merger; /* scratch of one thread */
struct lm_merger {
    const lm_pairs *pairs;
    const uint32_t *ids; /* by symbol; NULL: symbols are ids */
    uint32_t longest;    /* characters of the longest piece */
    bool simd;           /* pairs are narrow, or symbols their own ranks */
    unsigned width;      /* bytes of an id */
    int rc;              /* why a function returned false or NULL: LM_ENOMEM */
    uint32_t *syms;      /* symbols of the current part */
    size_t syms_cap;
    struct lm_bpe_node *nodes;
    size_t nodes_cap;
    uint64_t *heap;
    size_t heap_cap, heap_size;
    struct lm_bpe_stream
        *stream; /* for parts of over stream_from symbols: slower, but in memory that
                               * does not grow */
    size_t stream_from;
};

void lm_merger_free(lm_merger *m); /* it can be used again */
void lm_merger_trim(lm_merger *m); /* free large scratch memory */

/* Add a symbol to the part, which has n; ids may be written to *out. */
bool lm_merger_add(lm_merger *m, size_t n, uint32_t sym, unsigned char **out);
/* Merge and write the n symbols of the part: not more ids than symbols. */
bool lm_merger_flush(lm_merger *m, size_t n, unsigned char **out);

static inline unsigned char *lm_merger_put(const lm_merger *m, uint32_t sym, unsigned char *out)
{
    return lm_put_id(out, m->ids ? m->ids[sym] : sym, m->width);
}

/* The ids of 2 to LM_MEDIUM symbols; 8 bytes past them may be written. */
unsigned char *lm_merge_narrow_avx2(const lm_merger *m, const uint32_t *syms, size_t n,
                                    unsigned char *out);
unsigned char *lm_merge_wide_avx2(const lm_merger *m, const uint32_t *syms, size_t n,
                                  unsigned char *out);

/* ---- bpe.c: the merges of one segment of characters ------------------------ */

/* In lm_merger.rc: the text is not valid UTF-8 or has a literal U+2581. Not an error. */
#define LM_UNCLEAN 1

typedef struct lm_bpe {
    const lm_vocab *v;
    lm_merger m;
} lm_bpe;

void lm_bpe_init(lm_bpe *b, const lm_vocab *v, unsigned width, bool simd, size_t stream_from);
/* Write the ids of n > 0 bytes at p, a segment between cuts, of which LM_SHORT can be read, and
 * return the end, at most n ids on; or NULL with b->m.rc set. */
unsigned char *lm_bpe_encode(lm_bpe *b, const unsigned char *p, size_t n, unsigned char *out);
/* The same with a space before them. */
unsigned char *lm_bpe_encode_after_space(lm_bpe *b, const unsigned char *p, size_t n,
                                         unsigned char *out);
/* The same for n spaces. */
unsigned char *lm_bpe_spaces(lm_bpe *b, size_t n, unsigned char *out);

/* Narrow only: the ids of 1 to LM_SHORT bytes, of which LM_SHORT can be read; NULL if not all are
 * ASCII. 8 bytes past the ids may be written. */
unsigned char *lm_bpe_ascii_avx2(const lm_vocab *v, const unsigned char *p, size_t n,
                                 unsigned char *out);

/* ---- stream.c ------------------------------------------------------------- */

/* One part after the other, symbol by symbol; ids are written to *out as soon as they are settled,
 * at most one per symbol. NULL and false: no memory. A part need not be ended. */
typedef struct lm_bpe_stream lm_bpe_stream;
lm_bpe_stream *lm_bpe_stream_new(const lm_merger *m);
void lm_bpe_stream_begin(lm_bpe_stream *s);
bool lm_bpe_stream_add(lm_bpe_stream *s, uint32_t sym, unsigned char **out);
void lm_bpe_stream_end(lm_bpe_stream *s, unsigned char **out);
void lm_bpe_stream_free(lm_bpe_stream *s); /* NULL is allowed */

#endif
