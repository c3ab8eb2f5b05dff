/* From shards to sequences: order, targets, documents, cutting, refusals. */
#include "train_shards.h"
#include "train/run/data.h"

/* Each pass is a permutation, different for each pass and seed. */
static void test_order(void)
{
    static const uint64_t sizes[] = { 1, 2, 3, 64, 65, 1000 };
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        uint64_t n = sizes[k], moved = 0, same = 0;
        unsigned char *seen = calloc(n, 1);
        NEED(seen);
        for (uint64_t pass = 0; pass < 2; pass++)
            for (uint64_t i = 0; i < n; i++) {
                uint64_t v = tr_data_order(n, 5, pass * n + i);
                CHECK(v < n && seen[v] == pass);
                if (v < n) seen[v]++;
                moved += v != i;
                same += v == tr_data_order(n, 6, pass * n + i);
            }
        CHECK(n < 64 || moved > n);
        CHECK(n < 64 || same < n / 4);
        free(seen);
    }
}

/* The position of token g in its segment. */
static size_t position(const tr_rows *r, size_t g)
{
    size_t i = 0;
    while (r->starts[i + 1] <= g) i++;
    return g - r->starts[i];
}

/* Compare every token of every sequence with its source row. */
static void test_sequences(bool labels, size_t length, bool mask)
{
    enum { ROW = 128, ROWS = 6 };
    write_language("s", 0, 1, ROW, labels, ROWS, true);
    tr_data *d = NULL;
    lm_shards *shards = NULL;
    NEED(tr_data_open(&d, "s", length, mask) == 0);
    NEED(lm_shards_open(&shards, "s") == 0);
    size_t per_row = ROW / length;
    CHECK_EQ(tr_data_sequences(d), ROWS * per_row);
    CHECK_EQ(tr_data_vocab(d), LANGUAGE_VOCAB);
    CHECK_STR(tr_data_domain(d, 1), "leaps");
    tr_rows r;
    NEED(tr_rows_new(&r, length, ROWS * per_row) == 0);
    uint32_t row[ROW + 1];
    size_t predicted = 0;
    for (size_t i = 0; i < ROWS * per_row; i++) {
        NEED(tr_data_add(d, i, &r) == 0);
        const lm_shard *s = lm_shards_at(shards, 0);
        const lm_span *spans = NULL;
        size_t n = 0;
        NEED(lm_shard_row(s, i / per_row, row) == 0 &&
             lm_shard_spans(s, i / per_row, &spans, &n) == 0);
        for (size_t k = 0; k < length; k++) {
            size_t at = i % per_row * length + k, all = ROW + labels, g = i * length + k;
            size_t mine = n, next = n;
            for (size_t j = 0; j < n; j++) {
                if (at >= spans[j].row_start && at < spans[j].row_start + spans[j].tokens) mine = j;
                if (at + 1 >= spans[j].row_start && at + 1 < spans[j].row_start + spans[j].tokens)
                    next = j;
            }
            CHECK_EQ(r.ids[g], row[at]);
            bool asked = at + 1 < all && next < n && (!mask || next == mine);
            CHECK(r.targets[g] == (asked ? (int32_t)row[at + 1] : -1));
            if (asked) CHECK_EQ(r.domains[g], spans[next].domain);
            predicted += asked;
            size_t from = !mask || mine == n ? 0 : spans[mine].row_start;
            if (!mask) CHECK_EQ(position(&r, g), k);
            else if (mine < n && from >= i % per_row * length) CHECK_EQ(position(&r, g), at - from);
        }
    }
    CHECK_EQ(r.predicted, predicted);
    /* Segments cover all tokens. */
    CHECK_EQ(r.starts[0], 0);
    CHECK_EQ(r.starts[r.n_segments], r.count * length);
    for (size_t i = 0; i < r.n_segments; i++) CHECK(r.starts[i] < r.starts[i + 1]);
    if (!mask) CHECK_EQ(r.n_segments, r.count);
    uint32_t *starts = malloc((r.count * length + 1) * sizeof *starts);
    NEED(starts);
    tr_batch t = tr_rows_batch(&r, 1, 2, starts);
    CHECK(t.n == 2 * length && t.ids == r.ids + length && starts[0] == 0 &&
          starts[t.count] == 2 * length);
    free(starts);
    tr_rows_free(&r);
    lm_shards_close(shards);
    tr_data_close(d);
    unlink("s/shard-00000.lms");
}

static void test_refusals(void)
{
    tr_data *d = NULL;
    write_language("s", 0, 1, 128, true, 3, true);
    CHECK(tr_data_open(&d, "s", 256, false) == LM_EUSAGE && strstr(lm_err(), "shorter"));
    CHECK(tr_data_open(&d, "s", 100, false) == LM_EUSAGE && strstr(lm_err(), "rest"));
    CHECK(tr_data_open(&d, "nowhere", 0, false) < 0);
    uint64_t one = 0, again = 0, other = 0;
    NEED(tr_data_open(&d, "s", 64, false) == 0);
    CHECK_OK(tr_data_hash(d, &one));
    char text[200];
    tr_data_lineage(d, 3, text, sizeof text);
    CHECK(strstr(text, "row 1:") && strstr(text, ".jsonl:2"));
    tr_data_close(d);
    NEED(tr_data_open(&d, "s", 0, true) == 0);
    CHECK_OK(tr_data_hash(d, &again));
    tr_data_close(d);
    write_language("s", 0, 2, 128, true, 3, true);
    NEED(tr_data_open(&d, "s", 0, true) == 0);
    CHECK_OK(tr_data_hash(d, &other));
    tr_data_close(d);
    CHECK(one == again && one != other);
}

int main(void)
{
    test_order();
    for (int i = 0; i < 8; i++) test_sequences(i & 1, i & 2 ? 128 : 32, i & 4);
    test_refusals();
    CHECK_END();
}
