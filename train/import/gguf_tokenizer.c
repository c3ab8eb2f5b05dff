#include "train/import/gguf_tokenizer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/tokenizer/sentencepiece/tokenizer_json.h"
#include "train/files/model_dir.h"
#include "train/import/proto.h"

#define FILE_MAX ((size_t)256 << 20)
#define KEY(name) "tokenizer.ggml." name

/* ---- pre-tokenizers ------------------------------------------------------------------------- */

#define GPT2 NULL /* what ByteLevel does by itself */
#define CASES "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define LETTERS "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+"
#define SIGNS " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define SIGNS_SLASH " ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define UPPER "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER_END "[^\\r\\n\\p{L}\\p{N}]?" UPPER "*" LOWER "+"
#define UPPER_START "[^\\r\\n\\p{L}\\p{N}]?" UPPER "+" LOWER "*"

enum { SPLITS_MAX = 4 };

/* What the tokenizer.json of these models has. */
static const struct pre {
    const char *name;
    const char *splits[SPLITS_MAX]; /* expressions, each splits what the ones before left */
    bool digits;                    /* then each digit is a part */
    bool gpt2;                      /* then GPT-2's expression, which ByteLevel has */
    bool nfc;
    bool ignore_merges; /* a part that is in the vocabulary is taken whole */
    bool bos;           /* where add_bos_token is absent */
} pres[] = {
    { "default", .gpt2 = true },
    { "gpt-2", .gpt2 = true },
    { "smollm", .digits = true, .gpt2 = true },
    { "llama-bpe",
      { CASES "|" LETTERS "|\\p{N}{1,3}|" SIGNS },
      .ignore_merges = true,
      .bos = true },
    { "qwen2", { CASES "|" LETTERS "|\\p{N}|" SIGNS }, .nfc = true },
    { "tekken", { LOWER_END "|" UPPER_START "|\\p{N}|" SIGNS_SLASH }, .ignore_merges = true },
    { "gpt-4o", { LOWER_END CASES "?|" UPPER_START CASES "?|\\p{N}{1,3}|" SIGNS_SLASH } },
    { "deepseek-coder",
      { "[\r\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+" },
      .digits = true },
    { "deepseek-v3",
      { "\\p{N}{1,3}", "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
        "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?"
        "[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+" } },
};

static bool is_text(lm_string s, const char *text)
{
    return s.n == strlen(text) && !memcmp(s.s, text, s.n);
}

static int find_pre(const struct pre **out, const gguf *g, const char **note)
{
    lm_string name = { "default", 7 };
    int rc = gguf_find(g, KEY("pre")) ? gguf_string(g, KEY("pre"), &name) : LM_OK;
    if (is_text(name, "default"))
        *note = "the file does not say how text is split before the merges: the tokenizer splits "
                "as GPT-2's";
    for (size_t i = 0; !rc && i < sizeof pres / sizeof *pres; i++)
        if (is_text(name, pres[i].name)) {
            *out = &pres[i];
            return LM_OK;
        }
    if (rc) return rc;
    return gguf_fail(g, KEY("pre"),
                     "no pre-tokenizer \"%.*s\" is known here; take the tokenizer.json of the "
                     "original model",
                     (int)(name.n < 40 ? name.n : 40), name.s);
}

/* ---- the vocabulary ------------------------------------------------------------------------- */

typedef struct entry {
    lm_string text;
    size_t id;
} entry;

typedef struct vocabulary {
    const gguf *g;
    lm_string *tokens;
    uint64_t *types; /* NULL: all are normal */
    size_t n;
    entry *sorted;
} vocabulary;

static int by_text(const void *x, const void *y)
{
    const entry *a = x, *b = y;
    size_t n = a->text.n < b->text.n ? a->text.n : b->text.n;
    int c = memcmp(a->text.s, b->text.s, n);
    if (c) return c;
    return a->text.n < b->text.n ? -1 : a->text.n > b->text.n;
}

static bool contains(const vocabulary *v, const char *s, size_t n)
{
    entry want = { { s, n }, 0 };
    return bsearch(&want, v->sorted, v->n, sizeof want, by_text);
}

static int type_of(const vocabulary *v, size_t id)
{
    return v->types ? (int)v->types[id] : PIECE_NORMAL;
}

static int read_types(vocabulary *v)
{
    size_t n = 0;
    if (!gguf_find(v->g, KEY("token_type"))) return LM_OK;
    int rc = gguf_u64s(v->g, KEY("token_type"), &v->types, &n);
    if (!rc && n != v->n)
        return gguf_fail(v->g, KEY("token_type"), "%zu types for %zu tokens", n, v->n);
    for (size_t i = 0; !rc && i < n; i++)
        if (v->types[i] < PIECE_NORMAL || v->types[i] > PIECE_BYTE)
            return gguf_fail(v->g, KEY("token_type"),
                             "token %zu is of type %" PRIu64 ", which is not known", i,
                             v->types[i]);
    return rc;
}

static int read_vocabulary(vocabulary *v, const gguf_config *c)
{
    int rc = gguf_strings(v->g, KEY("tokens"), &v->tokens, &v->n);
    if (!rc && (!v->n || v->n > c->vocab))
        return gguf_fail(v->g, KEY("tokens"), "%zu tokens, the model has a vocabulary of %zu", v->n,
                         c->vocab);
    if (!rc) rc = read_types(v);
    if (rc) return rc;
    v->sorted = calloc(v->n, sizeof *v->sorted);
    if (!v->sorted) return lm_fail_nomem(v->n * sizeof *v->sorted);
    for (size_t i = 0; i < v->n; i++) {
        v->sorted[i] = (entry){ v->tokens[i], i };
        if (!v->tokens[i].n) return gguf_fail(v->g, KEY("tokens"), "token %zu is empty", i);
    }
    qsort(v->sorted, v->n, sizeof *v->sorted, by_text);
    for (size_t i = 1; i < v->n; i++)
        if (!by_text(&v->sorted[i - 1], &v->sorted[i]))
            return gguf_fail(v->g, KEY("tokens"), "tokens %zu and %zu are the same text",
                             v->sorted[i - 1].id, v->sorted[i].id);
    return LM_OK;
}

static void free_vocabulary(vocabulary *v)
{
    free(v->tokens);
    free(v->types);
    free(v->sorted);
}

/* The token that a key names: 1, or 0 where the key is absent. */
static int token_of(const vocabulary *v, const char *key, size_t *id)
{
    uint64_t n = 0;
    if (!gguf_find(v->g, key)) return 0;
    int rc = gguf_u64(v->g, key, &n);
    if (!rc && n >= v->n)
        rc = gguf_fail(v->g, key, "%" PRIu64 " is not one of %zu tokens", n, v->n);
    *id = (size_t)n;
    return rc ? rc : 1;
}

static int flag(bool *out, const gguf *g, const char *key, bool absent)
{
    *out = absent;
    return gguf_find(g, key) ? gguf_bool(g, key, out) : LM_OK;
}

static int refuse_flag(const gguf *g, const char *key, bool value)
{
    bool v = !value;
    int rc = flag(&v, g, key, !value);
    if (!rc && v == value)
        return gguf_fail(g, key, "%s is not supported for this kind of tokenizer",
                         value ? "true" : "false");
    return rc;
}

/* ---- tokenizer_config.json ------------------------------------------------------------------ */

static int set_text(lm_json *o, const char *key, lm_string s)
{
    char *text = strndup(s.s, s.n);
    if (!text) return lm_fail_nomem(s.n);
    lm_json_set_str(o, key, text);
    free(text);
    return LM_OK;
}

static const struct {
    const char *key, *name;
} specials[] = { { KEY("unknown_token_id"), "unk_token" },
                 { KEY("bos_token_id"), "bos_token" },
                 { KEY("eos_token_id"), "eos_token" },
                 { KEY("padding_token_id"), "pad_token" } };

enum { UNK, BOS, EOS, PAD, SPECIALS };

static int write_config(gguf_tokenizer *t, const vocabulary *v, const gguf_config *c, bool bos,
                        bool eos)
{
    lm_json *o = t->config = lm_json_object();
    int rc = LM_OK;
    /* Without a tokenizer.json a tokenizer.model needs the class that converts it. */
    bool json = !strcmp(t->name, "tokenizer.json");
    lm_json_set_str(o, "tokenizer_class", json ? "PreTrainedTokenizerFast" : "LlamaTokenizer");
    for (size_t i = 0; rc >= 0 && i < SPECIALS; i++) {
        size_t id = 0;
        rc = token_of(v, specials[i].key, &id);
        if (rc == 1) rc = set_text(o, specials[i].name, v->tokens[id]);
    }
    if (rc < 0) return rc;
    lm_json_set_bool(o, "add_bos_token", bos);
    lm_json_set_bool(o, "add_eos_token", eos);
    lm_json_set_bool(o, "clean_up_tokenization_spaces", false);
    lm_json_set_u64(o, "model_max_length", c->positions);
    if (!gguf_find(v->g, "tokenizer.chat_template")) return LM_OK;
    lm_string s;
    rc = gguf_string(v->g, "tokenizer.chat_template", &s);
    return rc ? rc : set_text(o, "chat_template", s);
}

/* ---- tokenizer.json ------------------------------------------------------------------------- */

static int put(lm_buf *out, const char *text) { return lm_buf_add(out, text, strlen(text)); }

static int put_string(lm_buf *out, lm_string s) { return lm_tokenizer_json_string(out, s.s, s.n); }

static int put_text(lm_buf *out, const char *s)
{
    return put_string(out, (lm_string){ s, strlen(s) });
}

/* Control tokens, and those that are matched in a text before it is split. */
static bool is_added(const vocabulary *v, size_t id)
{
    int type = type_of(v, id);
    return type == PIECE_CONTROL || type == PIECE_UNKNOWN || type == PIECE_USER_DEFINED;
}

static int put_added(lm_buf *out, const vocabulary *v)
{
    bool first = true;
    int rc =
        put(out, "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\n\"added_tokens\":[");
    for (size_t id = 0; !rc && id < v->n; id++) {
        if (!is_added(v, id)) continue;
        rc = lm_buf_printf(out, "%s\n{\"id\":%zu,\"content\":", first ? "" : ",", id);
        if (!rc) rc = put_string(out, v->tokens[id]);
        if (!rc)
            rc = lm_buf_printf(out,
                               ",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,"
                               "\"normalized\":false,\"special\":%s}",
                               type_of(v, id) == PIECE_USER_DEFINED ? "false" : "true");
        first = false;
    }
    return rc ? rc : put(out, "],\n");
}

static int put_pre(lm_buf *out, const struct pre *pre)
{
    int rc = lm_buf_printf(
        out, "\"normalizer\":%s,\n\"pre_tokenizer\":", pre->nfc ? "{\"type\":\"NFC\"}" : "null");
    bool steps = pre->splits[0] || pre->digits;
    if (!rc && steps) rc = put(out, "{\"type\":\"Sequence\",\"pretokenizers\":[\n");
    for (size_t i = 0; !rc && i < SPLITS_MAX && pre->splits[i]; i++) {
        rc = put(out, "{\"type\":\"Split\",\"pattern\":{\"Regex\":");
        if (!rc) rc = put_text(out, pre->splits[i]);
        if (!rc) rc = put(out, "},\"behavior\":\"Isolated\",\"invert\":false},\n");
    }
    if (!rc && pre->digits) rc = put(out, "{\"type\":\"Digits\",\"individual_digits\":true},\n");
    if (!rc)
        rc = lm_buf_printf(out,
                           "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,"
                           "\"trim_offsets\":true,\"use_regex\":%s}%s,\n",
                           pre->gpt2 ? "true" : "false", steps ? "]}" : "");
    return rc;
}

#define BYTE_LEVEL \
    "{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":false,\"use_regex\":true}"

static int put_special(lm_buf *out, const vocabulary *v, bool on, size_t id, int text)
{
    if (!on) return LM_OK;
    int rc = put(out, "{\"SpecialToken\":{\"id\":");
    if (!rc) rc = put_string(out, v->tokens[id]);
    return rc ? rc : lm_buf_printf(out, ",\"type_id\":%d}},", text);
}

static int put_sequence(lm_buf *out, const vocabulary *v, const size_t id[2], const bool on[2],
                        int text)
{
    int rc = put_special(out, v, on[0], id[0], text);
    if (!rc)
        rc = lm_buf_printf(out, "{\"Sequence\":{\"id\":\"%c\",\"type_id\":%d}}", 'A' + text, text);
    if (!rc && on[1]) rc = put(out, ",");
    if (!rc) rc = put_special(out, v, on[1], id[1], text);
    if (!rc && on[1]) out->size--; /* the comma after it */
    return rc;
}

/* BOS and EOS around each text. */
static int put_template(lm_buf *out, const vocabulary *v, const size_t id[2], const bool on[2])
{
    int rc = put(out, "\"post_processor\":");
    if (!rc && !on[0] && !on[1]) return put(out, BYTE_LEVEL ",\n\"decoder\":" BYTE_LEVEL ",\n");
    if (!rc)
        rc = put(out, "{\"type\":\"Sequence\",\"processors\":[" BYTE_LEVEL
                      ",\n{\"type\":\"TemplateProcessing\",\"single\":[");
    if (!rc) rc = put_sequence(out, v, id, on, 0);
    if (!rc) rc = put(out, "],\n\"pair\":[");
    if (!rc) rc = put_sequence(out, v, id, on, 0);
    if (!rc) rc = put(out, ",");
    if (!rc) rc = put_sequence(out, v, id, on, 1);
    if (!rc) rc = put(out, "],\n\"special_tokens\":{");
    for (size_t i = 0, some = 0; !rc && i < 2; i++) {
        if (!on[i] || (i && on[0] && id[0] == id[1])) continue;
        if (some++) rc = put(out, ",");
        if (!rc) rc = put_string(out, v->tokens[id[i]]);
        if (!rc) rc = put(out, ":{\"id\":");
        if (!rc) rc = put_string(out, v->tokens[id[i]]);
        if (!rc) rc = lm_buf_printf(out, ",\"ids\":[%zu],\"tokens\":[", id[i]);
        if (!rc) rc = put_string(out, v->tokens[id[i]]);
        if (!rc) rc = put(out, "]}");
    }
    return rc ? rc : put(out, "}}]},\n\"decoder\":" BYTE_LEVEL ",\n");
}

/* Where whole parts are looked up, text must not find an added token: those at the end of the
 * vocabulary are then added only, as in LLaMA 3's file. */
static size_t vocabulary_end(const vocabulary *v, const struct pre *pre)
{
    size_t n = v->n;
    while (pre->ignore_merges && n > 1 && is_added(v, n - 1)) n--;
    return n;
}

static int put_vocabulary(lm_buf *out, const vocabulary *v, const struct pre *pre)
{
    int rc = lm_buf_printf(out,
                           "\"model\":{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":null,"
                           "\"continuing_subword_prefix\":null,\"end_of_word_suffix\":null,"
                           "\"fuse_unk\":false,\"byte_fallback\":false,\"ignore_merges\":%s,\n"
                           "\"vocab\":{",
                           pre->ignore_merges ? "true" : "false");
    size_t n = vocabulary_end(v, pre);
    for (size_t id = 0; !rc && id < n; id++) {
        rc = put(out, id ? ",\n" : "\n");
        if (!rc) rc = put_string(out, v->tokens[id]);
        if (!rc) rc = lm_buf_printf(out, ":%zu", id);
    }
    return rc ? rc : put(out, "},\n\"merges\":[");
}

/* "a b": both, and the two together, are tokens. */
static int check_merge(const vocabulary *v, lm_string m, size_t i)
{
    char both[512];
    const char *space = memchr(m.s, ' ', m.n);
    size_t a = space ? (size_t)(space - m.s) : 0, b = space ? m.n - a - 1 : 0;
    int shown = (int)(m.n < 60 ? m.n : 60);
    if (!a || !b || memchr(space + 1, ' ', b))
        return gguf_fail(v->g, KEY("merges"), "merge %zu, \"%.*s\", is not two tokens", i, shown,
                         m.s);
    char *text = a + b <= sizeof both ? both : malloc(a + b);
    if (!text) return lm_fail_nomem(a + b);
    memcpy(text, m.s, a);
    memcpy(text + a, space + 1, b);
    bool known = contains(v, m.s, a) && contains(v, space + 1, b) && contains(v, text, a + b);
    if (text != both) free(text);
    if (known) return LM_OK;
    return gguf_fail(v->g, KEY("merges"),
                     "merge %zu, \"%.*s\": one of its two tokens, or both together, are not in the "
                     "vocabulary",
                     i, shown, m.s);
}

static int put_merges(lm_buf *out, const vocabulary *v)
{
    lm_string *merges = NULL;
    size_t n = 0;
    int rc = gguf_strings(v->g, KEY("merges"), &merges, &n);
    for (size_t i = 0; !rc && i < n; i++) {
        rc = check_merge(v, merges[i], i);
        if (!rc) rc = put(out, i ? ",\n" : "\n");
        if (!rc) rc = put_string(out, merges[i]);
    }
    free(merges);
    return rc ? rc : put(out, "]}}\n");
}

static int write_json(gguf_tokenizer *t, const vocabulary *v, const gguf_config *c)
{
    const struct pre *pre = NULL;
    size_t id[2] = { 0, 0 };
    bool on[2] = { false, false };
    t->name = "tokenizer.json";
    int rc = find_pre(&pre, v->g, &t->note);
    if (!rc) rc = refuse_flag(v->g, KEY("add_space_prefix"), true);
    if (!rc) rc = flag(&on[0], v->g, KEY("add_bos_token"), pre->bos);
    if (!rc) rc = flag(&on[1], v->g, KEY("add_eos_token"), false);
    for (size_t i = 0; !rc && i < 2; i++) {
        int there = token_of(v, specials[BOS + i].key, &id[i]);
        if (there < 0) return there;
        on[i] = on[i] && there;
    }
    if (!rc) rc = put_added(&t->file, v);
    if (!rc) rc = put_pre(&t->file, pre);
    if (!rc) rc = put_template(&t->file, v, id, on);
    if (!rc) rc = put_vocabulary(&t->file, v, pre);
    if (!rc) rc = put_merges(&t->file, v);
    return rc ? rc : write_config(t, v, c, on[0], on[1]);
}

/* ---- tokenizer.model ------------------------------------------------------------------------ */

/* Names other than SentencePiece's. Only a control piece can be the BOS, EOS or padding there. */
static int special_name(lm_string *out, const vocabulary *v, size_t i)
{
    static const char *const defaults[] = { "<unk>", "<s>", "</s>", "<pad>" };
    size_t id = 0;
    int rc = token_of(v, specials[i].key, &id);
    if (rc == 1 && type_of(v, id) == (i == UNK ? PIECE_UNKNOWN : PIECE_CONTROL) &&
        !is_text(v->tokens[id], defaults[i]))
        *out = v->tokens[id];
    return rc < 0 ? rc : LM_OK;
}

static int write_model(gguf_tokenizer *t, const vocabulary *v, const gguf_config *c)
{
    float *scores = NULL;
    size_t n = 0;
    bool bos = true, eos = false;
    proto_specs specs = { .vocab = v->n };
    t->name = MODEL_TOKENIZER;
    int rc = gguf_floats(v->g, KEY("scores"), &scores, &n);
    if (!rc && n != v->n) rc = gguf_fail(v->g, KEY("scores"), "%zu scores for %zu tokens", n, v->n);
    if (!rc && !v->types) rc = gguf_fail(v->g, KEY("token_type"), "is missing in the metadata");
    for (size_t i = 0; !rc && i < v->n; i++)
        rc = proto_piece(&t->file, v->tokens[i], scores[i], type_of(v, i));
    free(scores);
    if (!rc) rc = refuse_flag(v->g, KEY("escape_whitespaces"), false);
    if (!rc) rc = flag(&specs.prefix, v->g, KEY("add_space_prefix"), true);
    if (!rc) rc = flag(&specs.squeeze, v->g, KEY("remove_extra_whitespaces"), false);
    for (size_t i = 0; !rc && i < SPECIALS; i++) rc = special_name(&specs.names[i], v, i);
    if (!rc) rc = proto_settings(&t->file, &specs);
    if (!rc) rc = flag(&bos, v->g, KEY("add_bos_token"), true);
    if (!rc) rc = flag(&eos, v->g, KEY("add_eos_token"), false);
    return rc ? rc : write_config(t, v, c, bos, eos);
}

/* --------------------------------------------------------------------------------------------- */

int gguf_tokenizer_read(gguf_tokenizer *t, const gguf *g, const gguf_config *c)
{
    vocabulary v = { .g = g };
    lm_string kind = { "none", 4 };
    *t = (gguf_tokenizer){ .file = LM_BUF_INIT(FILE_MAX), .note = "" };
    int rc = gguf_find(g, KEY("model")) ? gguf_string(g, KEY("model"), &kind) : LM_OK;
    if (rc) return rc;
    if (is_text(kind, "none")) {
        t->note = "the file has no tokenizer";
        return LM_OK;
    }
    bool json = is_text(kind, "gpt2");
    if (!json && !is_text(kind, "llama"))
        return gguf_fail(g, KEY("model"), "\"%.*s\" is not supported (gpt2 and llama are)",
                         (int)(kind.n < 40 ? kind.n : 40), kind.s);
    if (gguf_find(g, KEY("precompiled_charsmap")))
        return gguf_fail(g, KEY("precompiled_charsmap"), "a normalizer is not supported");
    rc = refuse_flag(g, KEY("add_sep_token"), true);
    if (!rc) rc = read_vocabulary(&v, c);
    if (!rc) rc = json ? write_json(t, &v, c) : write_model(t, &v, c);
    free_vocabulary(&v);
    if (gguf_find(g, "tokenizer.chat_templates") && !*t->note)
        t->note = "of several chat templates only the default one is written";
    return rc;
}

void gguf_tokenizer_free(gguf_tokenizer *t)
{
    lm_buf_free(&t->file);
    lm_json_free(t->config);
    *t = (gguf_tokenizer){ 0 };
}
