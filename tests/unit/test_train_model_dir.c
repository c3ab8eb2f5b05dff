/* A model directory: replacing a model, refusals, and the hash of its contents. */
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "lib/base/hash.h"
#include "longmix/zio.h"
#include "train/files/checksums.h"
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
    model_origin origin = { from, false, 0x1234 };
    CHECK_OK(model_dir_commit("d", &origin, config));
}

static void put(const char *path, const char *text)
{
    NEED(lm_write_file(path, text, strlen(text)) == 0);
}

/* checksums.json: every fault is named; sizes alone find some of them. */
static void test_checksums(void)
{
    size_t files = 0;
    uint64_t ids = 0;
    NEED(mkdir("d", 0777) == 0);
    CHECK_EQ(checksums_compare("d", true, NULL), 0);
    write_weights("d/" MODEL_NEW_WEIGHTS, "a", 5);
    commit("t");
    CHECK_EQ(checksums_compare("d", true, &files), 1);
    CHECK_EQ(files, 3);
    CHECK(checksums_tokenizer("d", &ids) == 1 && ids == lm_hash64("tok", 3));
    put("d/" MODEL_TOKENIZER, "kot");
    CHECK_EQ(checksums_compare("d", false, NULL), 1);
    CHECK(checksums_compare("d", true, NULL) == LM_EDATA &&
          strstr(lm_err(), "tokenizer.model has other bytes"));
    put("d/" MODEL_CONFIG, "{}");
    put("d/" MODEL_INDEX, "{}");
    put("d/tokenizer.json", "{}");
    NEED(unlink("d/" MODEL_TOKENIZER) == 0);
    CHECK_EQ(checksums_compare("d", false, NULL), LM_EDATA);
    CHECK(strstr(lm_err(), "config.json has 2 bytes and not ") &&
          strstr(lm_err(), "tokenizer.model is missing") &&
          strstr(lm_err(), MODEL_INDEX " is not of this model") &&
          strstr(lm_err(), "tokenizer.json is not of this model"));
    CHECK(checksums_tokenizer("d", &ids) == 1 && ids == 0x1234);
    CHECK_EQ(checksums_ids("d", "shards", 0x1234, false), CHECKSUMS_IDS_SAME);
    CHECK_EQ(checksums_ids("d", "shards", 0x4321, true), CHECKSUMS_IDS_OTHER);
    CHECK(checksums_ids("d", "shards", 0x4321, false) == LM_EDATA && strstr(lm_err(), "4321"));
    put("d/" MODEL_CHECKSUMS, "{\"form\":1,\"check\":\"00\",\"model\":{\"files\":{}}}");
    CHECK(checksums_compare("d", true, NULL) == LM_EDATA && strstr(lm_err(), "damaged"));
}

/* What may lie in place of a model. */
static void test_places(void)
{
    static const struct {
        const char *name, *text, *says;
    } files[] = {
        { "p/pytorch_model.bin", "x", "save_pretrained" },
        { "p/consolidated.00.pth", "x", "convert_llama_weights_to_hf" },
        { "p/model.gguf", "GGUF", "lmimport gguf p/model.gguf" },
        { "p/config.json", "{}", "model.safetensors: missing" },
        { "p/README.md", "x", "neither config.json nor model.safetensors" },
        { "p/model.safetensors", "x", "config.json: missing" },
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        NEED(mkdir("p", 0777) == 0);
        put(files[i].name, files[i].text);
        CHECK(model_dir_usable("p") == LM_EDATA && strstr(lm_err(), files[i].says));
        NEED(unlink(files[i].name) == 0 && rmdir("p") == 0);
    }
    put("llama.gguf", "GGUF....");
    CHECK(model_dir_usable("llama.gguf") == LM_EDATA &&
          strstr(lm_err(), "lmimport gguf llama.gguf"));
    put("m.bin", "x");
    CHECK(model_dir_usable("m.bin") == LM_EDATA && strstr(lm_err(), "lmimport"));
    put("lfs", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4\n");
    CHECK(model_dir_regular("lfs") == LM_EDATA && strstr(lm_err(), "git lfs pull"));
    put("page", "<!DOCTYPE html><html>");
    CHECK(model_dir_regular("page") == LM_EDATA && strstr(lm_err(), "HTML"));
    NEED(mkfifo("fifo", 0666) == 0);
    CHECK(model_dir_regular("fifo") == LM_EIO && strstr(lm_err(), "a FIFO"));
    CHECK(model_dir_regular(".") == LM_EIO && strstr(lm_err(), "a directory"));
    CHECK(model_dir_regular("/dev/null") == LM_EIO && strstr(lm_err(), "a device"));
    CHECK(model_dir_regular("absent") == LM_EIO);
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
    CHECK(model_dir_commit("moved", &(model_origin){ 0 }, lm_json_object()) == LM_EIO);
    CHECK(access("moved/" MODEL_CONFIG, F_OK) && access("moved/" MODEL_CHECKSUMS, F_OK));

    test_checksums();
    test_places();
    CHECK_END();
}
