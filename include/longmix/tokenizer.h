/* tokenizer.h -- text to ids, the ids that the library of the tokenizer's family gives for the whole
 * text: SentencePiece's Encode, Hugging Face's tokenizers, tiktoken. How it works, and what is
 * supported: docs/tokenizer.md. */
#ifndef LONGMIX_TOKENIZER_H
#define LONGMIX_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "longmix/buf.h"
#include "longmix/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A loaded tokenizer: immutable, shared by threads. */
typedef struct lm_tokenizer lm_tokenizer;

enum lm_tokenizer_flags {
    LM_TOKENIZER_REFERENCE = 1, /* never the fast path: SentencePiece itself; for other kinds, parts
                                 * by PCRE2 and merges without a table of words */
    LM_TOKENIZER_SCALAR = 2,    /* the fast path without SIMD: for tests */
    LM_TOKENIZER_SMALL = 4,     /* tiny word tables, evicted often: for tests */
};

/* Load a tokenizer: a SentencePiece .model, a tokenizer.json, a tiktoken rank file, a tekken.json,
 * or a directory that holds one of them. The kind is recognized by the contents. `pattern`: for a
 * rank file, how it splits text (gpt2, llama3, qwen2, o200k, deepseek, or a regular expression); NULL
 * for the files that are known, and for all other kinds. 0; LM_EIO; LM_EDATA for another file, or one
 * that asks for what is not supported (the message names it); LM_EUSAGE for a pattern that is missing,
 * or given where the file has its own. */
LM_CHECKED int lm_tokenizer_open(lm_tokenizer **out, const char *path, const char *pattern,
                                 unsigned flags);

/* The same file again, with other flags. */
LM_CHECKED int lm_tokenizer_open_again(lm_tokenizer **out, const lm_tokenizer *t, unsigned flags);
void lm_tokenizer_free(lm_tokenizer *t); /* NULL is allowed; after all its encoders */

uint32_t lm_tokenizer_vocab(const lm_tokenizer *t); /* number of ids, added tokens included */
unsigned lm_tokenizer_width(
    const lm_tokenizer *t);                      /* bytes per id: 2 when vocab <= 65536, else 4 */
int64_t lm_tokenizer_bos(const lm_tokenizer *t); /* -1 where the tokenizer has none */
int64_t lm_tokenizer_eos(const lm_tokenizer *t);
int64_t lm_tokenizer_unk(const lm_tokenizer *t); /* the id of what has no piece, or -1 */

/* XXH3-64 of the file, and of the pattern where that is not in the file. */
uint64_t lm_tokenizer_hash(const lm_tokenizer *t);

/* What was found, for messages: "a SentencePiece model (BPE)". */
const char *lm_tokenizer_format(const lm_tokenizer *t);

/* How text is split before it is merged, where that has a name: "gpt2", "digits+gpt2", "cl100k", "llama3",
 * "qwen2", "qwen3.5", "o200k", "tekken", "deepseek". NULL where nothing is split, or by another
 * expression (then there is a slow reason). */
const char *lm_tokenizer_pattern(const lm_tokenizer *t);

/* The file that was read: in a directory, the one that was chosen. */
const char *lm_tokenizer_path(const lm_tokenizer *t);

/* NULL when the fast path is in use; else the first reason why not ("piece 4711 \"a▁b\" has a
 * space inside"). */
const char *lm_tokenizer_slow_reason(const lm_tokenizer *t);

/* One thread's word table and scratch memory (9 to 24 MB). */
typedef struct lm_encoder lm_encoder;
LM_CHECKED int lm_encoder_new(lm_encoder **out, const lm_tokenizer *t);
void lm_encoder_free(lm_encoder *e); /* NULL is allowed */

/* Whether the texts of special tokens ("<|im_start|>", "<s>") become their ids. By default they are
 * text like any other, as a corpus needs it. Added tokens that are not special are always found. */
void lm_encoder_parse_special(lm_encoder *e, bool parse);

/* The maximum number of bytes that encoding n bytes of text can add to a buffer: what `out` below must be
 * allowed to grow by. */
size_t lm_encode_bound(const lm_tokenizer *t, size_t n);

/* Append the ids of n bytes of text to `out`, little-endian, lm_tokenizer_width() bytes each.
 * No BOS, no EOS. Any bytes are accepted, NUL included; invalid UTF-8 gives the ids that
 * SentencePiece gives, and for other kinds those of U+FFFD for each invalid byte (JSONL readers
 * reject it earlier). n is at most 2^30. 0, LM_ENOMEM, or LM_EDATA where the library itself fails, with
 * `out` unchanged. */
LM_CHECKED int lm_encode(lm_encoder *e, const char *text, size_t n, lm_buf *out);

/* The same for a text that is large: n bytes are ALL that is left of it. Encodes a prefix of
 * about a megabyte that may be encoded apart from the rest and sets *used to its length (> 0
 * when n > 0). Calling it over the rest until nothing is left gives exactly lm_encode's ids,
 * with `first` true on the first call only. The text used so far may be released in
 * between. (Where no cut can be proven, or without the fast path, all n bytes are used.) */
LM_CHECKED int lm_encode_some(lm_encoder *e, const char *text, size_t n, bool first, lm_buf *out,
                              size_t *used);

/* The text of `count` ids (as wide as above), appended to `out`; special tokens have none. 0, or
 * LM_EDATA for an id outside the vocabulary. Not for hot paths. */
LM_CHECKED int lm_decode(const lm_tokenizer *t, const void *ids, size_t count, lm_buf *out);

/* Append the bytes that one id adds to a text after other ids: with a space for U+2581, perhaps a part
 * of a character; none for a special token. 0, LM_ENOMEM, or LM_EDATA for an id outside the
 * vocabulary. */
LM_CHECKED int lm_tokenizer_bytes(const lm_tokenizer *t, uint32_t id, lm_buf *out);

/* The name of an id in its file, in UTF-8: U+2581 kept, bytes in the alphabet that the kind has for
 * them. NULL outside the vocabulary, and for an id that has no piece. */
const char *lm_tokenizer_piece(const lm_tokenizer *t, uint32_t id);

/* Is it a special token: control, or the unknown piece? */
bool lm_tokenizer_is_special(const lm_tokenizer *t, uint32_t id);

#ifdef __cplusplus
}
#endif
#endif
