/* domain.h -- which source a document came from.
 *
 * A domain table is a list of names and the rules that lead to them. The built-in one knows
 * SlimPajama's seven sets, in this order (ids 0 to 6): CommonCrawl, C4, GitHub, ArXiv, Book,
 * Wikipedia, StackExchange; id 7 is "unknown". A table is immutable once open; threads share
 * it. */
#ifndef LONGMIX_DOMAIN_H
#define LONGMIX_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "longmix/buf.h"
#include "longmix/err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LM_DOMAINS_MAX 256 /* "unknown" included */
#define LM_DOMAIN_UNKNOWN "unknown"

typedef struct lm_domains lm_domains;

/* `table` NULL gives the built-in table; else it is a JSON file (docs/domains.md), or, where no file
 * has that name, one of the presets ("pile"; lm_domains_preset lists them):
 *   { "text_key": "raw_content",                       path of the text; "text" is the default
 *     "keys": ["domain", "meta.redpajama_set_name"],   paths tried in order; this is the default
 *     "domains": [ { "name": "C4", "aliases": ["RedPajamaC4"], "labels": ["c4-*"],
 *                    "files": ["c4-*"] }, ... ],
 *     "unknown": "keep" | "stop" }                      for documents that no rule matches
 * 0, LM_EIO or LM_EDATA. */
LM_CHECKED int lm_domains_open(lm_domains **out, const char *table);
void lm_domains_free(lm_domains *d); /* NULL is allowed */

/* The name of preset i, or NULL after the last. */
const char *lm_domains_preset(size_t i);

/* Override what the table says, before threads share it. Strings are borrowed; NULL, n == 0: leave
 * it. LM_EUSAGE for more than 8 keys. */
void lm_domains_on_unknown(lm_domains *d, bool stop);
void lm_domains_set_text(lm_domains *d, const char *key);
LM_CHECKED int lm_domains_set_keys(lm_domains *d, const char *const *keys, size_t n);

size_t lm_domains_count(const lm_domains *d); /* "unknown", the last, included */
const char *lm_domains_name(const lm_domains *d, size_t i);
const char *lm_domains_text(const lm_domains *d);        /* NULL: the default */
const char *const *lm_domains_keys(const lm_domains *d); /* as labels of an lm_schema */

/* A hash of everything that decides the domain of a document, keys and rules, or 0 for the built-in
 * table as it is. */
uint64_t lm_domains_rules(const lm_domains *d);

/* The id of a name or alias, or -1. */
int lm_domains_find(const lm_domains *d, const char *name, size_t n);

/* The id for a document with these n labels (of lm_line) in this file: the first label that a rule
 * knows decides, as a name or alias or by a pattern in "labels", without regard to ASCII case; else the
 * first pattern in "files" that matches. `file` is an absolute path, and `top` the place in it from
 * which on patterns that begin with a wildcard may match (lm_files has both). Never fails with
 * "unknown": "keep"; with "stop", LM_EDATA, and the message is the reason alone and quotes the
 * first label. */
LM_CHECKED int lm_domains_tag(const lm_domains *d, const lm_string *labels, size_t n,
                              const char *file, size_t top);

#ifdef __cplusplus
}
#endif
#endif
