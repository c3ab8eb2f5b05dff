/* Any bytes as a .safetensors file, and as a config.json: what opens must be complete, and an
 * accepted config must give a rotary table and be readable after it is written. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "train/model/config.h"
#include "train/files/safetensors.h"
#include "must.h"

enum { READ = 4096, TABLE = 64 };

static void as_tensors(const char *path)
{
    st_reader *r = NULL;
    static float x[READ];
    if (st_open(&r, path)) return;
    for (size_t i = 0; i < st_count(r); i++) {
        const st_tensor *t = st_at(r, i);
        size_t n = t->count < READ ? (size_t)t->count : READ;
        MUST(st_find(r, t->name) == t);
        MUST(st_read(r, t, 0, x, n) == 0 && st_read(r, t, t->count - n, x, n) == 0);
        MUST(st_read(r, t, t->count, x, 1) == LM_EUSAGE);
    }
    st_close(r);
}

static void as_config(const char *path)
{
    tr_config c, again;
    static float table[TABLE * 256];
    lm_buf text = LM_BUF_INIT(1 << 22);
    if (tr_config_load(&c, path)) return;
    tr_rope_table(&c, TABLE, table, TABLE);
    lm_json *o = tr_config_json(&c, "float32");
    MUST(lm_json_dump(o, 0, &text) == 0);
    int fd = memfd_create("config", 0);
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    MUST(fd >= 0 && write(fd, text.data, text.size) == (ssize_t)text.size);
    if (tr_config_load(&again, name) == 0) {
        MUST(again.dim == c.dim && again.heads == c.heads && again.rope.type == c.rope.type);
        tr_config_free(&again);
    } else {
        MUST(text.size > 1 << 20); /* refused only for its size */
    }
    close(fd);
    lm_json_free(o);
    lm_buf_free(&text);
    tr_config_free(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("model", 0);
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    MUST(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    as_tensors(name);
    as_config(name);
    close(fd);
    return 0;
}
