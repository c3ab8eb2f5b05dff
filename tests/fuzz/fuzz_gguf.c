/* Any bytes as a GGUF file: what opens must have tensors that can be read whole, and what has a
 * configuration and a tokenizer must give files that are JSON. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "must.h"
#include "train/import/gguf_tokenizer.h"

enum { ROW = 1 << 16 };

static void read_tensors(const gguf *g)
{
    static float x[ROW];
    lm_buf raw = LM_BUF_INIT((size_t)1 << 30);
    for (size_t i = 0; i < gguf_tensors(g); i++) {
        const gguf_tensor *t = gguf_tensor_at(g, i);
        uint64_t row = t->shape[t->rank - 1], rows = t->count / row;
        MUST(gguf_tensor_find(g, t->name) == t);
        if (row > ROW) continue;
        MUST(gguf_rows(g, t, 0, 1, &raw, x) == 0 && gguf_rows(g, t, rows - 1, 1, &raw, x) == 0);
    }
    lm_buf_free(&raw);
}

static void read_values(const gguf *g)
{
    for (size_t i = 0; i < gguf_values(g); i++) {
        const gguf_value *v = gguf_value_at(g, i);
        uint64_t n;
        double x;
        bool b;
        lm_string s, *texts = NULL;
        size_t count;
        MUST(gguf_find(g, v->key) == v);
        (void)!gguf_u64(g, v->key, &n);
        (void)!gguf_f64(g, v->key, &x);
        (void)!gguf_bool(g, v->key, &b);
        (void)!gguf_string(g, v->key, &s);
        if (!gguf_strings(g, v->key, &texts, &count)) MUST(v->array && count == v->count);
        free(texts);
    }
}

static void check_json(const void *p, size_t n)
{
    lm_json *o = NULL;
    MUST(lm_json_parse(&o, p, n, "written") == 0);
    lm_json_free(o);
}

static void read_model(const gguf *g)
{
    gguf_config c;
    gguf_tokenizer t;
    lm_buf text = LM_BUF_INIT((size_t)1 << 26);
    if (gguf_config_read(&c, g)) return;
    lm_json *o = gguf_config_json(&c, "float32");
    MUST(lm_json_dump(o, 0, &text) == 0);
    check_json(text.data, text.size);
    lm_json_free(o);
    lm_buf_free(&text);
    if (!gguf_tokenizer_read(&t, g, &c) && t.name && !strcmp(t.name, "tokenizer.json"))
        check_json(t.file.data, t.file.size);
    gguf_tokenizer_free(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gguf *g = NULL;
    int fd = memfd_create("model", 0);
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    MUST(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    if (!gguf_open(&g, name)) {
        read_tensors(g);
        read_values(g);
        read_model(g);
    }
    gguf_close(g);
    close(fd);
    return 0;
}
