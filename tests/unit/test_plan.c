/* Plans: targets that sum exactly, thresholds that meet them to the token, reading back. */
#include "longmix/hist.h"
#include "longmix/plan.h"
#include "mixture.h"

static lm_json *parse(const char *text)
{
    lm_json *j = NULL;
    NEED(lm_json_parse(&j, text, strlen(text), "test") == 0);
    return j;
}

static void recipe(lm_recipe *r, const char *text)
{
    NEED(lm_recipe_from_json(r, parse(text)) == 0);
}

/* ---- from histograms ----------------------------------------------------------------------- */

/* Two domains: A has 900 short and 100 long tokens, B 0 short and 1,000 long ones. */
static const char *const two =
    "{\"format\": \"x\", \"unit\": \"tokens\", \"tokens\": 2000000, \"domains\": ["
    "{\"name\": \"A\", \"buckets\": [{\"upto\": 1024, \"documents\": 900, \"tokens\": 600000},"
    "  {\"upto\": 4096, \"documents\": 100, \"tokens\": 300000}, {\"upto\": 8192, \"documents\": "
    "20, \"tokens\": 100000}]},"
    "{\"name\": \"B\", \"buckets\": [{\"upto\": 65536, \"documents\": 20, \"tokens\": 1000000}]}]}";

static int plan_two(lm_plan *p, const char *recipe_text, lm_plan_options o)
{
    lm_recipe r;
    lm_json *hist = parse(two);
    recipe(&r, recipe_text);
    int rc = lm_plan_from_hist(p, &r, &o, hist);
    lm_recipe_free(&r);
    lm_json_free(hist);
    return rc;
}

static uint64_t tokens_of(const lm_plan *p, const char *domain, int bucket) /* -1: all */
{
    uint64_t sum = 0;
    for (size_t i = 0; i < p->strata; i++)
        if (!strcmp(p->domain[p->stratum[i].domain].name, domain) &&
            (bucket < 0 || p->stratum[i].bucket == bucket))
            sum += p->stratum[i].tokens;
    return sum;
}

static void test_targets(void)
{
    lm_plan p;
    const lm_plan_options none = { 0 };

    /* All tokens. */
    NEED(plan_two(&p, "{\"name\": \"x\"}", none) == 0);
    CHECK_EQ(p.tokens, 2000000);
    for (size_t i = 0; i < p.strata; i++) {
        CHECK_EQ(p.stratum[i].tokens, p.stratum[i].available);
        CHECK_EQ(p.stratum[i].copies, 1);
        CHECK_EQ(p.stratum[i].threshold, 0);
    }
    CHECK(!p.exact);
    lm_plan_free(&p);

    /* Natural shares, an odd total: 500,001 = A 250,001 (lower index first) + B 250,000. */
    NEED(plan_two(&p, "{\"name\": \"x\"}", (lm_plan_options){ .tokens = 500001 }) == 0);
    CHECK_EQ(tokens_of(&p, "A", -1), 250001);
    CHECK_EQ(tokens_of(&p, "B", -1), 250000);
    CHECK_EQ(tokens_of(&p, "A", 10), 150001); /* 150000.6, 75000.3, 25000.1 */
    CHECK_EQ(tokens_of(&p, "A", 12), 75000);
    CHECK_EQ(tokens_of(&p, "A", 13), 25000);
    lm_plan_free(&p);

    /* Weights over the natural shares: A stays 0.5, B becomes 1.5; 1:3. */
    NEED(plan_two(&p, "{\"name\": \"x\", \"weights\": {\"B\": 1.5}}",
                  (lm_plan_options){ .tokens = 1000 }) == 0);
    CHECK_EQ(tokens_of(&p, "A", -1), 250);
    CHECK_EQ(tokens_of(&p, "B", -1), 750);
    CHECK(p.domain[1].source_share == 0.5 && p.domain[1].target_share == 0.75);
    lm_plan_free(&p);
    NEED(plan_two(&p, "{\"name\": \"x\", \"weights\": {\"B\": 3}, \"only\": true}",
                  (lm_plan_options){ .tokens = 10 }) == 0);
    CHECK_EQ(tokens_of(&p, "A", -1), 0);
    CHECK_EQ(tokens_of(&p, "B", -1), 10);
    lm_plan_free(&p);

    /* Long documents by domain at 30%: A has 100,000, which is enough; B has no others. */
    const char *share = "{\"name\": \"x\", \"long\": {\"share\": 0.3, \"scope\": \"domain\"}}";
    NEED(plan_two(&p, share, (lm_plan_options){ .tokens = 500000 }) == 0);
    CHECK_EQ(tokens_of(&p, "A", 13), 75000);
    CHECK_EQ(tokens_of(&p, "A", 10), 116667); /* of 175,000: 2/3 */
    CHECK_EQ(tokens_of(&p, "B", -1), 250000);
    CHECK(p.domain[0].target_long_share == 0.3 && p.domain[1].target_long_share == 1);
    lm_plan_free(&p);
    CHECK_EQ(plan_two(&p, share, (lm_plan_options){ .tokens = 800000 }), LM_ESHORT);
    CHECK(strstr(
        lm_err(),
        "x: A has 100000 tokens in documents over 4096, but a mixture of 800000 takes 120000"));
    CHECK(strstr(lm_err(), "is 666670"));
    lm_plan_options shrink = { .tokens = 800000,
                               .has_when_short = true,
                               .when_short = LM_SHORT_SHRINK };
    NEED(plan_two(&p, share, shrink) == 0); /* all long documents, and more short ones */
    CHECK_EQ(tokens_of(&p, "A", 13), 100000);
    CHECK_EQ(tokens_of(&p, "A", -1), 400000);
    lm_plan_free(&p);
    CHECK_EQ(p.asked, p.tokens);
    lm_plan_options too_many = { .tokens = 2000001 }; /* A has too few tokens */
    const char *natural = "{\"name\": \"x\"}";
    CHECK_EQ(plan_two(&p, natural, too_many), LM_ESHORT);
    CHECK(strstr(lm_err(), "A has 1000000 tokens, but"));
    CHECK(strstr(lm_err(), "is 2000000"));
    shrink.tokens = 2000001;
    NEED(plan_two(&p, share, shrink) == 0);
    CHECK_EQ(p.asked, 2000001);
    CHECK_EQ(p.tokens, 2000000);
    CHECK_EQ(tokens_of(&p, "A", -1), 1000000);
    CHECK_EQ(tokens_of(&p, "B", -1), 1000000);
    lm_plan_free(&p);

    /* A, 10% long, lowered to 5%: its 900,000 short tokens are enough for 95,000. The share is
     * lowered as far as possible without repeats, and not with only_raise. */
    const char *low = "{\"name\": \"x\", \"long\": {\"share\": 0.05, \"scope\": \"domain\"}}";
    NEED(plan_two(&p, low, (lm_plan_options){ .tokens = 200000 }) == 0);
    CHECK_EQ(tokens_of(&p, "A", 13), 5000);
    CHECK_EQ(tokens_of(&p, "A", -1), 100000);
    lm_plan_free(&p);
    NEED(plan_two(&p, low, (lm_plan_options){ .tokens = 2000000 }) == 0);
    CHECK_EQ(tokens_of(&p, "A", 13), 100000);
    lm_plan_free(&p);
    NEED(plan_two(&p,
                  "{\"name\": \"x\", \"max_copies\": 3, \"when_short\": \"repeat\", "
                  "\"long\": {\"share\": 0.05, \"scope\": \"domain\"}}",
                  (lm_plan_options){ .tokens = 2200000 }) == 0);
    CHECK_EQ(tokens_of(&p, "A", 13), 200000);
    CHECK_EQ(tokens_of(&p, "A", -1), 1100000);
    lm_plan_free(&p);
    NEED(plan_two(&p,
                  "{\"name\": \"x\", \"long\": {\"share\": 0.05, \"scope\": \"domain\", "
                  "\"only_raise\": true}}",
                  (lm_plan_options){ .tokens = 200000 }) == 0);
    CHECK_EQ(tokens_of(&p, "A", 13), 10000);
    lm_plan_free(&p);

    /* Long documents of any domain: A 100,000 and B 1,000,000 share 600,000 as 1:10. */
    NEED(plan_two(&p, "{\"name\": \"x\", \"long\": {\"share\": 0.6, \"scope\": \"global\"}}",
                  (lm_plan_options){ .tokens = 1000000 }) == 0);
    CHECK_EQ(tokens_of(&p, "A", 13), 54545);
    CHECK_EQ(tokens_of(&p, "B", -1), 545455);
    CHECK_EQ(tokens_of(&p, "A", -1), 454545);
    CHECK(p.domain[0].source_share == 0.5 && p.domain[0].target_share == 0.454545);
    lm_plan_free(&p);

    /* The authors' script: a tenth of the short documents, the domain's total kept. A: 90,000 to
     * 100,000. */
    NEED(plan_two(&p, "{\"name\": \"x\", \"long\": {\"short_keep\": 0.1, \"scope\": \"domain\"}}",
                  (lm_plan_options){ .tokens = 19000 }) == 0);
    CHECK_EQ(tokens_of(&p, "A", -1), 9500);
    CHECK_EQ(tokens_of(&p, "A", 13), 5000);
    lm_plan_free(&p);
    NEED(plan_two(&p, "{\"name\": \"x\", \"long\": {\"short_keep\": 0.1, \"scope\": \"global\"}}",
                  (lm_plan_options){ .tokens = 119000 }) == 0);
    CHECK_EQ(tokens_of(&p, "B", -1), 100000);
    CHECK_EQ(tokens_of(&p, "A", 13), 10000);
    CHECK_EQ(tokens_of(&p, "A", 10), 6000);
    lm_plan_free(&p);
}

static void test_short(void)
{
    lm_plan p;
    const char *up = "{\"name\": \"up\", \"weights\": {\"B\": 1.5}, \"max_copies\": 3}";
    /* B supplies 3/4: 1,333,334 is the maximum: of the halves A gets the odd token. */
    CHECK_EQ(plan_two(&p, up, (lm_plan_options){ .tokens = 1400000 }), LM_ESHORT);
    CHECK(strstr(lm_err(), "up: B has 1000000 tokens, but a mixture of 1400000 takes 1050000"));
    CHECK(strstr(lm_err(), "the largest --tokens that fits is 1333334"));
    CHECK_OK(plan_two(&p, up, (lm_plan_options){ .tokens = 1333334 }));
    lm_plan_free(&p);

    lm_plan_options repeat = { .tokens = 1400000,
                               .has_when_short = true,
                               .when_short = LM_SHORT_REPEAT };
    NEED(plan_two(&p, up, repeat) == 0);
    const lm_stratum *s = lm_plan_stratum(&p, 1, 40000);
    NEED(s);
    CHECK_EQ(s->tokens, 1050000);
    CHECK_EQ(s->copies, 1);
    CHECK_EQ(s->threshold >> 32, (uint64_t)(0.05 * 4294967296.0));
    CHECK_EQ(s->ties + s->trim, 0);
    CHECK(lm_plan_stratum(&p, 1, 100) == NULL);
    CHECK(lm_plan_stratum(&p, 2, 40000) == NULL);
    lm_plan_free(&p);
    repeat.tokens = 4000000;
    NEED(plan_two(&p, up, repeat) == 0); /* three copies of all of B, one of A */
    CHECK_EQ(lm_plan_stratum(&p, 1, 40000)->copies, 3);
    CHECK_EQ(lm_plan_stratum(&p, 0, 1000)->copies, 1);
    lm_plan_free(&p);
    repeat.tokens = 4000002;
    CHECK_EQ(plan_two(&p, up, repeat), LM_ESHORT);
    CHECK(strstr(lm_err(), "3 copies counted"));
    CHECK(strstr(lm_err(), "is 4000000"));

    CHECK_EQ(plan_two(&p, "{\"name\": \"x\", \"weights\": {\"C\": 1}}",
                      (lm_plan_options){ .tokens = 10 }),
             LM_ESHORT);
    CHECK(strstr(lm_err(), "C"));
    CHECK_OK(plan_two(&p, "{\"name\": \"x\", \"weights\": {\"C\": 0}}",
                      (lm_plan_options){ .tokens = 10 }));
    lm_plan_free(&p);
    CHECK_EQ(plan_two(&p, "{\"name\": \"x\"}", (lm_plan_options){ .shards = 1000000 }), LM_EUSAGE);
    CHECK_EQ(plan_two(&p, "{\"name\": \"x\"}", (lm_plan_options){ .row = UINT64_C(1) << 40 }),
             LM_EUSAGE);
}

static void bad_hist(const char *text, const char *reason)
{
    lm_plan p;
    lm_recipe r;
    lm_plan_options o = { 0 };
    lm_json *hist = parse(text);
    recipe(&r, "{\"name\": \"x\"}");
    int rc = lm_plan_from_hist(&p, &r, &o, hist);
    CHECK(rc == LM_EDATA || rc == LM_ESHORT);
    CHECK(strstr(lm_err(), reason));
    lm_recipe_free(&r);
    lm_json_free(hist);
}

static void test_bad_hists(void)
{
    bad_hist("{\"unit\": \"characters\", \"tokens\": 1, \"domains\": []}", "characters");
    bad_hist("{\"unit\": \"tokens\", \"tokens\": 0, \"domains\": []}", "no tokens");
    bad_hist("{\"unit\": \"tokens\", \"tokens\": 1, \"domains\": []}", "tokens");
    bad_hist("{\"unit\": \"tokens\", \"domains\": []}", "tokens");
    bad_hist("{\"unit\": \"tokens\", \"tokens\": 5, \"domains\": [{\"name\": \"A\", \"buckets\": "
             "[{\"upto\": 5, \"documents\": 1, \"tokens\": 5}]}]}",
             "power of two");
    bad_hist("{\"unit\": \"tokens\", \"tokens\": 5, \"domains\": [{\"name\": \"A\", \"buckets\": "
             "[{\"upto\": 8, \"documents\": 0, \"tokens\": 5}]}]}",
             "0 documents");
    bad_hist(
        "{\"unit\": \"tokens\", \"tokens\": 5, \"domains\": [{\"name\": \"A\", \"buckets\": []},"
        "{\"name\": \"A\", \"buckets\": []}]}",
        "twice");
}

/* ---- from stores --------------------------------------------------------------------------- */

/* Apply the rule of plan.h to each document; each stratum must give its tokens exactly. */
static void check_exact(const lm_plan *p, const synth_doc *docs, size_t n)
{
    uint64_t *taken = calloc(p->strata, sizeof *taken), *ties = calloc(p->strata, sizeof *ties),
             total = 0;
    NEED(taken && ties);
    for (size_t i = 0; i < n; i++) {
        size_t d = 0;
        while (strcmp(p->domain[d].name, synth_name[docs[i].domain])) d++;
        const lm_stratum *s = lm_plan_stratum(p, d, docs[i].tokens);
        NEED(s);
        size_t k = (size_t)(s - p->stratum);
        uint64_t hash = lm_hash4(p->select_seed, docs[i].key, s->copies, 0);
        taken[k] += s->copies * docs[i].tokens;
        if (hash < s->threshold) {
            taken[k] += docs[i].tokens;
        } else if (hash == s->threshold) {
            if (ties[k] < s->ties) taken[k] += docs[i].tokens;
            else if (ties[k] == s->ties) taken[k] += s->trim;
            CHECK(ties[k] != s->ties || s->trim <= docs[i].tokens);
            ties[k]++;
        }
    }
    for (size_t k = 0; k < p->strata; k++) {
        CHECK_EQ(taken[k], p->stratum[k].tokens);
        total += taken[k];
    }
    CHECK_EQ(total, p->tokens);
    free(taken);
    free(ties);
}

/* How far the domain's and its long documents' tokens are from their shares: less than 1. */
static void check_shares(const lm_plan *p, const lm_recipe *r, uint64_t source_tokens,
                         const uint64_t *of_domain, const uint64_t *of_domain_long)
{
    double weight[SYNTH_DOMAINS], sum = 0;
    for (size_t d = 0; d < p->domains; d++) {
        weight[d] = (double)of_domain[d] / (double)source_tokens;
        for (size_t i = 0; i < r->weights; i++)
            if (!strcmp(r->weight[i].domain, p->domain[d].name)) weight[d] = r->weight[i].weight;
        sum += weight[d];
    }
    uint64_t all_long = 0;
    for (size_t d = 0; d < p->domains; d++) {
        uint64_t is_long = 0;
        for (size_t i = 0; i < p->strata; i++)
            if (p->stratum[i].domain == d && p->stratum[i].bucket >= LM_LONG_BUCKET)
                is_long += p->stratum[i].tokens;
        all_long += is_long;
        if (r->scope == LM_LONG_GLOBAL) continue;
        CHECK(fabs((double)p->domain[d].tokens - weight[d] / sum * (double)p->tokens) < 1.001);
        /* 70%, unless there are too few short documents. */
        double tokens = (double)p->domain[d].tokens,
               all_short = (double)(of_domain[d] - of_domain_long[d]);
        if (r->scope == LM_LONG_DOMAIN)
            CHECK(fabs((double)is_long - fmax(0.7 * tokens, tokens - all_short)) < 1.001);
    }
    if (r->scope == LM_LONG_GLOBAL) CHECK(fabs((double)all_long - 0.7 * (double)p->tokens) < 1.001);
}

static void test_recipes(const synth_doc *docs, size_t n)
{
    lm_store *s = NULL;
    uint64_t of_domain[SYNTH_DOMAINS] = { 0 }, of_domain_long[SYNTH_DOMAINS] = { 0 };
    for (size_t i = 0; i < n; i++) {
        of_domain[docs[i].domain] += docs[i].tokens;
        if (docs[i].tokens > 4096) of_domain_long[docs[i].domain] += docs[i].tokens;
    }
    NEED(lm_store_open(&s, "store.lmt") == 0);
    for (size_t i = 0; i < 8; i++) {
        lm_recipe r;
        lm_plan p, again;
        NEED(lm_recipe_load(&r, recipe_path(the_eight[i])) == 0);
        lm_plan_options o = { .tokens = 300007, .row = 4096 };
        NEED(lm_plan_from_store(&p, &r, &o, s) == 0);
        CHECK(p.exact);
        CHECK_EQ(p.source_hash, lm_store_hash(s));
        CHECK_EQ(p.domains, 7); /* "unknown" has nothing */
        CHECK_EQ(p.shards, 8);
        check_exact(&p, docs, n);
        check_shares(&p, &r, lm_store_tokens(s), of_domain, of_domain_long);

        /* The same plan again; another seed gives another plan; a plan reads back unchanged. */
        lm_buf a = LM_BUF_INIT(1 << 20), b = LM_BUF_INIT(1 << 20);
        NEED(lm_json_dump(p.json, 2, &a) == 0);
        NEED(lm_plan_from_json(&again, p.json) == 0);
        NEED(lm_json_dump(again.json, 2, &b) == 0);
        CHECK(a.size == b.size && !memcmp(a.data, b.data, a.size));
        CHECK(!memcmp(again.stratum, p.stratum, p.strata * sizeof *p.stratum));
        lm_plan_free(&again);
        o.has_seed = true;
        o.seed = 99;
        NEED(lm_plan_from_store(&again, &r, &o, s) == 0);
        CHECK(again.select_seed != p.select_seed && again.order_seed != p.order_seed);
        CHECK_EQ(again.select_seed, lm_hash4(99, 1, 0, 0));
        CHECK_EQ(again.order_seed, lm_hash4(99, 2, 0, 0));
        check_exact(&again, docs, n);
        lm_plan_free(&again);

        /* Repeats: more tokens than the store has. */
        o.tokens = 2 * lm_store_tokens(s) + 12345;
        o.has_when_short = true;
        o.when_short = LM_SHORT_ERROR;
        CHECK_EQ(lm_plan_from_store(&again, &r, &o, s), LM_ESHORT);
        o.when_short = LM_SHORT_REPEAT;
        if (i < 2) {
            NEED(lm_plan_from_store(&again, &r, &o, s) == 0);
            CHECK(again.stratum[0].copies == 2);
            check_exact(&again, docs, n);
            lm_plan_free(&again);
        }
        lm_buf_free(&a);
        lm_buf_free(&b);
        lm_plan_free(&p);
        lm_recipe_free(&r);
    }
    lm_store_close(s);
}

/* All documents have the same text: all hashes are equal, the budget is still met. */
static void test_duplicates(void)
{
    enum { N = 5000 };
    synth_doc *docs = calloc(N, sizeof *docs);
    lm_store *s = NULL;
    lm_recipe r;
    lm_plan p;
    NEED(docs);
    for (size_t i = 0; i < N; i++)
        docs[i] = (synth_doc){ i % 3 ? 42 : 43, i % 3 ? 100 : 5000, i % 2 };
    synth_write("twins.lmt", docs, N);
    NEED(lm_store_open(&s, "twins.lmt") == 0);
    recipe(&r, "{\"name\": \"x\", \"cut\": 64}");
    for (uint64_t t = 1; t < lm_store_tokens(s); t = t * 3 + 1) {
        NEED(lm_plan_from_store(&p, &r, &(lm_plan_options){ .tokens = t }, s) == 0);
        check_exact(&p, docs, N);
        lm_plan_free(&p);
    }
    NEED(lm_plan_from_store(&p, &r, &(lm_plan_options){ .tokens = lm_store_tokens(s) }, s) == 0);
    CHECK_EQ(p.tokens, lm_store_tokens(s));
    check_exact(&p, docs, N);
    lm_plan_free(&p);
    lm_recipe_free(&r);
    lm_store_close(s);
    free(docs);
}

/* A plan from a histogram gives its tokens in expectation: within five standard deviations. */
static void test_expectation(const synth_doc *docs, size_t n)
{
    lm_hist *h = NULL;
    lm_json *hist = NULL;
    lm_recipe r;
    lm_plan p;
    NEED(lm_hist_new(&h, "tokens", synth_name, SYNTH_DOMAINS) == 0);
    for (size_t i = 0; i < n; i++)
        NEED(lm_hist_add(h, docs[i].domain, docs[i].tokens, docs[i].tokens) == 0);
    NEED(lm_hist_to_json(h, &hist) == 0);
    NEED(lm_recipe_load(&r, recipe_path("per-source")) == 0);
    NEED(lm_plan_from_hist(&p, &r, &(lm_plan_options){ .tokens = 400000 }, hist) == 0);
    CHECK(!p.exact);
    for (size_t k = 0; k < p.strata; k++) {
        const lm_stratum *s = &p.stratum[k];
        double taken = 0, variance = 0,
               f = (double)s->tokens / (double)s->available - (double)s->copies;
        for (size_t i = 0; i < n; i++) {
            if (strcmp(synth_name[docs[i].domain], p.domain[s->domain].name) ||
                lm_bucket(docs[i].tokens) != s->bucket)
                continue;
            taken += (double)(s->copies * docs[i].tokens);
            if (lm_hash4(p.select_seed, docs[i].key, s->copies, 0) < s->threshold)
                taken += (double)docs[i].tokens;
            variance += 4 * f * (1 - f) * (double)docs[i].tokens *
                        (double)docs[i].tokens; /* duplicates: at most x 4 */
        }
        CHECK(fabs(taken - (double)s->tokens) <= 5 * sqrt(variance) + 1);
    }
    lm_plan_free(&p);
    lm_recipe_free(&r);
    lm_json_free(hist);
    lm_hist_free(h);
}

/* ---- damaged plans ------------------------------------------------------------------------- */

/* Replace the first `from` after `after` in the text of a plan: it must be refused. */
static void damaged(const lm_buf *text, const char *after, const char *from, const char *to,
                    const char *reason)
{
    char *copy = calloc(1, text->size + 256);
    lm_json *j = NULL;
    lm_plan p;
    NEED(copy);
    memcpy(copy, text->data, text->size);
    char *at = strstr(copy, after);
    NEED(at && (at = strstr(at, from)));
    char *tail = strdup(at + strlen(from));
    NEED(tail);
    memcpy(at, to, strlen(to));
    memcpy(at + strlen(to), tail, strlen(tail) + 1);
    free(tail);
    NEED(lm_json_parse(&j, copy, strlen(copy), "p") == 0);
    CHECK_EQ(lm_plan_from_json(&p, j), LM_EDATA);
    if (!strstr(lm_err(), reason)) fprintf(stderr, "  %s -> %s\n", from, to);
    CHECK(strstr(lm_err(), reason));
    lm_json_free(j);
    free(copy);
}

static void test_damaged(void)
{
    lm_plan p;
    lm_buf text = LM_BUF_INIT(1 << 20);
    NEED(plan_two(&p, "{\"name\": \"x\", \"cut\": 4096}",
                  (lm_plan_options){ .tokens = 500001, .shards = 3 }) == 0);
    CHECK_EQ(p.shards, 3);
    NEED(lm_json_dump(p.json, 2, &text) == 0);
    lm_plan_free(&p);
    damaged(&text, "format", "plan 1", "plan 2", "plan 2");
    damaged(&text, "recipe", "\"shards\": 3", "\"shards\": 0", "shards");
    damaged(&text, "source", "\"row\": 131072", "\"row\": 0", "row");
    damaged(&text, "source", "\"tokens\": 500001", "\"tokens\": 500000", "sum to");
    damaged(&text, "source", "\"asked\": 500001", "\"asked\": 500000", "asked");
    damaged(&text, "domains", "250001", "250002", "sum to");
    damaged(&text, "strata", "\"copies\": 0", "\"copies\": 1", "copies");
    damaged(&text, "strata", "\"bucket\": 10", "\"bucket\": 11", "upto");
    damaged(&text, "strata", "\"domain\": \"A\"", "\"domain\": \"Z\"", "domain");
    damaged(&text, "strata", "\"domain\": \"A\"", "\"domain\": \"B\"", "order");
    damaged(&text, "strata", "\"ties\": 0", "\"ties\": 901", "ties");
    damaged(&text, "strata", "\"trim\": 0", "\"trim\": 2000", "trim");
    damaged(&text, "select_seed", "\": \"", "\": \"x", "select_seed");
    damaged(&text, "source", "\"cut\": 4096", "\"cut\": 4097", "cut");
    damaged(&text, "source", "histogram", "dream", "kind");
    damaged(&text, "source", "\"threshold\"", "\"treshold\"", "treshold");
    lm_buf_free(&text);
    CHECK_EQ(lm_plan_load(&p, "no-such-plan.json"), LM_EIO);
}

/* Parts partition the shards; each has floor or ceil of shards / parts. */
static void check_parts(uint64_t shards, uint32_t parts, uint32_t from, uint32_t to)
{
    lm_plan p = { .shards = shards };
    uint64_t first = 0, end = 0, before = 0;
    lm_plan_part(&p, 1, parts, &first, &end);
    CHECK_EQ(first, 0);
    lm_plan_part(&p, parts, parts, &first, &end);
    CHECK_EQ(end, shards);
    for (uint32_t k = from; k <= to; k++) {
        lm_plan_part(&p, k, parts, &first, &end);
        CHECK(first <= end && end <= shards);
        CHECK(end - first == shards / parts || end - first == shards / parts + 1);
        CHECK(k == from || first == before);
        before = end;
    }
}

static void test_parts(void)
{
    check_parts(1, 1, 1, 1);
    check_parts(10, 3, 1, 3);
    check_parts(3, 10, 1, 10);
    check_parts(100000, 65536, 1, 65536);
    check_parts(UINT64_MAX, 3, 1, 3);
    check_parts(UINT64_MAX, UINT32_MAX, 1, 100);
    check_parts(UINT64_MAX, UINT32_MAX, UINT32_MAX - 100, UINT32_MAX - 1);
}

int main(void)
{
    size_t n = 0;
    synth_doc *docs = synth_docs(4000000, &n);
    test_targets();
    test_short();
    test_bad_hists();
    test_damaged();
    test_parts();
    synth_write("store.lmt", docs, n);
    test_recipes(docs, n);
    test_duplicates();
    test_expectation(docs, n);
    free(docs);
    CHECK_END();
}
