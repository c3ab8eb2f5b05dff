/* kind.h -- what a kind of tokenizer implements behind longmix/tokenizer.h, and what all kinds
 * share. Each kind has a folder, which reads the kind's files; lib/tokenizer/bpe has the encoders. */
#ifndef LM_LIB_TOKENIZER_KIND_H
#define LM_LIB_TOKENIZER_KIND_H

#include "lib/tokenizer/unicode/unicode.h"
#include "longmix/tokenizer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A file of a tokenizer, read whole. */
typedef struct lm_tokenizer_file {
    const char *path; /* for messages */
    const unsigned char *data;
    size_t size;
} lm_tokenizer_file;

/* Append a regular file to a buffer, whose bound is that of the file. 0, LM_EIO or LM_ENOMEM. */
LM_CHECKED int lm_tokenizer_read(lm_buf *data, const char *path);

/* The functions of a kind. `impl` is the tokenizer's, `encoder` one thread's. */
typedef struct lm_kind {
    void (*free)(void *impl); /* NULL is allowed */
    int (*encoder_new)(void **encoder, const lm_tokenizer *t);
    void (*encoder_free)(void *encoder);              /* NULL is allowed */
    size_t (*bound)(const lm_tokenizer *t, size_t n); /* as lm_encode_bound */
    /* Append the ids of a text without added tokens in it. `first`: it begins a document, or comes
     * after an added token. 0 with `out` extended; or LM_ENOMEM, LM_EDATA with `out` as it was. */
    int (*encode)(void *encoder, const unsigned char *text, size_t n, bool first, lm_buf *out);
    /* How much of a text, which begins where the last slice ended, may be encoded apart from the
     * rest: about a megabyte, or n. */
    size_t (*slice)(void *encoder, const unsigned char *text, size_t n);
    int (*decode)(const lm_tokenizer *t, const void *ids, size_t count, lm_buf *out);
    int (*bytes)(const lm_tokenizer *t, uint32_t id, lm_buf *out); /* id is in the vocabulary */
    const char *(*piece)(const lm_tokenizer *t, uint32_t id);      /* the same */
    /* As `encode` for a text after an added token, where that is not encoded like one that begins a
     * document; NULL: it is. */
    int (*encode_after)(void *encoder, const unsigned char *text, size_t n, lm_buf *out);
} lm_kind;

/* A token that is found in the text before anything else is done with it: a special one, or a word
 * added to the vocabulary. */
typedef struct lm_added {
    char *text; /* owned, by malloc */
    size_t size;
    uint32_t id;
    bool special;        /* found only by an encoder that parses special tokens */
    bool lstrip, rstrip; /* takes the white space before, after it */
    bool single_word;    /* not next to letters, digits or underscores */
    bool normalized;     /* found in the normalized text, not in the text as it is */
} lm_added;

/* The tokens by id and, in two sets, by text. */
typedef struct lm_added_set {
    const lm_added **by_text; /* [count]; owned */
    size_t count;
    uint32_t from[257];       /* those that begin with byte b are from[b] to from[b + 1] */
    unsigned char only_first; /* the first byte of all of them, where `one_first` */
    bool one_first;
    size_t always; /* how many are not special */
} lm_added_set;

typedef struct lm_added_index {
    const lm_added **by_id; /* [added_count]; owned */
    lm_added_set raw, normalized;
} lm_added_index;

/* Filled by the function that opens a kind, but for what lm_tokenizer_open sets before. */
struct lm_tokenizer {
    const lm_kind *kind;
    void *impl;
    char *path, *pattern;  /* as given to lm_tokenizer_open, set by it; `pattern` may be NULL */
    unsigned flags;        /* the same */
    uint64_t hash;         /* XXH3-64 of the file, set by it; a kind adds what is not in the file */
    uint32_t vocab;        /* every id is below it */
    unsigned width;        /* set by lm_tokenizer_open, afterwards */
    int64_t bos, eos, unk; /* -1: none */
    char format[80];       /* what was found, for messages: "a SentencePiece model (BPE)" */
    char why_slow[160];    /* "": the fast path is in use */
    const char *scanner;   /* as lm_tokenizer_pattern; static */
    lm_added *added;       /* owned */
    size_t added_count, added_cap;
    enum lm_nfc nfc;      /* `normalized` tokens are found in this form C of the text */
    lm_added_index index; /* of them, set by lm_tokenizer_open */
};

/* The members of a JSON object, for recognition: found by quotes and brackets alone. */
typedef struct lm_json_member_at {
    const char *key; /* as it is written, without quotes; not NUL-ended */
    size_t key_size;
    char first; /* the first character of the value */
    size_t end; /* of the value; 0 before the first member */
} lm_json_member_at;

/* Go to the next member; false at the end, and where the file is no object. */
bool lm_json_next_member(const lm_tokenizer_file *f, lm_json_member_at *m);

/* Has the object a member `key` whose value begins with `first`? */
bool lm_json_has(const lm_tokenizer_file *f, const char *key, char first);

/* Is it a file of this kind, by its contents? */
bool lm_tiktoken_is(const lm_tokenizer_file *f);
bool lm_tekken_is(const lm_tokenizer_file *f);
bool lm_huggingface_is(const lm_tokenizer_file *f);

/* Open a file of a kind: fill *t. 0, LM_ENOMEM, or LM_EDATA with file and field. On an error
 * lm_tokenizer_free releases what *t holds. The file's bytes are gone afterwards. */
LM_CHECKED int lm_sentencepiece_open(lm_tokenizer *t, const lm_tokenizer_file *f);
LM_CHECKED int lm_tiktoken_open(lm_tokenizer *t, const lm_tokenizer_file *f);
LM_CHECKED int lm_tekken_open(lm_tokenizer *t, const lm_tokenizer_file *f);
LM_CHECKED int lm_huggingface_open(lm_tokenizer *t, const lm_tokenizer_file *f);

/* Add a token of `size` > 0 bytes of text, which is copied. 0 or LM_ENOMEM. */
LM_CHECKED int lm_added_put(lm_tokenizer *t, const lm_added *token);

/* The added token of an id, NULL where it is none. Once the tokenizer is open. */
const lm_added *lm_added_of(const lm_tokenizer *t, uint32_t id);

#ifdef __cplusplus
}
#endif
#endif
