/* bench_read.c -- reading with a model: a prompt of LENGTH tokens at once, then STEPS tokens one at a
 * time. Prints both in tokens per second. Logits after the prompt and after the last step go to
 * FILE, [2, vocab] float32, to be compared with another program's for the same tokens. bench/read.sh
 * runs it.
 *
 * usage: bench_read MODEL THREADS model|float32|bfloat16 LENGTH STEPS [FILE]
 *        bench_read --init DIR     a random model of 135M weights in bfloat16 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "longmix/progress.h"
#include "train/infer/infer.h"
#include "train/model/model.h"

static void need(int rc)
{
    if (rc >= 0) return;
    fprintf(stderr, "bench_read: %s\n", lm_err());
    exit(1);
}

static int32_t *make_ids(size_t n, size_t vocab)
{
    int32_t *ids = malloc(n * sizeof *ids);
    if (!ids) exit(1);
    for (size_t i = 0; i < n; i++)
        ids[i] = (int32_t)(((uint32_t)i * 2654435761u >> 8) % vocab); /* as in read.py */
    return ids;
}

static const char config[] =
    "{\"model_type\":\"llama\",\"architectures\":[\"LlamaForCausalLM\"],\"hidden_size\":576,"
    "\"intermediate_size\":1536,\"num_hidden_layers\":30,\"num_attention_heads\":9,"
    "\"num_key_value_heads\":3,\"vocab_size\":49152,\"max_position_embeddings\":8192,"
    "\"rms_norm_eps\":1e-5,\"rope_theta\":100000,\"tie_word_embeddings\":true,"
    "\"initializer_range\":0.04,\"hidden_act\":\"silu\",\"torch_dtype\":\"bfloat16\"}\n";

static int init(const char *dir)
{
    char path[4096];
    backend *b = NULL;
    tr_model *m = NULL;
    tr_config c;
    tr_layout l = { .tokens = 1, .length = 1, .slice = BK_BLOCK };
    snprintf(path, sizeof path, "%s/config.json", dir);
    FILE *f = mkdir(dir, 0777) ? NULL : fopen(path, "w");
    if (!f || fputs(config, f) < 0 || fclose(f)) {
        perror(path);
        return 1;
    }
    need(bk_cpu_open(&b, 1));
    need(tr_config_load(&c, path));
    need(tr_model_new(&m, &c, &l, b));
    need(tr_model_init(m, 1));
    snprintf(path, sizeof path, "%s/model.safetensors", dir);
    need(tr_model_save(m, path, ST_BF16));
    tr_model_free(m);
    tr_config_free(&c);
    b->close(b);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "--init")) return init(argv[2]);
    static const char *const types[] = { "model", "float32", "bfloat16" };
    backend *b = NULL;
    tr_infer *s = NULL;
    int threads = argc > 5 ? (int)strtol(argv[2], NULL, 10) : 0, type = 0;
    size_t n = argc > 5 ? strtoul(argv[4], NULL, 10) : 0;
    size_t steps = argc > 5 ? strtoul(argv[5], NULL, 10) : 0;
    while (argc > 5 && type < 3 && strcmp(argv[3], types[type])) type++;
    if (threads < 1 || !n || !steps || type == 3) {
        fprintf(stderr, "usage: bench_read MODEL THREADS model|float32|bfloat16 LENGTH STEPS "
                        "[FILE]\n");
        return 2;
    }
    need(bk_cpu_open(&b, threads));
    tr_infer_options o = { .model = argv[1],
                           .length = n + steps,
                           .weights = (enum tr_infer_weights)type };
    need(tr_infer_open(&s, &o, b));
    size_t vocab = tr_infer_config(s)->vocab;
    int32_t *ids = make_ids(n + steps, vocab);
    float *logits = malloc(2 * vocab * sizeof *logits);
    if (!logits) return 1;
    need(tr_infer_eval(s, ids, n < 64 ? n : 64, logits, NULL, NULL)); /* first touch of memory */
    tr_infer_rewind(s, 0);
    double start = lm_seconds();
    need(tr_infer_eval(s, ids, n, logits, NULL, NULL));
    double read = lm_seconds() - start;
    start = lm_seconds();
    for (size_t i = n; i < n + steps; i++)
        need(tr_infer_eval(s, ids + i, 1, logits + vocab, NULL, NULL));
    double made = lm_seconds() - start;
    printf("%.2f %.3f\n", (double)n / read, (double)steps / made);
    FILE *f = argc > 6 ? fopen(argv[6], "wb") : NULL;
    if (argc > 6 &&
        (!f || fwrite(logits, sizeof *logits, 2 * vocab, f) != 2 * vocab || fclose(f))) {
        perror(argv[6]);
        return 1;
    }
    tr_infer_close(s);
    b->close(b);
    free(ids);
    free(logits);
    return 0;
}
