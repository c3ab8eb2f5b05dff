/* kind.c -- tekken.json, Mistral's: special tokens have the first ids, the piece of rank r has the id
 * r plus their number. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/tokenizer/tekken/internal.h"

bool lm_tekken_is(const lm_tokenizer_file *f)
{
    return lm_json_has(f, "config", '{') && lm_json_has(f, "vocab", '[');
}

/* ---- special tokens ---------------------------------------------------------------------- */

/* Files up to version v7 do not list them. */
static const char *const unlisted[] = {
    "<unk>",
    "<s>",
    "</s>",
    "[INST]",
    "[/INST]",
    "[AVAILABLE_TOOLS]",
    "[/AVAILABLE_TOOLS]",
    "[TOOL_RESULTS]",
    "[/TOOL_RESULTS]",
    "[TOOL_CALLS]",
    "[IMG]",
    "<pad>",
    "[IMG_BREAK]",
    "[IMG_END]",
    "[PREFIX]",
    "[MIDDLE]",
    "[SUFFIX]",
    "[SYSTEM_PROMPT]",
    "[/SYSTEM_PROMPT]",
    "[TOOL_CONTENT]",
};

static int list_special(lm_tekken *k, const char *path)
{
    if (k->has_special) return LM_OK;
    long version = strtol(k->version + (*k->version == 'v'), NULL, 10);
    if (version > 7)
        return lm_fail(LM_EDATA, "%s: special_tokens: missing, which version %s has to have", path,
                       k->version);
    int rc = LM_OK;
    for (size_t i = 0; !rc && i < sizeof unlisted / sizeof *unlisted; i++)
        rc = lm_tekken_add_special(k, unlisted[i], strlen(unlisted[i]), i);
    return rc;
}

static int put(lm_tokenizer *t, const char *text, uint32_t id)
{
    lm_added token = { .text = (char *)text, .size = strlen(text), .id = id, .special = true };
    if (!strcmp(text, "<s>")) t->bos = id;
    if (!strcmp(text, "</s>")) t->eos = id;
    if (!strcmp(text, "<unk>")) t->unk = id;
    return lm_added_put(t, &token);
}

/* The tokens of the list, whose ids are their ranks, and a name for each id after them. */
static int add_special(lm_tokenizer *t, lm_tekken *k, const char *path)
{
    char name[32];
    int rc = list_special(k, path);
    if (!rc && k->specials > k->special_count)
        return lm_fail(LM_EDATA,
                       "%s: special_tokens: has %zu, more than config.default_num_special_tokens "
                       "(%" PRIu64 ")",
                       path, k->specials, k->special_count);
    for (size_t i = 0; !rc && i < k->specials; i++) {
        if (k->special[i].rank != i)
            return lm_fail(LM_EDATA, "%s: special_tokens[%zu]: its rank is not its place", path, i);
        rc = put(t, k->special[i].text, (uint32_t)i);
    }
    for (size_t i = k->specials; !rc && i < k->special_count; i++) {
        snprintf(name, sizeof name, "<SPECIAL_%zu>", i);
        rc = put(t, name, (uint32_t)i);
    }
    return rc;
}

int lm_tekken_open(lm_tokenizer *t, const lm_tokenizer_file *f)
{
    lm_tekken k;
    int rc = lm_tekken_parse(&k, f);
    lm_step step = { LM_STEP_MATCH, k.pattern };
    if (!rc) rc = add_special(t, &k, f->path);
    if (!rc) rc = lm_ranks_open(t, &k.ranks, &step, 1, 0, LM_NFC_NONE, f->path);
    /* Every byte has a piece: nothing is unknown. */
    if (!rc) snprintf(t->format, sizeof t->format, "a tekken.json (%.15s)", k.version);
    lm_tekken_free(&k);
    return rc;
}
