#include "eval/tasks/insert.h"

#include <string.h>

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

int eval_insert(lm_ids *out, const lm_ids *context, const lm_ids *needle, size_t budget,
                double depth, const lm_ids *periods, size_t *at)
{
    if (needle->n > budget)
        return lm_fail(LM_EUSAGE, "a needle of %zu tokens where %zu are left for it", needle->n,
                       budget);
    size_t n = context->n + needle->n > budget ? budget - needle->n : context->n;
    *at = eval_insert_at(context->v, n, depth, periods);
    out->n = 0;
    int rc = lm_ids_add(out, context->v, *at);
    if (!rc) rc = lm_ids_add(out, needle->v, needle->n);
    return rc ? rc : lm_ids_add(out, context->v + *at, n - *at);
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
