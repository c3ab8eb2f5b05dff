// parse.cc -- a tokenizer.json as lm_hf. All members are read: what changes ids and is not supported,
// and what is not known, is refused by its name.
#include "lib/tokenizer/huggingface/internal.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <new>
#include <string>
#include <string_view>

#include <simdjson.h>

namespace dom = simdjson::dom;
using std::string_view;

struct lm_hf_json {
    dom::parser parser, config;
};

namespace {

#define MARK "\xe2\x96\x81" /* U+2581 */

int fail(const lm_hf *h, const std::string &field, const char *what)
{
    return lm_fail(LM_EDATA, "%s: %s: %s", h->path, field.c_str(), what);
}

int fail_name(const lm_hf *h, const std::string &field, string_view name, const char *what)
{
    return lm_fail(LM_EDATA, "%s: %s: \"%.*s\" %s", h->path, field.c_str(),
                   (int)(name.size() < 60 ? name.size() : 60), name.data(), what);
}

std::string in(const std::string &at, string_view key)
{
    return at.empty() ? std::string(key) : at + "." + std::string(key.substr(0, 60));
}

// Not std::to_string, which leaves a symbol in the library that cannot be made local.
std::string item(const std::string &at, size_t i)
{
    char index[24];
    std::snprintf(index, sizeof index, "[%zu]", i);
    return at + index;
}

lm_string string_of(string_view s) { return { s.data(), s.size() }; }

bool is(string_view a, const char *b) { return a == string_view(b); }

// ---- values -----------------------------------------------------------------------------------

int get_object(const lm_hf *h, const std::string &at, const dom::element &e, dom::object *out)
{
    return e.get_object().get(*out) ? fail(h, at, "expected an object") : LM_OK;
}

int get_array(const lm_hf *h, const std::string &at, const dom::element &e, dom::array *out)
{
    return e.get_array().get(*out) ? fail(h, at, "expected an array") : LM_OK;
}

int get_string(const lm_hf *h, const std::string &at, const dom::element &e, lm_string *out)
{
    string_view s;
    if (e.get_string().get(s)) return fail(h, at, "expected a string");
    if (s.find('\0') != string_view::npos) return fail(h, at, "has U+0000 in it");
    *out = string_of(s);
    return LM_OK;
}

int get_bool(const lm_hf *h, const std::string &at, const dom::element &e, bool *out)
{
    return e.get_bool().get(*out) ? fail(h, at, "expected true or false") : LM_OK;
}

int get_count(const lm_hf *h, const std::string &at, const dom::element &e, uint64_t max,
              uint64_t *out)
{
    if (e.get_uint64().get(*out)) return fail(h, at, "expected a number of at least 0");
    if (*out <= max) return LM_OK;
    return lm_fail(LM_EDATA, "%s: %s: %llu is too large: at most %llu", h->path, at.c_str(),
                   (unsigned long long)*out, (unsigned long long)max);
}

// The value of a member; an absent one is LM_EDATA.
int member(const lm_hf *h, const std::string &at, const dom::object &o, const char *key,
           dom::element *out)
{
    return o[key].get(*out) ? fail(h, in(at, key), "is missing") : LM_OK;
}

// Are there only these members, and each once?
int only(const lm_hf *h, const std::string &at, const dom::object &o,
         std::initializer_list<const char *> keys)
{
    uint64_t seen = 0;
    for (auto m : o) {
        unsigned i = 0;
        for (const char *key : keys) {
            if (is(m.key, key)) break;
            i++;
        }
        if (i == keys.size()) return fail(h, in(at, m.key), "is not supported");
        if (seen >> i & 1) return fail(h, in(at, m.key), "is given twice");
        seen |= uint64_t(1) << i;
    }
    return LM_OK;
}

int bool_member(const lm_hf *h, const std::string &at, const dom::object &o, const char *key,
                bool absent, bool *out)
{
    dom::element e;
    *out = absent;
    return o[key].get(e) ? LM_OK : get_bool(h, in(at, key), e, out);
}

int string_member(const lm_hf *h, const std::string &at, const dom::object &o, const char *key,
                  lm_string *out)
{
    dom::element e;
    int rc = member(h, at, o, key, &e);
    return rc ? rc : get_string(h, in(at, key), e, out);
}

// The type of a normalizer, pre-tokenizer, ...
int type_of(const lm_hf *h, const std::string &at, const dom::element &e, dom::object *o,
            string_view *type)
{
    lm_string s = {};
    int rc = get_object(h, at, e, o);
    if (!rc) rc = string_member(h, at, *o, "type", &s);
    if (!rc) *type = string_view(s.s, s.n);
    return rc;
}

int not_supported(const lm_hf *h, const std::string &at, string_view type)
{
    return lm_fail(LM_EDATA, "%s: %s: type \"%.*s\" is not supported", h->path, at.c_str(),
                   (int)(type.size() < 60 ? type.size() : 60), type.data());
}

// Call `each` on the elements of the array in member `key` of a Sequence.
template <class F>
int each_of(const lm_hf *h, const std::string &at, const dom::object &o, const char *key,
            unsigned depth, F each)
{
    dom::element e;
    dom::array a;
    if (depth >= LM_HF_DEPTH) return fail(h, at, "too many Sequences in one another");
    int rc = only(h, at, o, { "type", key });
    if (!rc) rc = member(h, at, o, key, &e);
    if (!rc) rc = get_array(h, in(at, key), e, &a);
    if (rc) return rc;
    size_t i = 0;
    for (dom::element x : a) {
        rc = each(item(in(at, key), i++), x);
        if (rc) return rc;
    }
    return LM_OK;
}

// {"String": "..."} or {"Regex": "..."}
int get_pattern(const lm_hf *h, const std::string &at, const dom::object &o, bool *regex,
                lm_string *out)
{
    dom::element e, p;
    dom::object pattern;
    int rc = member(h, at, o, "pattern", &e);
    std::string here = in(at, "pattern");
    if (!rc) rc = get_object(h, here, e, &pattern);
    if (!rc) rc = only(h, here, pattern, { "String", "Regex" });
    if (rc) return rc;
    *regex = !pattern["Regex"].get(p);
    if (pattern.size() != 1) return fail(h, here, "expected String or Regex");
    return string_member(h, here, pattern, *regex ? "Regex" : "String", out);
}

// ---- normalizer -------------------------------------------------------------------------------

int read_replace(const lm_hf *h, const std::string &at, const dom::object &o, lm_string *from,
                 lm_string *to)
{
    bool regex = false;
    int rc = only(h, at, o, { "type", "pattern", "content" });
    if (!rc) rc = get_pattern(h, at, o, &regex, from);
    if (!rc) rc = string_member(h, at, o, "content", to);
    if (rc) return rc;
    if (regex) return fail(h, in(at, "pattern.Regex"), "is not supported; only a String is");
    return from->n ? LM_OK : fail(h, in(at, "pattern.String"), "is empty");
}

int read_normalizer(lm_hf *h, const std::string &at, const dom::element &e, unsigned depth)
{
    dom::object o;
    string_view type;
    if (e.is_null()) return LM_OK;
    int rc = type_of(h, at, e, &o, &type);
    if (rc) return rc;
    if (is(type, "Sequence"))
        return each_of(h, at, o, "normalizers", depth,
                       [&](const std::string &here, const dom::element &x) {
                           return read_normalizer(h, here, x, depth + 1);
                       });
    if (h->change_count == LM_HF_STEPS) return fail(h, at, "too many normalizers");
    lm_hf_change *c = &h->changes[h->change_count++];
    *c = {};
    if (is(type, "NFC")) {
        c->kind = LM_HF_NFC;
        return only(h, at, o, { "type" });
    }
    if (is(type, "Prepend")) {
        c->kind = LM_HF_PREPEND;
        rc = only(h, at, o, { "type", "prepend" });
        return rc ? rc : string_member(h, at, o, "prepend", &c->to);
    }
    c->kind = LM_HF_REPLACE;
    return is(type, "Replace") ? read_replace(h, at, o, &c->from, &c->to)
                               : not_supported(h, at, type);
}

// ---- pre-tokenizer ----------------------------------------------------------------------------

int add_step(lm_hf *h, const std::string &at, lm_step_kind kind, const char *text)
{
    if (h->step_count == LM_HF_STEPS) return fail(h, at, "too many pre-tokenizers");
    h->steps[h->step_count++] = { kind, text };
    return LM_OK;
}

int read_split(lm_hf *h, const std::string &at, const dom::object &o)
{
    lm_string text = {}, behavior = {};
    bool regex = false, invert = false;
    int rc = only(h, at, o, { "type", "pattern", "behavior", "invert" });
    if (!rc) rc = get_pattern(h, at, o, &regex, &text);
    if (!rc) rc = string_member(h, at, o, "behavior", &behavior);
    if (!rc) rc = bool_member(h, at, o, "invert", false, &invert);
    if (rc) return rc;
    string_view how(behavior.s, behavior.n);
    // After a normalizer that replaced all spaces, this one of Gemma's never matches.
    if (!regex && !std::strcmp(text.s, " ") && h->change_count &&
        h->changes[h->change_count - 1].kind == LM_HF_REPLACE &&
        !std::strcmp(h->changes[h->change_count - 1].from.s, " ") &&
        !std::strchr(h->changes[h->change_count - 1].to.s, ' ') && !invert)
        return LM_OK;
    if (regex && invert && is(how, "Removed")) return add_step(h, at, LM_STEP_MATCH, text.s);
    if (!is(how, "Isolated")) return fail_name(h, in(at, "behavior"), how, "is not supported");
    if (invert) return fail(h, in(at, "invert"), "true is not supported");
    if (!text.n) return fail(h, in(at, "pattern"), "is empty");
    return add_step(h, at, regex ? LM_STEP_REGEX : LM_STEP_STRING, text.s);
}

int read_byte_level(lm_hf *h, const std::string &at, const dom::object &o)
{
    bool regex = true, trim = true;
    int rc = only(h, at, o, { "type", "add_prefix_space", "trim_offsets", "use_regex" });
    if (!rc) rc = bool_member(h, at, o, "add_prefix_space", true, &h->prefix_space);
    if (!rc) rc = bool_member(h, at, o, "trim_offsets", true, &trim); /* not of ids */
    if (!rc) rc = bool_member(h, at, o, "use_regex", true, &regex);
    if (rc) return rc;
    if (h->prefix_space && h->step_count)
        return fail(h, in(at, "add_prefix_space"), "true is not supported after other steps");
    h->byte_level = true;
    h->gpt2 = regex;
    return LM_OK;
}

int read_metaspace_prefix(const lm_hf *h, const std::string &at, const dom::object &o,
                          lm_hf_prefix *out)
{
    dom::element e;
    lm_string s = {};
    bool space = true;
    int rc = bool_member(h, at, o, "add_prefix_space", true, &space);
    *out = space ? LM_HF_ALWAYS : LM_HF_NEVER;
    if (rc || o["prepend_scheme"].get(e)) return rc;
    rc = get_string(h, in(at, "prepend_scheme"), e, &s);
    if (rc) return rc;
    string_view name(s.s, s.n);
    if (is(name, "always")) *out = LM_HF_ALWAYS;
    else if (is(name, "first")) *out = LM_HF_FIRST;
    else if (is(name, "never")) *out = LM_HF_NEVER;
    else return fail_name(h, in(at, "prepend_scheme"), name, "is not always, first or never");
    if (!space && *out != LM_HF_NEVER)
        return fail(h, in(at, "add_prefix_space"), "false, and prepend_scheme is not never");
    return LM_OK;
}

int read_metaspace(const lm_hf *h, const std::string &at, const dom::object &o,
                   lm_hf_prefix *prefix, bool *split)
{
    lm_string mark = {};
    int rc =
        only(h, at, o,
             { "type", "replacement", "str_rep", "add_prefix_space", "prepend_scheme", "split" });
    if (!rc) rc = string_member(h, at, o, "replacement", &mark);
    if (rc) return rc;
    if (std::strcmp(mark.s, MARK)) return fail(h, in(at, "replacement"), "is not U+2581");
    rc = bool_member(h, at, o, "split", true, split);
    return rc ? rc : read_metaspace_prefix(h, at, o, prefix);
}

int read_pre_tokenizer(lm_hf *h, const std::string &at, const dom::element &e, unsigned depth)
{
    dom::object o;
    string_view type;
    if (e.is_null()) return LM_OK;
    int rc = type_of(h, at, e, &o, &type);
    if (rc) return rc;
    if (is(type, "Sequence"))
        return each_of(h, at, o, "pretokenizers", depth,
                       [&](const std::string &here, const dom::element &x) {
                           return read_pre_tokenizer(h, here, x, depth + 1);
                       });
    if (h->byte_level) return fail(h, at, "a step after ByteLevel is not supported");
    if (is(type, "ByteLevel"))
        return h->metaspace.used ? fail(h, at, "ByteLevel after Metaspace is not supported")
                                 : read_byte_level(h, at, o);
    if (is(type, "Split")) return read_split(h, at, o);
    if (is(type, "Digits")) {
        bool each = false;
        rc = only(h, at, o, { "type", "individual_digits" });
        if (!rc) rc = bool_member(h, at, o, "individual_digits", false, &each);
        if (rc) return rc;
        return each ? add_step(h, at, LM_STEP_DIGITS, nullptr)
                    : fail(h, in(at, "individual_digits"), "false is not supported");
    }
    if (!is(type, "Metaspace")) return not_supported(h, at, type);
    if (h->metaspace.used || h->step_count)
        return fail(h, at, "Metaspace after other steps is not supported");
    h->metaspace.used = true;
    return read_metaspace(h, at, o, &h->metaspace.prefix, &h->metaspace.split);
}

// ---- post-processor: which tokens begin and end a text ------------------------------------------

// One element of a template: a special token, whose name is put into *name, or the text.
int read_template_item(const lm_hf *h, const std::string &at, const dom::element &e,
                       lm_string *name)
{
    dom::object o, x;
    dom::element inner;
    *name = {};
    int rc = get_object(h, at, e, &o);
    if (!rc) rc = only(h, at, o, { "SpecialToken", "Sequence" });
    if (rc) return rc;
    bool special = !o["SpecialToken"].get(inner);
    if (!special) rc = member(h, at, o, "Sequence", &inner);
    if (!rc) rc = get_object(h, at, inner, &x);
    if (!rc) rc = only(h, at, x, { "id", "type_id" });
    lm_string id = {};
    if (!rc) rc = string_member(h, at, x, "id", &id);
    if (special) *name = id;
    return rc;
}

int read_template(lm_hf *h, const std::string &at, const dom::object &o)
{
    dom::element e;
    dom::array single;
    int rc = only(h, at, o, { "type", "single", "pair", "special_tokens" });
    if (!rc) rc = member(h, at, o, "single", &e);
    if (!rc) rc = get_array(h, in(at, "single"), e, &single);
    if (rc) return rc;
    bool text = false;
    size_t i = 0;
    for (dom::element x : single) {
        lm_string name = {};
        rc = read_template_item(h, item(in(at, "single"), i++), x, &name);
        if (rc) return rc;
        if (!name.s) text = true;
        else if (!text && !h->bos.s) h->bos = name;
        else if (text && !h->eos.s) h->eos = name;
    }
    return LM_OK;
}

int read_post_processor(lm_hf *h, const std::string &at, const dom::element &e, unsigned depth)
{
    dom::object o;
    string_view type;
    if (e.is_null()) return LM_OK;
    int rc = type_of(h, at, e, &o, &type);
    if (rc) return rc;
    if (is(type, "Sequence"))
        return each_of(h, at, o, "processors", depth,
                       [&](const std::string &here, const dom::element &x) {
                           return read_post_processor(h, here, x, depth + 1);
                       });
    if (is(type, "ByteLevel")) // of offsets only
        return only(h, at, o, { "type", "add_prefix_space", "trim_offsets", "use_regex" });
    return is(type, "TemplateProcessing") ? read_template(h, at, o) : not_supported(h, at, type);
}

// ---- decoder ----------------------------------------------------------------------------------

int read_strip(lm_hf *h, const std::string &at, const dom::object &o)
{
    lm_string content = {};
    dom::element start, stop;
    uint64_t front = 0, back = 0;
    int rc = only(h, at, o, { "type", "content", "start", "stop" });
    if (!rc) rc = string_member(h, at, o, "content", &content);
    if (!rc) rc = member(h, at, o, "start", &start);
    if (!rc) rc = member(h, at, o, "stop", &stop);
    if (!rc) rc = get_count(h, in(at, "start"), start, 1000, &front);
    if (!rc) rc = get_count(h, in(at, "stop"), stop, 1000, &back);
    if (rc) return rc;
    if (std::strcmp(content.s, " ")) return fail(h, in(at, "content"), "is not a space");
    if (back) return fail(h, in(at, "stop"), "is not 0");
    h->decoder.strip = (uint32_t)front;
    return LM_OK;
}

int read_decoder(lm_hf *h, const std::string &at, const dom::element &e, unsigned depth)
{
    dom::object o;
    string_view type;
    if (e.is_null()) return LM_OK;
    int rc = type_of(h, at, e, &o, &type);
    if (rc) return rc;
    lm_hf_decoder *d = &h->decoder;
    if (is(type, "Sequence"))
        return each_of(h, at, o, "decoders", depth,
                       [&](const std::string &here, const dom::element &x) {
                           return read_decoder(h, here, x, depth + 1);
                       });
    if (is(type, "ByteLevel"))
        return h->byte_level
                   ? only(h, at, o, { "type", "add_prefix_space", "trim_offsets", "use_regex" })
                   : fail(h, at, "ByteLevel, and the pre-tokenizer is not");
    if (h->byte_level) return not_supported(h, at, type);
    if (is(type, "Fuse")) return only(h, at, o, { "type" });
    if (is(type, "ByteFallback")) {
        d->bytes = true;
        return only(h, at, o, { "type" });
    }
    if (is(type, "Strip")) return read_strip(h, at, o);
    if (is(type, "Metaspace")) {
        lm_hf_prefix prefix = LM_HF_ALWAYS;
        bool split = false;
        d->spaces = true;
        rc = read_metaspace(h, at, o, &prefix, &split);
        d->drop_first_marks = prefix != LM_HF_NEVER;
        return rc;
    }
    if (!is(type, "Replace")) return not_supported(h, at, type);
    lm_string from = {}, to = {};
    rc = read_replace(h, at, o, &from, &to);
    if (rc) return rc;
    if (std::strcmp(from.s, MARK) || std::strcmp(to.s, " "))
        return fail(h, at, "only U+2581 to a space is supported");
    d->spaces = true;
    return LM_OK;
}

// ---- model ------------------------------------------------------------------------------------

int read_vocab(lm_hf *h, const dom::object &model)
{
    dom::element e;
    dom::object vocab;
    int rc = member(h, "model", model, "vocab", &e);
    if (!rc) rc = get_object(h, "model.vocab", e, &vocab);
    if (rc) return rc;
    size_t n = vocab.size(); // saturates past the bound
    if (n > LM_HF_VOCAB) return fail(h, "model.vocab", "has too many pieces");
    h->pieces = (lm_hf_piece *)std::malloc((n + 1) * sizeof *h->pieces);
    if (!h->pieces) return lm_fail_nomem((n + 1) * sizeof *h->pieces);
    for (auto m : vocab) {
        uint64_t id = 0;
        if (m.value.get_uint64().get(id))
            return fail_name(h, "model.vocab", m.key, "has no id: expected a number of at least 0");
        if (id >= LM_HF_VOCAB) return fail_name(h, "model.vocab", m.key, "has an id out of range");
        if (m.key.find('\0') != string_view::npos)
            return lm_fail(LM_EDATA, "%s: model.vocab: the piece of id %llu has U+0000 in it",
                           h->path, (unsigned long long)id);
        h->pieces[h->piece_count++] = { string_of(m.key), (uint32_t)id };
    }
    return LM_OK;
}

bool get_merge(const dom::element &e, lm_hf_merge *out)
{
    string_view s, right;
    dom::array pair;
    if (!e.get_string().get(s)) {
        size_t space = s.find(' ');
        if (space == string_view::npos || s.find(' ', space + 1) != string_view::npos) return false;
        *out = { string_of(s.substr(0, space)), string_of(s.substr(space + 1)) };
        return true;
    }
    if (e.get_array().get(pair) || pair.size() != 2) return false;
    if (pair.at(0).get_string().get(s) || pair.at(1).get_string().get(right)) return false;
    *out = { string_of(s), string_of(right) };
    return true;
}

int read_merges(lm_hf *h, const dom::object &model)
{
    dom::element e;
    dom::array merges;
    int rc = member(h, "model", model, "merges", &e);
    if (!rc) rc = get_array(h, "model.merges", e, &merges);
    if (rc) return rc;
    size_t n = merges.size(); // saturates past the bound
    if (n > LM_HF_MERGES) return fail(h, "model.merges", "has too many merges");
    h->merges = (lm_hf_merge *)std::malloc((n + 1) * sizeof *h->merges);
    if (!h->merges) return lm_fail_nomem((n + 1) * sizeof *h->merges);
    for (dom::element x : merges) {
        if (!get_merge(x, &h->merges[h->merge_count]))
            return fail(h, item("model.merges", h->merge_count),
                        "expected \"LEFT RIGHT\" or [\"LEFT\", \"RIGHT\"]");
        h->merge_count++;
    }
    return LM_OK;
}

// A member that must be null, or `none`.
template <class F> int must_lack(const lm_hf *h, const dom::object &o, const char *key, F none)
{
    dom::element e;
    if (o[key].get(e) || e.is_null() || none(e)) return LM_OK;
    return fail(h, in("model", key), "is not supported");
}

int read_model(lm_hf *h, const dom::element &e)
{
    dom::object o;
    dom::element x;
    lm_string type = {};
    int rc = get_object(h, "model", e, &o);
    if (rc) return rc;
    if (!o["type"].get(x)) {
        rc = get_string(h, "model.type", x, &type);
        if (rc) return rc;
        if (std::strcmp(type.s, "BPE")) return not_supported(h, "model", { type.s, type.n });
    }
    rc = only(h, "model", o,
              { "type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix",
                "fuse_unk", "byte_fallback", "ignore_merges", "vocab", "merges" });
    auto zero = [](const dom::element &v) {
        double d;
        return !v.get_double().get(d) && d == 0;
    };
    auto empty = [](const dom::element &v) {
        string_view s;
        return !v.get_string().get(s) && s.empty();
    };
    if (!rc) rc = must_lack(h, o, "dropout", zero);
    if (!rc) rc = must_lack(h, o, "continuing_subword_prefix", empty);
    if (!rc) rc = must_lack(h, o, "end_of_word_suffix", empty);
    if (!rc && !o["unk_token"].get(x) && !x.is_null())
        rc = get_string(h, "model.unk_token", x, &h->unk);
    if (!rc) rc = bool_member(h, "model", o, "fuse_unk", false, &h->fuse_unk);
    if (!rc) rc = bool_member(h, "model", o, "byte_fallback", false, &h->byte_fallback);
    if (!rc) rc = bool_member(h, "model", o, "ignore_merges", false, &h->ignore_merges);
    if (!rc) rc = read_vocab(h, o);
    return rc ? rc : read_merges(h, o);
}

// ---- the rest ---------------------------------------------------------------------------------

int read_added_token(lm_hf *h, const std::string &at, const dom::element &e)
{
    dom::object o;
    dom::element x;
    lm_string text = {};
    uint64_t id = 0;
    lm_added *a = &h->added[h->added_count];
    *a = {};
    int rc = get_object(h, at, e, &o);
    if (!rc)
        rc = only(h, at, o,
                  { "id", "content", "single_word", "lstrip", "rstrip", "normalized", "special" });
    if (!rc) rc = member(h, at, o, "id", &x);
    if (!rc) rc = get_count(h, in(at, "id"), x, LM_HF_VOCAB - 1, &id);
    if (!rc) rc = string_member(h, at, o, "content", &text);
    if (!rc) rc = bool_member(h, at, o, "single_word", false, &a->single_word);
    if (!rc) rc = bool_member(h, at, o, "lstrip", false, &a->lstrip);
    if (!rc) rc = bool_member(h, at, o, "rstrip", false, &a->rstrip);
    if (!rc) rc = bool_member(h, at, o, "special", false, &a->special);
    if (!rc) rc = bool_member(h, at, o, "normalized", !a->special, &a->normalized);
    if (rc) return rc;
    if (!text.n) return fail(h, in(at, "content"), "is empty");
    a->id = (uint32_t)id;
    a->text = const_cast<char *>(text.s);
    a->size = text.n;
    h->added_count++;
    return LM_OK;
}

int read_added(lm_hf *h, const dom::element &e)
{
    dom::array a;
    if (e.is_null()) return LM_OK;
    int rc = get_array(h, "added_tokens", e, &a);
    if (rc) return rc;
    size_t n = a.size(); // saturates past the bound
    if (n > LM_HF_VOCAB) return fail(h, "added_tokens", "has too many tokens");
    h->added = (lm_added *)std::calloc(n + 1, sizeof *h->added);
    if (!h->added) return lm_fail_nomem((n + 1) * sizeof *h->added);
    for (dom::element x : a) {
        rc = read_added_token(h, item("added_tokens", h->added_count), x);
        if (rc) return rc;
    }
    return LM_OK;
}

// Padding that leaves a single text as it is.
int read_padding(const lm_hf *h, const dom::element &e)
{
    dom::object o;
    dom::element x;
    string_view strategy;
    if (e.is_null()) return LM_OK;
    int rc = get_object(h, "padding", e, &o);
    if (rc) return rc;
    if (!o["pad_to_multiple_of"].get(x) && !x.is_null())
        return fail(h, "padding.pad_to_multiple_of", "is not supported; it must be null");
    if (o["strategy"].get_string().get(strategy) || !is(strategy, "BatchLongest"))
        return fail(h, "padding.strategy", "only \"BatchLongest\" is supported");
    return LM_OK;
}

int read_root(lm_hf *h, const dom::object &o)
{
    dom::element e;
    lm_string version = {};
    int rc = only(h, "", o,
                  { "version", "truncation", "padding", "added_tokens", "normalizer",
                    "pre_tokenizer", "post_processor", "decoder", "model" });
    if (!rc && !o["version"].get(e)) rc = get_string(h, "version", e, &version);
    if (!rc && version.s && std::strcmp(version.s, "1.0"))
        rc = fail_name(h, "version", { version.s, version.n }, "is not supported; 1.0 is");
    if (!rc && !o["truncation"].get(e) && !e.is_null())
        rc = fail(h, "truncation", "is not supported: texts are never cut; it must be null");
    if (!rc && !o["padding"].get(e)) rc = read_padding(h, e);
    if (!rc) rc = member(h, "", o, "model", &e);
    if (!rc) rc = read_model(h, e);
    if (!rc && !o["added_tokens"].get(e)) rc = read_added(h, e);
    if (!rc && !o["normalizer"].get(e)) rc = read_normalizer(h, "normalizer", e, 0);
    if (!rc && !o["pre_tokenizer"].get(e)) rc = read_pre_tokenizer(h, "pre_tokenizer", e, 0);
    if (!rc && !o["post_processor"].get(e)) rc = read_post_processor(h, "post_processor", e, 0);
    if (!rc && !o["decoder"].get(e)) rc = read_decoder(h, "decoder", e, 0);
    return rc;
}

int parse(const lm_hf *h, dom::parser *p, const lm_tokenizer_file *f, dom::object *o)
{
    dom::element root;
    simdjson::error_code e = p->parse((const char *)f->data, f->size, true).get(root);
    if (e == simdjson::MEMALLOC) return lm_fail_nomem(f->size);
    if (e) return lm_fail(LM_EDATA, "%s: not JSON: %s", h->path, simdjson::error_message(e));
    return root.get_object().get(*o) ? lm_fail(LM_EDATA, "%s: expected an object", h->path) : LM_OK;
}

// A token of tokenizer_config.json: a string, or an object with "content".
int read_config_token(const lm_hf *h, const dom::object &o, const char *key, lm_string *out)
{
    dom::element e;
    dom::object token;
    if (o[key].get(e) || e.is_null()) return LM_OK;
    if (e.get_object().get(token)) return get_string(h, key, e, out);
    return string_member(h, key, token, "content", out);
}

// Its bos_token counts where it is added: by the template, or by add_bos_token, which goes before that.
int read_config_bos(lm_hf *h, const dom::object &o)
{
    dom::element e;
    lm_string name = {};
    bool added = h->bos.s != nullptr;
    int rc = read_config_token(h, o, "bos_token", &name);
    if (rc) return rc;
    if (!o["add_bos_token"].get(e) && !e.is_null() && e.get_bool().get(added))
        return fail(h, "add_bos_token", "expected true or false");
    if (!added) h->bos = {};
    else if (name.s) h->bos = name;
    return LM_OK;
}

} // namespace

extern "C" int lm_hf_parse(lm_hf *h, const lm_tokenizer_file *f)
try {
    dom::object o;
    *h = {};
    h->path = f->path;
    h->json = new (std::nothrow) lm_hf_json;
    if (!h->json) return lm_fail_nomem(sizeof *h->json);
    int rc = parse(h, &h->json->parser, f, &o);
    return rc ? rc : read_root(h, o);
} catch (const std::bad_alloc &) {
    return lm_fail_nomem(f->size);
}

extern "C" int lm_hf_parse_config(lm_hf *h, const lm_tokenizer_file *f)
try {
    dom::object o;
    const char *path = h->path;
    h->path = f->path;
    int rc = parse(h, &h->json->config, f, &o);
    if (!rc) rc = read_config_bos(h, o);
    if (!rc) rc = read_config_token(h, o, "eos_token", &h->eos);
    h->path = path;
    return rc;
} catch (const std::bad_alloc &) {
    return lm_fail_nomem(f->size);
}

extern "C" void lm_hf_free(lm_hf *h)
{
    delete h->json;
    std::free(h->pieces);
    std::free(h->merges);
    std::free(h->added);
    *h = {};
}
