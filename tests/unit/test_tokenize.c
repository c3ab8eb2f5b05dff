/* Assignment of files to parts: ranges that cover the list, of about equal size in bytes. What the header
 * says about folders. */
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "lib/base/rng.h"
#include "longmix/store.h"
#include "longmix/tokenize.h"

enum { FILES = 40 };

static char *files[FILES];
static uint64_t sizes[FILES];

static void make_files(uint64_t (*size)(size_t i))
{
    for (size_t i = 0; i < FILES; i++) {
        static char name[FILES][32];
        snprintf(name[i], sizeof name[i], "f%02zu", i);
        files[i] = name[i];
        sizes[i] = size(i);
        FILE *f = fopen(name[i], "wb");
        NEED(f);
        for (uint64_t k = 0; k < sizes[i]; k++) fputc('\n', f);
        NEED(fclose(f) == 0);
    }
}

static uint64_t nothing(size_t i) { return 0 * i; }
static uint64_t alike(size_t i) { return 1000 + i % 2; }
static uint64_t varied(size_t i) { return lm_hash4(1, i, 0, 0) % 5000; }
static uint64_t one_large(size_t i) { return i == 20 ? 100000 : 10; }

/* The largest part in bytes, after checking that the parts are the list in order. */
static uint64_t divide(uint32_t parts)
{
    uint64_t most = 0;
    size_t next = 0;
    for (uint32_t k = 1; k <= parts; k++) {
        size_t first = 0, count = 0;
        uint64_t bytes = 0;
        NEED(lm_tokenize_part(files, FILES, k, parts, &first, &count) == 0);
        CHECK(first == next || count == 0);
        next = first + count;
        NEED(next <= FILES);
        for (size_t i = first; i < next; i++) bytes += sizes[i];
        if (bytes > most) most = bytes;
    }
    CHECK_EQ(next, FILES);
    return most;
}

/* Tokenize one file of a folder that also holds `skipped` (NULL: nothing) into "s.lmt". */
static int tokenize_one(const char *skipped, lm_tokenize_sums *sums)
{
    char model[4096];
    const char *src = getenv("LM_SRC");
    snprintf(model, sizeof model, "%s/tests/data/tokenizer.model", src ? src : ".");
    char path[] = "f.jsonl", name[] = "below/f.jsonl", other[32] = "";
    if (skipped) snprintf(other, sizeof other, "%s", skipped);
    char *paths[] = { path, NULL }, *names[] = { name, NULL }, *others[] = { other, NULL };
    lm_files f = {
        .path = paths, .name = names, .n = 1, .skipped = others, .skips = skipped != NULL
    };
    lm_tokenize_options o = { .model = model, .threads = 1, .part = 1, .parts = 1 };
    lm_tokenizer *tokenizer = NULL;
    lm_domains *domains = NULL;
    NEED(lm_tokenizer_open(&tokenizer, model, NULL, 0) == 0 &&
         lm_domains_open(&domains, NULL) == 0);
    o.tokenizer = tokenizer;
    o.domains = domains;
    int rc = lm_tokenize(&o, &f, "s.lmt", sums);
    lm_tokenizer_free(tokenizer);
    lm_domains_free(domains);
    return rc;
}

/* The only name that was not read; "" for none. */
static const char *not_read(void)
{
    static char name[64];
    const char *s = "";
    lm_store *store = NULL;
    NEED(lm_store_open(&store, "s.lmt") == 0);
    const lm_meta *m = lm_store_meta(store);
    CHECK(m->version == 2 && m->files == 1);
    CHECK_STR(m->file[0], "below/f.jsonl");
    CHECK(!m->not_read || lm_json_size(m->not_read) == 1);
    if (m->not_read) CHECK_OK(lm_json_str(&s, lm_json_at(m->not_read, 0), NULL));
    snprintf(name, sizeof name, "%s", s);
    lm_store_close(store);
    return name;
}

static void folders(void)
{
    lm_tokenize_sums sums;
    FILE *f = fopen("f.jsonl", "w");
    NEED(f && fputs("{\"text\": \"some words\"}\n", f) > 0 && fclose(f) == 0);
    CHECK_OK(tokenize_one(NULL, &sums));
    CHECK_STR(not_read(), "");
    NEED(unlink("s.lmt") == 0);
    CHECK_OK(tokenize_one("below/README", &sums));
    CHECK(!sums.already && sums.documents == 1);
    CHECK_STR(not_read(), "below/README");
    /* Other files of that kind, such as the store itself, are no reason to begin again. */
    CHECK_OK(tokenize_one("below/s.lmt", &sums));
    CHECK(sums.already);
    NEED(rename("s.lmt", "s.lmt.partial") == 0);
    CHECK_OK(tokenize_one(NULL, &sums));
    CHECK(!sums.already && sums.resumed == 1);
    CHECK_STR(not_read(), "below/README");
}

int main(void)
{
    folders();
    size_t first = 0, count = 0;
    make_files(alike);
    CHECK_EQ(divide(1), 40020);
    CHECK_EQ(divide(4), 10005);
    CHECK(divide(3) <= 14 * 1001);
    CHECK(divide(1000) <= 1001);
    make_files(varied);
    uint64_t whole = divide(1);
    for (uint32_t k = 2; k < 12; k++) CHECK(divide(k) <= whole / k + 5000);
    make_files(nothing);
    CHECK_EQ(divide(7), 0);
    make_files(one_large);
    CHECK(divide(3) <= 100000 + 200);

    CHECK_EQ(lm_tokenize_part(files, 0, 2, 3, &first, &count), 0);
    CHECK_EQ(count, 0);
    char dash[] = "-", none[] = "absent";
    char *standard[] = { dash }, *absent[] = { none };
    CHECK_EQ(lm_tokenize_part(standard, 1, 1, 1, &first, &count), 0);
    CHECK_EQ(count, 1);
    CHECK_EQ(lm_tokenize_part(standard, 1, 1, 2, &first, &count), LM_EUSAGE);
    CHECK_EQ(lm_tokenize_part(absent, 1, 1, 2, &first, &count), LM_EIO);
    CHECK_END();
}
