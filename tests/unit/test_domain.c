#include "check.h"
#include "longmix/buf.h"
#include "longmix/domain.h"
#include "longmix/zio.h"

static int find(const lm_domains *d, const char *s) { return lm_domains_find(d, s, strlen(s)); }

static int tag(const lm_domains *d, const char *label, const char *file)
{
    return lm_domains_tag(d, label, label ? strlen(label) : 0, file);
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
    refusals();
    many();
    CHECK_END();
}
