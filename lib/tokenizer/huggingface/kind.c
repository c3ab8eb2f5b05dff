/* kind.c -- Hugging Face's tokenizer.json. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/tokenizer/huggingface/internal.h"

#define CONFIG "tokenizer_config.json"
#define CONFIG_MAX ((size_t)64 << 20)

bool lm_huggingface_is(const lm_tokenizer_file *f) { return lm_json_has(f, "model", '{'); }

/* ---- tokens ------------------------------------------------------------------------------ */

/* Where normalized tokens are found: in form C, or in the text as it is. */
static int check_normalized(lm_tokenizer *t, const lm_hf *h)
{
    bool other = false;
    for (size_t i = 0; i < h->change_count; i++) other |= h->changes[i].kind != LM_HF_NFC;
    t->nfc = h->change_count && !other ? LM_NFC_9 : LM_NFC_NONE;
    for (size_t i = 0; other && i < h->added_count; i++)
        if (h->added[i].normalized)
            return lm_fail(LM_EDATA,
                           "%s: added_tokens[%zu].normalized: true is not supported with this "
                           "normalizer",
                           h->path, i);
    return LM_OK;
}

static int put_added(lm_tokenizer *t, const lm_hf *h)
{
    int rc = check_normalized(t, h);
    for (size_t i = 0; !rc && i < h->added_count; i++) rc = lm_added_put(t, &h->added[i]);
    return rc;
}

/* The id of a token, which must be there. */
static int find_token(int64_t *id, const lm_hf *h, const lm_hf_vocab *v, const char *field,
                      lm_string s)
{
    if (!s.s) return LM_OK;
    uint32_t found = lm_hf_find(v, s.s, s.n);
    for (size_t i = 0; found == LM_HF_NONE && i < h->added_count; i++)
        if (h->added[i].size == s.n && !memcmp(h->added[i].text, s.s, s.n)) found = h->added[i].id;
    if (found == LM_HF_NONE)
        return lm_fail(LM_EDATA, "%s: %s: \"%.60s\" is not in the vocabulary", h->path, field, s.s);
    *id = found;
    return LM_OK;
}

/* ---- tokenizer_config.json ----------------------------------------------------------------- */

/* The one next to the tokenizer.json names the tokens that begin and end a text. */
static int read_config(lm_hf *h)
{
    lm_buf path = LM_BUF_INIT(1 << 16), data = LM_BUF_INIT(CONFIG_MAX);
    const char *slash = strrchr(h->path, '/');
    int rc = lm_buf_printf(&path, "%.*s" CONFIG, slash ? (int)(slash - h->path + 1) : 0, h->path);
    if (!rc && !access((const char *)path.data, F_OK)) {
        rc = lm_tokenizer_read(&data, (const char *)path.data);
        lm_tokenizer_file f = { (const char *)path.data, data.data, data.size };
        if (!rc) rc = lm_hf_parse_config(h, &f);
    }
    lm_buf_free(&path);
    lm_buf_free(&data);
    return rc;
}

/* ---- opening ------------------------------------------------------------------------------- */

static void add_gpt2(lm_hf *h)
{
    size_t count = 0;
    const lm_step *named = lm_pattern_named("gpt2", &count);
    if (h->gpt2) h->steps[h->step_count++] = named[0];
}

static int open_model(lm_tokenizer *t, lm_hf *h, lm_hf_vocab *v)
{
    add_gpt2(h);
    int rc = find_token(&t->unk, h, v, "model.unk_token", h->unk);
    if (!rc) rc = read_config(h);
    if (!rc) rc = find_token(&t->bos, h, v, "bos_token", h->bos);
    if (!rc) rc = find_token(&t->eos, h, v, "eos_token", h->eos);
    if (!rc) rc = put_added(t, h);
    t->vocab = v->count;
    if (!rc) rc = h->byte_level ? lm_hf_open_bytes(t, h, v) : lm_hf_open_chars(t, h, v);
    return rc;
}

int lm_huggingface_open(lm_tokenizer *t, const lm_tokenizer_file *f)
{
    lm_hf h;
    lm_hf_vocab v = { 0 };
    int rc = lm_hf_parse(&h, f);
    if (!rc) rc = lm_hf_vocab_new(&v, &h);
    if (!rc) rc = open_model(t, &h, &v);
    lm_hf_vocab_free(&v);
    lm_hf_free(&h);
    return rc;
}
