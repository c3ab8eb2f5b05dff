/* internal.h -- the parts of the synthetic corpus: words (typed lists), lexicon (banks and
 * templates made from them), text (the generator), synth (laws, plan, JSONL). */
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

/* A word, or a few that go together, with the space after them. Copied whole, 32 bytes at a
 * time, so that no copy has a variable length. */
typedef struct synth_entry {
    char text[31];
    uint8_t size;
} synth_entry;

enum { SYNTH_RARE = UINT16_MAX }; /* in a bank's table: a word is made up on the spot */

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

/* A template: text with places for generated things ("@s": a sentence), see synth_text.c. */
typedef struct synth_style_text {
    const char *opening;     /* how a document of the style begins */
    const char *const *line; /* what follows, each as likely as its repeats */
    size_t lines;
} synth_style_text;
extern const synth_style_text synth_styles[SYNTH_STYLES];

/* The same on every machine and for every seed: one language. */
typedef struct synth_lexicon {
    synth_bank bank[SYNTH_BANKS];
} synth_lexicon;
LM_CHECKED int synth_lexicon_new(synth_lexicon **out);
void synth_lexicon_free(synth_lexicon *l);

/* ---- text ----------------------------------------------------------------------------- */

/* More than any template can make past the size that was asked for. */
enum { SYNTH_SLACK = 128 * 1024 };

/* Write one document of exactly `size` bytes (a few less where that would cut a character) at
 * `out`, which has room for size + SYNTH_SLACK. Returns its size. A function of the arguments. */
size_t synth_text(const synth_lexicon *l, enum synth_style style, uint64_t seed, char *out,
                  size_t size);

#endif
