/* internal.h -- the parts of the synthetic corpus: words.c (word lists), lexicon.c (banks and
 * templates built from them), text.c (the generator), synth.c (laws, plan, JSONL). */
#ifndef LM_LIB_SYNTH_INTERNAL_H
#define LM_LIB_SYNTH_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "longmix/err.h"

/* ---- words ---------------------------------------------------------------------------- */

extern const char synth_common[], synth_prefixes[], synth_roots[], synth_suffixes[],
    synth_syllables[], synth_names[], synth_code_words[], synth_maths[], synth_french[],
    synth_german[], synth_spanish[], synth_russian[], synth_greek[], synth_chinese[],
    synth_japanese[], synth_emoji[];

/* ---- lexicon -------------------------------------------------------------------------- */

/* A word or phrase with the space after it. Always copied as 32 bytes, so that copies have a
 * constant length. */
typedef struct synth_entry {
    char text[31];
    uint8_t size;
} synth_entry;

enum { SYNTH_RARE = UINT16_MAX }; /* in a bank's table: generate a word */

/* Entries and their frequencies: entry pick[r >> shift] for a 16-bit random r. */
typedef struct synth_bank {
    synth_entry *entry;
    size_t entries;
    uint16_t *pick;
    unsigned shift;
    const char *comma, *stop; /* how clauses and sentences end */
    bool spaced;              /* entries end in a space */
} synth_bank;

enum synth_bank_name {
    SYNTH_ENGLISH,
    SYNTH_PREFIX,
    SYNTH_ROOT,
    SYNTH_SUFFIX,
    SYNTH_SYLLABLE,
    SYNTH_NAME,
    SYNTH_IDENTIFIER,
    SYNTH_MATHS,
    SYNTH_EMOJI,
    SYNTH_FOREIGN,
    SYNTH_FOREIGN_LAST = SYNTH_FOREIGN + 6,
    SYNTH_BANKS,
};

enum synth_style {
    SYNTH_PROSE,
    SYNTH_BOOK,
    SYNTH_WIKI,
    SYNTH_CODE,
    SYNTH_LATEX,
    SYNTH_ANSWERS,
    SYNTH_STYLES,
};
extern const char *const synth_style_names[SYNTH_STYLES];

/* A template is text with placeholders ("@s": a sentence), see text.c. */
typedef struct synth_style_text {
    const char *opening;     /* the start of a document */
    const char *const *line; /* the rest, drawn uniformly; repeats raise the probability */
    size_t lines;
} synth_style_text;
extern const synth_style_text synth_styles[SYNTH_STYLES];

/* The same for every seed and on every machine: one language. */
typedef struct synth_lexicon {
    synth_bank bank[SYNTH_BANKS];
} synth_lexicon;
LM_CHECKED int synth_lexicon_new(synth_lexicon **out);
void synth_lexicon_free(synth_lexicon *l);

/* ---- text ----------------------------------------------------------------------------- */

/* More than any template can write beyond the requested size. */
enum { SYNTH_SLACK = 128 * 1024 };

/* Write one document of exactly `size` bytes (a few less where that would cut a character) at
 * `out`, which has room for size + SYNTH_SLACK. Returns its size. A function of the arguments. */
size_t synth_text(const synth_lexicon *l, enum synth_style style, uint64_t seed, char *out,
                  size_t size);

#endif
