/* check.c -- in production too, now and then, ids are compared with SentencePiece's. */
#include <inttypes.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/tokenize/internal.h"

/* SentencePiece takes some hundred bytes of memory a character: longer texts are not drawn. */
enum { TEXT_MAX = 64 * 1024, DRAW_SEED = 0x5350 };

void tok_check_init(tok_check *c, const lm_tokenize_options *o)
{
    /* Without the fast path there is nothing to compare. */
    bool fast = !lm_tokenizer_slow_reason(o->tokenizer);
    *c = (tok_check){ .model = o->model,
                      .every = fast ? o->check_every : 0,
                      .ids = LM_BUF_INIT((size_t)1 << 30) };
    pthread_mutex_init(&c->lock, NULL);
}

void tok_check_destroy(tok_check *c)
{
    lm_encoder_free(c->encoder);
    lm_tokenizer_free(c->tokenizer);
    lm_buf_free(&c->ids);
    pthread_mutex_destroy(&c->lock);
}

bool tok_check_drawn(const tok_check *c, uint64_t key, size_t size)
{
    return c->every && size <= TEXT_MAX && lm_hash4(DRAW_SEED, key, 0, 0) % c->every == 0;
}

static int compare(tok_check *c, const lm_line *doc, const void *ids, size_t n)
{
    int rc = LM_OK;
    if (!c->tokenizer) rc = lm_tokenizer_open(&c->tokenizer, c->model, LM_TOKENIZER_REFERENCE);
    if (!rc && !c->encoder) rc = lm_encoder_new(&c->encoder, c->tokenizer);
    c->ids.size = 0;
    if (!rc) rc = lm_encode(c->encoder, doc->text, doc->text_size, &c->ids);
    if (rc) return rc;
    c->done++;
    if (c->ids.size == n && !memcmp(c->ids.data, ids, n)) return LM_OK;
    const unsigned char *a = c->ids.data, *b = ids;
    unsigned width = lm_tokenizer_width(c->tokenizer);
    size_t i = 0, most = c->ids.size < n ? c->ids.size : n;
    while (i < most && a[i] == b[i]) i++;
    return lm_fail(
        LM_EDATA,
        "token %zu is not SentencePiece's; please report this, and use --reference until then",
        i / width);
}

int tok_check_document(tok_check *c, const lm_line *doc, const void *ids, size_t n)
{
    pthread_mutex_lock(&c->lock);
    int rc = compare(c, doc, ids, n);
    pthread_mutex_unlock(&c->lock);
    return rc;
}
