/* RULER's texts: count and position of the hidden items; a sample depends only on its numbers. */
#include "check.h"
#include "eval/tasks/ruler/tasks.h"
#include "lib/base/rng.h"

static ruler_prose prose;

static const ruler_task *task(const char *name)
{
    for (const ruler_task *t = ruler_tasks; t->name; t++)
        if (!strcmp(t->name, name)) return t;
    NEED(false);
    return NULL;
}

static void make(ruler_sample *s, const char *name, uint64_t seed, size_t length, size_t number,
                 size_t size)
{
    const ruler_task *t = task(name);
    struct ruler_make m = { .seed = ruler_seed(seed, t, length, number),
                            .example = ruler_seed(seed, t, 0, 0),
                            .length = length,
                            .size = size,
                            .example_size = 2,
                            .prose = &prose };
    NEED(ruler_make_sample(t, &m, s) == 0);
}

static const char *prompt(const ruler_sample *s) { return (char *)s->prompt.data; }

static const char *reference(const ruler_sample *s, size_t i)
{
    const char *at = (char *)s->references.data;
    while (i--) at += strlen(at) + 1;
    return at;
}

static size_t times(const char *text, const char *what)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, what)); at += strlen(what)) n++;
    return n;
}

static void pure(void)
{
    ruler_sample a = { 0 }, b = { 0 };
    for (const ruler_task *t = ruler_tasks; t->name; t++) {
        make(&a, t->name, 7, 4096, 3, 100);
        make(&b, t->name, 7, 8192, 3, 100);
        CHECK(strcmp(prompt(&a), prompt(&b)));
        make(&b, t->name, 8, 4096, 3, 100);
        CHECK(strcmp(prompt(&a), prompt(&b)));
        make(&b, t->name, 7, 4096, 2, 100);
        CHECK(strcmp(prompt(&a), prompt(&b)));
        make(&b, t->name, 7, 4096, 3, 100);
        CHECK_STR(prompt(&a), prompt(&b));
        CHECK(a.n == b.n && a.n > 0);
        for (size_t i = 0; i < a.n; i++) {
            CHECK_STR(reference(&a, i), reference(&b, i));
            CHECK(strstr(prompt(&a), reference(&a, i)) != NULL);
        }
    }
    ruler_sample_free(&a);
    ruler_sample_free(&b);
}

static void needles(void)
{
    ruler_sample s = { 0 };
    static const char LINE[] = "One of the special magic ", NOISE[] = "The grass is green.";
    make(&s, "niah_single_1", 1, 4096, 0, 50);
    CHECK_EQ(times(prompt(&s), NOISE), 50);
    CHECK_EQ(times(prompt(&s), LINE), 1);
    CHECK(!strncmp(prompt(&s), "A special magic number is hidden within the following text.", 59));
    CHECK_EQ(strlen(reference(&s, 0)), 7);
    CHECK(reference(&s, 0)[0] != '0');
    make(&s, "niah_multikey_2", 1, 4096, 0, 50);
    CHECK_EQ(times(prompt(&s), LINE), 51);
    make(&s, "niah_multikey_3", 1, 4096, 0, 50);
    CHECK_EQ(times(prompt(&s), "One of the special magic uuids for "), 51);
    const char *u = reference(&s, 0);
    CHECK(strlen(u) == 36 && u[14] == '4' && strchr("89ab", u[19]) && u[8] == '-' && u[23] == '-');
    make(&s, "niah_multikey_1", 1, 4096, 0, 50);
    CHECK_EQ(times(prompt(&s), LINE), 4);
    CHECK_EQ(s.n, 1);
    make(&s, "niah_multivalue", 1, 4096, 0, 50);
    CHECK_EQ(times(prompt(&s), LINE), 4);
    CHECK_EQ(s.n, 4);
    CHECK(strstr(prompt(&s), "What are all the special magic numbers for ") != NULL);
    make(&s, "niah_multiquery", 1, 4096, 0, 50);
    CHECK_EQ(s.n, 4);
    const char *end =
        strstr(prompt(&s), " mentioned in the provided text? The special magic numbers for ");
    CHECK(end && times(end, ", and ") == 1 && !strcmp(end + strlen(end) - 3, "are"));
    /* the essays repeat from the start, in the same order */
    make(&s, "niah_single_2", 1, 4096, 0, 2 * prose.words);
    CHECK_EQ(times(prompt(&s), "Third sentence here!"), 2);
    CHECK_EQ(times(prompt(&s), LINE), 1);
    ruler_sample_free(&s);
}

/* Positions of the needle over many samples: only sentence ends, from the first to the last. */
static void depths(void)
{
    ruler_sample s = { 0 };
    bool first = false, last = false;
    for (size_t i = 0; i < 200; i++) {
        make(&s, "niah_single_2", 5, 4096, i, prose.words);
        const char *at = strstr(prompt(&s), "One of the special"),
                   *text = strchr(prompt(&s), '\n') + 1;
        first |= at == text;
        CHECK(at == text || (at[-1] == ' ' && strchr(".!?\")t", at[-2])));
        last |= !strstr(at, "end of it");
    }
    CHECK(first && last);
    ruler_sample_free(&s);
}

static void tracking(void)
{
    ruler_sample s = { 0 };
    for (size_t size = 1; size < 12; size++) {
        make(&s, "vt", 1, 4096, 0, size);
        CHECK_EQ(s.n, 5);
        const char *at = strstr(prompt(&s), "they are: ") + 1; /* after the example */
        char want[64];
        for (size_t i = 0; i < 5; i++) {
            CHECK_EQ(strlen(reference(&s, i)), 5);
            snprintf(want, sizeof want, i ? "VAR %s = VAR %s " : "VAR %s = ", reference(&s, i),
                     i ? reference(&s, i - 1) : "");
            at = strstr(at, want); /* in this order */
            CHECK(at != NULL);
            if (!at) break;
        }
        CHECK_EQ(times(prompt(&s), "There and back again."), 2 + size);
        CHECK_EQ(times(prompt(&s), "VAR "), 2 * 9);
        CHECK(!strcmp(prompt(&s) + s.prompt.size - 1 - 10, "they are: "));
    }
    ruler_sample_free(&s);
}

static void common_words(void)
{
    ruler_sample s = { 0 };
    static const struct {
        size_t length, often, list;
    } CASES[] = { { 4096, 30, 10 * 30 + 40 * 3 }, { 4095, 6, 10 * 6 + 40 } };
    for (size_t c = 0; c < 2; c++) {
        make(&s, "cwe", 1, CASES[c].length, 0, 50);
        CHECK_EQ(s.n, 10);
        const char *list =
            strstr(strstr(prompt(&s), "appear most often.\n") + 1, "appear most often.\n");
        CHECK(list != NULL);
        char word[80], last[80];
        for (size_t i = 0; list && i < 10; i++) {
            snprintf(word, sizeof word, ". %s", reference(&s, i));
            CHECK_EQ(times(list, word), CASES[c].often);
        }
        snprintf(last, sizeof last, " %zu. ", CASES[c].list);
        CHECK(list && strstr(list, last) != NULL);
        snprintf(last, sizeof last, " %zu. ", CASES[c].list + 1);
        CHECK(list && !strstr(list, last));
        CHECK(strstr(prompt(&s), "in the list are:1. ") !=
              NULL); /* RULER's example has no space there */
    }
    /* words are distinct, and none is a substring of another */
    for (size_t i = 0; i < ruler_adjectives_n; i++)
        for (size_t k = 0; k < ruler_adjectives_n; k++) {
            size_t a = strlen(ruler_adjectives[i]), b = strlen(ruler_adjectives[k]);
            CHECK(i == k || a > b || strcmp(ruler_adjectives[k] + b - a, ruler_adjectives[i]));
        }
    for (size_t i = 0; i < ruler_nouns_n; i++)
        for (size_t k = 0; k < ruler_nouns_n; k++)
            CHECK(i == k || strncmp(ruler_nouns[i], ruler_nouns[k], strlen(ruler_nouns[k])));
    ruler_sample_free(&s);
}

static void frequent_words(void)
{
    ruler_sample s = { 0 };
    make(&s, "fwe", 1, 4096, 0, 1000);
    CHECK_EQ(s.n, 3);
    const char *end = strstr(prompt(&s), "\nQuestion:");
    char *text = strndup(prompt(&s), (size_t)(end - prompt(&s)));
    /* 1000 / (zeta(2) k^2) */
    CHECK_EQ(times(text, reference(&s, 0)), 151);
    CHECK_EQ(times(text, reference(&s, 1)), 67);
    CHECK_EQ(times(text, reference(&s, 2)), 37);
    CHECK_EQ(times(text, " ..."), 607);
    free(text);
    ruler_sample_free(&s);
}

int main(void)
{
    static const char TEXT[] =
        "First sentence of it.  The second\none, (really.) Third sentence here! \"Who?\" "
        "asked nobody. A fifth and long sentence that goes on and on. The end of it";
    NEED(ruler_prose_make(&prose, TEXT, sizeof TEXT - 1) == 0);
    CHECK_EQ(prose.words, 28);
    size_t sentences = 0;
    for (size_t i = 0; i < prose.words; i++) sentences += prose.ends[i];
    CHECK_EQ(sentences, 6); /* the last one has no full stop */
    pure();
    needles();
    depths();
    tracking();
    common_words();
    frequent_words();
    ruler_prose none;
    CHECK(ruler_prose_make(&none, " \n", 2) == LM_EDATA);
    ruler_prose_free(&none);
    ruler_prose_free(&prose);
    CHECK_END();
}
