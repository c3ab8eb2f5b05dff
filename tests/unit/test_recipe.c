/* Recipes: each field, each refusal, and the eight included recipes. */
#include "check.h"
#include "longmix/recipe.h"

static int parse(lm_recipe *r, const char *text)
{
    lm_json *j = NULL;
    NEED(lm_json_parse(&j, text, strlen(text), "test.json") == 0);
    return lm_recipe_from_json(r, j);
}

static void refused(const char *text, const char *reason)
{
    lm_recipe r;
    CHECK_EQ(parse(&r, text), LM_EDATA);
    if (!strstr(lm_err(), reason)) fprintf(stderr, "  %s: not \"%s\"\n", text, reason);
    CHECK(strstr(lm_err(), reason));
    CHECK(!strncmp(lm_err(), "test.json: ", 11));
    CHECK(r.json == NULL);
}

static void test_fields(void)
{
    lm_recipe r;
    NEED(parse(&r, "{\"name\": \"x\"}") == 0);
    CHECK_STR(r.name, "x");
    CHECK_EQ(r.tokens, 0);
    CHECK_EQ(r.cut, 0);
    CHECK_EQ(r.scope, LM_LONG_NONE);
    CHECK_EQ(r.threshold, 4096);
    CHECK(r.natural && !r.only);
    CHECK_EQ(r.max_copies, 1);
    CHECK_EQ(r.when_short, LM_SHORT_ERROR);
    CHECK_EQ(r.seed, 0);
    lm_recipe_free(&r);
    lm_recipe_free(&r);

    NEED(parse(
             &r,
             "{\"name\": \"y\", \"about\": \"\", \"tokens\": \"1.5M\", \"cut\": 4096, \"weights\": "
             "{\"C4\": 0.6, \"Book\": 1}, \"only\": true, \"max_copies\": 255, \"when_short\": "
             "\"shrink\", "
             "\"seed\": 7, \"long\": {\"threshold\": 8192, \"short_keep\": 0.1, \"scope\": "
             "\"domain\"}}") == 0);
    CHECK_EQ(r.tokens, 1500000);
    CHECK_EQ(r.cut, 4096);
    CHECK_EQ(r.scope, LM_LONG_DOMAIN);
    CHECK_EQ(r.threshold, 8192);
    CHECK(r.long_share == -1 && r.short_keep == 0.1);
    CHECK(!r.natural && r.only);
    CHECK_EQ(r.weights, 2);
    CHECK_STR(r.weight[1].domain, "Book");
    CHECK(r.weight[0].weight == 0.6 && r.weight[1].weight == 1);
    CHECK_EQ(r.max_copies, 255);
    CHECK_EQ(r.when_short, LM_SHORT_SHRINK);
    CHECK_EQ(r.seed, 7);
    lm_recipe_free(&r);
}

static void test_refusals(void)
{
    refused("{}", "name");
    refused("[]", "object");
    refused("{\"name\": \"\"}", "must not be empty");
    refused("{\"name\": 1}", "name");
    refused("{\"name\": \"x\", \"token\": 5}", "token");
    refused("{\"name\": \"x\", \"tokens\": -5}", "tokens");
    refused("{\"name\": \"x\", \"tokens\": \"100000T\"}", "tokens");
    refused("{\"name\": \"x\", \"cut\": 63}", "cut");
    refused("{\"name\": \"x\", \"max_copies\": 0}", "max_copies");
    refused("{\"name\": \"x\", \"max_copies\": 256}", "max_copies");
    refused("{\"name\": \"x\", \"when_short\": \"maybe\"}", "when_short");
    refused("{\"name\": \"x\", \"weights\": \"even\"}", "weights");
    refused("{\"name\": \"x\", \"weights\": {}}", "weights");
    refused("{\"name\": \"x\", \"weights\": {\"C4\": -1}}", "weights.C4");
    refused("{\"name\": \"x\", \"weights\": {\"C4\": \"much\"}}", "weights.C4");
    refused("{\"name\": \"x\", \"weights\": {\"C4\": 0}, \"only\": true}", "no domain");
    refused("{\"name\": \"x\", \"only\": true}", "needs a table");
    refused("{\"name\": \"x\", \"long\": {\"share\": 0.7}}", "scope");
    refused("{\"name\": \"x\", \"long\": {\"share\": 0.7, \"scope\": \"planet\"}}", "scope");
    refused("{\"name\": \"x\", \"long\": {\"share\": 1.1, \"scope\": \"domain\"}}", "long.share");
    refused("{\"name\": \"x\", \"long\": {\"short_keep\": -0.1, \"scope\": \"domain\"}}",
            "long.short_keep");
    refused("{\"name\": \"x\", \"long\": {\"scope\": \"domain\"}}", "short_keep");
    refused(
        "{\"name\": \"x\", \"long\": {\"share\": 0.7, \"short_keep\": 0.1, \"scope\": \"domain\"}}",
        "either");
    refused(
        "{\"name\": \"x\", \"long\": {\"threshold\": 5000, \"share\": 0.7, \"scope\": \"domain\"}}",
        "power of two");
    refused("{\"name\": \"x\", \"long\": {\"share\": 0.7, \"scope\": \"domain\", \"shore\": 1}}",
            "shore");
    refused("{\"name\": \"x\", \"weights\": {\"C4\": 1}, \"long\": {\"share\": 0.7, \"scope\": "
            "\"global\"}}",
            "natural");
}

static void test_the_eight(void)
{
    static const char *const names[] = {
        "cut-4k",  "cut-128k", "per-source", "global", "up-arxiv-book-github",
        "up-book", "up-code",  "up-arxiv"
    };
    const char *src = getenv("LM_SRC");
    for (size_t i = 0; i < 8; i++) {
        char path[4096];
        lm_recipe r;
        snprintf(path, sizeof path, "%s/recipes/%s.json", src ? src : ".", names[i]);
        CHECK_OK(lm_recipe_load(&r, path));
        if (!r.json) continue;
        CHECK_STR(r.name, names[i]);
        CHECK_EQ(r.tokens, 5000000000u);
        CHECK_EQ(r.cut, i == 0 ? 4096 : 131072);
        CHECK_EQ(r.scope, i == 2 ? LM_LONG_DOMAIN : i == 3 ? LM_LONG_GLOBAL : LM_LONG_NONE);
        CHECK(r.scope == LM_LONG_NONE || (r.long_share == 0.70 && r.threshold == 4096));
        CHECK(r.natural == (i < 4));
        for (size_t k = 0; k < r.weights; k++) CHECK(r.weight[k].weight == 0.60);
        CHECK_EQ(r.weights, i < 4 ? 0 : i == 4 ? 3 : 1);
        lm_recipe_free(&r);
    }
    lm_recipe r;
    CHECK_EQ(lm_recipe_load(&r, "no-such-recipe.json"), LM_EIO);
}

int main(void)
{
    enum lm_when_short w;
    CHECK_OK(lm_when_short_parse("repeat", &w));
    CHECK_STR(lm_when_short_name(w), "repeat");
    CHECK_EQ(lm_when_short_parse("Repeat", &w), LM_EUSAGE);
    test_fields();
    test_refusals();
    test_the_eight();
    CHECK_END();
}
