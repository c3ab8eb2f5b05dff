/* Checkpoints of llama2.c, of tests/data and a published one: after import, the loss on a generated
 * story is that of a plain forward pass over the original file, and the tokenizer splits text as
 * llama2.c does. */
#include <math.h>

#include "check.h"
#include "longmix/buf.h"
#include "lib/base/endian.h"
#include "longmix/tokenizer.h"
#include "longmix/zio.h"
#include "train/import/llama2c.h"
#include "train/model/model.h"

enum {
    STORY = 256,
    HEAD = 8,
    VOCAB = 512,
    MOST_DIM = 64,
    MOST_HIDDEN = 172,
    MOST_LAYERS = 5,
    MOST_KV = 4
};

static char note[400];

static int dim, hidden, layers, heads, kv; /* the model's shape, heads / kv = 2 */

static unsigned char *load(const char *path, size_t *n)
{
    lm_in *in = NULL;
    unsigned char *p = malloc(1 << 21);
    NEED(p && lm_in_open(&in, path) == 0);
    *n = 0;
    ssize_t k;
    while ((k = lm_in_read(in, p + *n, (1 << 21) - *n)) > 0) *n += (size_t)k;
    lm_in_close(in);
    return p;
}

/* ---- the plain forward pass, on the original file ---- */

static const float *embed, *attn_norm, *wq, *wk, *wv, *wo, *mlp_norm, *w1, *w2, *w3, *norm;
static double keys[MOST_LAYERS][STORY][MOST_KV * HEAD], values[MOST_LAYERS][STORY][MOST_KV * HEAD];

static void find_weights(const float *p)
{
    embed = p;
    p += VOCAB * dim;
    attn_norm = p;
    p += layers * dim;
    wq = p;
    p += layers * dim * dim;
    wk = p;
    p += layers * kv * HEAD * dim;
    wv = p;
    p += layers * kv * HEAD * dim;
    wo = p;
    p += layers * dim * dim;
    mlp_norm = p;
    p += layers * dim;
    w1 = p;
    p += layers * hidden * dim;
    w2 = p;
    p += layers * hidden * dim;
    w3 = p;
    p += layers * hidden * dim;
    norm = p;
}

static void product(double *y, const float *w, const double *x, int rows, int cols)
{
    for (int r = 0; r < rows; r++) {
        y[r] = 0;
        for (int i = 0; i < cols; i++) y[r] += (double)w[r * cols + i] * x[i];
    }
}

static void rms(double *y, const double *x, const float *w)
{
    double s = 0;
    for (int i = 0; i < dim; i++) s += x[i] * x[i];
    s = 1 / sqrt(s / dim + 1e-5);
    for (int i = 0; i < dim; i++) y[i] = x[i] * s * (double)w[i];
}

static void rotate(double *x, int n, int pos)
{
    for (int i = 0; i < n; i += 2) {
        double angle = pos * pow(10000, -(double)(i % HEAD) / HEAD), a = x[i], b = x[i + 1];
        x[i] = a * cos(angle) - b * sin(angle);
        x[i + 1] = a * sin(angle) + b * cos(angle);
    }
}

static void token_logits(double *logits, int id, int pos)
{
    double x[MOST_DIM], h[MOST_DIM], q[MOST_DIM], o[MOST_DIM], y[MOST_DIM];
    double a[MOST_HIDDEN], b[MOST_HIDDEN];
    for (int i = 0; i < dim; i++) x[i] = (double)embed[id * dim + i];
    for (int l = 0; l < layers; l++) {
        double *k = keys[l][pos], *v = values[l][pos];
        rms(h, x, attn_norm + l * dim);
        product(q, wq + l * dim * dim, h, dim, dim);
        product(k, wk + l * kv * HEAD * dim, h, kv * HEAD, dim);
        product(v, wv + l * kv * HEAD * dim, h, kv * HEAD, dim);
        rotate(q, dim, pos);
        rotate(k, kv * HEAD, pos);
        for (int n = 0; n < heads; n++) {
            double sum = 0, *out = o + n * HEAD;
            memset(out, 0, HEAD * sizeof *out);
            for (int t = 0; t <= pos; t++) {
                double s = 0;
                for (int i = 0; i < HEAD; i++) s += q[n * HEAD + i] * keys[l][t][n / 2 * HEAD + i];
                s = exp(s / sqrt(HEAD));
                sum += s;
                for (int i = 0; i < HEAD; i++) out[i] += s * values[l][t][n / 2 * HEAD + i];
            }
            for (int i = 0; i < HEAD; i++) out[i] /= sum;
        }
        product(y, wo + l * dim * dim, o, dim, dim);
        for (int i = 0; i < dim; i++) x[i] += y[i];
        rms(h, x, mlp_norm + l * dim);
        product(a, w1 + l * hidden * dim, h, hidden, dim);
        product(b, w3 + l * hidden * dim, h, hidden, dim);
        for (int i = 0; i < hidden; i++) a[i] = a[i] / (1 + exp(-a[i])) * b[i];
        product(y, w2 + l * hidden * dim, a, dim, hidden);
        for (int i = 0; i < dim; i++) x[i] += y[i];
    }
    rms(h, x, norm);
    product(logits, embed, h, VOCAB, dim);
}

/* A greedily decoded story, and its mean loss. */
static double tell(int32_t *story)
{
    double logits[VOCAB], loss = 0;
    story[0] = 1;
    for (int t = 0; t + 1 < STORY; t++) {
        double sum = 0;
        int best = 0;
        token_logits(logits, story[t], t);
        for (int i = 1; i < VOCAB; i++)
            if (logits[i] > logits[best]) best = i;
        for (int i = 0; i < VOCAB; i++) sum += exp(logits[i]);
        loss += log(sum) - logits[best];
        story[t + 1] = best;
    }
    return loss / (STORY - 1);
}

static void test_loss(const int32_t *story, double want)
{
    backend *b = NULL;
    tr_config c;
    tr_model *m = NULL;
    NEED(bk_cpu_open(&b, 1) == 0);
    NEED(tr_config_load(&c, "stories/config.json") == 0);
    CHECK(c.tied && (int)c.layers == layers && (int)c.kv_heads == kv);
    tr_layout l = { .tokens = STORY, .length = STORY, .slice = BK_BLOCK };
    NEED(tr_model_new(&m, &c, &l, b) == 0);
    enum st_dtype dtype;
    NEED(tr_model_load(m, "stories", &dtype) == 0);
    CHECK_EQ(dtype, ST_F32);
    int32_t targets[STORY];
    float losses[STORY];
    for (int i = 0; i < STORY; i++) targets[i] = i + 1 < STORY ? story[i + 1] : -1;
    static const uint32_t starts[] = { 0, STORY };
    tr_batch t = { STORY, story, targets, 1, starts, 0 };
    NEED(tr_model_forward_backward(m, &t, 0, losses) == 0);
    double sum = 0;
    for (int i = 0; i < STORY; i++) sum += (double)losses[i];
    printf("loss of its own story: %.7f, here %.7f\n", want, sum / (STORY - 1));
    CHECK(fabs(sum / (STORY - 1) - want) < 1e-5 * want);
    tr_model_free(m);
    tr_config_free(&c);
    b->close(b);
}

/* ---- the tokenizer ---- */

static const char *piece[VOCAB];
static size_t piece_size[VOCAB];
static float piece_score[VOCAB];

static int find_piece(const char *s, size_t n)
{
    for (int i = 3; i < VOCAB; i++)
        if (piece_size[i] == n && !memcmp(piece[i], s, n)) return i;
    return -1;
}

/* As in llama2.c: a leading space, characters (or bytes) first, then the best pair repeatedly. */
static size_t split(const char *text, int *ids)
{
    char with[512], both[64];
    size_t n = 0, size = (size_t)snprintf(with, sizeof with, " %s", text);
    for (size_t i = 0, k; i < size; i += k) {
        for (k = 1; i + k < size && (with[i + k] & 0xc0) == 0x80;) k++;
        int id = find_piece(with + i, k);
        if (id >= 0) ids[n++] = id;
        else
            for (size_t j = 0; j < k; j++) ids[n++] = (unsigned char)with[i + j] + 3;
    }
    for (;;) {
        int best = -1;
        size_t at = 0;
        for (size_t i = 0; i + 1 < n; i++) {
            size_t a = piece_size[ids[i]], b = piece_size[ids[i + 1]];
            memcpy(both, piece[ids[i]], a);
            memcpy(both + a, piece[ids[i + 1]], b);
            int id = find_piece(both, a + b);
            if (id >= 0 && (best < 0 || piece_score[id] > piece_score[best])) {
                best = id;
                at = i;
            }
        }
        if (best < 0) return n;
        ids[at] = best;
        memmove(ids + at + 1, ids + at + 2, (--n - at - 1) * sizeof *ids);
    }
}

static void test_tokenizer(const unsigned char *tok, size_t size)
{
    static const char *const texts[] = { "Once upon a time, there was a little girl named Lily.",
                                         "",
                                         "two  spaces\nand a line",
                                         " leading",
                                         "caf\xc3\xa9 \xe4\xbd\xa0\xe5\xa5\xbd 42!?",
                                         "Tim said, \"Yes!\"" };
    for (size_t at = 4, i = 0; i < VOCAB; i++) {
        NEED(at + 8 <= size);
        uint32_t u = lm_le32(tok + at);
        memcpy(&piece_score[i], &u, 4);
        piece_size[i] = lm_le32(tok + at + 4);
        piece[i] = (const char *)tok + at + 8;
        at += 8 + piece_size[i];
    }
    lm_tokenizer *t = NULL;
    lm_encoder *e = NULL;
    NEED(lm_tokenizer_open(&t, "stories/tokenizer.model", NULL, 0) == 0 &&
         lm_encoder_new(&e, t) == 0);
    CHECK_EQ(lm_tokenizer_vocab(t), VOCAB);
    CHECK(lm_tokenizer_bos(t) == 1 && lm_tokenizer_eos(t) == 2);
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
        lm_buf out = LM_BUF_INIT(1 << 16);
        int ids[600];
        size_t n = *texts[k] ? split(texts[k], ids) : 0;
        CHECK_OK(lm_encode(e, texts[k], strlen(texts[k]), &out));
        CHECK_EQ(out.size / 2, n);
        for (size_t i = 0; i < n && 2 * i < out.size; i++)
            CHECK_EQ(lm_le16(out.data + 2 * i), ids[i]);
        lm_buf_free(&out);
    }
    lm_encoder_free(e);
    lm_tokenizer_free(t);
}

static void test_refusals(const unsigned char *bin, size_t n, const unsigned char *tok, size_t size)
{
    NEED(lm_write_file("cut.bin", bin, n - 4) == 0);
    NEED(lm_write_file("whole.bin", bin, n) == 0);
    NEED(lm_write_file("tok.bin", tok, size) == 0);
    CHECK(tr_import_llama2c("cut.bin", "tok.bin", "x", note, sizeof note) == LM_EDATA &&
          strstr(lm_err(), "cut.bin"));
    NEED(lm_write_file("odd.bin", tok, size) == 0);
    CHECK(tr_import_llama2c("odd.bin", "tok.bin", "x", note, sizeof note) == LM_EDATA &&
          strstr(lm_err(), "odd.bin"));
    NEED(lm_write_file("short.bin", tok, size - 9) == 0);
    CHECK(tr_import_llama2c("whole.bin", "short.bin", "x", note, sizeof note) == LM_EDATA &&
          strstr(lm_err(), "short.bin"));
    CHECK(tr_import_llama2c("whole.bin", "nowhere.bin", "x", note, sizeof note) < 0);
}

static void test_model(const char *model, const char *vocabulary)
{
    size_t n = 0, size = 0;
    unsigned char *bin = load(model, &n), *tok = load(vocabulary, &size);
    dim = (int)lm_le32(bin);
    hidden = (int)lm_le32(bin + 4);
    layers = (int)lm_le32(bin + 8);
    heads = (int)lm_le32(bin + 12);
    kv = (int)lm_le32(bin + 16);
    NEED(dim == heads * HEAD && heads == 2 * kv && (int)lm_le32(bin + 20) == VOCAB);
    NEED(dim <= MOST_DIM && hidden <= MOST_HIDDEN && layers <= MOST_LAYERS && kv <= MOST_KV);
    NEED(lm_write_file("model.bin", bin, n) == 0 && lm_write_file("vocab.bin", tok, size) == 0);
    NEED(tr_import_llama2c("model.bin", "vocab.bin", "stories", note, sizeof note) == 0);
    float *weights = malloc(n);
    NEED(weights);
    memcpy(weights, bin + 28, n - 28);
    find_weights(weights);
    int32_t story[STORY];
    double want = tell(story);
    test_loss(story, want);
    test_tokenizer(tok, size);
    test_refusals(bin, n, tok, size);
    free(weights);
    free(bin);
    free(tok);
}

int main(void)
{
    char model[4096], vocabulary[4096];
    test_model(own_data(model, "stories66K.bin"), own_data(vocabulary, "tok512.bin"));
    if (real_data(model, "stories260K/stories260K.bin") &&
        real_data(vocabulary, "stories260K/tok512.bin"))
        test_model(model, vocabulary);
    CHECK_END();
}
