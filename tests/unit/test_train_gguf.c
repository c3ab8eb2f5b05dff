/* The reader of GGUF: every type against the numbers that the gguf package makes of the same blocks
 * (tests/parity/gguf.py), bit for bit, and the values of the metadata. */
#include <math.h>

#include "check.h"
#include "longmix/zio.h"
#include "train/files/safetensors.h"
#include "train/import/gguf.h"
#include "train/import/gguf_config.h"

static const char *const types[] = { "F16",  "BF16", "Q8_0", "Q4_0", "Q4_1",
                                     "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K" };
enum { TYPES = sizeof types / sizeof *types, MOST = 4096 };

static void test_types(void)
{
    char path[4096], name[40];
    gguf *g = NULL;
    lm_buf raw = LM_BUF_INIT(1 << 20);
    NEED(gguf_open(&g, own_data(path, "types.gguf")) == 0);
    CHECK_EQ(gguf_tensors(g), 2 * TYPES);
    CHECK_EQ(gguf_values(g), 0);
    for (size_t i = 0; i < TYPES; i++) {
        static float got[MOST], want[MOST];
        snprintf(name, sizeof name, "%s.expected", types[i]);
        const gguf_tensor *t = gguf_tensor_find(g, types[i]), *e = gguf_tensor_find(g, name);
        NEED(t && e && t->rank == 1 && t->count == e->count && t->count <= MOST);
        CHECK_STR(t->type->name, types[i]);
        CHECK_STR(e->type->name, "F32");
        NEED(gguf_rows(g, t, 0, 1, &raw, got) == 0 && gguf_rows(g, e, 0, 1, &raw, want) == 0);
        CHECK(!memcmp(got, want, t->count * sizeof *got));
        double sum = 0;
        for (size_t k = 0; k < t->count; k++) sum += fabs((double)got[k]);
        CHECK(sum > 0 && isfinite(sum));
    }
    lm_buf_free(&raw);
    gguf_close(g);
    CHECK(!ggml_type_of(10) && !strcmp(ggml_type_name(10), "Q2_K"));
    CHECK(!ggml_type_of(4) && !ggml_type_name(4));
    CHECK(!ggml_type_of(UINT32_MAX) && !ggml_type_name(UINT32_MAX));
}

/* ---- metadata ------------------------------------------------------------------------------- */

static unsigned char file[4096];
static size_t used;

static void put(const void *p, size_t n)
{
    NEED(used + n <= sizeof file);
    memcpy(file + used, p, n);
    used += n;
}

/* Little-endian, as the machines of the tests. */
static void put_u32(uint32_t v) { put(&v, 4); }
static void put_u64(uint64_t v) { put(&v, 8); }

static void put_text(const char *s)
{
    put_u64(strlen(s));
    put(s, strlen(s));
}

static void key(const char *name, enum gguf_type type)
{
    put_text(name);
    put_u32(type);
}

static void write_values(const char *path)
{
    used = 0;
    put("GGUF", 4);
    put_u32(3);
    put_u64(1);
    put_u64(12);
    key("u8", GGUF_U8), put("\xff", 1);
    key("i8", GGUF_I8), put("\xff", 1);
    key("u16", GGUF_U16), put("\xff\xff", 2);
    key("i32", GGUF_I32), put_u32(70000);
    key("u64", GGUF_U64), put_u64(UINT64_C(1) << 40);
    key("f32", GGUF_F32), put(&(float){ 0.5f }, 4);
    key("f64", GGUF_F64), put(&(double){ 0.1 }, 8);
    key("yes", GGUF_BOOL), put("\1", 1);
    key("two", GGUF_BOOL), put("\2", 1);
    key("text", GGUF_STRING), put_text("caf\xc3\xa9");
    key("texts", GGUF_ARRAY), put_u32(GGUF_STRING), put_u64(2), put_text("a"), put_text("");
    key("same", GGUF_ARRAY), put_u32(GGUF_I16), put_u64(2), put("\7\0\7\0", 4);
    put_text("t");
    put_u32(2);
    put_u64(2); /* a row */
    put_u64(3);
    put_u32(GGML_F32);
    put_u64(0);
    while (used % 32) put("", 1);
    for (size_t i = 0; i < 6; i++) put(&(float){ (float)i }, 4);
    NEED(lm_write_file(path, file, used) == 0);
}

static void test_values(void)
{
    gguf *g = NULL;
    uint64_t n = 0, *all = NULL;
    double x = 0;
    bool yes = false;
    lm_string s, *texts = NULL;
    size_t count = 0;
    float *floats = NULL, row[4];
    write_values("values.gguf");
    NEED(gguf_open(&g, "values.gguf") == 0);
    CHECK_EQ(gguf_values(g), 12);
    CHECK_STR(gguf_value_at(g, 0)->key, "f32");
    CHECK(gguf_u64(g, "u8", &n) == 0 && n == 255);
    CHECK(gguf_u64(g, "u16", &n) == 0 && n == 65535);
    CHECK(gguf_u64(g, "i32", &n) == 0 && n == 70000);
    CHECK(gguf_u64(g, "u64", &n) == 0 && n == UINT64_C(1) << 40);
    CHECK(gguf_u64(g, "same", &n) == 0 && n == 7);
    CHECK(gguf_u64(g, "i8", &n) == LM_EDATA && strstr(lm_err(), "values.gguf: i8 at byte "));
    CHECK(gguf_u64(g, "f32", &n) == LM_EDATA && gguf_u64(g, "none", &n) == LM_EDATA);
    CHECK(gguf_f64(g, "f32", &x) == 0 && x == 0.5);
    CHECK(gguf_f64(g, "f64", &x) == 0 && x == 0.1);
    CHECK(gguf_f64(g, "u8", &x) == 0 && x == 255);
    CHECK(gguf_f64(g, "text", &x) == LM_EDATA && gguf_f64(g, "same", &x) == LM_EDATA);
    CHECK(gguf_bool(g, "yes", &yes) == 0 && yes);
    CHECK(gguf_bool(g, "two", &yes) == LM_EDATA && gguf_bool(g, "u8", &yes) == LM_EDATA);
    CHECK(gguf_string(g, "text", &s) == 0 && s.n == 5 && !memcmp(s.s, "caf\xc3\xa9", 5));
    CHECK(gguf_string(g, "texts", &s) == LM_EDATA && gguf_string(g, "u8", &s) == LM_EDATA);
    NEED(gguf_strings(g, "texts", &texts, &count) == 0 && count == 2);
    CHECK(texts[0].n == 1 && *texts[0].s == 'a' && texts[1].n == 0);
    NEED(gguf_u64s(g, "same", &all, &count) == 0 && count == 2);
    CHECK(all[0] == 7 && all[1] == 7);
    CHECK(gguf_floats(g, "same", &floats, &count) == LM_EDATA && !floats);
    lm_string *none = NULL;
    CHECK(gguf_strings(g, "text", &none, &count) == LM_EDATA && !none);
    free(texts);
    free(all);
    const gguf_tensor *t = gguf_tensor_find(g, "t");
    lm_buf raw = LM_BUF_INIT(64);
    NEED(t && t->rank == 2);
    CHECK(t->shape[0] == 3 && t->shape[1] == 2 && t->count == 6);
    CHECK(gguf_rows(g, t, 1, 2, &raw, row) == 0 && row[0] == 2.0f && row[3] == 5.0f);
    CHECK(!gguf_tensor_find(g, "u"));
    lm_buf_free(&raw);
    gguf_close(g);
    gguf_close(NULL);
}

/* Each prefix, and each byte changed: an error or a file that can be read, and nothing else. */
static void test_damage(void)
{
    gguf *g = NULL;
    write_values("values.gguf");
    for (size_t n = 0; n < used; n++) {
        NEED(lm_write_file("cut.gguf", file, n) == 0);
        CHECK(gguf_open(&g, "cut.gguf") == LM_EDATA && !g && strstr(lm_err(), "cut.gguf: "));
    }
    for (size_t n = 0; n < used; n++) {
        unsigned char was = file[n];
        file[n] ^= 0x81;
        NEED(lm_write_file("changed.gguf", file, used) == 0);
        int rc = gguf_open(&g, "changed.gguf");
        CHECK(rc == 0 || rc == LM_EDATA);
        gguf_close(g);
        file[n] = was;
    }
}

/* Tensors of several types in one file of safetensors. */
static void test_types_written(void)
{
    static const float x[] = { 1, -2, 0.1f, 65504, 3, 4 };
    st_spec specs[] = { { .name = "a", .rank = 1, .shape = { 2 }, .dtype = ST_F16 },
                        { .name = "b", .rank = 2, .shape = { 1, 1 }, .dtype = ST_F32 },
                        { .name = "c", .rank = 1, .shape = { 3 }, .dtype = ST_BF16 } };
    st_writer *w = NULL;
    st_reader *r = NULL;
    float got[3];
    NEED(st_create_each(&w, "types.safetensors", specs, 3) == 0);
    CHECK_OK(st_write(w, x, 4));
    CHECK_OK(st_write(w, x + 4, 2));
    CHECK(st_write(w, x, 1) == LM_EUSAGE);
    NEED(st_commit(w) == 0);
    NEED(st_open(&r, "types.safetensors") == 0);
    const st_tensor *a = st_find(r, "a"), *b = st_find(r, "b"), *c = st_find(r, "c");
    NEED(a && b && c && a->dtype == ST_F16 && b->dtype == ST_F32 && c->dtype == ST_BF16);
    CHECK(st_read(r, a, 0, got, 2) == 0 && got[0] == 1.0f && got[1] == -2.0f);
    CHECK(st_read(r, b, 0, got, 1) == 0 && got[0] == 0.1f);
    CHECK(st_read(r, c, 0, got, 3) == 0 && got[0] == 65536.0f && got[2] == 4.0f);
    st_close(r);
}

int main(void)
{
    test_types();
    test_values();
    test_damage();
    test_types_written();
    CHECK_END();
}
