/* Any bytes as a recipe: refused, or a recipe whose fields are in range and whose text reads back
 * unchanged. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "longmix/recipe.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lm_json *j = NULL, *copy = NULL;
    lm_recipe r, again;
    lm_buf text = LM_BUF_INIT(1 << 24);
    if (lm_json_parse(&j, data, size, "fuzz") || lm_recipe_from_json(&r, j)) {
        MUST(*lm_err());
        return 0;
    }
    MUST(*r.name && r.max_copies >= 1 && r.max_copies <= 255);
    MUST(r.threshold >= 2 && (r.threshold & (r.threshold - 1)) == 0);
    MUST(r.scope == LM_LONG_NONE ? r.long_share < 0 && r.short_keep < 0
                                 : (r.long_share >= 0) != (r.short_keep >= 0));
    MUST(r.natural == (r.weights == 0));
    for (size_t i = 0; i < r.weights; i++)
        MUST(r.weight[i].weight >= 0 && r.weight[i].weight <= 1e6);

    MUST(lm_json_dump(r.json, 0, &text) == 0);
    MUST(lm_json_parse(&copy, text.data, text.size, "again") == 0);
    MUST(lm_recipe_from_json(&again, copy) == 0);
    MUST(again.tokens == r.tokens && again.cut == r.cut && again.seed == r.seed &&
         again.scope == r.scope);
    MUST(again.long_share == r.long_share && again.short_keep == r.short_keep &&
         again.weights == r.weights);
    lm_recipe_free(&again);
    lm_recipe_free(&r);
    lm_buf_free(&text);
    return 0;
}
