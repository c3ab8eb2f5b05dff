/* tokenizer.json: the ids that the tokenizers library gives (tests/parity/huggingface_data.py made the files
 * and the ids), and a message with file and field for what is not read. */
#include <unistd.h>

#include "check.h"
#include "lib/base/rng.h"
#include "lib/tokenizer/ids.h"
#include "longmix/json.h"
#include "longmix/tokenizer.h"

#define BUF_MAX ((size_t)1 << 26)

/* ---- ids --------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    bool fast;
} kinds[] = {
    { "gpt2", true },     { "prefix", true },     { "digits", true }, { "llama3", true },
    { "qwen2", true },    { "expression", true }, { "holes", true },  { "holes-unk", true },
    { "llama2", true },   { "spaces", true },     { "first", true },  { "always", true },
    { "unknown", false }, { "fused", false },
};

static bool same_ids(const lm_buf *ids, unsigned width, const char *want)
{
    size_t n = ids->size / width;
    char *end;
    for (size_t i = 0; i < n; i++, want = end) {
        unsigned long id = strtoul(want, &end, 10);
        if (end == want || id != lm_get_id(ids->data + i * width, width)) return false;
    }
    return !*want;
}

static void show(const char *name, const char *text, const lm_buf *ids, unsigned width,
                 const char *want)
{
    fprintf(stderr, "  %s: \"%s\": wanted %s, got", name, text, want);
    for (size_t i = 0; i < ids->size; i += width)
        fprintf(stderr, " %" PRIu32, lm_get_id(ids->data + i, width));
    fprintf(stderr, "\n");
}

static void check_ids(lm_encoder *e, const lm_tokenizer *t, const char *name, const char *text,
                      const char *want)
{
    lm_buf ids = LM_BUF_INIT(BUF_MAX);
    unsigned width = lm_tokenizer_width(t);
    size_t n = strlen(text), used;
    CHECK_OK(lm_encode(e, text, n, &ids));
    CHECK(ids.size <= lm_encode_bound(t, n));
    bool same = same_ids(&ids, width, want);
    if (!same) show(name, text, &ids, width, want);
    CHECK(same);
    ids.size = 0;
    for (size_t at = 0; at < n; at += used)
        CHECK_OK(lm_encode_some(e, text + at, n - at, !at, &ids, &used));
    CHECK(same_ids(&ids, width, want));
    lm_buf_free(&ids);
}

static void check_decoded(const lm_tokenizer *t, const char *name, const char *ids,
                          const char *want)
{
    lm_buf raw = LM_BUF_INIT(BUF_MAX), text = LM_BUF_INIT(BUF_MAX);
    unsigned char p[4];
    char *end;
    for (const char *s = ids; *s; s = end) {
        lm_put_id(p, (uint32_t)strtoul(s, &end, 10), lm_tokenizer_width(t));
        CHECK_OK(lm_buf_add(&raw, p, lm_tokenizer_width(t)));
    }
    CHECK_OK(lm_decode(t, raw.data, raw.size / lm_tokenizer_width(t), &text));
    bool same = text.size == strlen(want) && (!text.size || !memcmp(text.data, want, text.size));
    if (!same)
        fprintf(stderr, "  %s: %s: wanted \"%s\", got \"%.*s\"\n", name, ids, want, (int)text.size,
                text.data ? (char *)text.data : "");
    CHECK(same);
    lm_buf_free(&raw);
    lm_buf_free(&text);
}

static void check_case(lm_encoder *keep, lm_encoder *parse, const lm_tokenizer *t, const char *name,
                       const lm_json *c)
{
    const char *text, *ids, *decoded;
    NEED(!lm_json_str(&text, c, "text") && !lm_json_str(&ids, c, "keep"));
    check_ids(keep, t, name, text, ids);
    if (lm_json_get(c, "parse")) NEED(!lm_json_str(&ids, c, "parse"));
    check_ids(parse, t, name, text, ids);
    if (!lm_json_get(c, "decoded")) return;
    NEED(!lm_json_str(&decoded, c, "decoded"));
    check_decoded(t, name, ids, decoded);
}

static void check_kind(const char *name, bool fast)
{
    static const unsigned flags[] = { 0, LM_TOKENIZER_SMALL,
                                      LM_TOKENIZER_SCALAR | LM_TOKENIZER_SMALL,
                                      LM_TOKENIZER_REFERENCE };
    char path[4096], file[100];
    lm_json *cases;
    snprintf(file, sizeof file, "huggingface/%s.golden.json", name);
    NEED(!lm_json_load(&cases, own_data(path, file), BUF_MAX));
    snprintf(file, sizeof file, "huggingface/%s.json", name);
    own_data(path, file);
    CHECK(lm_json_size(cases) > 50);
    for (size_t f = 0; f < sizeof flags / sizeof *flags; f++) {
        lm_tokenizer *t = NULL;
        lm_encoder *keep = NULL, *parse = NULL;
        CHECK_OK(lm_tokenizer_open(&t, path, NULL, flags[f]));
        if (!t) break;
        CHECK(strstr(lm_tokenizer_format(t), "a tokenizer.json"));
        if (!flags[f] && !strstr("expression", name)) CHECK(fast == !lm_tokenizer_slow_reason(t));
        NEED(!lm_encoder_new(&keep, t) && !lm_encoder_new(&parse, t));
        lm_encoder_parse_special(parse, true);
        for (size_t i = 0; i < lm_json_size(cases); i++)
            check_case(keep, parse, t, name, lm_json_at(cases, i));
        lm_encoder_free(keep);
        lm_encoder_free(parse);
        lm_tokenizer_free(t);
    }
    lm_json_free(cases);
}

/* ---- files that are refused ---------------------------------------------------------------- */

static const char *const plain =
    "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,"
    "\"added_tokens\":[{\"id\":4,\"content\":\"<s>\",\"single_word\":false,\"lstrip\":false,"
    "\"rstrip\":false,\"normalized\":false,\"special\":true}],"
    "\"normalizer\":null,\"pre_tokenizer\":null,\"post_processor\":null,\"decoder\":null,"
    "\"model\":{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":null,"
    "\"continuing_subword_prefix\":null,\"end_of_word_suffix\":\"\",\"fuse_unk\":false,"
    "\"byte_fallback\":false,\"ignore_merges\":false,"
    "\"vocab\":{\"a\":0,\"b\":1,\"ab\":2,\"aba\":3},\"merges\":[\"a b\",[\"ab\",\"a\"]]}}";

#define NORMALIZER(x) "\"normalizer\":null", "\"normalizer\":" x
#define PRE(x) "\"pre_tokenizer\":null", "\"pre_tokenizer\":" x
#define POST(x) "\"post_processor\":null", "\"post_processor\":" x
#define DECODER(x) "\"decoder\":null", "\"decoder\":" x

/* What is replaced in `plain`, by what, and the message after the file's name. */
static const struct {
    const char *from, *to, *message;
} bad[] = {
    { "\"1.0\"", "\"2.0\"", "version: \"2.0\" is not supported; 1.0 is" },
    { "\"version\"", "\"extra\":1,\"version\"", "extra: is not supported" },
    { "\"version\"", "\"padding\":null,\"version\"", "padding: is given twice" },
    { "\"truncation\":null", "\"truncation\":{\"max_length\":512}",
      "truncation: is not supported: texts are never cut; it must be null" },
    { "\"padding\":null", "\"padding\":{\"strategy\":{\"Fixed\":8}}",
      "padding.strategy: only \"BatchLongest\" is supported" },
    { "\"padding\":null", "\"padding\":{\"strategy\":\"BatchLongest\",\"pad_to_multiple_of\":8}",
      "padding.pad_to_multiple_of: is not supported; it must be null" },
    { "{\"version\"", "[{\"version\"", "" },
    /* added tokens */
    { "\"id\":4", "\"id\":-1", "added_tokens[0].id: expected a number of at least 0" },
    { "\"id\":4", "\"id\":9999999", "added_tokens[0].id: 9999999 is too large: at most 2097151" },
    { "\"id\":4,", "", "added_tokens[0].id: is missing" },
    { "\"<s>\"", "\"\"", "added_tokens[0].content: is empty" },
    { "\"<s>\"", "\"<\\u0000>\"", "added_tokens[0].content: has U+0000 in it" },
    { "\"<s>\"", "7", "added_tokens[0].content: expected a string" },
    { "\"lstrip\":false", "\"lstrip\":1", "added_tokens[0].lstrip: expected true or false" },
    { "\"special\":true", "\"special\":true,\"color\":1",
      "added_tokens[0].color: is not supported" },
    { "\"<s>\"", "\"ab\"", "added_tokens[0]: \"ab\", id 4: has another id elsewhere" },
    { "\"id\":4", "\"id\":2",
      "added_tokens[0]: \"<s>\", id 2: the id has another piece in model.vocab" },
    { "\"id\":4", "\"id\":5",
      "model.vocab: id 4 has no piece and no added token, but larger ids have" },
    /* normalizer */
    { NORMALIZER("{\"type\":\"Lowercase\"}"), "normalizer: type \"Lowercase\" is not supported" },
    { NORMALIZER(
          "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFC\"},{\"type\":\"NFKC\"}]}"),
      "normalizer.normalizers[1]: type \"NFKC\" is not supported" },
    { NORMALIZER("{\"type\":\"Prepend\"}"), "normalizer.prepend: is missing" },
    { NORMALIZER("{\"type\":\"NFC\",\"form\":1}"), "normalizer.form: is not supported" },
    { NORMALIZER("{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"x\"},\"content\":\"y\"}"),
      "normalizer.pattern.Regex: is not supported; only a String is" },
    { NORMALIZER("{\"type\":\"Replace\",\"pattern\":{\"String\":\"\"},\"content\":\"y\"}"),
      "normalizer.pattern.String: is empty" },
    { NORMALIZER("7"), "normalizer: expected an object" },
    /* pre-tokenizer */
    { PRE("{\"type\":\"Whitespace\"}"), "pre_tokenizer: type \"Whitespace\" is not supported" },
    { PRE("{\"type\":\"Digits\",\"individual_digits\":false}"),
      "pre_tokenizer.individual_digits: false is not supported" },
    { PRE("{\"type\":\"Split\",\"pattern\":{\"Regex\":\"a\"},\"behavior\":\"Removed\",\"invert\":"
          "false}"),
      "pre_tokenizer.behavior: \"Removed\" is not supported" },
    { PRE("{\"type\":\"Split\",\"pattern\":{\"Regex\":\"a\"},\"behavior\":\"Isolated\",\"invert\":"
          "true}"),
      "pre_tokenizer.invert: true is not supported" },
    { PRE("{\"type\":\"Split\",\"pattern\":{\"Glob\":\"a\"},\"behavior\":\"Isolated\"}"),
      "pre_tokenizer.pattern.Glob: is not supported" },
    { PRE("{\"type\":\"Metaspace\",\"replacement\":\"_\"}"),
      "pre_tokenizer.replacement: is not U+2581" },
    { PRE("{\"type\":\"Metaspace\",\"replacement\":\"\\u2581\",\"prepend_scheme\":\"last\"}"),
      "pre_tokenizer.prepend_scheme: \"last\" is not always, first or never" },
    { PRE("{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"ByteLevel\"},{\"type\":\"Digits\","
          "\"individual_digits\":true}]}"),
      "pre_tokenizer.pretokenizers[1]: a step after ByteLevel is not supported" },
    { PRE("{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Digits\",\"individual_digits\":"
          "true},{\"type\":\"ByteLevel\"}]}"),
      "pre_tokenizer.pretokenizers[1].add_prefix_space: true is not supported after other steps" },
    { PRE("{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(\"},\"behavior\":\"Isolated\"}"), "" },
    /* post-processor, decoder */
    { POST("{\"type\":\"BertProcessing\"}"),
      "post_processor: type \"BertProcessing\" is not supported" },
    { POST("{\"type\":\"TemplateProcessing\",\"single\":[{\"Word\":{}}]}"),
      "post_processor.single[0].Word: is not supported" },
    { POST("{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"<x>\","
           "\"type_id\":0}},{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}]}"),
      "bos_token: \"<x>\" is not in the vocabulary" },
    { DECODER("{\"type\":\"WordPiece\"}"), "decoder: type \"WordPiece\" is not supported" },
    { DECODER("{\"type\":\"ByteLevel\"}"), "decoder: ByteLevel, and the pre-tokenizer is not" },
    { DECODER("{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":1}"),
      "decoder.stop: is not 0" },
    /* model */
    { "\"BPE\"", "\"Unigram\"", "model: type \"Unigram\" is not supported" },
    { "\"BPE\"", "\"WordPiece\"", "model: type \"WordPiece\" is not supported" },
    { "\"dropout\":null", "\"dropout\":0.1", "model.dropout: is not supported" },
    { "\"end_of_word_suffix\":\"\"", "\"end_of_word_suffix\":\"</w>\"",
      "model.end_of_word_suffix: is not supported" },
    { "\"continuing_subword_prefix\":null", "\"continuing_subword_prefix\":\"##\"",
      "model.continuing_subword_prefix: is not supported" },
    { "\"unk_token\":null", "\"unk_token\":\"<unk>\"",
      "model.unk_token: \"<unk>\" is not in the vocabulary" },
    { "\"fuse_unk\":false", "\"fuse_unk\":null", "model.fuse_unk: expected true or false" },
    { "\"type\":\"BPE\"", "\"type\":\"BPE\",\"cache\":1", "model.cache: is not supported" },
    { "\"a\":0", "\"a\":0.5", "model.vocab: \"a\" has no id: expected a number of at least 0" },
    { "\"a\":0", "\"a\":4000000000", "model.vocab: \"a\" has an id out of range" },
    { "\"a\":0", "\"a\":1", "model.vocab: \"a\" and \"b\" have the same id 1" },
    { "\"aba\":3", "\"aba\":3,\"a\":5", "model.vocab: \"a\" is given twice" },
    { "\"a b\"", "\"a  b\"", "model.merges[0]: expected \"LEFT RIGHT\" or [\"LEFT\", \"RIGHT\"]" },
    { "[\"ab\",\"a\"]", "[\"ab\"]",
      "model.merges[1]: expected \"LEFT RIGHT\" or [\"LEFT\", \"RIGHT\"]" },
    { "[\"ab\",\"a\"]", "[\"ab\",\"c\"]", "model.merges[1]: \"c\" is not in model.vocab" },
    { "[\"ab\",\"a\"]", "[\"ab\",\"b\"]", "model.merges[1]: \"abb\" is not in model.vocab" },
    { "[\"ab\",\"a\"]", "[\"a\",\"b\"]", "model.merges[1]: the same as model.merges[0]" },
    { "\"merges\"", "\"fusions\"", "model.fusions: is not supported" },
};

static void write_text(const char *path, const char *s, size_t n)
{
    FILE *f = fopen(path, "wb");
    NEED(f && fwrite(s, 1, n, f) == n && !fclose(f));
}

static int open_with(const char *path, const char *from, const char *to)
{
    char text[8192];
    const char *at = strstr(plain, from);
    lm_tokenizer *t = NULL;
    NEED(at);
    int n =
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - plain), plain, to, at + strlen(from));
    write_text(path, text, (size_t)n);
    int rc = lm_tokenizer_open(&t, path, NULL, 0);
    lm_tokenizer_free(t);
    return rc;
}

static void check_refused(void)
{
    char dir[] = "/tmp/test_huggingface.XXXXXX", path[64], config[64], want[512];
    NEED(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/tokenizer.json", dir);
    snprintf(config, sizeof config, "%s/tokenizer_config.json", dir);
    CHECK_OK(open_with(path, "", ""));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int rc = open_with(path, bad[i].from, bad[i].to);
        if (rc != LM_EDATA) fprintf(stderr, "  %s\n", bad[i].to);
        CHECK(rc == LM_EDATA);
        snprintf(want, sizeof want, "%s: %s", path, bad[i].message);
        if (*bad[i].message) CHECK_STR(lm_err(), want);
        else CHECK(strstr(lm_err(), path));
    }
    const char *text = "{\"bos_token\":{\"content\":\"<s>\"},\"eos_token\":\"<e>\"}";
    write_text(config, text, strlen(text));
    CHECK(open_with(path, "", "") == LM_EDATA);
    CHECK(strstr(lm_err(), "eos_token: \"<e>\" is not in the vocabulary"));
    /* There is a BOS where the library adds one. */
    static const char template[] =
        "{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"<s>\",\"type_"
        "id\":0}},"
        "{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}],\"pair\":[],\"special_tokens\":{}}";
    static const struct {
        const char *config, *post_processor;
        int64_t bos; /* -2: refused */
    } cases[] = {
        { "{\"bos_token\":{\"content\":\"<s>\"},\"eos_token\":null}", "null", -1 },
        { "{\"bos_token\":{\"content\":\"<s>\"},\"add_bos_token\":true}", "null", 4 },
        { "{\"bos_token\":\"<s>\",\"add_bos_token\":null}", "null", -1 },
        { "{\"bos_token\":\"<s>\",\"add_bos_token\":1}", "null", -2 },
        { "{\"bos_token\":\"<s>\"}", template, 4 },
        { "{}", template, 4 },
        { "{\"bos_token\":\"<s>\",\"add_bos_token\":false}", template, -1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char post[400];
        lm_tokenizer *t = NULL;
        snprintf(post, sizeof post, "\"post_processor\":%s", cases[i].post_processor);
        unlink(config);
        CHECK_OK(open_with(path, "\"post_processor\":null", post));
        write_text(config, cases[i].config, strlen(cases[i].config));
        int rc = lm_tokenizer_open(&t, path, NULL, 0);
        CHECK(rc == (cases[i].bos == -2 ? LM_EDATA : LM_OK));
        if (t) CHECK(lm_tokenizer_bos(t) == cases[i].bos && lm_tokenizer_eos(t) == -1);
        lm_tokenizer_free(t);
    }
    unlink(config);
    unlink(path);
    rmdir(dir);
}

/* ---- random lists of merges ---------------------------------------------------------------- */

enum { PIECES = 60, MERGES = 150, PIECE_SIZE = 40 };

typedef struct random_model {
    uint64_t seed, n;
    char pieces[PIECES][PIECE_SIZE];
    uint32_t count, merge_count, left[MERGES], right[MERGES];
} random_model;

static uint32_t below(random_model *m, uint32_t n)
{
    return (uint32_t)(lm_hash4(m->seed, m->n++, 0, 0) % n);
}

static uint32_t find_piece(const random_model *m, const char *s)
{
    uint32_t i = 0;
    while (i < m->count && strcmp(m->pieces[i], s)) i++;
    return i;
}

/* Merges of pieces that are there, in any order: many make the same piece, and some none that can be
 * reached. */
static void make_model(random_model *m, uint64_t seed)
{
    static const char *const singles[] = { "a", "b", "1", ".", "\u00e9", "\u2581" };
    *m = (random_model){ .seed = seed };
    for (size_t i = 0; i < sizeof singles / sizeof *singles; i++)
        strcpy(m->pieces[m->count++], singles[i]);
    uint32_t used = 2 + below(m, 5), want = 10 + below(m, MERGES - 10);
    if (below(m, 3)) strcpy(m->pieces[0], "\u2581"), strcpy(m->pieces[5], "a");
    for (unsigned tries = 0; tries < 2000 && m->merge_count < want; tries++) {
        uint32_t a = below(m, m->count), b = below(m, m->count);
        char s[2 * PIECE_SIZE];
        if ((a < 6 && a >= used) || (b < 6 && b >= used)) continue;
        snprintf(s, sizeof s, "%s%s", m->pieces[a], m->pieces[b]);
        if (strlen(s) >= PIECE_SIZE) continue;
        bool listed = false;
        for (uint32_t i = 0; i < m->merge_count; i++) listed |= m->left[i] == a && m->right[i] == b;
        if (listed || (find_piece(m, s) == m->count && m->count == PIECES)) continue;
        if (find_piece(m, s) == m->count) strcpy(m->pieces[m->count++], s);
        m->left[m->merge_count] = a;
        m->right[m->merge_count++] = b;
    }
    for (uint32_t i = 1; below(m, 2) && i < m->merge_count; i++) {
        uint32_t j = below(m, i + 1), left = m->left[i], right = m->right[i];
        m->left[i] = m->left[j];
        m->right[i] = m->right[j];
        m->left[j] = left;
        m->right[j] = right;
    }
}

static void write_model(const random_model *m, const char *path, unsigned kind)
{
    static const char *const spaces[] = {
        "\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Prepend\",\"prepend\":"
        "\"\u2581\"},{\"type\":\"Replace\",\"pattern\":{\"String\":\" "
        "\"},\"content\":\"\u2581\"}]}",
        "\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":"
        "\"\u2581\"}",
        "\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"\u2581\",\"prepend_scheme\":"
        "\"first\",\"split\":false}",
        "\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"\u2581\",\"prepend_scheme\":"
        "\"always\",\"split\":true}",
    };
    lm_buf out = LM_BUF_INIT(BUF_MAX);
    NEED(!lm_buf_printf(&out,
                        "{%s,\"added_tokens\":[{\"id\":0,\"content\":\"<s>\",\"normalized\":"
                        "false,\"special\":true}],\"model\":{\"type\":\"BPE\",\"byte_fallback\":"
                        "true,\"vocab\":{\"<s>\":0",
                        spaces[kind]));
    for (unsigned i = 0; i < 256; i++) NEED(!lm_buf_printf(&out, ",\"<0x%02X>\":%u", i, i + 1));
    for (uint32_t i = 0; i < m->count; i++)
        NEED(!lm_buf_printf(&out, ",\"%s\":%" PRIu32, m->pieces[i], i + 257));
    NEED(!lm_buf_printf(&out, "},\"merges\":["));
    for (uint32_t i = 0; i < m->merge_count; i++)
        NEED(!lm_buf_printf(&out, "%s[\"%s\",\"%s\"]", i ? "," : "", m->pieces[m->left[i]],
                            m->pieces[m->right[i]]));
    NEED(!lm_buf_printf(&out, "]}}"));
    write_text(path, (const char *)out.data, out.size);
    lm_buf_free(&out);
}

static size_t make_text(random_model *m, char text[1024])
{
    static const char *const parts[] = { "a",      "b",      " ",        "1",        ".",
                                         "\u00e9", "\u2581", "  ",       "<s>",      "z",
                                         "\n",     "\xff",   "aaaaaaaa", "        ", "abababab" };
    uint32_t kinds_used = 2 + below(m, sizeof parts / sizeof *parts - 1), n = below(m, 80);
    size_t size = 0;
    for (uint32_t i = 0; i < n; i++) {
        const char *part = parts[below(m, kinds_used)];
        memcpy(text + size, part, strlen(part));
        size += strlen(part);
    }
    return size;
}

static void check_random(const char *path, uint64_t seed, unsigned *fast)
{
    static const unsigned flags[] = { LM_TOKENIZER_REFERENCE, 0, LM_TOKENIZER_SMALL,
                                      LM_TOKENIZER_SMALL | LM_TOKENIZER_SCALAR };
    random_model m;
    lm_tokenizer *t[4] = { NULL };
    lm_encoder *e[4];
    lm_buf want = LM_BUF_INIT(BUF_MAX), ids = LM_BUF_INIT(BUF_MAX);
    char text[1024];
    make_model(&m, seed);
    write_model(&m, path, seed % 4);
    for (int i = 0; i < 4; i++) {
        NEED(!lm_tokenizer_open(&t[i], path, NULL, flags[i]) && !lm_encoder_new(&e[i], t[i]));
        lm_encoder_parse_special(e[i], seed & 4);
    }
    *fast += !lm_tokenizer_slow_reason(t[1]);
    for (int i = 0; i < 100; i++) {
        size_t n = make_text(&m, text);
        want.size = 0;
        CHECK_OK(lm_encode(e[0], text, n, &want));
        for (int k = 1; k < 4; k++) {
            ids.size = 0;
            CHECK_OK(lm_encode(e[k], text, n, &ids));
            CHECK(ids.size == want.size && (!n || !memcmp(ids.data, want.data, ids.size)));
        }
    }
    for (int i = 0; i < 4; i++) {
        lm_encoder_free(e[i]);
        lm_tokenizer_free(t[i]);
    }
    lm_buf_free(&want);
    lm_buf_free(&ids);
}

static void check_lists(void)
{
    char dir[] = "/tmp/test_huggingface.XXXXXX", path[64];
    unsigned fast = 0;
    NEED(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/tokenizer.json", dir);
    for (uint64_t seed = 0; seed < 200; seed++) check_random(path, seed, &fast);
    CHECK(fast > 100);
    unlink(path);
    rmdir(dir);
}

/* NFC is that of Unicode 9.0, as in the tokenizers library: U+1ABF, a mark of 13.0, stays where it is. */
static void check_form(void)
{
    static const char text[] = "e\u0301 q\u0305\u1abf", form[] = "\u00e9 q\u0305\u1abf";
    for (unsigned parse = 0; parse < 2; parse++) {
        char path[4096];
        lm_tokenizer *t = NULL;
        lm_encoder *e = NULL;
        lm_buf ids = LM_BUF_INIT(BUF_MAX), back = LM_BUF_INIT(BUF_MAX);
        NEED(!lm_tokenizer_open(&t, own_data(path, "huggingface/qwen2.json"), NULL, 0));
        NEED(!lm_encoder_new(&e, t));
        lm_encoder_parse_special(e, parse); /* <norm> is then found in form C */
        CHECK_OK(lm_encode(e, text, strlen(text), &ids));
        CHECK_OK(lm_decode(t, ids.data, ids.size / lm_tokenizer_width(t), &back));
        CHECK(back.size == strlen(form) && !memcmp(back.data, form, back.size));
        lm_buf_free(&ids);
        lm_buf_free(&back);
        lm_encoder_free(e);
        lm_tokenizer_free(t);
    }
}

int main(void)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        check_kind(kinds[i].name, kinds[i].fast);
    check_refused();
    check_lists();
    check_form();
    CHECK_END();
}
