#include <math.h>
#include <stdbool.h>
#include <unistd.h>

#include "check.h"
#include "longmix/json.h"
#include "longmix/zio.h"

static lm_json *parse(const char *s)
{
    lm_json *v = NULL;
    NEED(!lm_json_parse(&v, s, strlen(s), "doc"));
    return v;
}

static const char *dumped(const lm_json *v, int indent)
{
    static lm_buf b = LM_BUF_INIT(1 << 20);
    b.size = 0;
    if (lm_json_dump(v, indent, &b) || lm_buf_add(&b, "", 1)) return "(failed)";
    return (const char *)b.data;
}

static void refused(const char *s, const char *why)
{
    lm_json *v = NULL;
    CHECK(lm_json_parse(&v, s, strlen(s), "doc") == LM_EDATA && v == NULL);
    if (!strstr(lm_err(), why)) fprintf(stderr, "  %s: %s\n", s, lm_err());
    CHECK(strstr(lm_err(), why) != NULL && !strncmp(lm_err(), "doc", 3));
}

static void parsing(void)
{
    refused("", "doc:1:");
    refused("{\"a\": 1,\n \"a\": 2}", "doc:2:");
    refused("{} x", "end of file");
    refused("{\"a\": 01}", "doc:1:");
    refused("[99999999999999999999]", "too big");
    refused("[1e999]", "overflow");
    refused("\"\\u0000\"", "\\u0000");
    refused("\"\xff\"", "unable to decode byte 0xff");
    lm_json *v = NULL;
    CHECK(lm_json_parse(&v, "[1]\0", 4, "doc") == LM_EDATA);
    char deep[200];
    memset(deep, '[', 64);
    memset(deep + 64, ']', 64);
    NEED(!lm_json_parse(&v, deep, 128, "doc"));
    lm_json_free(v);
    memset(deep, '[', 65);
    memset(deep + 65, ']', 65);
    CHECK(lm_json_parse(&v, deep, 130, "doc") == LM_EDATA && strstr(lm_err(), "deeper than 64"));
    NEED(!lm_json_parse(&v, "7", 1, "doc"));
    CHECK(lm_json_type(v) == LM_JSON_INT);
    lm_json_free(v);
    lm_json_free(NULL);
}

static void walking(void)
{
    lm_json *v = parse("{\"z\": [10, 20, 30], \"a\": {\"b\": null}, \"m\": true}");
    static const char *const order[] = { "z", "a", "m" };
    const char *key = NULL;
    const lm_json *child = NULL;
    size_t i = 0;
    while (lm_json_member(v, i, &key, &child)) {
        CHECK_STR(key, order[i]);
        CHECK(child == lm_json_get(v, key));
        i++;
    }
    CHECK_EQ(i, 3);
    CHECK_EQ(lm_json_size(v), 3);
    CHECK_EQ(lm_json_size(lm_json_get(v, "z")), 3);
    CHECK_EQ(lm_json_size(lm_json_get(v, "m")), 0);
    uint64_t n = 0;
    CHECK(!lm_json_u64(&n, lm_json_at(lm_json_get(v, "z"), 2), NULL) && n == 30);
    CHECK(lm_json_at(lm_json_get(v, "z"), 3) == NULL && lm_json_at(v, 0) == NULL);
    CHECK(lm_json_get(v, "absent") == NULL && lm_json_get(lm_json_get(v, "z"), "a") == NULL);
    CHECK(lm_json_type(lm_json_get(lm_json_get(v, "a"), "b")) == LM_JSON_NULL);
    CHECK(!lm_json_member(lm_json_get(v, "z"), 0, &key, &child));
    lm_json_free(v);
}

static void getting(void)
{
    lm_json *v = parse("{\"s\": \"text\", \"i\": 5, \"r\": 2.5, \"neg\": -1, \"t\": true, \"hex\": "
                       "\"00000000000000ff\","
                       " \"size\": \"5B\", \"bad\": \"5X\", \"in\": {\"list\": [1, {\"x\": []}]}}");
    const char *s = NULL;
    uint64_t u = 0;
    double d = 0;
    bool b = false;
    CHECK(!lm_json_str(&s, v, "s") && !strcmp(s, "text"));
    CHECK(!lm_json_u64(&u, v, "i") && u == 5);
    CHECK(!lm_json_f64(&d, v, "i") && d == 5);
    CHECK(!lm_json_f64(&d, v, "r") && d == 2.5);
    CHECK(!lm_json_bool(&b, v, "t") && b);
    CHECK(!lm_json_hex64(&u, v, "hex") && u == 255);
    CHECK(!lm_json_tokens(&u, v, "size") && u == 5000000000u);
    CHECK(!lm_json_tokens(&u, v, "i") && u == 5);

    CHECK(lm_json_u64(&u, v, "neg") == LM_EDATA);
    CHECK_STR(lm_err(), "doc: neg: expected a whole number, not negative");
    CHECK(lm_json_u64(&u, v, "r") == LM_EDATA);
    CHECK(lm_json_str(&s, v, "i") == LM_EDATA);
    CHECK_STR(lm_err(), "doc: i: expected a string");
    CHECK(lm_json_f64(&d, v, "s") == LM_EDATA);
    CHECK(lm_json_bool(&b, v, "i") == LM_EDATA);
    CHECK(lm_json_hex64(&u, v, "s") == LM_EDATA);
    CHECK(lm_json_tokens(&u, v, "bad") == LM_EDATA && strstr(lm_err(), "doc: bad: \"5X\""));
    CHECK(lm_json_u64(&u, v, "absent") == LM_EDATA);
    CHECK_STR(lm_err(), "doc: absent: is missing");
    CHECK(u == 5 && d == 2.5 && b);

    /* Paths through objects and arrays. */
    const lm_json *list = lm_json_get(lm_json_get(v, "in"), "list");
    CHECK(lm_json_u64(&u, lm_json_get(lm_json_at(list, 1), "x"), NULL) == LM_EDATA);
    CHECK_STR(lm_err(), "doc: in.list[1].x: expected a whole number, not negative");
    CHECK(lm_json_u64(&u, lm_json_at(list, 1), "y") == LM_EDATA);
    CHECK_STR(lm_err(), "doc: in.list[1].y: is missing");
    CHECK(lm_json_u64(&u, list, "y") == LM_EDATA);
    CHECK_STR(lm_err(), "doc: in.list: expected an object");
    CHECK(lm_json_fail(v, "bad %d", 7) == LM_EDATA);
    CHECK_STR(lm_err(), "doc: bad 7");

    static const char *const some[] = { "s", "i", "r", "neg", "t", "hex", "size", "bad", NULL };
    CHECK(lm_json_only(v, some) == LM_EDATA);
    CHECK_STR(lm_err(), "doc: in: no such field is known here");
    static const char *const x[] = { "x", NULL };
    CHECK_OK(lm_json_only(lm_json_at(list, 1), x));
    CHECK(lm_json_only(list, x) == LM_EDATA);
    lm_json_free(v);
}

static void building(void)
{
    lm_json *v = lm_json_object(), *list = lm_json_array();
    lm_json_set_u64(v, "b", 1);
    lm_json_set_str(v, "a", "q\"\\\n\t\x01\x7f\xc3\xa9");
    lm_json_set_u64(list, NULL, 1);
    lm_json_set_f64(list, NULL, 0.1);
    lm_json_set_bool(list, NULL, false);
    lm_json_set(v, "list", list);
    lm_json_set(v, "empty", lm_json_object());
    lm_json_set_hex64(v, "key", 0xabc);
    lm_json_set_copy(v, "copy", list);
    lm_json_set_u64(v, "b", 2); /* the last value counts, at the position of the first */
    CHECK_STR(dumped(v, 0),
              "{\"b\":2,\"a\":\"q\\\"\\\\\\n\\t\\u0001\\u007f\xc3\xa9\",\"list\":[1,0.1,false],"
              "\"empty\":{},\"key\":\"0000000000000abc\",\"copy\":[1,0.1,false]}");
    CHECK_STR(dumped(list, 2), "[\n  1,\n  0.1,\n  false\n]");

    /* What was written reads back, and is written the same. */
    lm_json *again = parse(dumped(v, 4));
    char *first = strdup(dumped(v, 2));
    CHECK_STR(dumped(again, 2), first);
    free(first);
    lm_json_free(again);
    lm_json_free(v);
}

static void members_of_another(void)
{
    lm_json *o = lm_json_object(), *from = lm_json_object();
    lm_buf text = LM_BUF_INIT(1000);
    lm_json_set_u64(o, "a", 1);
    lm_json_set_u64(o, "b", 2);
    lm_json_set_str(from, "c", "x");
    lm_json_set_u64(from, "a", 3);
    lm_json_set_all(o, from);
    lm_json_set_str(from, "c", "later");
    CHECK_OK(lm_json_dump(o, 0, &text));
    CHECK_OK(lm_buf_add(&text, "", 1));
    CHECK_STR((char *)text.data, "{\"a\":3,\"b\":2,\"c\":\"x\"}");
    lm_json_set_all(NULL, from);
    lm_json *list = lm_json_array();
    lm_json_set_all(o, list); /* no object */
    CHECK(lm_json_dump(o, 0, &text) < 0);
    lm_json_free(o);
    o = lm_json_object();
    lm_json_set_u64(from, "d", UINT64_MAX); /* cannot be held: `from` is incomplete, so is o */
    lm_json_set_all(o, from);
    CHECK(lm_json_dump(o, 0, &text) < 0);
    lm_json_free(list);
    lm_json_free(from);
    lm_json_free(o);
    lm_buf_free(&text);
}

static void files(void)
{
    lm_json *o = lm_json_object(), *again = NULL;
    lm_buf text = LM_BUF_INIT(1000), whole = LM_BUF_INIT(1000);
    lm_in *in = NULL;
    lm_json_set_u64(o, "a", 1);
    CHECK_OK(lm_json_print(o, 2, &text));
    CHECK(text.size == 13 && !memcmp(text.data, "{\n  \"a\": 1\n}\n", 13));
    CHECK_OK(lm_json_write("written.json", o));
    CHECK_OK(lm_in_open(&in, "written.json"));
    CHECK_OK(lm_in_all(in, &whole));
    CHECK(whole.size == text.size && !memcmp(whole.data, text.data, text.size));
    CHECK_OK(lm_json_load(&again, "written.json", 1000));
    CHECK(lm_json_write("absent/written.json", o) == LM_EIO);
    CHECK(lm_json_write("not-written.json", NULL) == LM_ENOMEM && access("not-written.json", F_OK));
    lm_in_close(in);
    lm_json_free(again);
    lm_json_free(o);
    lm_buf_free(&text);
    lm_buf_free(&whole);
}

static void what_cannot_be_built(void)
{
    lm_json *v = lm_json_object();
    lm_json_set_u64(v, "fits", INT64_MAX);
    CHECK_STR(dumped(v, 0), "{\"fits\":9223372036854775807}");
    lm_json_set_u64(v, "large", (uint64_t)INT64_MAX + 1);
    CHECK_STR(dumped(v, 0), "(failed)");
    lm_json_free(v);

    v = lm_json_object();
    lm_json_set_f64(v, "nan", (double)NAN);
    CHECK_STR(dumped(v, 0), "(failed)");
    lm_json_free(v);

    v = lm_json_object();
    lm_json_set(v, "list", lm_json_array());
    lm_json_set((lm_json *)lm_json_get(v, "list"), NULL, NULL); /* as after an allocation failure */
    CHECK_STR(dumped(v, 0), "(failed)");
    CHECK(strstr(lm_err(), "list: ") != NULL);
    lm_json_free(v);

    v = lm_json_object();
    lm_json_set_str(v, "name", "latin-1: \xe9");
    CHECK_STR(dumped(v, 0), "(failed)");
    CHECK(strstr(lm_err(), "name: not UTF-8") != NULL);
    lm_json_free(v);

    v = lm_json_array();
    lm_json_set_u64(v, "key", 1); /* an array has no keys */
    CHECK_STR(dumped(v, 0), "(failed)");
    lm_json_free(v);
    lm_json_set_u64(NULL, "x", 1);
    lm_json_set(NULL, "x", lm_json_object());
    CHECK_STR(dumped(NULL, 0), "(failed)");
}

static void reals(void)
{
    static const struct {
        double v;
        const char *s;
    } known[] = { { 0, "0.0" },
                  { -0.0, "-0.0" },
                  { 1, "1.0" },
                  { 0.7, "0.7" },
                  { 2e-5, "2e-05" },
                  { 1e300, "1e+300" },
                  { 0.53374772, "0.53374772" },
                  { 1.0 / 3, "0.3333333333333333" },
                  { 5e-324, "4.94065645841247e-324" } };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        lm_json *v = lm_json_array();
        lm_json_set_f64(v, NULL, known[i].v);
        char want[64];
        snprintf(want, sizeof want, "[%s]", known[i].s);
        CHECK_STR(dumped(v, 0), want);
        lm_json_free(v);
    }
    uint64_t z = 1;
    for (int i = 0; i < 20000; i++) {
        double d, back = 0;
        z = z * 6364136223846793005u + 1442695040888963407u;
        uint64_t bits = z ^ z >> 29;
        memcpy(&d, &bits, sizeof d);
        if (!isfinite(d)) continue;
        lm_json *v = lm_json_array();
        lm_json_set_f64(v, NULL, d);
        lm_json *again = parse(dumped(v, 0));
        CHECK(!lm_json_f64(&back, lm_json_at(again, 0), NULL) && !memcmp(&back, &d, sizeof d));
        CHECK(lm_json_type(lm_json_at(again, 0)) == LM_JSON_REAL);
        lm_json_free(again);
        lm_json_free(v);
    }
}

static void loading(void)
{
    lm_json *v = NULL;
    NEED(!lm_write_file("x.json", "{\"a\": 1}\n", 9));
    CHECK_OK(lm_json_load(&v, "x.json", 9));
    uint64_t n;
    CHECK(lm_json_u64(&n, v, "b") == LM_EDATA);
    CHECK_STR(lm_err(), "x.json: b: is missing");
    lm_json_free(v);
    CHECK(lm_json_load(&v, "x.json", 8) == LM_EDATA && v == NULL);
    CHECK_STR(lm_err(), "x.json: larger than 8 bytes");
    CHECK(lm_json_load(&v, "absent.json", 100) == LM_EIO && v == NULL);
}

static void sizes(void)
{
    static const struct {
        const char *s;
        uint64_t v;
    } good[] = { { "0", 0 },
                 { "7", 7 },
                 { "4096", 4096 },
                 { "1K", 1000 },
                 { "1k", 1000 },
                 { "1Ki", 1024 },
                 { "1.5M", 1500000 },
                 { "1.50m", 1500000 },
                 { "5B", 5000000000 },
                 { "5b", 5000000000 },
                 { "2G", 2000000000 },
                 { "2Gi", 2147483648 },
                 { "1T", 1000000000000 },
                 { "3ti", 3298534883328 },
                 { "1.0", 1 },
                 { "007", 7 },
                 { "0.5Ki", 512 },
                 { "18446744073709551615", UINT64_MAX },
                 { "16777215Ti", UINT64_C(16777215) << 40 } };
    uint64_t v;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        v = 1234;
        CHECK_OK(lm_parse_size(good[i].s, &v));
        CHECK_EQ(v, good[i].v);
    }
    static const char *const bad[] = { "",
                                       " 1",
                                       "1 ",
                                       "-1",
                                       "+1",
                                       "1.5",
                                       "1.5.5K",
                                       ".5K",
                                       "5.K",
                                       "0x10",
                                       "1e9",
                                       "32 k",
                                       "32q",
                                       "1Bi",
                                       "1KB",
                                       "1Kib",
                                       "K",
                                       "18446744073709551616",
                                       "99999999999T",
                                       "1.0001K",
                                       "0.0000000000000000000001T",
                                       "16777216Ti" };
    v = 1234;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK(lm_parse_size(bad[i], &v) == LM_EUSAGE);
        if (bad[i][0]) CHECK(strstr(lm_err(), bad[i]) != NULL);
    }
    CHECK_EQ(v, 1234);
}

int main(void)
{
    parsing();
    walking();
    getting();
    building();
    members_of_another();
    files();
    what_cannot_be_built();
    reals();
    loading();
    sizes();
    CHECK_END();
}
