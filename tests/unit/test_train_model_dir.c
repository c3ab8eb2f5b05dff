/* A model directory: replacing a model, refusals, and the hash of its contents. */
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "longmix/zio.h"
#include "train/files/model_dir.h"
#include "train/files/safetensors.h"

static const char *weight_file; /* of the opened model */

static void write_weights(const char *path, const char *tensor, float value)
{
    st_writer *w = NULL;
    st_spec spec = { tensor, 1, { 1, 0 } };
    NEED(st_create(&w, path, &spec, 1, ST_F32) == 0);
    NEED(st_write(w, &value, 1) == 0 && st_commit(w) == 0);
}

static void write_index(const char *file)
{
    char text[200];
    int n = snprintf(text, sizeof text, "{\"weight_map\":{\"a\":\"%s\"}}", file);
    NEED(lm_write_file("d/" MODEL_INDEX, text, (size_t)n) == 0);
}

/* The number in d/, or lm_code < 0. */
static float open_dir(void)
{
    static char name[MODEL_PATH];
    st_reader *r = NULL;
    float x = 0;
    int rc = st_open(&r, "d");
    if (!rc) rc = st_read(r, st_at(r, 0), 0, &x, 1);
    if (!rc) snprintf(name, sizeof name, "%s", st_at(r, 0)->file);
    weight_file = name;
    st_close(r);
    return rc ? (float)rc : x;
}

static void commit(const char *from)
{
    lm_json *config = lm_json_object();
    lm_json_set_u64(config, "n", 1);
    CHECK_OK(model_dir_commit("d", from, config));
}

int main(void)
{
    char path[MODEL_PATH], far[MODEL_PATH];
    uint64_t first = 0, second = 0;
    NEED(mkdir("d", 0777) == 0 && mkdir("t", 0777) == 0);
    NEED(lm_write_file("t/tokenizer.model", "tok", 3) == 0);
    memset(far, 'x', sizeof far);
    far[MODEL_PATH - 6] = 0;
    CHECK_OK(model_dir_path(path, far, "abcd"));
    CHECK(model_dir_path(path, far, "abcde") == LM_EUSAGE && strstr(lm_err(), "too long"));

    /* An index and a file that it does not name are two models; the message names both. */
    write_weights("d/model-1.safetensors", "a", 1);
    write_index("model-1.safetensors");
    CHECK(open_dir() == 1 && strstr(weight_file, "model-1"));
    write_weights("d/" MODEL_WEIGHTS, "a", 2);
    CHECK(open_dir() == (float)LM_EDATA);
    CHECK(strstr(lm_err(), MODEL_INDEX) && strstr(lm_err(), MODEL_WEIGHTS " "));
    write_index(MODEL_WEIGHTS);
    CHECK(open_dir() == 2);
    write_index("model-1.safetensors");
    NEED(unlink("d/" MODEL_WEIGHTS) == 0);

    /* A new model replaces an indexed one, with a tokenizer. */
    NEED(lm_write_file("d/" MODEL_CONFIG, "{}", 2) == 0);
    CHECK_OK(model_dir_hash("d", &first));
    write_weights("d/" MODEL_NEW_WEIGHTS, "a", 3);
    commit("t");
    CHECK(open_dir() == 3);
    CHECK(access("d/" MODEL_INDEX, F_OK) && access("d/" MODEL_NEW_WEIGHTS, F_OK));
    CHECK_OK(access("d/" MODEL_TOKENIZER, F_OK));
    CHECK_OK(model_dir_hash("d", &second));
    CHECK(first != second);
    NEED(rename("d", "moved") == 0);
    CHECK_OK(model_dir_hash("moved", &first));
    CHECK_EQ(first, second);
    CHECK(model_dir_hash("d", &first) == LM_EIO);

    /* Without new weights there is no model to read afterwards. */
    CHECK(model_dir_commit("moved", NULL, lm_json_object()) == LM_EIO);
    CHECK(access("moved/" MODEL_CONFIG, F_OK) != 0);
    CHECK_END();
}
