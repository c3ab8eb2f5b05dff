/* Rank files and tekken.json, made here: ids, patterns, special tokens, directories, and files that
 * disagree with themselves. Added tokens by the rules of Hugging Face's library. */
#include "check.h"

#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/rng.h"
#include "lib/tokenizer/base64.h"
#include "lib/tokenizer/ids.h"
#include "lib/tokenizer/internal.h"
#include "lib/tokenizer/tiktoken/internal.h"

/* Pieces after the 256 bytes. */
static const char *const words[] = { "th", "the", " the", "in", "ing", " a", "12", "  ", "\n\n" };
enum { WORDS = sizeof words / sizeof *words };

static void base64(char *out, const unsigned char *s, size_t n)
{
    static const char a[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        uint32_t bits = (uint32_t)s[i] << 16;
        if (i + 1 < n) bits |= (uint32_t)s[i + 1] << 8;
        if (i + 2 < n) bits |= s[i + 2];
        *out++ = a[bits >> 18];
        *out++ = a[bits >> 12 & 63];
        *out++ = i + 1 < n ? a[bits >> 6 & 63] : '=';
        *out++ = i + 2 < n ? a[bits & 63] : '=';
    }
    *out = 0;
}

static void piece_of(char out[64], unsigned rank)
{
    unsigned char byte = (unsigned char)rank;
    if (rank < 256) base64(out, &byte, 1);
    else base64(out, (const unsigned char *)words[rank - 256], strlen(words[rank - 256]));
}

static void save(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");
    NEED(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

/* Write a rank file without the rank `skip`, and with `more` at its end. */
static void save_ranks(const char *path, unsigned skip, const char *more)
{
    FILE *f = fopen(path, "wb");
    char piece[64];
    NEED(f != NULL);
    for (unsigned r = 0; r < 256 + WORDS; r++) {
        piece_of(piece, r);
        if (r != skip) fprintf(f, "%s %u\n", piece, r);
    }
    NEED(fputs(more, f) >= 0 && fclose(f) == 0);
}

static void save_tekken(const char *path, const char *config, const char *special)
{
    FILE *f = fopen(path, "wb");
    char piece[64];
    NEED(f != NULL);
    fprintf(
        f,
        "{ \"config\": { \"pattern\": \"[a-z]+| ?[a-z]+|[0-9]+|\\\\s+|[^a-z0-9\\\\s]+\", %s },\n",
        config);
    fprintf(f, "%s\"vocab\": [", special);
    for (unsigned r = 0; r < 256 + WORDS; r++) {
        piece_of(piece, r);
        fprintf(f, "%s{\"rank\": %u, \"token_bytes\": \"%s\", \"token_str\": null}", r ? "," : "",
                r, piece);
    }
    NEED(fputs("] }\n", f) >= 0 && fclose(f) == 0);
}

/* ---- ids --------------------------------------------------------------------------------- */

/* The ids of a text, in one of two buffers: "1 2 3". */
static const char *ids_of(const lm_tokenizer *t, const char *text, bool parse)
{
    static char buffers[2][4096];
    static unsigned turn;
    char *shown = buffers[turn++ % 2];
    lm_encoder *e;
    lm_buf out = LM_BUF_INIT(lm_encode_bound(t, strlen(text)));
    unsigned width = lm_tokenizer_width(t);
    NEED(lm_encoder_new(&e, t) == 0);
    lm_encoder_parse_special(e, parse);
    CHECK_OK(lm_encode(e, text, strlen(text), &out));
    size_t at = 0;
    *shown = 0;
    for (size_t i = 0; i < out.size; i += width)
        at += (size_t)snprintf(shown + at, 4096 - at, "%s%u", i ? " " : "",
                               lm_get_id(out.data + i, width));
    lm_buf_free(&out);
    lm_encoder_free(e);
    return shown;
}

static void test_tiktoken(void)
{
    lm_tokenizer *t, *other;
    save_ranks("a.tiktoken", 999, "");
    NEED(lm_tokenizer_open(&t, "a.tiktoken", "gpt2", 0) == 0);
    CHECK_EQ(lm_tokenizer_vocab(t), 256 + WORDS);
    CHECK_EQ(lm_tokenizer_width(t), 2);
    CHECK(lm_tokenizer_bos(t) == -1 && lm_tokenizer_eos(t) == -1);
    CHECK(lm_tokenizer_slow_reason(t) == NULL);
    CHECK_STR(lm_tokenizer_format(t), "a tiktoken rank file (pattern: gpt2)");
    CHECK_STR(lm_tokenizer_pattern(t), "gpt2");
    /* " the" is a part that is a piece; "thing" is th ing, "bathe" b a the. */
    CHECK_STR(ids_of(t, "the the thing bathe", false), "257 258 32 256 260 32 98 97 257");
    CHECK_STR(ids_of(t, "", false), "");
    CHECK_STR(ids_of(t, "<|endoftext|>", true), ids_of(t, "<|endoftext|>", false));
    NEED(lm_tokenizer_open_again(&other, t, LM_TOKENIZER_REFERENCE) == 0);
    CHECK_EQ(lm_tokenizer_hash(other), lm_tokenizer_hash(t));
    CHECK_STR(ids_of(other, "the  the12 3", false), ids_of(t, "the  the12 3", false));
    lm_tokenizer_free(other);
    /* Another pattern is another tokenizer. */
    NEED(lm_tokenizer_open(&other, "a.tiktoken", "[a-z]", 0) == 0);
    CHECK(lm_tokenizer_hash(other) != lm_tokenizer_hash(t));
    CHECK(lm_tokenizer_slow_reason(other) != NULL && lm_tokenizer_pattern(other) == NULL);
    CHECK_STR(ids_of(other, "the, a", false), "116 104 101 97");
    lm_tokenizer_free(other);
    lm_tokenizer_free(t);
}

static void fails(const char *path, const char *pattern, int code, const char *message)
{
    lm_tokenizer *t = NULL;
    int rc = lm_tokenizer_open(&t, path, pattern, 0);
    CHECK_EQ(rc, code);
    CHECK(t == NULL && strstr(lm_err(), message));
    if (!strstr(lm_err(), message)) fprintf(stderr, "  not in it: %s\n", message);
}

static void test_bad_ranks(void)
{
    save_ranks("b.tiktoken", 999, "");
    fails("b.tiktoken", NULL, LM_EUSAGE, "gpt2, llama3, qwen2, o200k, deepseek");
    fails("b.tiktoken", "gpt3", LM_EUSAGE, "\"gpt3\"");
    fails("b.tiktoken", "(a", LM_EDATA, "(a");
    save_ranks("b.tiktoken", 258, "");
    fails("b.tiktoken", "gpt2", LM_EDATA, "b.tiktoken:259: rank 259, but no line has rank 258");
    save_ranks("b.tiktoken", 999, "QQ= 265\n");
    fails("b.tiktoken", "gpt2", LM_EDATA, "b.tiktoken:266: the piece is not base64");
    save_ranks("b.tiktoken", 999, "\nQUI= 264\n");
    fails("b.tiktoken", "gpt2", LM_EDATA, "b.tiktoken:267: the rank is that of an earlier piece");
    save_ranks("b.tiktoken", 999, "QUI= 265 1\n");
    fails("b.tiktoken", "gpt2", LM_EDATA, "b.tiktoken:266: not a piece in base64 and its rank");
    save_ranks("b.tiktoken", 999, "QUI= 99999999\n");
    fails("b.tiktoken", "gpt2", LM_EDATA, "b.tiktoken:266: the rank is too large");
    save_ranks("b.tiktoken", 999, "dGg= 265\n"); /* "th" again */
    fails("b.tiktoken", "gpt2", LM_EDATA, "b.tiktoken");
    save("b.tiktoken", "IQ== 0\nIg== 1\n");
    fails("b.tiktoken", "gpt2", LM_EDATA, "the byte 0x00 has no piece");
}

static void test_names(void)
{
    static const struct {
        const char *text, *message;
    } files[] = {
        { "", "empty" },
        { "version https://git-lfs.github.com/spec/v1\n", "git-lfs" },
        { "<!DOCTYPE html>", "HTML" },
        { "{\"model_type\": \"llama\"}", "config.json" },
        { "{ \"a\\\"}\": [{}, \"]\"], \"tokenizer_class\": \"X\" }", "tokenizer_config.json" },
        { "{ \"bos_token\": \"<s>\", \"tokenizer_class\": \"X\" }", "tokenizer_config.json" },
        { "{ \"bos_token\": \"<s>\" }", "special_tokens_map.json" },
        { "{\"a\": 0, \"b\": 1}", "vocab.json" },
        { "{\"a\": {}}", "neither a tokenizer.json" },
        { "#version: 0.2\n", "merges.txt" },
        { "PK\x03\x04", "zip" },
        { "hello there\n", "not a tokenizer" },
        { "{\"config\": {}, \"vocab\": []}", "config.pattern" },
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        save("other", files[i].text);
        fails("other", NULL, LM_EDATA, files[i].message);
    }
}

#define CONFIG \
    "\"default_vocab_size\": 285, \"default_num_special_tokens\": 20, \"version\": \"v3\""
#define LISTED                                                                            \
    "\"special_tokens\": [{\"rank\": 0, \"token_str\": \"<unk>\", \"is_control\": true}," \
    " {\"rank\": 1, \"token_str\": \"<s>\"}, {\"rank\": 2, \"token_str\": \"<s>x\"}],"

static void test_tekken(void)
{
    lm_tokenizer *t;
    save_tekken("tekken.json", CONFIG, "");
    NEED(lm_tokenizer_open(&t, "tekken.json", NULL, 0) == 0);
    CHECK_EQ(lm_tokenizer_vocab(t), 285);
    CHECK(lm_tokenizer_bos(t) == 1 && lm_tokenizer_eos(t) == 2 && lm_tokenizer_unk(t) == 0);
    CHECK_STR(lm_tokenizer_format(t), "a tekken.json (v3)");
    CHECK_STR(ids_of(t, "the", false), "277");
    CHECK_STR(ids_of(t, "<s>the[INST]", true), "1 277 3");
    CHECK_STR(ids_of(t, "[INST", true), ids_of(t, "[INST", false));
    CHECK(lm_tokenizer_is_special(t, 3) && !lm_tokenizer_is_special(t, 20));
    CHECK_STR(lm_tokenizer_piece(t, 19), "[TOOL_CONTENT]");
    lm_tokenizer_free(t);
    fails("tekken.json", "gpt2", LM_EUSAGE, "has its own pattern");
    save_tekken("tekken.json", CONFIG, LISTED);
    NEED(lm_tokenizer_open(&t, "tekken.json", NULL, 0) == 0);
    CHECK_STR(ids_of(t, "<s>x<s><SPECIAL_19>", true), "2 1 19");
    lm_tokenizer_free(t);
}

static void test_bad_tekken(void)
{
    save_tekken("tekken.json", "\"version\": \"v3\", \"default_num_special_tokens\": 20", "");
    fails("tekken.json", NULL, LM_EDATA,
          "tekken.json: config.default_vocab_size: expected a number");
    save_tekken(
        "tekken.json",
        "\"default_vocab_size\": 999, \"default_num_special_tokens\": 20, \"version\": \"v3\"", "");
    fails("tekken.json", NULL, LM_EDATA, "vocab: has 265 pieces");
    save_tekken(
        "tekken.json",
        "\"default_vocab_size\": 285, \"default_num_special_tokens\": 20, \"version\": \"v11\"",
        "");
    fails("tekken.json", NULL, LM_EDATA, "special_tokens: missing");
    save_tekken(
        "tekken.json",
        "\"default_vocab_size\": 267, \"default_num_special_tokens\": 2, \"version\": \"v3\"",
        LISTED);
    fails("tekken.json", NULL, LM_EDATA, "special_tokens: has 3");
    save_tekken("tekken.json", CONFIG,
                "\"special_tokens\": [{\"rank\": 4, \"token_str\": \"a\"}],");
    fails("tekken.json", NULL, LM_EDATA, "special_tokens[0]: its rank is not its place");
    save("tekken.json", "{\"config\": {\"a\": 1}, \"vocab\": [ }");
    fails("tekken.json", NULL, LM_EDATA, "not JSON");
}

static void test_directory(void)
{
    lm_tokenizer *t;
    NEED(mkdir("d", 0700) == 0);
    fails("d", NULL, LM_EDATA, "holds no tokenizer");
    save_ranks("d/a.tiktoken", 999, "");
    NEED(lm_tokenizer_open(&t, "d", "gpt2", 0) == 0);
    CHECK_STR(lm_tokenizer_path(t), "d/a.tiktoken");
    lm_tokenizer_free(t);
    save_ranks("d/tokenizer.model", 999, "");
    NEED(lm_tokenizer_open(&t, "d", "gpt2", 0) == 0);
    CHECK_STR(lm_tokenizer_path(t), "d/tokenizer.model");
    lm_tokenizer_free(t);
    save_tekken("d/tekken.json", CONFIG, "");
    NEED(lm_tokenizer_open(&t, "d/", NULL, 0) == 0);
    CHECK_STR(lm_tokenizer_path(t), "d/tekken.json");
    lm_tokenizer_free(t);
    save("d/tokenizer.model", "\n\x01"); /* damaged, and SentencePiece's by its place */
    fails("d", NULL, LM_EDATA, "d/tokenizer.model");
}

/* ---- added tokens -------------------------------------------------------------------------- */

static void add(lm_tokenizer *t, const char *text, uint32_t id, bool special, const char *flags)
{
    lm_added a = { .text = (char *)text, .size = strlen(text), .id = id, .special = special };
    a.lstrip = strchr(flags, 'l') != NULL;
    a.rstrip = strchr(flags, 'r') != NULL;
    a.single_word = strchr(flags, 'w') != NULL;
    NEED(lm_added_put(t, &a) == 0);
}

/* "start-stop:id ..." of all tokens in a text. */
static const char *found_in(const lm_tokenizer *t, bool parse, const char *text)
{
    static char shown[1000];
    lm_found f;
    size_t n = strlen(text), at = 0;
    *shown = 0;
    for (size_t from = 0;
         lm_find(&t->index.raw, parse, false, (const unsigned char *)text, n, from, n, &f);
         from = f.stop)
        at += (size_t)snprintf(shown + at, sizeof shown - at, "%s%zu-%zu:%u", at ? " " : "",
                               f.start, f.stop, f.id);
    return shown;
}

static void test_find(void)
{
    lm_tokenizer t = { 0 };
    add(&t, "<a>", 1, true, "");
    add(&t, "<a><b>", 2, false, "");
    add(&t, "<l>", 3, false, "l");
    add(&t, "<r>", 4, false, "r");
    add(&t, "word", 5, false, "w");
    add(&t, "\u00e9\u00e9", 6, false, "lr");
    NEED(lm_added_index_new(&t) == 0);
    CHECK_STR(found_in(&t, true, "x<a>y<a><b>z"), "1-4:1 5-11:2");
    CHECK_STR(found_in(&t, false, "x<a>y<a><b>z"), "5-11:2");
    CHECK_STR(found_in(&t, true, "<a"), "");
    CHECK_STR(found_in(&t, true, "<<a><a>"), "1-4:1 4-7:1");
    CHECK_STR(found_in(&t, true, "a \t<l> b"), "1-6:3");
    CHECK_STR(found_in(&t, true, "a <r>\u3000 b"), "2-9:4");
    CHECK_STR(found_in(&t, true, "<r> <l>"), "0-4:4 4-7:3"); /* the space is taken once */
    CHECK_STR(found_in(&t, true, "<a>  <l>"), "0-3:1 3-8:3");
    CHECK_STR(found_in(&t, true, "word words sword word_ -word."), "0-4:5 24-28:5");
    CHECK_STR(found_in(&t, true, "word\u0301 word\u00e9 \u2460word"), "17-21:5");
    CHECK_STR(found_in(&t, true, " \u00e9\u00e9\u00e9\u00e9 "), "0-5:6 5-10:6");
    for (size_t i = 0; i < t.added_count; i++) free(t.added[i].text);
    free(t.added);
    lm_added_index_free(&t.index);
}

/* Slices of a text with tokens in it give the ids of the whole. */
static void test_slices(void)
{
    static const char *const parts[] = { "<s>", "[INST]", "[/INST]", "the ",    "thing, ", "12\n\n",
                                         "<s",  "[INS",   "...",     "in a b ", "\u00e9",  "   " };
    lm_tokenizer *t;
    lm_encoder *e;
    lm_buf text = LM_BUF_INIT(1 << 24), whole = LM_BUF_INIT(1 << 26), sliced = LM_BUF_INIT(1 << 26);
    save_tekken("tekken.json", CONFIG, "");
    NEED(lm_tokenizer_open(&t, "tekken.json", NULL, 0) == 0 && lm_encoder_new(&e, t) == 0);
    lm_encoder_parse_special(e, true);
    uint64_t n = 0;
    while (text.size < 6 << 20) {
        /* Long stretches without a token, too. */
        size_t from = text.size & 1 << 22 ? 3 : 0;
        const char *s =
            parts[from + lm_scale(lm_hash4(5, n++, 0, 0), sizeof parts / sizeof *parts - from)];
        NEED(lm_buf_add(&text, s, strlen(s)) == 0);
    }
    CHECK_OK(lm_encode(e, (char *)text.data, text.size, &whole));
    size_t calls = 0;
    for (size_t at = 0, used; at < text.size; at += used, calls++)
        NEED(lm_encode_some(e, (char *)text.data + at, text.size - at, at == 0, &sliced, &used) ==
                 0 &&
             used > 0);
    CHECK(calls > 1 && whole.size == sliced.size && !memcmp(whole.data, sliced.data, whole.size));
    lm_buf_free(&text);
    lm_buf_free(&whole);
    lm_buf_free(&sliced);
    lm_encoder_free(e);
    lm_tokenizer_free(t);
}

static void test_base64(void)
{
    unsigned char out[16];
    CHECK(lm_base64_decode(out, "YWJj", 4) == 3 && !memcmp(out, "abc", 3));
    CHECK(lm_base64_decode(out, "YWI=", 4) == 2 && lm_base64_decode(out, "YQ==", 4) == 1);
    CHECK(lm_base64_decode(out, "YR==", 4) == -1); /* a bit that is not used */
    CHECK(lm_base64_decode(out, "YQ=", 3) == -1 && lm_base64_decode(out, "Y===", 4) == -1);
    CHECK(lm_base64_decode(out, "Y=Q=", 4) == -1 && lm_base64_decode(out, "YQ==YQ==", 8) == -1);
    CHECK(lm_base64_decode(out, "YW-j", 4) == -1 && lm_base64_decode(out, "", 0) == 0);
}

/* Qwen's library normalizes by the Unicode of its Python, LLaMA's does not normalize. */
static void test_known(void)
{
    static const struct {
        uint64_t hash;
        const char *name;
        enum lm_nfc nfc;
    } files[] = {
        { 0xe7339703bb9e9d7b, "LLaMA-3", LM_NFC_NONE },
        { 0xd2fc82dae9636e64, "LLaMA-4", LM_NFC_NONE },
        { 0x9f288efcb5368aab, "Qwen", LM_NFC_16 },
        { 0x2a38d0d36c85cbae, "Qwen3.6", LM_NFC_16 },
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const lm_known_ranks *k = lm_known_ranks_of(files[i].hash);
        NEED(k != NULL);
        CHECK_STR(k->name, files[i].name);
        CHECK_EQ(k->nfc, files[i].nfc);
    }
    CHECK(lm_known_ranks_of(1) == NULL);
}

int main(void)
{
    test_base64();
    test_known();
    test_tiktoken();
    test_bad_ranks();
    test_names();
    test_tekken();
    test_bad_tekken();
    test_directory();
    test_find();
    test_slices();
    CHECK_END();
}
