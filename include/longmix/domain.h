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

#include "longmix/err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LM_DOMAINS_MAX 256 /* "unknown" included */
#define LM_DOMAIN_UNKNOWN "unknown"

typedef struct lm_domains lm_domains;

/* `path` NULL gives the built-in table; else a JSON file (docs/domains.md):
 *   { "keys": ["domain", "meta.redpajama_set_name"],   paths tried in order; this is the default
 *     "domains": [ { "name": "C4", "aliases": ["RedPajamaC4"], "files": ["*c4*"] }, ... ],
 *     "unknown": "keep" | "stop" }                      for documents that no rule matches
 * Labels match names and aliases without regard to ASCII case; where the label is absent or
 * unknown, the file's name is matched with each pattern (fnmatch) in order. 0, LM_EIO or
 * LM_EDATA. */
LM_CHECKED int lm_domains_open(lm_domains **out, const char *path);
void lm_domains_free(lm_domains *d); /* NULL is allowed */

/* Override the table's "unknown": before threads share it. */
void lm_domains_on_unknown(lm_domains *d, bool stop);

size_t lm_domains_count(const lm_domains *d); /* "unknown", the last, included */
const char *lm_domains_name(const lm_domains *d, size_t i);
const char *const *lm_domains_keys(const lm_domains *d); /* for lm_line_parser_new */

/* The id of a name or alias, or -1. */
int lm_domains_find(const lm_domains *d, const char *name, size_t n);

/* The id for a document with this label (NULL: none) in this file (a path). Never fails with
 * "unknown": "keep"; with "stop", LM_EDATA, and the message is the reason alone and quotes the
 * label. */
LM_CHECKED int lm_domains_tag(const lm_domains *d, const char *label, size_t n, const char *file);

#ifdef __cplusplus
}
#endif
#endif
