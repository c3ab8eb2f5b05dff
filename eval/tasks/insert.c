#include "eval/tasks/insert.h"

#include <stdio.h>
#include <string.h>

#include "eval/data/sentence.h"

static bool is_one_of(int32_t id, const lm_ids *list)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->v[i] == id) return true;
    return false;
}

size_t eval_insert_at(const int32_t *ids, size_t n, double depth, const lm_ids *periods)
{
    if (depth >= 100) return n;
    size_t at = (size_t)((double)n * (depth / 100));
    while (at && !is_one_of(ids[at - 1], periods)) at--;
    return at;
}

int eval_insert_room(size_t *n, const lm_ids *context, const lm_ids *needle, size_t budget)
{
    if (needle->n > budget)
        return lm_fail(LM_EUSAGE, "a needle of %zu tokens where %zu are left for it", needle->n,
                       budget);
    *n = context->n + needle->n > budget ? budget - needle->n : context->n;
    return LM_OK;
}

int eval_insert_put(lm_ids *out, const lm_ids *context, size_t n, const lm_ids *needle, size_t at)
{
    out->n = 0;
    int rc = lm_ids_add(out, context->v, at);
    if (!rc) rc = lm_ids_add(out, needle->v, needle->n);
    return rc ? rc : lm_ids_add(out, context->v + at, n - at);
}

int eval_insert(lm_ids *out, const lm_ids *context, const lm_ids *needle, size_t budget,
                double depth, const lm_ids *periods, size_t *at)
{
    size_t n = 0;
    int rc = eval_insert_room(&n, context, needle, budget);
    if (rc) return rc;
    *at = eval_insert_at(context->v, n, depth, periods);
    return eval_insert_put(out, context, n, needle, *at);
}

enum { PIECE_MAX = 1 << 20, TAIL = 24, NEAR = 20 /* a twentieth of the text */ };

/* The last bytes of an id's text, at most TAIL of them; 0 where it has none, or memory is short. */
static size_t last_bytes(const lm_tokenizer *t, int32_t id, char out[TAIL])
{
    lm_buf text = LM_BUF_INIT(PIECE_MAX);
    size_t take = 0;
    if (id >= 0 && !lm_tokenizer_bytes(t, (uint32_t)id, &text)) {
        take = text.size < TAIL ? text.size : TAIL;
        if (take) memcpy(out, text.data + text.size - take, take);
    }
    lm_buf_free(&text);
    return take;
}

/* The first byte of an id's text; -1 where it has none. */
static int first_byte(const lm_tokenizer *t, int32_t id)
{
    lm_buf text = LM_BUF_INIT(PIECE_MAX);
    int byte = -1;
    if (id >= 0 && !lm_tokenizer_bytes(t, (uint32_t)id, &text) && text.size) byte = text.data[0];
    lm_buf_free(&text);
    return byte;
}

/* Does a sentence or a line end before ids[at]? Looks at the last bytes of the text before it. */
static bool ends_before(const lm_tokenizer *t, const int32_t *ids, size_t at)
{
    char tail[TAIL], piece[TAIL];
    size_t n = 0;
    while (at && n < TAIL) {
        size_t size = last_bytes(t, ids[--at], piece);
        if (!size) break;
        size_t take = size < TAIL - n ? size : TAIL - n;
        memmove(tail + take, tail, n);
        memcpy(tail, piece + size - take, take);
        n += take;
    }
    return n && (tail[n - 1] == '\n' || eval_ends_sentence(tail, n));
}

/* Does a word begin with ids[at]? */
static bool word_begins(const lm_tokenizer *t, const int32_t *ids, size_t at)
{
    return first_byte(t, ids[at]) == ' ';
}

/* Does a character begin with ids[at]? */
static bool character_begins(const lm_tokenizer *t, const int32_t *ids, size_t at)
{
    int byte = first_byte(t, ids[at]);
    return byte >= 0 && (byte & 0xc0) != 0x80;
}

/* The place at most `far` ids from `want` that is nearest to it and fits; SIZE_MAX: none. */
static size_t nearest(const lm_tokenizer *t, const int32_t *ids, size_t n, size_t want, size_t far,
                      bool (*fits)(const lm_tokenizer *t, const int32_t *ids, size_t at))
{
    for (size_t off = 0; off <= far; off++) {
        size_t before = want - off, after = want + off;
        if (off <= want && (!before || fits(t, ids, before))) return before;
        if (after >= n) return n;
        if (fits(t, ids, after)) return after;
    }
    return SIZE_MAX;
}

size_t eval_insert_near(const lm_tokenizer *t, const int32_t *ids, size_t n, double depth)
{
    if (depth >= 100) return n;
    size_t want = (size_t)((double)n * (depth / 100));
    size_t at = nearest(t, ids, n, want, n / NEAR, ends_before);
    if (at == SIZE_MAX) at = nearest(t, ids, n, want, n / NEAR, word_begins);
    if (at == SIZE_MAX) at = nearest(t, ids, n, want, 8, character_begins);
    return at == SIZE_MAX ? want : at;
}

int eval_period_ids(const lm_tokenizer *t, lm_ids *out)
{
    lm_buf text = LM_BUF_INIT(PIECE_MAX);
    int rc = LM_OK;
    out->n = 0;
    for (uint32_t id = 0; !rc && id < lm_tokenizer_vocab(t); id++) {
        int32_t one = (int32_t)id;
        text.size = 0;
        rc = lm_tokenizer_bytes(t, id, &text);
        bool alone = text.size == 1 && text.data[0] == '.';
        if (!rc && (alone || (text.size == 2 && !memcmp(text.data, " .", 2))))
            rc = lm_ids_add(out, &one, 1);
    }
    lm_buf_free(&text);
    return rc;
}
