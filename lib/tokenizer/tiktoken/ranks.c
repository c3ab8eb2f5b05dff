#include "lib/tokenizer/tiktoken/ranks.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/tokenizer/base64.h"

int lm_ranks_new(lm_ranks *r, uint32_t base, size_t base64)
{
    *r = (lm_ranks){ .base = base, .count = base, .room = base64 / 4 * 3 };
    r->bytes = malloc(r->room + 1);
    return r->bytes ? LM_OK : lm_fail_nomem(r->room + 1);
}

void lm_ranks_free(lm_ranks *r)
{
    free(r->pieces);
    free(r->places);
    free(r->bytes);
    *r = (lm_ranks){ 0 };
}

/* Make `id` a valid index. */
static int reach(lm_ranks *r, size_t id)
{
    size_t was = r->cap, cap = r->cap ? r->cap : 1 << 15;
    while (cap <= id) cap *= 2;
    if (cap == was) return LM_OK;
    void *pieces = realloc(r->pieces, cap * sizeof *r->pieces);
    if (pieces) r->pieces = pieces;
    void *places = pieces ? realloc(r->places, cap * sizeof *r->places) : NULL;
    if (places) r->places = places;
    if (!places) return lm_fail_nomem(cap * sizeof *r->pieces);
    memset(r->pieces + was, 0, (cap - was) * sizeof *r->pieces);
    memset(r->places + was, 0, (cap - was) * sizeof *r->places);
    r->cap = cap;
    return LM_OK;
}

int lm_ranks_put(lm_ranks *r, uint64_t rank, const char *text, size_t n, uint32_t place,
                 const char **why)
{
    *why = NULL;
    if (rank >= LM_RANKS_MAX) *why = "the rank is too large (at most 1048575)";
    else if (!n || n / 4 * 3 > r->room - r->size) *why = "the piece is empty";
    if (*why) return LM_EDATA;
    size_t id = r->base + (size_t)rank;
    int rc = reach(r, id);
    if (rc) return rc;
    ptrdiff_t size = lm_base64_decode(r->bytes + r->size, text, n);
    if (size <= 0) *why = "the piece is not base64";
    else if (r->pieces[id].size) *why = "the rank is that of an earlier piece";
    if (*why) return LM_EDATA;
    r->pieces[id] = (lm_byte_piece){ r->bytes + r->size, (uint32_t)size };
    r->places[id] = place;
    r->size += (size_t)size;
    if (id >= r->count) r->count = (uint32_t)id + 1;
    return LM_OK;
}

static int fail_at(const lm_ranks *r, uint32_t id, const char *path, bool lines)
{
    uint32_t next = id;
    while (!r->pieces[next].size) next++;
    if (lines)
        return lm_fail(LM_EDATA, "%s:%" PRIu32 ": rank %" PRIu32 ", but no line has rank %" PRIu32,
                       path, r->places[next], next - r->base, id - r->base);
    return lm_fail(LM_EDATA, "%s: no piece has rank %" PRIu32, path, id - r->base);
}

int lm_ranks_check(const lm_ranks *r, const char *path, bool lines)
{
    bool byte[256] = { false };
    for (uint32_t id = r->base; id < r->count; id++) {
        if (!r->pieces[id].size) return fail_at(r, id, path, lines);
        if (r->pieces[id].size == 1) byte[*r->pieces[id].bytes] = true;
    }
    for (unsigned b = 0; b < 256; b++)
        if (!byte[b])
            return lm_fail(LM_EDATA, "%s: the byte 0x%02X has no piece: text cannot be encoded",
                           path, b);
    return LM_OK;
}

int lm_ranks_open(lm_tokenizer *t, const lm_ranks *r, const lm_step *steps, size_t count,
                  uint32_t end, enum lm_nfc nfc, const char *path)
{
    lm_byte_spec spec = { .pieces = r->pieces,
                          .count = r->count,
                          .whole = true,
                          .nfc = nfc,
                          .steps = steps,
                          .step_count = count,
                          .steps_field = "pattern" };
    t->vocab = end > r->count ? end : r->count;
    t->width = t->vocab <= 65536 ? 2 : 4;
    int rc = lm_byte_level_open(t, &spec, path);
    if (!rc && t->vocab < end) t->vocab = end;
    return rc;
}
