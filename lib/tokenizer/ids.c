#include "lib/tokenizer/ids.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/endian.h"

int lm_ids_reserve(lm_ids *ids, size_t more)
{
    if (more <= ids->room - ids->n) return LM_OK;
    if (more > LM_IDS_MAX - ids->n) return lm_fail_nomem(more);
    size_t need = ids->n + more, room = need > 2 * ids->room ? need : 2 * ids->room;
    int32_t *v = realloc(ids->v, room * sizeof *v);
    if (!v) return lm_fail_nomem(room * sizeof *v);
    ids->v = v;
    ids->room = room;
    return LM_OK;
}

int lm_ids_add(lm_ids *ids, const int32_t *v, size_t n)
{
    int rc = lm_ids_reserve(ids, n);
    if (rc) return rc;
    if (n) memcpy(ids->v + ids->n, v, n * sizeof *v);
    ids->n += n;
    return LM_OK;
}

int lm_ids_widen(lm_ids *ids, const void *raw, size_t n, unsigned width)
{
    int rc = lm_ids_reserve(ids, n);
    for (size_t i = 0; !rc && i < n; i++) ids->v[ids->n++] = (int32_t)lm_id_at(raw, i, width);
    return rc;
}

void lm_ids_narrow(void *raw, const int32_t *v, size_t n, unsigned width)
{
    unsigned char *p = raw;
    for (size_t i = 0; i < n; i++, p += width) {
        if (width == 2) lm_put16(p, (uint16_t)v[i]);
        else lm_put32(p, (uint32_t)v[i]);
    }
}

void lm_ids_free(lm_ids *ids)
{
    free(ids->v);
    *ids = (lm_ids){ 0 };
}
