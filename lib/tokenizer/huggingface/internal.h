/* internal.h -- private to lib/tokenizer/huggingface.
 *
 *   parse.cc   tokenizer.json to lm_hf: all that is understood; the rest is refused
 *   vocab.c    names to ids, merges to pairs of ids
 *   kind.c     opens a file: chooses the encoder
 *   bytes.c    byte-level vocabularies, for lib/tokenizer/bpe/byte_level.h
 *   chars.c    vocabularies of characters: the words of lib/tokenizer/bpe where the merges prove them
 *              exact, else general.c
 *   general.c  the exact encoder for any vocabulary of characters, and the reference for the other */
#ifndef LM_LIB_TOKENIZER_HUGGINGFACE_INTERNAL_H
#define LM_LIB_TOKENIZER_HUGGINGFACE_INTERNAL_H

#include "lib/tokenizer/kind.h"
#include "lib/tokenizer/pattern/pattern.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    LM_HF_STEPS = 16,      /* of a normalizer, pre-tokenizer or decoder */
    LM_HF_VOCAB = 1 << 21, /* ids */
    LM_HF_MERGES = 1 << 23,
    LM_HF_DEPTH = 4, /* of a Sequence in a Sequence */
};

#define LM_HF_STEPS_FIELD "pre_tokenizer"

/* ---- parse.cc ------------------------------------------------------------------------------ */

typedef struct lm_hf_piece {
    lm_string text;
    uint32_t id;
} lm_hf_piece;

typedef struct lm_hf_merge {
    lm_string left, right;
} lm_hf_merge;

enum lm_hf_change_kind { LM_HF_PREPEND, LM_HF_REPLACE, LM_HF_NFC };

/* A step of the normalizer. */
typedef struct lm_hf_change {
    enum lm_hf_change_kind kind;
    lm_string from, to; /* from: not empty; of LM_HF_REPLACE */
} lm_hf_change;

enum lm_hf_prefix { LM_HF_ALWAYS, LM_HF_FIRST, LM_HF_NEVER };

/* Metaspace: spaces become U+2581, with one before the text where it begins with none. */
typedef struct lm_hf_metaspace {
    bool used, split; /* split: before each U+2581 */
    enum lm_hf_prefix prefix;
} lm_hf_metaspace;

/* How pieces become text again. */
typedef struct lm_hf_decoder {
    bool spaces;           /* U+2581 becomes a space */
    bool bytes;            /* "<0x0A>" becomes its byte */
    bool drop_first_marks; /* but in the first piece U+2581 becomes nothing */
    uint32_t strip;        /* spaces that are removed at the front of the text */
} lm_hf_decoder;

/* A tokenizer.json. Strings are in `json`, each with a zero byte behind it, and have none inside. */
typedef struct lm_hf {
    const char *path;
    struct lm_hf_json *json;
    lm_hf_piece *pieces;
    size_t piece_count;
    lm_hf_merge *merges;
    size_t merge_count;
    lm_added *added; /* text: in `json` */
    size_t added_count;
    lm_string unk, bos, eos; /* s == NULL: none */
    bool fuse_unk, byte_fallback, ignore_merges;
    lm_hf_change changes[LM_HF_STEPS];
    size_t change_count;
    bool byte_level, prefix_space; /* the pre-tokenizer ends with ByteLevel; its add_prefix_space */
    lm_hf_metaspace metaspace;     /* before the steps */
    lm_step steps[LM_HF_STEPS + 1];
    size_t step_count;
    bool gpt2; /* a last step, which is not among them: GPT-2's pattern */
    lm_hf_decoder decoder;
} lm_hf;

/* Read it. 0; LM_ENOMEM; LM_EDATA with file and field. lm_hf_free after all of them. */
LM_CHECKED int lm_hf_parse(lm_hf *h, const lm_tokenizer_file *f);
void lm_hf_free(lm_hf *h);

/* Read bos_token, add_bos_token and eos_token, where they are given, of a tokenizer_config.json; its
 * strings are added to h->json. */
LM_CHECKED int lm_hf_parse_config(lm_hf *h, const lm_tokenizer_file *f);

/* ---- vocab.c ------------------------------------------------------------------------------- */

typedef struct lm_hf_pair {
    uint32_t left, right, merged; /* ids */
} lm_hf_pair;

typedef struct lm_hf_vocab {
    lm_string *names; /* [count], by id: of the model, and of added tokens */
    bool *in_model;   /* [count]: the model's vocabulary has it */
    uint32_t count;
    uint32_t *slots; /* by name: id + 1 */
    size_t mask;
    lm_hf_pair *pairs; /* in order of rank */
    size_t pair_count;
    char *text; /* NULL: the names are those of the lm_hf */
} lm_hf_vocab;

LM_CHECKED int lm_hf_vocab_new(lm_hf_vocab *v, const lm_hf *h);
void lm_hf_vocab_free(lm_hf_vocab *v);

/* Copy the names, so that it outlives the lm_hf. 0 or LM_ENOMEM. */
LM_CHECKED int lm_hf_vocab_keep(lm_hf_vocab *v);

#define LM_HF_NONE UINT32_MAX
/* The id of a piece of the model, or LM_HF_NONE. */
uint32_t lm_hf_find(const lm_hf_vocab *v, const char *s, size_t n);

/* The same for the piece of a byte. */
uint32_t lm_hf_find_byte(const lm_hf_vocab *v, unsigned byte);

/* Ranks by pairs. */
typedef struct lm_hf_ranks {
    const lm_hf_pair *pairs;
    uint32_t *slots; /* rank + 1 */
    size_t mask;
} lm_hf_ranks;

LM_CHECKED int lm_hf_ranks_new(lm_hf_ranks *r, const lm_hf_vocab *v);
void lm_hf_ranks_free(lm_hf_ranks *r);
uint32_t lm_hf_rank(const lm_hf_ranks *r, uint32_t left, uint32_t right); /* or LM_HF_NONE */

/* ---- bytes.c, chars.c ---------------------------------------------------------------------- */

/* Set kind, impl, format, why_slow and vocab of *t. The second one takes over what is in *v, also
 * where it fails. */
LM_CHECKED int lm_hf_open_bytes(lm_tokenizer *t, const lm_hf *h, const lm_hf_vocab *v);
LM_CHECKED int lm_hf_open_chars(lm_tokenizer *t, const lm_hf *h, lm_hf_vocab *v);

/* ---- general.c ----------------------------------------------------------------------------- */

/* Where a text lies. */
enum lm_hf_place { LM_HF_INSIDE, LM_HF_BEGIN, LM_HF_AFTER_TOKEN };

/* An encoder of characters: immutable, shared by threads. It borrows *v. */
typedef struct lm_hf_general lm_hf_general;
LM_CHECKED int lm_hf_general_new(lm_hf_general **out, const lm_hf *h, const lm_hf_vocab *v);
void lm_hf_general_free(lm_hf_general *g); /* NULL is allowed */

typedef struct lm_hf_scratch lm_hf_scratch; /* one thread's */
LM_CHECKED int lm_hf_scratch_new(lm_hf_scratch **out, const lm_hf_general *g, unsigned width);
void lm_hf_scratch_free(lm_hf_scratch *s); /* NULL is allowed */

/* Append the ids of a text. 0; LM_ENOMEM; LM_EDATA. */
LM_CHECKED int lm_hf_general_encode(lm_hf_scratch *s, const unsigned char *text, size_t n,
                                    enum lm_hf_place place, lm_buf *out);

/* The most ids that n bytes can become. */
size_t lm_hf_general_bound(const lm_hf_general *g, size_t n);

#ifdef __cplusplus
}
#endif
#endif
