/* synth.h -- a synthetic corpus shaped like SlimPajama, from a seed: its seven sets with their
 * shares and log-normal lengths, in text that tokenizes and compresses like real text. For demos,
 * tests and benchmarks; docs/synth.md compares it with the original. */
#ifndef LM_LIB_SYNTH_SYNTH_H
#define LM_LIB_SYNTH_SYNTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "longmix/err.h"
#include "longmix/json.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { LM_SYNTH_DOMAINS_MAX = 32 };

/* The laws and the division into files: immutable, shared by threads. */
typedef struct lm_synth lm_synth;

/* Plan `bytes` of text in files of about `file_bytes`. `laws` NULL gives the built-in ones; else
 *   { "domains": [ { "name": "C4", "label": "RedPajamaC4", "style": "prose", "share": 0.27,
 *                    "median": 315, "sigma": 1.25 }, ... ] }
 * with shares of the tokens (normalised), medians in LLaMA-2 tokens, and the style prose, book,
 * wiki, code, latex or answers; label and style are optional (the name, prose). 0,
 * LM_EDATA (a field of the laws), LM_EUSAGE (no bytes). */
LM_CHECKED int lm_synth_new(lm_synth **out, uint64_t seed, uint64_t bytes, uint64_t file_bytes,
                            const lm_json *laws);
void lm_synth_free(lm_synth *s); /* NULL is allowed */

size_t lm_synth_files(const lm_synth *s);
uint64_t lm_synth_documents(const lm_synth *s);

/* The planned sums of a domain; false past the last. */
typedef struct lm_synth_sums {
    const char *name;
    uint64_t documents, bytes; /* of text */
} lm_synth_sums;
bool lm_synth_sums_get(const lm_synth *s, size_t domain, lm_synth_sums *out);

/* Pass the JSONL of one file to `write`, in pieces. Its bytes depend only on the arguments of
 * lm_synth_new and the number of the file. Even files write \uXXXX for non-ASCII characters, odd
 * ones raw UTF-8. 0, LM_ENOMEM, or the negative value that `write` returned. */
LM_CHECKED int lm_synth_file(const lm_synth *s, size_t file,
                             int (*write)(void *arg, const void *p, size_t n), void *arg);

#ifdef __cplusplus
}
#endif
#endif
