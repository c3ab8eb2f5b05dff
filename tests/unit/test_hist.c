/* Histograms compared with counting by hand: buckets, percentiles, merging, JSON. */
#include "check.h"
#include "longmix/hist.h"
#include "lib/base/rng.h"

static const char *const names[] = { "A", "B" };

static void buckets(void)
{
    CHECK_EQ(lm_bucket(0), 0);
    CHECK_EQ(lm_bucket(1), 0);
    CHECK_EQ(lm_bucket(2), 1);
    CHECK_EQ(lm_bucket(3), 2);
    CHECK_EQ(lm_bucket(4), 2);
    CHECK_EQ(lm_bucket(4096), LM_LONG_BUCKET - 1);
    CHECK_EQ(lm_bucket(4097), LM_LONG_BUCKET);
    CHECK_EQ(lm_bucket(UINT64_MAX), LM_BUCKETS - 1);
    for (unsigned b = 1; b < LM_BUCKETS - 1; b++) {
        CHECK_EQ(lm_bucket(lm_bucket_upto(b)), b);
        CHECK_EQ(lm_bucket(lm_bucket_upto(b) + 1), b + 1);
    }
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void check_row(const lm_hist_row *r, uint64_t *length, size_t n)
{
    qsort(length, n, sizeof *length, by_value);
    uint64_t sum = 0, over = 0, over_documents = 0;
    for (size_t i = 0; i < n; i++) {
        sum += length[i];
        if (length[i] > 4096) over += length[i], over_documents++;
    }
    CHECK_EQ(r->documents, n);
    CHECK_EQ(r->tokens, sum);
    CHECK_EQ(r->long_tokens, over);
    CHECK_EQ(r->long_documents, over_documents);
    CHECK_EQ(r->max, length[n - 1]);
    for (size_t k = 0; k < LM_PERCENTILES; k++) {
        size_t rank = (n * lm_percentiles[k] + 99) / 100;
        CHECK_EQ(r->percentile[k], length[rank - 1]);
    }
}

/* Lengths on both sides of every bucket boundary, in many or few copies. */
static void exact(size_t n, unsigned spread)
{
    lm_hist *h = NULL;
    lm_hist_row r;
    uint64_t *a = malloc(n * sizeof *a), *all = malloc(2 * n * sizeof *all);
    NEED(a && all && lm_hist_new(&h, "tokens", names, 2) == 0);
    for (size_t i = 0; i < n; i++) {
        uint64_t v = lm_hash4(1, i, spread, 0);
        a[i] = (v >> 8) % ((uint64_t)1 << (v % spread));
        all[i] = a[i];
        all[n + i] = 65530 + i % 20;
        CHECK_OK(lm_hist_add(h, 0, a[i], a[i]));
        CHECK_OK(lm_hist_add(h, 1, all[n + i], all[n + i]));
    }
    CHECK_OK(lm_hist_row_get(h, LM_ALL, &r));
    check_row(&r, all, 2 * n);
    CHECK_OK(lm_hist_row_get(h, 0, &r));
    check_row(&r, a, n);
    CHECK(lm_hist_row_get(h, 2, &r) == LM_EUSAGE);
    CHECK(lm_hist_add(h, 2, 1, 1) == LM_EDATA);
    lm_hist_free(h);
    free(a);
    free(all);
}

static void empty(void)
{
    lm_hist *h = NULL;
    lm_hist_row r;
    lm_json *j = NULL;
    NEED(lm_hist_new(&h, "tokens", names, 2) == 0);
    CHECK_OK(lm_hist_row_get(h, LM_ALL, &r));
    CHECK_EQ(r.documents, 0);
    CHECK_EQ(r.percentile[3], 0);
    CHECK_OK(lm_hist_to_json(h, &j));
    CHECK_EQ(lm_json_size(lm_json_get(j, "domains")), 0);
    lm_json_free(j);
    lm_hist_free(h);
}

static void merging(void)
{
    static const char *const others[] = { "C", "B" };
    lm_hist *h = NULL, *g = NULL, *c = NULL;
    lm_hist_row r;
    const char **name = NULL;
    size_t n = 0;
    NEED(lm_hist_new(&h, "tokens", names, 2) == 0 && lm_hist_new(&g, "tokens", others, 2) == 0);
    NEED(lm_hist_new(&c, "characters", names, 2) == 0);
    CHECK_OK(lm_hist_add(h, 1, 10, 10));
    CHECK_OK(lm_hist_add(g, 1, 100000, 100000));
    CHECK_OK(lm_hist_add(g, 0, 5, 5));
    CHECK_OK(lm_hist_merge(h, g));
    NEED(lm_hist_names(&name, &n, &h, 1) == 0);
    CHECK(n == 2 && !strcmp(name[0], "B") && !strcmp(name[1], "C"));
    free(name);
    CHECK_OK(lm_hist_row_get(h, 1, &r));
    CHECK_EQ(r.documents, 2);
    CHECK_EQ(r.tokens, 100010);
    CHECK_EQ(r.max, 100000);
    CHECK_EQ(r.percentile[6], 100000);
    CHECK(lm_hist_merge(h, c) == LM_EUSAGE);
    lm_hist_free(h);
    lm_hist_free(g);
    lm_hist_free(c);
}

/* A document whose beginning is absent adds tokens to its bucket and is not counted. */
static void parts(void)
{
    lm_hist *h = NULL;
    lm_hist_row r;
    NEED(lm_hist_new(&h, "tokens", names, 2) == 0);
    CHECK_OK(lm_hist_add(h, 0, 10000, 4000));
    CHECK_OK(lm_hist_add_more(h, 0, 10000, 6000));
    CHECK_OK(lm_hist_add_more(h, 1, 5000, 7));
    CHECK_OK(lm_hist_row_get(h, 0, &r));
    CHECK_EQ(r.documents, 1);
    CHECK_EQ(r.long_tokens, 10000);
    CHECK_OK(lm_hist_row_get(h, LM_ALL, &r));
    CHECK_EQ(r.documents, 1);
    CHECK_EQ(r.tokens, 10007);
    lm_hist_free(h);
}

static void json(void)
{
    static const char want[] =
        "{\"format\":\"longmix histogram 1\",\"unit\":\"characters\",\"characters\":10000,"
        "\"documents\":3,\"long_share\":0.5,\"domains\":[{\"name\":\"B\",\"documents\":3,"
        "\"characters\":10000,\"share\":1,\"long_share\":0.5,\"percentiles\":{\"5\":1000,"
        "\"25\":1000,\"50\":4000,\"75\":5000,\"90\":5000,\"95\":5000,\"99\":5000},\"max\":5000,"
        "\"buckets\":[{\"upto\":1024,\"documents\":1,\"characters\":1000},{\"upto\":4096,"
        "\"documents\":1,\"characters\":4000},{\"upto\":8192,\"documents\":1,"
        "\"characters\":5000}]}]}";
    lm_hist *h = NULL;
    lm_json *j = NULL;
    lm_buf b = LM_BUF_INIT(1 << 20);
    NEED(lm_hist_new(&h, "characters", names, 2) == 0);
    CHECK_OK(lm_hist_add(h, 1, 5000, 5000));
    CHECK_OK(lm_hist_add(h, 1, 1000, 1000));
    CHECK_OK(lm_hist_add(h, 1, 4000, 4000));
    CHECK_OK(lm_hist_to_json(h, &j));
    CHECK_OK(lm_json_dump(j, 0, &b));
    CHECK_OK(lm_buf_add(&b, "", 1));
    /* jansson may write 1 as 1.0 */
    char *s = (char *)b.data, *one = strstr(s, "1.0,");
    if (one) memmove(one + 1, one + 3, strlen(one + 3) + 1);
    CHECK_STR(s, want);
    lm_buf_free(&b);
    lm_json_free(j);
    lm_hist_free(h);
}

int main(void)
{
    buckets();
    exact(1, 20);
    exact(3, 20);
    exact(100, 20);
    exact(101, 20);
    exact(20000, 24); /* many different lengths beyond the dense table */
    exact(20000, 18);
    empty();
    merging();
    parts();
    json();
    CHECK_END();
}
