/* kind.c -- tiktoken's rank files: on each line a piece in base64, a space and its rank, which is its
 * id. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/tokenizer/base64.h"
#include "lib/tokenizer/tiktoken/internal.h"
#include "lib/tokenizer/tiktoken/ranks.h"

enum { LINE_MAX = 1 << 17, HEX = 17 };

/* ---- lines ------------------------------------------------------------------------------- */

typedef struct line {
    const char *piece;
    size_t size;
    uint64_t rank;
} line;

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

/* Split n characters without a line end; false where they are not piece and rank. */
static bool split(const char *s, size_t n, line *l)
{
    size_t i = 0, k;
    while (i < n && !is_blank(s[i])) i++;
    l->piece = s;
    l->size = i;
    while (i < n && is_blank(s[i])) i++;
    for (k = i, l->rank = 0; k < n && s[k] >= '0' && s[k] <= '9' && k < i + 10; k++)
        l->rank = l->rank * 10 + (uint64_t)(s[k] - '0');
    return l->size && k > i && k == n;
}

/* The length of the line at s, without its end. */
static size_t line_size(const char *s, size_t left, size_t *whole)
{
    const char *end = memchr(s, '\n', left);
    size_t n = end ? (size_t)(end - s) : left;
    *whole = end ? n + 1 : n;
    return n && s[n - 1] == '\r' ? n - 1 : n;
}

bool lm_tiktoken_is(const lm_tokenizer_file *f)
{
    line l;
    size_t whole, n = line_size((const char *)f->data, f->size < 400 ? f->size : 400, &whole);
    unsigned char bytes[300];
    return n && whole <= 400 && split((const char *)f->data, n, &l) &&
           lm_base64_decode(bytes, l.piece, l.size) > 0;
}

static int read_lines(lm_ranks *r, const lm_tokenizer_file *f)
{
    uint32_t number = 1;
    size_t whole = 0;
    for (size_t at = 0; at < f->size; at += whole, number++) {
        const char *s = (const char *)f->data + at, *why = "not a piece in base64 and its rank";
        size_t n = line_size(s, f->size - at, &whole);
        line l;
        if (!n) continue;
        int rc = n < LINE_MAX && split(s, n, &l)
                     ? lm_ranks_put(r, l.rank, l.piece, l.size, number, &why)
                     : LM_EDATA;
        if (rc == LM_EDATA) return lm_fail(rc, "%s:%" PRIu32 ": %s", f->path, number, why);
        if (rc) return rc;
    }
    return lm_ranks_check(r, f->path, true);
}

/* ---- special tokens ---------------------------------------------------------------------- */

static int add_special(lm_tokenizer *t, const lm_known_ranks *k, uint32_t *end)
{
    uint32_t id = k->first;
    char text[80];
    int rc = LM_OK;
    for (const lm_special_run *run = k->special; !rc && run->text; run++)
        for (uint32_t i = 0; !rc && i < (run->count ? run->count : 1); i++, id++) {
            int n = run->count
                        ? snprintf(text, sizeof text, "%s%" PRIu32 "|>", run->text, run->from + i)
                        : snprintf(text, sizeof text, "%s", run->text);
            lm_added token = { .text = text,
                               .size = (size_t)n,
                               .id = id,
                               .special = true,
                               .normalized = k->nfc != LM_NFC_NONE };
            if (k->bos && !strcmp(text, k->bos)) t->bos = id;
            if (k->eos && !strcmp(text, k->eos)) t->eos = id;
            rc = lm_added_put(t, &token);
        }
    t->nfc = k->nfc;
    *end = id;
    return rc;
}

/* ---- the pattern ------------------------------------------------------------------------- */

/* Could it be meant as a name? */
static bool is_name(const char *s)
{
    return *s && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_-.") == strlen(s);
}

static int needs_pattern(const lm_tokenizer_file *f, const char *given)
{
    if (given)
        return lm_fail(LM_EUSAGE,
                       "pattern \"%s\": not gpt2, llama3, qwen2, o200k, deepseek or a regular "
                       "expression",
                       given);
    return lm_fail(LM_EUSAGE,
                   "%s: a tiktoken rank file that is not known: it needs the pattern by which its "
                   "tokenizer splits text: gpt2, llama3, qwen2, o200k, deepseek, or a regular "
                   "expression",
                   f->path);
}

/* The steps of a name or expression. A single expression is matched as tiktoken does: text between
 * its matches has no ids. */
static const lm_step *steps_of(const char *pattern, lm_step *one, size_t *count)
{
    const lm_step *named = lm_pattern_named(pattern, count);
    if (named && *count > 1) return named;
    *one = (lm_step){ LM_STEP_MATCH, named ? named->text : pattern };
    *count = 1;
    return one;
}

/* The file alone does not say what the ids stand for. */
static int hash_pattern(lm_tokenizer *t, const lm_step *steps, size_t count)
{
    lm_hasher *h = NULL;
    int rc = lm_hasher_new(&h);
    if (rc) return rc;
    lm_hasher_add(h, &t->hash, sizeof t->hash);
    for (size_t i = 0; i < count; i++) {
        unsigned char kind = (unsigned char)steps[i].kind;
        lm_hasher_add(h, &kind, 1);
        if (steps[i].text) lm_hasher_add(h, steps[i].text, strlen(steps[i].text) + 1);
    }
    t->hash = lm_hasher_digest(h);
    lm_hasher_free(h);
    return LM_OK;
}

/* ---- opening ----------------------------------------------------------------------------- */

int lm_tiktoken_open(lm_tokenizer *t, const lm_tokenizer_file *f)
{
    const lm_known_ranks *k = lm_known_ranks_of(t->hash);
    size_t count = 0;
    uint32_t end = 0;
    lm_step one;
    lm_ranks r;
    if (k && t->pattern)
        return lm_fail(LM_EUSAGE, "%s: the rank file of %s, whose pattern is known; give none",
                       f->path, k->name);
    if (!k && (!t->pattern || (is_name(t->pattern) && !lm_pattern_named(t->pattern, &count))))
        return needs_pattern(f, t->pattern);
    const lm_step *steps = steps_of(k ? k->pattern : t->pattern, &one, &count);
    int rc = lm_ranks_new(&r, 0, f->size);
    if (!rc) rc = read_lines(&r, f);
    if (!rc && k) rc = add_special(t, k, &end);
    if (!rc && !k) rc = hash_pattern(t, steps, count);
    if (!rc) rc = lm_ranks_open(t, &r, steps, count, end, k ? k->nfc : LM_NFC_NONE, f->path);
    if (!rc)
        snprintf(t->format, sizeof t->format, "a tiktoken rank file (%s%.40s)",
                 k ? "" : "pattern: ", k ? k->name : t->pattern);
    lm_ranks_free(&r);
    return rc;
}
