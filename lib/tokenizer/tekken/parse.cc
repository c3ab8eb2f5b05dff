// parse.cc -- a tekken.json. Its 150,000 pieces are objects with strings that may hold U+0000, which
// lib/io/json.c refuses, and a tree of them would take most of the time that opening takes.
#include "lib/tokenizer/tekken/internal.h"

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>

#include <simdjson.h>

namespace dom = simdjson::dom;

namespace {

struct reader {
    lm_tekken *out;
    const char *path;
};

int fail(const reader &r, const char *field, const char *what)
{
    return lm_fail(LM_EDATA, "%s: %s: %s", r.path, field, what);
}

int string_of(const reader &r, const dom::object &o, const char *field, const char *key,
              std::string_view *out)
{
    if (!o[key].get_string().get(*out)) return LM_OK;
    return fail(r, field, "expected a string");
}

int number_of(const reader &r, const dom::object &o, const char *field, const char *key,
              uint64_t *out)
{
    if (!o[key].get_uint64().get(*out)) return LM_OK;
    return fail(r, field, "expected a number of at least 0");
}

int read_config(const reader &r, const dom::object &root)
{
    dom::object config;
    std::string_view pattern, version;
    if (root["config"].get_object().get(config)) return fail(r, "config", "expected an object");
    int rc = string_of(r, config, "config.pattern", "pattern", &pattern);
    if (!rc) rc = string_of(r, config, "config.version", "version", &version);
    if (!rc)
        rc = number_of(r, config, "config.default_vocab_size", "default_vocab_size",
                       &r.out->vocab_size);
    if (!rc)
        rc = number_of(r, config, "config.default_num_special_tokens", "default_num_special_tokens",
                       &r.out->special_count);
    if (rc) return rc;
    if (pattern.find('\0') != std::string_view::npos)
        return fail(r, "config.pattern", "has U+0000 in it");
    if (version.size() >= sizeof r.out->version || version.find('\0') != std::string_view::npos)
        return fail(r, "config.version", "expected \"v3\" or the like");
    std::memcpy(r.out->version, version.data(), version.size());
    r.out->pattern = strndup(pattern.data(), pattern.size());
    return r.out->pattern ? LM_OK : lm_fail_nomem(pattern.size());
}

int read_special(const reader &r, const dom::object &root)
{
    dom::element list;
    dom::array tokens;
    if (root["special_tokens"].get(list) || list.is_null()) return LM_OK;
    if (list.get_array().get(tokens)) return fail(r, "special_tokens", "expected an array");
    r.out->has_special = true;
    int rc = LM_OK;
    for (dom::element e : tokens) {
        dom::object o;
        std::string_view text;
        uint64_t rank = 0;
        if (e.get_object().get(o)) return fail(r, "special_tokens", "expected objects");
        rc = string_of(r, o, "special_tokens.token_str", "token_str", &text);
        if (!rc) rc = number_of(r, o, "special_tokens.rank", "rank", &rank);
        if (!rc && (text.empty() || text.find('\0') != std::string_view::npos))
            rc = fail(r, "special_tokens.token_str", "empty, or with U+0000 in it");
        if (!rc) rc = lm_tekken_add_special(r.out, text.data(), text.size(), rank);
        if (rc) return rc;
    }
    return rc;
}

int read_piece(const reader &r, const dom::element &e, uint32_t index)
{
    char field[48];
    dom::object o;
    std::string_view text;
    uint64_t rank = 0;
    const char *why = nullptr;
    std::snprintf(field, sizeof field, "vocab[%" PRIu32 "]", index);
    if (e.get_object().get(o)) return fail(r, field, "expected an object");
    int rc = string_of(r, o, field, "token_bytes", &text);
    if (!rc) rc = number_of(r, o, field, "rank", &rank);
    if (!rc && rank != index) rc = fail(r, field, "its rank is not its place");
    if (rc) return rc;
    rc = lm_ranks_put(&r.out->ranks, rank, text.data(), text.size(), index, &why);
    return rc == LM_EDATA ? fail(r, field, why) : rc;
}

/* Of the pieces, default_vocab_size without the special tokens are used. */
int read_vocab(const reader &r, const dom::object &root, size_t size)
{
    dom::array vocab;
    const lm_tekken *k = r.out;
    if (k->special_count > LM_RANKS_MAX)
        return fail(r, "config.default_num_special_tokens", "too large");
    if (k->vocab_size <= k->special_count || k->vocab_size - k->special_count > LM_RANKS_MAX)
        return fail(r, "config.default_vocab_size", "out of range");
    if (root["vocab"].get_array().get(vocab)) return fail(r, "vocab", "expected an array");
    uint64_t used = k->vocab_size - k->special_count;
    uint32_t index = 0;
    int rc = lm_ranks_new(&r.out->ranks, (uint32_t)k->special_count, size);
    for (dom::element e : vocab) {
        if (rc || index == used) break;
        rc = read_piece(r, e, index++);
    }
    if (!rc && index < used)
        return lm_fail(
            LM_EDATA, "%s: vocab: has %" PRIu32 " pieces; config.default_vocab_size wants %" PRIu64,
            r.path, index, used);
    return rc ? rc : lm_ranks_check(&k->ranks, r.path, false);
}

} // namespace

extern "C" int lm_tekken_parse(lm_tekken *out, const lm_tokenizer_file *f)
{
    *out = lm_tekken{};
    reader r = { out, f->path };
    dom::parser *parser = new (std::nothrow) dom::parser;
    dom::object root;
    if (!parser) return lm_fail_nomem(sizeof *parser);
    auto e = parser->parse(reinterpret_cast<const char *>(f->data), f->size).get_object().get(root);
    int rc = LM_OK;
    if (e == simdjson::MEMALLOC) rc = lm_fail_nomem(f->size);
    else if (e) rc = lm_fail(LM_EDATA, "%s: not JSON: %s", f->path, simdjson::error_message(e));
    if (!rc) rc = read_config(r, root);
    if (!rc) rc = read_special(r, root);
    if (!rc) rc = read_vocab(r, root, f->size);
    delete parser;
    return rc;
}
