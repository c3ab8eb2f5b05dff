/* Domain losses computed from hand-written result lines of documents. */
#include <fcntl.h>
#include <math.h>
#include <unistd.h>

#include "check.h"
#include "eval/metrics/bootstrap.h"
#include "longmix/zio.h"

static const char head[] =
    "{\"eval\":\"domains\",\"ranges\":[8,64],\"at\":[16],\"settings\":\"01\",";

typedef struct line {
    const char *domain, *key;
    double sums[3];
    int counts[3]; /* two ranges, one place */
} line;

static void write_lines(const char *path, const line *v, size_t n)
{
    lm_buf text = LM_BUF_INIT(1 << 20);
    for (size_t i = 0; i < n; i++) {
        NEED(lm_buf_printf(
                 &text,
                 "%s\"mode\":\"document\",\"value\":1.0,\"parts\":[{\"domain\":\"%s\",\"key\":"
                 "\"%s\",\"sums\":[%g,%g],\"tokens\":[%d,%d],\"at_sums\":[%g],"
                 "\"at_tokens\":[%d]}],\"cell\":\"%zx\"}\n",
                 head, v[i].domain, v[i].key, v[i].sums[0], v[i].sums[1], v[i].counts[0],
                 v[i].counts[1], v[i].sums[2], v[i].counts[2], i) == 0);
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    NEED(fd >= 0 && lm_write_all(fd, text.data, text.size, path) == 0);
    close(fd);
    lm_buf_free(&text);
}

static eval_results *results[2];

static void read_sums(eval_sums *s, int i, const char *path, const line *v, size_t n)
{
    write_lines(path, v, n);
    eval_results_close(results[i]);
    NEED(eval_results_load(&results[i], path, "domains") == 0);
    NEED(eval_sums_read(s, results[i]) == 0);
}

/* Two documents of Web, one of Book whose parts lie in two rows. */
static const line base[] = {
    { "Web", "0a", { 8, 30, 4 }, { 4, 10, 2 } },
    { "Book", "0c", { 6, 0, 0 }, { 2, 0, 0 } },
    { "Web", "0b", { 12, 0, 0 }, { 4, 0, 0 } },
    { "Book", "0c", { 0, 9, 0 }, { 0, 3, 0 } },
};

static bool near(double a, double b) { return fabs(a - b) < 1e-9; }

static void test_means(void)
{
    eval_sums s;
    eval_loss l[3];
    read_sums(&s, 0, "a.jsonl", base, 4);
    CHECK_EQ(s.domains, 2);
    CHECK_EQ(s.n, 3);
    CHECK_EQ(s.columns, 3);
    CHECK_EQ(s.ranges, 2);
    CHECK_STR(s.domain[0], "Book");
    CHECK_STR(s.domain[1], "Web");
    CHECK_STR(s.domain[2], "all");
    CHECK_STR(s.column[0], "0-8");
    CHECK_STR(s.column[1], "8-64");
    CHECK_STR(s.column[2], "16");

    CHECK_OK(eval_sums_loss(&s, NULL, 0, 1, 100, l)); /* Book: one document of both parts */
    CHECK(near(l[0].loss, 3) && near(l[1].loss, 3) && isnan(l[2].loss) && isnan(l[0].error));
    CHECK(l[0].tokens == 2 && l[1].tokens == 3 && l[2].tokens == 0 && l[0].documents == 1);
    CHECK_OK(eval_sums_loss(&s, NULL, 1, 1, 4000, l)); /* Web: 20 / 8, over tokens, not documents */
    CHECK(near(l[0].loss, 2.5) && near(l[1].loss, 3) && l[0].documents == 2 && l[1].documents == 1);
    /* Two documents of means 2 and 3: a drawn pair has mean 2, 2.5, 2.5 or 3; sd sqrt(1/8). */
    CHECK(fabs(l[0].error - sqrt(0.125)) < 0.01);
    CHECK_OK(eval_sums_loss(&s, NULL, 2, 1, 10, l));
    CHECK(near(l[0].loss, 2.6) && l[0].tokens == 10 && l[0].documents == 3);
    eval_sums_free(&s);
}

static void test_differences(void)
{
    eval_sums a, b;
    eval_loss l[3], again[3];
    line other[4];
    memcpy(other, base, sizeof other);
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 3; k++) other[i].sums[k] += 0.25 * other[i].counts[k];
    read_sums(&a, 0, "a.jsonl", base, 4);
    read_sums(&b, 1, "b.jsonl", other, 4);
    /* Every token is worse by a quarter: the difference is sure, though the losses are not. */
    CHECK_OK(eval_sums_loss(&b, &a, 1, 7, 500, l));
    CHECK(near(l[0].loss, 0.25) && near(l[1].loss, 0.25) && l[0].error < 1e-9);
    CHECK_OK(eval_sums_loss(&b, NULL, 1, 7, 500, l));
    CHECK_OK(eval_sums_loss(&b, NULL, 1, 7, 500, again));
    CHECK(l[0].error > 0.1 && l[0].error == again[0].error);
    eval_sums_free(&b);

    other[2].key = "0d";
    read_sums(&b, 1, "b.jsonl", other, 4);
    CHECK(eval_sums_loss(&b, &a, 1, 7, 5, l) == LM_EUSAGE);
    CHECK(strstr(lm_err(), "a.jsonl has document 000000000000000b of Web and b.jsonl does not"));
    eval_sums_free(&b);
    read_sums(&b, 1, "b.jsonl", base, 2); /* the Web document 0b is missing, and parts of 0c */
    CHECK(eval_sums_loss(&b, &a, 1, 7, 5, l) == LM_EUSAGE);
    eval_sums_free(&b);
    eval_sums_free(&a);
}

static void test_refusals(void)
{
    eval_sums s;
    eval_results *r = NULL;
    int fd = open("c.jsonl", O_WRONLY | O_CREAT | O_TRUNC, 0666);
    static const char short_line[] =
        "\"parts\":[{\"domain\":\"W\",\"key\":\"1\",\"sums\":[1],\"tokens\":[1],\"at_sums\":[],"
        "\"at_tokens\":[]}],\"cell\":\"1\"}\n";
    NEED(fd >= 0 && lm_write_all(fd, head, sizeof head - 1, "c") == 0);
    NEED(lm_write_all(fd, short_line, sizeof short_line - 1, "c") == 0);
    close(fd);
    NEED(eval_results_load(&r, "c.jsonl", "domains") == 0);
    CHECK(eval_sums_read(&s, r) == LM_EDATA);
    CHECK(strstr(lm_err(), "c.jsonl:1") && strstr(lm_err(), "sums"));
    eval_results_close(r);
    NEED(eval_results_load(&r, "c.jsonl", "ppl") == 0);
    CHECK(eval_sums_read(&s, r) == LM_ESHORT);
    eval_results_close(r);
}

int main(void)
{
    test_means();
    test_differences();
    test_refusals();
    eval_results_close(results[0]);
    eval_results_close(results[1]);
    CHECK_END();
}
