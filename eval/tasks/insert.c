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

enum { TAIL = 24, NEAR = 20 /* a twentieth of the text */ };

/* The text of a piece: a byte piece is one byte. */
static size_t piece_bytes(const char *piece, const char **text, char byte[1])
{
    unsigned v = 0;
    int used = 0;
    if (sscanf(piece, "<0x%2X>%n", &v, &used) == 1 && used == 6 && !piece[6]) {
        byte[0] = (char)v;
        *text = byte;
        return 1;
    }
    *text = piece;
    return strlen(piece);
}

/* Does a sentence or a line end before ids[at]? Looks at the last bytes of the text before it. */
static bool ends_before(const lm_tokenizer *t, const int32_t *ids, size_t at)
{
    char tail[TAIL], byte[1];
    size_t n = 0;
    while (at && n < TAIL) {
        const char *piece = lm_tokenizer_piece(t, (uint32_t)ids[--at]), *text = NULL;
        size_t size = piece ? piece_bytes(piece, &text, byte) : 0;
        if (!size) break;
        size_t take = size < TAIL - n ? size : TAIL - n;
        memmove(tail + take, tail, n);
        memcpy(tail, text + size - take, take);
        n += take;
    }
    return n && (tail[n - 1] == '\n' || eval_ends_sentence(tail, n));
}

/* Does a word begin with ids[at]? */
static bool word_begins(const lm_tokenizer *t, const int32_t *ids, size_t at)
{
    const char *piece = lm_tokenizer_piece(t, (uint32_t)ids[at]);
    return piece && (*piece == ' ' || !strncmp(piece, "\u2581", 3));
}

/* Does a character begin with ids[at]? */
static bool character_begins(const lm_tokenizer *t, const int32_t *ids, size_t at)
{
    char byte[1];
    const char *piece = lm_tokenizer_piece(t, (uint32_t)ids[at]), *text = NULL;
    return piece && piece_bytes(piece, &text, byte) && (*text & 0xc0) != 0x80;
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
    static const char *const pieces[] = { ".", "\u2581.", "<0x2E>" };
    int rc = LM_OK;
    out->n = 0;
    for (uint32_t id = 0; !rc && id < lm_tokenizer_vocab(t); id++)
        for (size_t i = 0; !rc && i < sizeof pieces / sizeof *pieces; i++) {
            int32_t one = (int32_t)id;
            if (!strcmp(lm_tokenizer_piece(t, id), pieces[i])) rc = lm_ids_add(out, &one, 1);
        }
    return rc;
}
