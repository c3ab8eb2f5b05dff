#include <stdbool.h>

#include "check.h"
#include "longmix/buf.h"
#include "longmix/domain.h"
#include "longmix/zio.h"

static int find(const lm_domains *d, const char *s) { return lm_domains_find(d, s, strlen(s)); }

static int tag(const lm_domains *d, const char *label, const char *file)
{
    lm_string one = { label, label ? strlen(label) : 0 };
    return lm_domains_tag(d, &one, label != NULL, file, 0);
}

static void built_in(void)
{
    static const char *const names[] = { "CommonCrawl", "C4",        "GitHub",        "ArXiv",
                                         "Book",        "Wikipedia", "StackExchange", "unknown" };
    lm_domains *d = NULL;
    NEED(!lm_domains_open(&d, NULL));
    CHECK_EQ(lm_domains_count(d), 8);
    for (int i = 0; i < 8; i++) {
        char alias[64];
        CHECK_STR(lm_domains_name(d, (size_t)i), names[i]);
        CHECK(find(d, names[i]) == i);
        snprintf(alias, sizeof alias, "rEDpAJAMA%s", names[i]);
        if (i < 7) CHECK(find(d, alias) == i && tag(d, alias, "f") == i);
    }
    CHECK(find(d, "RedPajamaGithub") == 2 && find(d, "github") == 2 && find(d, "cc") == 0 &&
          find(d, "books") == 4);
    CHECK(find(d, "common_crawl") == 0 && find(d, "wiki") == 5 && find(d, "stack_exchange") == 6 &&
          find(d, "arxiv") == 3);
    CHECK(find(d, "C") == -1 && find(d, "C44") == -1 && find(d, "") == -1);
    CHECK(lm_domains_find(d, "C4\0x", 4) == -1 && lm_domains_find(d, "C4xyz", 2) == 1);
    CHECK(tag(d, NULL, "c4.jsonl") == 7 && tag(d, "Reddit", "c4.jsonl") == 7 &&
          tag(d, "unknown", "f") == 7);
    CHECK_STR(lm_domains_keys(d)[0], "domain");
    CHECK_STR(lm_domains_keys(d)[1], "meta.redpajama_set_name");
    CHECK(lm_domains_keys(d)[2] == NULL);
    lm_domains_on_unknown(d, true);
    CHECK(tag(d, "Reddit", "f") == LM_EDATA);
    CHECK_STR(lm_err(), "no domain is named \"Reddit\"");
    CHECK(tag(d, NULL, "f") == LM_EDATA);
    CHECK(tag(d, "C4", "f") == 1);
    lm_domains_free(d);
    lm_domains_free(NULL);
}

static int open_text(lm_domains **d, const char *s)
{
    NEED(!lm_write_file("d.json", s, strlen(s)));
    return lm_domains_open(d, "d.json");
}

static void own_table(void)
{
    lm_domains *d = NULL;
    NEED(!open_text(
        &d, "{\"keys\": [\"source\", \"meta.origin.name\"], \"unknown\": \"stop\", \"domains\": ["
            "{\"name\": \"Law\", \"aliases\": [\"gesetze\", \"LAW\"], \"files\": [\"*law*\"]},"
            "{\"name\": \"News\", \"files\": [\"news-??.jsonl*\", \"*\"]}]}"));
    CHECK_EQ(lm_domains_count(d), 3);
    CHECK_STR(lm_domains_name(d, 2), "unknown");
    CHECK_STR(lm_domains_keys(d)[1], "meta.origin.name");
    CHECK(tag(d, "Gesetze", "x") == 0);
    CHECK(tag(d, NULL, "corpus/law/a.jsonl") == 0);       /* a pattern sees the whole path */
    CHECK(tag(d, NULL, "corpus/news-07.jsonl.zst") == 1); /* and the name alone */
    CHECK(tag(d, "nobody", "law.jsonl") == 0); /* an unknown label leaves it to the file */
    CHECK(tag(d, "news", "law.jsonl") == 1);   /* a known one does not */
    CHECK(tag(d, "nobody", "else") == 1);
    lm_domains_free(d);
}

/* Patterns on labels; the first label that a rule knows decides. */
static void labels(void)
{
    lm_domains *d = NULL;
    NEED(!open_text(&d, "{\"domains\": ["
                        "{\"name\": \"Web\", \"labels\": [\"cc/*\", \"[cd]?-??\"]},"
                        "{\"name\": \"Code\", \"aliases\": [\"cc/code\"], \"labels\": [\"*hub\"]},"
                        "{\"name\": \"Odd\", \"labels\": [\"\\\\*\", \"[!a-z]\", \"x[]y\"]},"
                        "{\"name\": \"File\", \"files\": [\"*.odd\"]}]}"));
    CHECK(tag(d, "cc/2019-30/en_head", "f") == 0 && tag(d, "CC/", "f") == 0);
    CHECK(tag(d, "cc", "f") == 4 && tag(d, "xcc/1", "f") == 4);
    CHECK(tag(d, "cc/code", "f") == 1); /* words come before patterns */
    CHECK(tag(d, "C1-23", "f") == 0 && tag(d, "e1-23", "f") == 4 && tag(d, "c1-2", "f") == 4);
    CHECK(tag(d, "GitHub", "f") == 1 && tag(d, "hub", "f") == 1 && tag(d, "hubs", "f") == 4);
    CHECK(tag(d, "*", "f") == 2 && tag(d, "9", "f") == 2 && tag(d, "b", "f") == 4);
    CHECK(tag(d, "x[]y", "f") == 2 && tag(d, "x]y", "f") == 4);
    lm_string many[] = { { "example.com", 11 }, { "unknown", 7 }, { "cc/\0x", 5 }, { "Code", 4 } };
    CHECK(lm_domains_tag(d, many, 4, "f", 0) == 0);
    CHECK(lm_domains_tag(d, many, 2, "f", 0) == 4 && lm_domains_tag(d, many, 2, "a.odd", 0) == 3);
    lm_domains_on_unknown(d, true);
    CHECK(lm_domains_tag(d, many, 1, "f", 0) == LM_EDATA && strstr(lm_err(), "\"example.com\""));
    CHECK(lm_domains_tag(d, many, 2, "f", 0) == 4); /* the document says so */
    lm_domains_free(d);
}

/* Patterns of files see the path from any slash on, and wildcards no folder above the operand. */
static void paths(void)
{
    static const struct {
        const char *pattern, *file;
        size_t top;
        bool matches;
    } cases[] = {
        { "law/*", "/data/corpus/law/a.jsonl", 6, true },
        { "law/*", "/data/law/a.jsonl", 10, true }, /* the operand is the file */
        { "law/*", "/data/outlaw/a.jsonl", 6, false },
        { "*/law/*", "/data/corpus/law/a.jsonl", 6, true },
        { "*/law/*", "/data/law/a.jsonl", 6, true }, /* any folders, or none */
        { "*/law/*", "law/a.jsonl", 0, true },
        { "*law*", "/data/corpus/bylaws/a.jsonl", 6, true },
        { "*law*", "/data/outlaws/corpus/a.jsonl", 14, false },
        { "?aw*", "/law/corpus/a.jsonl", 5, false },
        { "a.jsonl", "/data/corpus/x/a.jsonl", 6, true },
        { "*.jsonl", "/data/corpus/x/a.jsonl", 6, true },
        { "/data/*", "/data/corpus/a.jsonl", 6, true },
        { "corpus", "/data/corpus/a.jsonl", 6, false },
        { "*", "-", 0, true },
        { "A*", "/data/a.jsonl", 6, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char table[200];
        lm_domains *d = NULL;
        snprintf(table, sizeof table, "{\"domains\": [{\"name\": \"x\", \"files\": [\"%s\"]}]}",
                 cases[i].pattern);
        NEED(!open_text(&d, table));
        bool got = lm_domains_tag(d, NULL, 0, cases[i].file, cases[i].top) == 0;
        if (got != cases[i].matches) fprintf(stderr, "  %s, %s\n", cases[i].pattern, cases[i].file);
        CHECK(got == cases[i].matches);
        lm_domains_free(d);
    }
}

/* Tables that are compiled in; a file of the same name is preferred. */
static void presets(void)
{
    lm_domains *d = NULL, *built = NULL;
    size_t n = 0;
    for (const char *name; (name = lm_domains_preset(n)); n++) {
        NEED(!lm_domains_open(&d, name));
        CHECK(lm_domains_count(d) > 1 && lm_domains_keys(d)[0]);
        lm_domains_free(d);
    }
    CHECK_EQ(n, 8);
    CHECK(lm_domains_open(&d, "Pile") == LM_EIO && strstr(lm_err(), "pile, redpajama-v1"));
    NEED(!lm_domains_open(&d, "the-stack"));
    CHECK_STR(lm_domains_text(d), "content");
    CHECK(tag(d, "C", "f") == 2 && tag(d, "c++", "f") == 4 && tag(d, "COBOL", "f") == 30);
    lm_domains_free(d);
    static const char mine[] = "{\"domains\": [{\"name\": \"Mine\"}]}";
    NEED(!lm_write_file("pile", mine, sizeof mine - 1));
    NEED(!lm_domains_open(&d, "pile"));
    CHECK_STR(lm_domains_name(d, 0), "Mine");
    CHECK(lm_domains_text(d) == NULL);
    lm_domains_free(d);

    /* Overrides, and a hash of what decides the domain. */
    NEED(!lm_domains_open(&built, "slimpajama"));
    CHECK_EQ(lm_domains_rules(built), 0);
    lm_domains_free(built);
    NEED(!lm_domains_open(&built, NULL) && !lm_domains_open(&d, "dolma"));
    CHECK_EQ(lm_domains_rules(built), 0);
    uint64_t before = lm_domains_rules(d);
    CHECK(before != 0);
    lm_domains_on_unknown(d, false);
    CHECK_EQ(lm_domains_rules(d), before);
    static const char *const keys[] = { "a", "b.c", "3", "4", "5", "6", "7", "8", "9" };
    CHECK_OK(lm_domains_set_keys(built, keys, 0));
    CHECK_EQ(lm_domains_rules(built), 0);
    CHECK_OK(lm_domains_set_keys(built, keys, 2));
    CHECK(lm_domains_rules(built) != 0 && lm_domains_rules(built) != before);
    CHECK_STR(lm_domains_keys(built)[1], "b.c");
    CHECK(!lm_domains_keys(built)[2]);
    CHECK(lm_domains_set_keys(built, keys, 9) == LM_EUSAGE);
    lm_domains_set_text(built, NULL);
    CHECK(!lm_domains_text(built));
    lm_domains_set_text(built, "body");
    CHECK_STR(lm_domains_text(built), "body");
    lm_domains_on_unknown(d, true);
    CHECK(lm_domains_rules(d) != before);
    lm_domains_free(d);
    lm_domains_free(built);
}

static void refusals(void)
{
    static const char *const bad[][2] = {
        { "[]", "expected an object" },
        { "{}", "domains: is missing" },
        { "{\"domains\": []}", "array of 1 to 255" },
        { "{\"domains\": {}}", "array of 1 to 255" },
        { "{\"domains\": [{}]}", "domains[0].name: is missing" },
        { "{\"domains\": [{\"name\": \"\"}]}", "empty name" },
        { "{\"domains\": [{\"name\": \"a,b\"}]}", "domains[0].name" },
        { "{\"domains\": [{\"name\": \"a\\\"b\"}]}", "domains[0].name" },
        { "{\"domains\": [{\"name\": \"a\", \"alias\": []}]}", "domains[0].alias: no such field" },
        { "{\"domains\": [{\"name\": \"a\", \"aliases\": \"b\"}]}", "array of strings" },
        { "{\"domains\": [{\"name\": \"a\", \"aliases\": [7]}]}",
          "domains[0].aliases[0]: expected a string" },
        { "{\"domains\": [{\"name\": \"a\"}, {\"name\": \"A\"}]}", "already names the domain a" },
        { "{\"domains\": [{\"name\": \"a\"}, {\"name\": \"b\", \"aliases\": [\"A\"]}]}",
          "already names the domain a" },
        { "{\"domains\": [{\"name\": \"Unknown\"}]}", "already names the domain unknown" },
        { "{\"domains\": [{\"name\": \"a\"}], \"unknown\": \"skip\"}", "unknown: \"skip\"" },
        { "{\"domains\": [{\"name\": \"a\"}], \"keys\": [1]}", "keys[0]: expected a string" },
        { "{\"domains\": [{\"name\": \"a\", \"labels\": [1]}]}",
          "domains[0].labels[0]: expected a" },
        { "{\"domains\": [{\"name\": \"a\"}], \"text_key\": 1}", "text_key: expected a string" },
        { "{\"domains\": [{\"name\": \"a\"}], \"keys\": "
          "[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]}",
          "at most 8" },
        { "{\"domains\": [{\"name\": \"a\"}], \"more\": 1}", "more: no such field" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        lm_domains *d = NULL;
        CHECK(open_text(&d, bad[i][0]) == LM_EDATA && d == NULL);
        if (!strstr(lm_err(), bad[i][1])) fprintf(stderr, "  %s: %s\n", bad[i][0], lm_err());
        CHECK(strstr(lm_err(), bad[i][1]) != NULL && !strncmp(lm_err(), "d.json", 6));
    }
    lm_domains *d = NULL;
    CHECK(lm_domains_open(&d, "absent.json") == LM_EIO && d == NULL);
}

/* 255 domains and "unknown" are as many as an id can represent. */
static void many(void)
{
    for (int n = 255; n <= 256; n++) {
        lm_buf b = LM_BUF_INIT(1 << 16);
        NEED(!lm_buf_printf(&b, "{\"domains\": ["));
        for (int i = 0; i < n; i++)
            NEED(!lm_buf_printf(&b, "%s{\"name\": \"d%d\"}", i ? "," : "", i));
        NEED(!lm_buf_printf(&b, "]}") && !lm_buf_add(&b, "", 1));
        lm_domains *d = NULL;
        CHECK(open_text(&d, (char *)b.data) == (n < 256 ? 0 : LM_EDATA));
        if (d) CHECK(tag(d, "D254", "f") == 254 && tag(d, "x", "f") == 255);
        lm_domains_free(d);
        lm_buf_free(&b);
    }
}

int main(void)
{
    built_in();
    own_table();
    labels();
    paths();
    presets();
    refusals();
    many();
    CHECK_END();
}
