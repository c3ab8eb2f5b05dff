/* Every byte of a checkpoint, one at a time: a changed byte is refused (a tensor's by its
 * name) or changes nothing that was saved. A truncated file is refused, too. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "longmix/zio.h"
#include "train/run/checkpoint.h"
#include "train/model/state.h"

static const tr_config config = { .dim = 8,
                                  .mlp = 8,
                                  .layers = 1,
                                  .heads = 2,
                                  .kv_heads = 1,
                                  .head_dim = 4,
                                  .vocab = 12,
                                  .positions = 64,
                                  .norm_eps = 1e-5,
                                  .init_std = 0.1,
                                  .tied = true,
                                  .rope = { .theta = 10000, .attention_factor = 1 } };

static tr_model *m;
static const tr_run_state place = { .step = 7,
                                    .tokens = 700,
                                    .data_hash = 0x1234567890abcdef,
                                    .seed = 5,
                                    .length = 100,
                                    .batch = 1,
                                    .doc_mask = true,
                                    .attention = "dca",
                                    .log_bytes = 4321,
                                    .log_hash = 99,
                                    .ids = 77 };
static float saved[4096], loaded[4096];
static const char dir[] = "out/checkpoint-00000007";

static size_t all_numbers(float *dst)
{
    size_t at = 0;
    for (size_t i = 0; i < tr_model_params(m); i++) {
        const tr_param *p = tr_model_param(m, i);
        size_t n = tr_param_count(p);
        NEED(at + 3 * n <= 4096);
        CHECK_OK(tr_weights_get(m, p, 0, dst + at, n));
        CHECK_OK(tr_state_get(m, TR_STATE_M, p, 0, dst + at + n, n));
        CHECK_OK(tr_state_get(m, TR_STATE_V, p, 0, dst + at + 2 * n, n));
        at += 3 * n;
    }
    return at;
}

/* Read the checkpoint: 0 if it equals what was saved, otherwise the error code. */
static int read_back(void)
{
    tr_run_state p;
    int rc = tr_checkpoint_state(dir, &p);
    lm_json_free(p.record);
    if (!rc) rc = tr_checkpoint_load(m, dir);
    /* The check without a model refuses the same. */
    uint64_t step = 0;
    CHECK((tr_checkpoint_check(dir, false, &step) != LM_OK) == (rc != LM_OK));
    if (rc) return rc;
    CHECK_EQ(step, place.step);
    size_t n = all_numbers(loaded);
    CHECK(!memcmp(loaded, saved, n * sizeof *saved));
    CHECK(p.step == place.step && p.tokens == place.tokens && p.data_hash == place.data_hash &&
          p.seed == place.seed && p.length == place.length && p.batch == place.batch &&
          p.doc_mask == place.doc_mask && !strcmp(p.attention, place.attention) &&
          p.eval_due == place.eval_due && p.log_bytes == place.log_bytes &&
          p.log_hash == place.log_hash && p.ids == place.ids);
    return LM_OK;
}

/* The tensor that the byte at `at` of a .safetensors file belongs to; NULL: none. */
static const char *tensor_at(const st_reader *r, uint64_t at)
{
    for (size_t i = 0; i < st_count(r); i++) {
        const st_tensor *t = st_at(r, i);
        if (at >= t->offset && at < t->offset + 4 * t->count) return t->name;
    }
    return NULL;
}

/* Each byte changed by `bits`: how many were refused. */
static size_t flip_all(const char *name, unsigned char bits, size_t *size)
{
    char path[256];
    unsigned char c = 0, changed = 0;
    size_t refused = 0;
    st_reader *r = NULL;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    if (strstr(name, "safetensors")) NEED(st_open(&r, path) == 0);
    int fd = open(path, O_RDWR);
    NEED(fd >= 0);
    for (*size = 0; pread(fd, &c, 1, (off_t)*size) == 1; ++*size) {
        const char *tensor = r ? tensor_at(r, *size) : NULL;
        changed = c ^ bits;
        NEED(pwrite(fd, &changed, 1, (off_t)*size) == 1);
        int rc = read_back();
        refused += rc != 0;
        CHECK(!rc || strstr(lm_err(), "checkpoint-00000007"));
        CHECK(!tensor || (rc == LM_EDATA && strstr(lm_err(), tensor)));
        NEED(pwrite(fd, &c, 1, (off_t)*size) == 1);
    }
    close(fd);
    st_close(r);
    CHECK_OK(read_back());
    return refused;
}

static void cut_all(const char *name, size_t step)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    static unsigned char bytes[1 << 16];
    int fd = open(path, O_RDWR);
    ssize_t n = fd < 0 ? -1 : read(fd, bytes, sizeof bytes);
    NEED(n > 0 && n < (ssize_t)sizeof bytes);
    for (size_t k = 0; k + 1 < (size_t)n; k += step) {
        NEED(ftruncate(fd, (off_t)k) == 0);
        CHECK(read_back() != 0 && strstr(lm_err(), name));
        NEED(pwrite(fd, bytes + k, (size_t)n - k, (off_t)k) == n - (ssize_t)k);
    }
    /* The last byte of a text is its line feed, on which nothing depends. */
    NEED(ftruncate(fd, (off_t)n - 1) == 0);
    CHECK(read_back() != 0 || !strcmp(name, "run.json"));
    NEED(pwrite(fd, bytes + n - 1, 1, (off_t)n - 1) == 1);
    close(fd);
    CHECK_OK(read_back());
    NEED(rename(path, "elsewhere") == 0);
    CHECK(read_back() == LM_EIO && strstr(lm_err(), name));
    NEED(rename("elsewhere", path) == 0);
}

int main(void)
{
    backend *b = NULL;
    size_t size = 0, refused = 0;
    NEED(bk_cpu_open(&b, 1) == 0);
    tr_layout l = { .tokens = 8, .length = 8, .slice = 256, .train = true };
    NEED(tr_model_new(&m, &config, &l, b) == 0 && tr_model_init(m, 3) == 0);
    for (size_t i = 0; i < tr_model_params(m); i++) {
        const tr_param *p = tr_model_param(m, i);
        float x[128];
        for (size_t k = 0; k < tr_param_count(p); k++) x[k] = (float)(i + 1) / (float)(k + 3);
        tr_state_put(m, TR_STATE_M, p, 0, x, tr_param_count(p));
        tr_state_put(m, TR_STATE_V, p, 0, x, tr_param_count(p));
    }
    all_numbers(saved);
    NEED(mkdir("out", 0777) == 0);
    CHECK_OK(tr_checkpoint_save(m, &config, &place, "out", 1));
    CHECK_OK(read_back());

    /* All but the letters of "format": "pt", which only other readers use. */
    refused = flip_all("model.safetensors", 0x10, &size);
    CHECK_EQ(refused + 8, size);
    refused = flip_all("optimizer.safetensors", 0x01, &size);
    CHECK_EQ(refused + 8, size);
    refused = flip_all("run.json", 0x01, &size);
    CHECK_EQ(refused, size);
    refused = flip_all("run.json", 0x80, &size);
    CHECK_EQ(refused, size);
    cut_all("model.safetensors", 13);
    cut_all("optimizer.safetensors", 29);
    refused = flip_all("config.json", 0x01, &size);
    CHECK_EQ(refused, size);
    cut_all("run.json", 7);
    cut_all("config.json", 11);
    tr_model_free(m);
    b->close(b);
    CHECK_END();
}
