#include "train/model/attn_map.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "train/minmax.h"

/* ---- forms ----------------------------------------------------------------------------- */

/* "CHUNK,LOCAL": two whole numbers and nothing else. */
static bool two_sizes(const char *text, size_t *chunk, size_t *local)
{
    size_t *out[2] = { chunk, local };
    for (int i = 0; i < 2; i++) {
        char *end = NULL;
        if (*text < '0' || *text > '9') return false;
        errno = 0;
        unsigned long long v = strtoull(text, &end, 10);
        if (errno || v > INT32_MAX || *end != (i ? '\0' : ',')) return false;
        *out[i] = (size_t)v;
        text = end + 1;
    }
    return true;
}

static int check_form(const char *text, size_t chunk, size_t local, size_t trained)
{
    if (chunk > trained)
        return lm_fail(LM_EUSAGE,
                       "attention %s: a chunk of %zu tokens is longer than the %zu the model was "
                       "pretrained at",
                       text, chunk, trained);
    if (!local || chunk <= local)
        return lm_fail(LM_EUSAGE,
                       "attention %s: the chunk (%zu) must be longer than the local window (%zu), "
                       "and that must not be 0",
                       text, chunk, local);
    if (local > chunk - local)
        return lm_fail(LM_EUSAGE,
                       "attention %s: a local window of %zu reaches past the chunk before, whose "
                       "stride is %zu",
                       text, local, chunk - local);
    return LM_OK;
}

int attn_form_parse(attn_form *out, const char *text, size_t trained)
{
    size_t chunk = trained, local = trained - trained / 4 * 3, clamp = trained - 1;
    *out = (attn_form){ 0 };
    if (!strcmp(text, "rope")) return LM_OK;
    if (!strcmp(text, "dca:chunkllama")) {
        clamp = chunk = trained / 4 * 3;
        local = trained / 8;
    } else if (!strncmp(text, "dca:", 4)) {
        if (!two_sizes(text + 4, &chunk, &local))
            return lm_fail(LM_EUSAGE,
                           "attention %s: neither dca:chunkllama nor two sizes, dca:CHUNK,LOCAL",
                           text);
        clamp = chunk;
    } else if (strcmp(text, "dca")) {
        return lm_fail(LM_EUSAGE,
                       "attention %s: not one of rope, dca, dca:chunkllama, dca:CHUNK,LOCAL", text);
    }
    int rc = check_form(text, chunk, local, trained);
    if (!rc) *out = (attn_form){ chunk - local, clamp, true, true };
    return rc;
}

/* Position of a query for keys of all chunks but its own and the preceding one. */
static size_t far_position(const attn_form *f) { return size_min(2 * f->stride - 1, f->clamp); }

size_t attn_form_positions(const attn_form *f, size_t length)
{
    if (!f->stride) return length;
    return (f->clamp > f->stride ? f->clamp : f->stride) + 1;
}

/* ---- maps ------------------------------------------------------------------------------ */

int attn_map_new(attn_map *m, const attn_form *f, size_t queries)
{
    *m = (attn_map){ .parts = f->stride ? ATTN_PARTS : 1, .max_queries = queries };
    bool ok = true;
    for (size_t i = 0; ok && i < m->parts; i++) {
        /* A span has a query of its own, so there are no more of them than queries. */
        m->query[i] = calloc(queries, sizeof *m->query[i]);
        m->v[i] = calloc(queries, sizeof *m->v[i]);
        ok = m->query[i] && m->v[i];
    }
    if (ok) return LM_OK;
    attn_map_free(m);
    return lm_fail_nomem(queries * (sizeof(bk_span) + sizeof(int32_t)));
}

void attn_map_free(attn_map *m)
{
    for (size_t i = 0; i < ATTN_PARTS; i++) {
        free(m->query[i]);
        free(m->v[i]);
    }
    *m = (attn_map){ 0 };
}

static void add_span(attn_map *m, enum attn_part part, bk_span span)
{
    if (span.nk) m->v[part][m->spans[part].count++] = span;
}

/* Queries from .. to-1 of a document, all in one chunk, which begins at `chunk`. They are rows from
 * `q` on, and the document's keys are rows from `k` on. */
static void fill_chunk(attn_map *m, const attn_form *f, size_t chunk, size_t from, size_t to,
                       size_t q, size_t k)
{
    size_t n = to - from, s = f->stride;
    add_span(m, ATTN_INTRA, (bk_span){ q, n, k + chunk, to - chunk });
    for (size_t i = 0; i < n; i++) m->query[ATTN_INTRA][q + i] = (int32_t)(from + i - chunk);
    if (!s) return;
    size_t before = chunk && f->successive ? chunk - s : chunk; /* keys for inter */
    if (before < chunk) add_span(m, ATTN_SUCCESSIVE, (bk_span){ q, n, k + before, s });
    if (f->inter) add_span(m, ATTN_INTER, (bk_span){ q, n, k, before });
    for (size_t i = 0; i < n; i++) {
        m->query[ATTN_SUCCESSIVE][q + i] = (int32_t)size_min(from + i - chunk + s, f->clamp);
        m->query[ATTN_INTER][q + i] = (int32_t)far_position(f);
    }
}

void attn_map_fill(attn_map *m, const attn_form *f, const uint32_t *starts, size_t count,
                   size_t past)
{
    for (size_t i = 0; i < m->parts; i++)
        m->spans[i] = (bk_spans){ .v = m->v[i],
                                  .causal = i == ATTN_INTRA,
                                  .queries = starts[count],
                                  .keys = past + starts[count] };
    for (size_t g = 0; g < count; g++) {
        size_t q = starts[g], end = past + starts[g + 1] - q; /* of the document */
        for (size_t from = past, to = 0; from < end; from = to) {
            size_t chunk = f->stride ? from / f->stride * f->stride : 0;
            to = f->stride ? size_min(end, chunk + f->stride) : end;
            fill_chunk(m, f, chunk, from, to, q + from - past, q);
        }
    }
}
