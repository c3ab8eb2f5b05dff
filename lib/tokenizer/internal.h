/* internal.h -- the parts of the tokenizer. docs/tokenizer.md says why it is exact.
 *
 *   tokenizer.c        open, close, decode, and which of the two encoders is used
 *   sentencepiece.cc   SentencePiece behind a C interface: the reference and the slow path
 *   model.c  the model file as pieces and settings
 *   proof.c  what the vocabulary proves: where to cut, which merges can happen
 *   scan.c   text to cut positions; avx2.c the same with SIMD
 *   bpe.c    the merges of one segment
 *   words.c  the table of words seen, and the loop over a text */
#ifndef LM_LIB_TOKENIZER_INTERNAL_H
#define LM_LIB_TOKENIZER_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/text.h"
#include "longmix/buf.h"
#include "longmix/err.h"
#include "longmix/tokenizer.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LM_NO_RANK UINT32_MAX
#define LM_NO_SYM UINT32_MAX
#define LM_SHORT 16  /* bytes of a word that fits a slot; symbols that merge in registers */
#define LM_MEDIUM 64 /* symbols of which the best merge is found by linear search */

/* ---- sentencepiece.cc: 0 or an LM_E* with a message; no exception escapes --------- */

typedef struct lm_spm lm_spm;
int lm_spm_open(lm_spm **out, const void *model, size_t size, const char *path);
void lm_spm_free(lm_spm *s);
uint32_t lm_spm_vocab(const lm_spm *s);
int64_t lm_spm_bos(const lm_spm *s);
int64_t lm_spm_eos(const lm_spm *s);
int64_t lm_spm_unk(const lm_spm *s);
bool lm_spm_is_special(const lm_spm *s, uint32_t id); /* control, or unknown */
const char *lm_spm_piece(const lm_spm *s, uint32_t id);
/* Append the ids, `width` bytes each. */
int lm_spm_encode(const lm_spm *s, const char *text, size_t n, unsigned width, lm_buf *out);
int lm_spm_decode(const lm_spm *s, const void *ids, size_t count, unsigned width, lm_buf *out);

/* ---- model.c -------------------------------------------------------------- */

/* Numbers of the file format. */
enum lm_piece_type { LM_NORMAL = 1, LM_UNKNOWN = 2, LM_CONTROL = 3, LM_BYTE = 6 };

typedef struct lm_piece {
    const char *text; /* into the model's bytes */
    size_t size;
    float score;
    uint32_t type;
} lm_piece;

typedef struct lm_model {
    lm_piece *pieces;
    size_t count, cap;
    uint64_t model_type; /* 2 is BPE */
    size_t charsmap_size;
    bool byte_fallback, space_as_suffix, dummy_prefix, squeeze_spaces, escape_spaces;
} lm_model;

/* Read what decides how the model encodes. 1; 0 with `why` set where the file holds what this
 * reader does not know (SentencePiece may); or LM_ENOMEM. Borrows `data`. */
int lm_model_read(lm_model *m, const unsigned char *data, size_t size, char *why, size_t why_size);
void lm_model_free(lm_model *m);

/* ---- proof.c -------------------------------------------------------------- */

#define LM_SPACE_MARK 0x2581 /* SentencePiece's replacement for a space */

/* The six classes of bytes. Which may be adjacent inside a piece is read from the
 * vocabulary; between the others the text is cut. */
enum lm_byte_class {
    LM_SPACE,
    LM_LETTER, /* A-Z a-z */
    LM_DIGIT,
    LM_OTHER, /* the control characters, but for the two below */
    LM_HIGH,  /* a byte of a character past ASCII */
    LM_PUNCT, /* the rest of ASCII, with CR (pieces join it to punctuation), 0x1D and DEL */
    LM_CLASSES,
};
extern const uint8_t lm_byte_classes[256];

/* A text, U+2581 as a space, that encodes to the one id. */
typedef struct lm_known {
    unsigned char text[LM_SHORT];
    uint32_t id, size;
} lm_known;

/* A BPE vocabulary that the fast path may use. A symbol is the id of a piece. */
typedef struct lm_vocab {
    bool join[LM_CLASSES][LM_CLASSES]; /* false: no merge crosses this boundary */
    bool runs_last; /* runs of spaces merge after all else: cut before a run's last space */
    bool cut_f;     /* join is that of the LLaMA vocabularies, which has its own code */
    bool dummy_prefix;
    bool narrow;      /* symbols and ranks fit 16 bits */
    uint32_t space;   /* the piece U+2581 */
    uint32_t longest; /* characters of the longest piece */
    uint32_t byte_ids[256];
    uint32_t ascii_ids[128];    /* the id of a lone character: a piece or its byte */
    uint32_t *ascii_merges;     /* [128 * 128], narrow only: rank << 16 | symbol */
    uint16_t char_page[0x1100]; /* code point >> 8 -> page of `chars`; page 0 is empty */
    uint32_t *chars;            /* symbol, or LM_NO_SYM */
    uint64_t *merges;           /* see lm_merge_find */
    uint64_t merge_hash[2];     /* odd multipliers */
    unsigned merge_shift;
    uint32_t *ranks;        /* by symbol, for models that are not narrow */
    uint64_t *neighbours;   /* a set of pairs of characters that occur in a piece: a Bloom filter */
    struct lm_known *known; /* short texts that are one id */
    size_t known_count;
    size_t count;
} lm_vocab;

/* Build it. 1; 0 with `why` set where the vocabulary does not prove what the fast path needs;
 * or LM_ENOMEM. */
int lm_vocab_prove(lm_vocab *v, const lm_model *m, char *why, size_t why_size);
void lm_vocab_free(lm_vocab *v);

/* The vocabulary where the fast path is in use; NULL where not. (tokenizer.c) */
const lm_vocab *lm_tokenizer_proven(const lm_tokenizer *t);

#define LM_NEIGHBOUR_BITS 18
static inline size_t lm_neighbour_bit(uint32_t a, uint32_t b)
{
    return (size_t)(((uint64_t)a << 21 | b) * UINT64_C(0x9e3779b97f4a7c15) >>
                    (64 - LM_NEIGHBOUR_BITS));
}

/* May the characters a and b be adjacent in a piece? True may be wrong, false is not. */
static inline bool lm_may_join(const lm_vocab *v, uint32_t a, uint32_t b)
{
    size_t bit = lm_neighbour_bit(a, b);
    return v->neighbours[bit >> 6] >> (bit & 63) & 1;
}

static inline uint32_t lm_char_sym(const lm_vocab *v, uint32_t c)
{
    return v->chars[(uint32_t)v->char_page[c >> 8] << 8 | (c & 255)];
}

/* A slot of `merges` is, from its top: narrow, left 16, right 16, rank 16, symbol 16 bits;
 * else left 21, right 21, symbol 21. All ones is an empty slot. A pair is in one of two places,
 * so that a search takes the same steps whatever it finds. */
#define LM_EMPTY_MERGE UINT64_MAX
#define LM_WIDE_BITS 21

typedef struct lm_merge {
    uint32_t rank, sym; /* LM_NO_RANK: the two do not merge */
} lm_merge;

static inline uint64_t *lm_merge_slot(const lm_vocab *v, uint64_t key, int place)
{
    return &v->merges[key * v->merge_hash[place] >> v->merge_shift];
}

/* The slot of a pair; all ones where the two do not merge. */
static inline uint64_t lm_merge_slot_of(const lm_vocab *v, uint64_t key, unsigned low)
{
    uint64_t a = *lm_merge_slot(v, key, 0), b = *lm_merge_slot(v, key, 1), slot = LM_EMPTY_MERGE;
    slot = a >> low == key ? a : slot;
    return b >> low == key ? b : slot;
}

/* Narrow only: rank << 16 | symbol, or all ones. */
static inline uint32_t lm_merge_find16(const lm_vocab *v, uint32_t left, uint32_t right)
{
    return (uint32_t)lm_merge_slot_of(v, left << 16 | right, 32);
}

static inline lm_merge lm_merge_find(const lm_vocab *v, uint32_t left, uint32_t right)
{
    if (v->narrow) {
        uint32_t m = lm_merge_find16(v, left, right);
        return m == UINT32_MAX ? (lm_merge){ LM_NO_RANK, 0 } : (lm_merge){ m >> 16, m & 0xffff };
    }
    uint64_t slot = lm_merge_slot_of(v, (uint64_t)left << LM_WIDE_BITS | right, LM_WIDE_BITS);
    if (slot == LM_EMPTY_MERGE) return (lm_merge){ LM_NO_RANK, 0 };
    uint32_t sym = (uint32_t)slot & ((1U << LM_WIDE_BITS) - 1);
    return (lm_merge){ v->ranks[sym], sym };
}

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

/* ---- bpe.c ---------------------------------------------------------------- */

typedef struct lm_bpe lm_bpe; /* scratch of one thread */
struct lm_bpe {
    const lm_vocab *v;
    bool simd;
    unsigned width;
    int rc;         /* why lm_bpe_encode returned NULL: LM_ENOMEM, or LM_UNCLEAN */
    uint32_t *syms; /* symbols of the current part */
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

/* The text is not valid UTF-8 or has a literal U+2581: not an error, see lm_clean. */
#define LM_UNCLEAN 1

void lm_bpe_init(lm_bpe *b, const lm_vocab *v, unsigned width, bool simd, size_t stream_from);
void lm_bpe_free(lm_bpe *b);
/* Free large scratch memory. */
void lm_bpe_trim(lm_bpe *b);

/* Write the ids of n > 0 bytes at p, a segment between cuts, of which LM_SHORT can be read, and
 * return the end, at most n ids on; or NULL with b->rc set. */
unsigned char *lm_bpe_encode(lm_bpe *b, const unsigned char *p, size_t n, unsigned char *out);
/* The same with a space before them. */
unsigned char *lm_bpe_encode_after_space(lm_bpe *b, const unsigned char *p, size_t n,
                                         unsigned char *out);
/* The same for n spaces. */
unsigned char *lm_bpe_spaces(lm_bpe *b, size_t n, unsigned char *out);

/* Both narrow only. The ids of 2 to LM_MEDIUM symbols, */
unsigned char *lm_bpe_medium_avx2(const lm_vocab *v, const uint32_t *syms, size_t n,
                                  unsigned char *out);
/* and of 1 to LM_SHORT bytes, of which LM_SHORT can be read; NULL if not all are ASCII. 8 bytes
 * past the ids may be written. */
unsigned char *lm_bpe_ascii_avx2(const lm_vocab *v, const unsigned char *p, size_t n,
                                 unsigned char *out);

static inline unsigned char *lm_put_id(unsigned char *out, uint32_t id, unsigned width)
{
    if (width == 2) {
        uint16_t v = (uint16_t)id;
        memcpy(out, &v, 2);
        return out + 2;
    }
    memcpy(out, &id, 4);
    return out + 4;
}

static inline uint32_t lm_get_id(const unsigned char *p, unsigned width)
{
    uint16_t v;
    uint32_t id;
    if (width == 4) return memcpy(&id, p, 4), id;
    return memcpy(&v, p, 2), v;
}

/* ---- stream.c ------------------------------------------------------------- */

/* One part after the other, symbol by symbol; ids are written to *out as soon as they are settled,
 * at most one per symbol. NULL and false: no memory. A part need not be ended. */
typedef struct lm_bpe_stream lm_bpe_stream;
lm_bpe_stream *lm_bpe_stream_new(const lm_vocab *v, unsigned width);
void lm_bpe_stream_begin(lm_bpe_stream *s);
bool lm_bpe_stream_add(lm_bpe_stream *s, uint32_t sym, unsigned char **out);
void lm_bpe_stream_end(lm_bpe_stream *s, unsigned char **out);
void lm_bpe_stream_free(lm_bpe_stream *s); /* NULL is allowed */

/* ---- words.c -------------------------------------------------------------- */

typedef struct lm_words lm_words;
int lm_words_new(lm_words **out, const lm_vocab *v, unsigned width, unsigned flags);
void lm_words_free(lm_words *w);

/* Append the ids of a text, with the dummy prefix where `first` and the model has it. */
int lm_words_encode(lm_words *w, const unsigned char *text, size_t n, bool first, lm_buf *out);

/* What lm_words_encode writes for n bytes fits this. */
static inline size_t lm_words_bound(size_t n, unsigned width) { return (n + 1) * width + 64; }

#ifdef __cplusplus
}
#endif
#endif
