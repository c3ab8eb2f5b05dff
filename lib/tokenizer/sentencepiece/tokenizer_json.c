/* tokenizer_json.c -- a model as a tokenizer.json.
 *
 * The library there merges the adjacent pair that comes first in a list, the leftmost of equal ones.
 * Where the fast path is proven (proof.c), every piece is made by one pair, so that the list is those
 * pairs by score. SentencePiece takes the leftmost of pieces with equal scores. In LLaMA-2 these are
 * the runs of spaces: there the leftmost run grows by one space at a time, which the list gives when
 * longer runs come first. Other equal scores have no such order. */
#include "lib/tokenizer/sentencepiece/tokenizer_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/tokenizer/bpe/vocab.h"

typedef struct pair {
    uint32_t rank, size, id, left, right; /* size: bytes of the piece */
} pair;

static int by_order(const void *x, const void *y)
{
    const pair *a = x, *b = y;
    if (a->rank != b->rank) return a->rank < b->rank ? -1 : 1;
    if (a->size != b->size) return a->size > b->size ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

/* ---- JSON ---------------------------------------------------------------------------------- */

static int put(lm_buf *out, const char *text) { return lm_buf_add(out, text, strlen(text)); }

int lm_tokenizer_json_string(lm_buf *out, const char *s, size_t n)
{
    int rc = put(out, "\"");
    for (size_t i = 0; !rc && i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c == '"' || c == '\\') rc = lm_buf_printf(out, "\\%c", c);
        else if (c < 0x20) rc = lm_buf_printf(out, "\\u%04x", c);
        else rc = lm_buf_add(out, s + i, 1);
    }
    return rc ? rc : put(out, "\"");
}

/* Pieces are UTF-8 without NUL. */
static int put_string(lm_buf *out, const char *s)
{
    return lm_tokenizer_json_string(out, s, strlen(s));
}

static int put_special(lm_buf *out, const lm_tokenizer *t)
{
    bool first = true;
    int rc = put(out, "\"added_tokens\":[");
    for (uint32_t id = 0; !rc && id < lm_tokenizer_vocab(t); id++) {
        if (!lm_tokenizer_is_special(t, id)) continue;
        rc = lm_buf_printf(out, "%s{\"id\":%" PRIu32 ",\"content\":", first ? "" : ",", id);
        if (!rc) rc = put_string(out, lm_tokenizer_piece(t, id));
        if (!rc)
            rc = put(out, ",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,"
                          "\"normalized\":false,\"special\":true}");
        first = false;
    }
    return rc ? rc : put(out, "],\n");
}

/* Spaces become U+2581, one of them before the text; and back. */
static int put_spaces(lm_buf *out, bool prefix)
{
    int rc = put(out, "\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[");
    if (!rc && prefix) rc = put(out, "{\"type\":\"Prepend\",\"prepend\":\"\u2581\"},");
    if (!rc)
        rc = put(out,
                 "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"\u2581\"}]},\n"
                 "\"pre_tokenizer\":null,\n"
                 "\"decoder\":{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Replace\","
                 "\"pattern\":{\"String\":\"\u2581\"},\"content\":\" \"},"
                 "{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"}");
    if (!rc && prefix)
        rc = put(out, ",{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}");
    return rc ? rc : put(out, "]},\n");
}

/* The BOS before each text. */
static int put_template(lm_buf *out, const lm_tokenizer *t)
{
    int64_t bos = lm_tokenizer_bos(t);
    if (bos < 0) return put(out, "\"post_processor\":null,\n");
    lm_buf name = LM_BUF_INIT(4096);
    int rc = put_string(&name, lm_tokenizer_piece(t, (uint32_t)bos));
    if (!rc) rc = lm_buf_add(&name, "", 1);
    const char *s = (const char *)name.data;
    if (!rc)
        rc = lm_buf_printf(
            out,
            "\"post_processor\":{\"type\":\"TemplateProcessing\",\n"
            "\"single\":[{\"SpecialToken\":{\"id\":%s,\"type_id\":0}},{\"Sequence\":{\"id\":\"A\","
            "\"type_id\":0}}],\n"
            "\"pair\":[{\"SpecialToken\":{\"id\":%s,\"type_id\":0}},{\"Sequence\":{\"id\":\"A\","
            "\"type_id\":0}},{\"SpecialToken\":{\"id\":%s,\"type_id\":1}},{\"Sequence\":{\"id\":"
            "\"B\",\"type_id\":1}}],\n"
            "\"special_tokens\":{%s:{\"id\":%s,\"ids\":[%" PRId64 "],\"tokens\":[%s]}}},\n",
            s, s, s, s, s, bos, s);
    lm_buf_free(&name);
    return rc;
}

static int put_model(lm_buf *out, const lm_tokenizer *t, const pair *pairs, size_t n)
{
    int64_t unk = lm_tokenizer_unk(t);
    int rc = put(out, "\"model\":{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":");
    if (!rc)
        rc = unk < 0 ? put(out, "null") : put_string(out, lm_tokenizer_piece(t, (uint32_t)unk));
    if (!rc)
        rc = put(out, ",\"continuing_subword_prefix\":null,\"end_of_word_suffix\":null,"
                      "\"fuse_unk\":true,\"byte_fallback\":true,\"ignore_merges\":false,\n"
                      "\"vocab\":{");
    for (uint32_t id = 0; !rc && id < lm_tokenizer_vocab(t); id++) {
        if (id) rc = put(out, ",\n");
        if (!rc) rc = put_string(out, lm_tokenizer_piece(t, id));
        if (!rc) rc = lm_buf_printf(out, ":%" PRIu32, id);
    }
    if (!rc) rc = put(out, "},\n\"merges\":[");
    for (size_t i = 0; !rc && i < n; i++) {
        rc = put(out, i ? ",\n[" : "[");
        if (!rc) rc = put_string(out, lm_tokenizer_piece(t, pairs[i].left));
        if (!rc) rc = put(out, ",");
        if (!rc) rc = put_string(out, lm_tokenizer_piece(t, pairs[i].right));
        if (!rc) rc = put(out, "]");
    }
    return rc ? rc : put(out, "]}}\n");
}

/* ---- pairs --------------------------------------------------------------------------------- */

static bool is_run(const char *piece)
{
    for (; *piece; piece += 3)
        if (strncmp(piece, "\u2581", 3)) return false;
    return true;
}

/* Collect the merges, in order: 1; 0 where scores are equal; LM_ENOMEM. */
static int list_pairs(const lm_tokenizer *t, const lm_vocab *v, pair **out, size_t *count,
                      char *why, size_t size)
{
    size_t slots = (size_t)1 << (64 - v->pairs.shift), n = 0;
    uint32_t wide = (1U << LM_WIDE_BITS) - 1;
    pair *p = *out = malloc(slots * sizeof *p);
    if (!p) return lm_fail_nomem(slots * sizeof *p);
    for (size_t i = 0; i < slots; i++) {
        uint64_t s = v->pairs.slots[i];
        if (s == LM_EMPTY_MERGE) continue;
        uint32_t id = (uint32_t)s & (v->pairs.narrow ? 0xffff : wide);
        uint32_t right = (uint32_t)(s >> (v->pairs.narrow ? 32 : LM_WIDE_BITS)) &
                         (v->pairs.narrow ? 0xffff : wide);
        uint32_t left = (uint32_t)(s >> (v->pairs.narrow ? 48 : 2 * LM_WIDE_BITS)) &
                        (v->pairs.narrow ? 0xffff : wide);
        p[n++] = (pair){ v->pairs.ranks[id], (uint32_t)strlen(lm_tokenizer_piece(t, id)), id, left,
                         right };
    }
    qsort(p, n, sizeof *p, by_order);
    *count = n;
    for (size_t i = 1; i < n; i++) {
        const char *a = lm_tokenizer_piece(t, p[i - 1].id), *b = lm_tokenizer_piece(t, p[i].id);
        if (p[i].rank != p[i - 1].rank || (is_run(a) && is_run(b))) continue;
        snprintf(why, size, "pieces %" PRIu32 " and %" PRIu32 " have the same score", p[i - 1].id,
                 p[i].id);
        return 0;
    }
    return 1;
}

int lm_tokenizer_json(const lm_tokenizer *t, lm_buf *out, char *why, size_t size)
{
    const lm_vocab *v = lm_sentencepiece_proven(t);
    pair *pairs = NULL;
    size_t n = 0;
    if (!v) {
        const char *slow = lm_tokenizer_slow_reason(t);
        snprintf(why, size, "%s", slow ? slow : "it is no SentencePiece model");
        return 0;
    }
    int rc = list_pairs(t, v, &pairs, &n, why, size), bad = 0;
    if (rc == 1) {
        bad = put(out, "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\n");
        if (!bad) bad = put_special(out, t);
        if (!bad) bad = put_spaces(out, v->dummy_prefix);
        if (!bad) bad = put_template(out, t);
        if (!bad) bad = put_model(out, t, pairs, n);
    }
    free(pairs);
    return bad ? bad : rc;
}
