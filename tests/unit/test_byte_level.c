/* Byte-level vocabularies made here, random and odd: every way of encoding gives the ids of the reference,
 * which shares no code with them (lib/tokenizer/bpe/byte_reference.c). */
#include "check.h"
#include "lib/base/rng.h"
#include "lib/tokenizer/bpe/byte_level.h"
#include "lib/tokenizer/internal.h"
#include "longmix/tokenizer.h"

#define PIECES_MAX 900
#define SIZE_MAX_PIECE 80

typedef struct rng {
    uint64_t seed, n;
} rng;

static uint32_t below(rng *r, uint32_t n)
{
    return (uint32_t)(lm_hash4(r->seed, r->n++, 0, 0) % n);
}

/* ---- vocabularies ------------------------------------------------------------------- */

typedef struct vocab {
    unsigned char text[PIECES_MAX][SIZE_MAX_PIECE];
    lm_byte_piece pieces[PIECES_MAX];
    lm_byte_merge merges[2 * PIECES_MAX];
    uint32_t count, merge_count;
} vocab;

enum { LIST = 1, WHOLE = 2, SHUFFLED = 4, HOLES = 8, EXTRA = 16 };

static void add_piece(vocab *v, const void *bytes, uint32_t size)
{
    memcpy(v->text[v->count], bytes, size);
    v->pieces[v->count] = (lm_byte_piece){ v->text[v->count], size };
    v->count++;
}

static uint32_t find_piece(const vocab *v, const void *bytes, uint32_t size)
{
    for (uint32_t i = 0; i < v->count; i++)
        if (v->pieces[i].size == size && !memcmp(v->pieces[i].bytes, bytes, size)) return i;
    return UINT32_MAX;
}

/* Ids in another order, so that they are not those of the ranks. */
static void shuffle_ids(vocab *v, rng *r)
{
    static uint32_t to[PIECES_MAX];
    static lm_byte_piece old[PIECES_MAX];
    memcpy(old, v->pieces, sizeof old);
    for (uint32_t i = 0; i < v->count; i++) to[i] = i;
    for (uint32_t i = v->count; i > 1; i--) {
        uint32_t k = below(r, i), x = to[i - 1];
        to[i - 1] = to[k];
        to[k] = x;
    }
    for (uint32_t i = 0; i < v->count; i++) v->pieces[to[i]] = old[i];
    for (uint32_t i = 0; i < v->merge_count; i++) {
        lm_byte_merge *m = &v->merges[i];
        *m = (lm_byte_merge){ to[m->left], to[m->right], to[m->merged] };
    }
}

static const char *const letters[] = {
    "a", "b", "c", "d", " ", " ", "\n", "1", "é", "中", "'s", "."
};

static void make(vocab *v, rng *r, unsigned kind, uint32_t merges)
{
    memset(v, 0, sizeof *v);
    for (unsigned b = 0; b < 256; b++) {
        unsigned char c = (unsigned char)b;
        if (kind & HOLES && (b == 'c' || b == 0xa9 || b > 0xf0)) continue;
        add_piece(v, &c, 1);
    }
    /* Most pieces are of the letters of the texts. */
    while (merges--) {
        uint32_t from = below(r, 4) ? v->count - (v->count < 300 ? v->count : 60) : 0;
        uint32_t a =
            below(r, 4) ? find_piece(v, letters[below(r, 8)], 1) : from + below(r, v->count - from);
        uint32_t b =
            below(r, 2) ? from + below(r, v->count - from) : find_piece(v, letters[below(r, 5)], 1);
        if (a == UINT32_MAX || b == UINT32_MAX) continue;
        uint32_t size = v->pieces[a].size + v->pieces[b].size;
        unsigned char both[2 * SIZE_MAX_PIECE];
        if (size > SIZE_MAX_PIECE || v->count + 20 > PIECES_MAX) continue;
        memcpy(both, v->pieces[a].bytes, v->pieces[a].size);
        memcpy(both + v->pieces[a].size, v->pieces[b].bytes, v->pieces[b].size);
        uint32_t made = find_piece(v, both, size);
        if (made == UINT32_MAX) add_piece(v, both, size), made = v->count - 1;
        v->merges[v->merge_count++] = (lm_byte_merge){ a, b, made };
    }
    for (unsigned i = 0; kind & EXTRA && i < 10; i++) { /* no merge makes these */
        unsigned char text[20];
        for (unsigned k = 0; k < 20; k++) text[k] = "abd 1"[below(r, 5)];
        uint32_t size = 2 + below(r, 18);
        if (find_piece(v, text, size) == UINT32_MAX) add_piece(v, text, size);
    }
    for (uint32_t i = v->merge_count; kind & SHUFFLED && i > 1; i--) {
        uint32_t k = below(r, i);
        lm_byte_merge x = v->merges[i - 1];
        v->merges[i - 1] = v->merges[k];
        v->merges[k] = x;
    }
    if (kind & SHUFFLED) shuffle_ids(v, r);
}

static lm_byte_spec spec_of(const vocab *v, unsigned kind, const lm_step *steps, size_t count)
{
    lm_byte_spec s = { .pieces = v->pieces, .count = v->count, .whole = kind & WHOLE };
    s.steps = steps;
    s.step_count = count;
    s.steps_field = "steps";
    if (kind & LIST) s.merges = v->merges, s.merge_count = v->merge_count;
    return s;
}

/* ---- tokenizers ----------------------------------------------------------------------- */

static lm_tokenizer *open_flags(const lm_byte_spec *s, unsigned flags, unsigned width, int64_t unk)
{
    lm_tokenizer *t = calloc(1, sizeof *t);
    NEED(t);
    t->flags = flags;
    t->unk = unk;
    t->bos = t->eos = -1;
    NEED(lm_byte_level_open(t, s, "toy") == 0);
    t->width = width;
    return t;
}

static const unsigned ways[] = { LM_TOKENIZER_REFERENCE, 0, LM_TOKENIZER_SCALAR, LM_TOKENIZER_SMALL,
                                 LM_TOKENIZER_SMALL | LM_TOKENIZER_SCALAR };
enum { WAYS = sizeof ways / sizeof *ways };

typedef struct set {
    lm_tokenizer *t[WAYS];
    lm_encoder *e[WAYS];
} set;

static void open_set(set *s, const lm_byte_spec *spec, unsigned width, int64_t unk)
{
    for (int i = 0; i < WAYS; i++) {
        s->t[i] = open_flags(spec, ways[i], width, unk);
        NEED(lm_encoder_new(&s->e[i], s->t[i]) == 0);
    }
}

static void close_set(set *s)
{
    for (int i = 0; i < WAYS; i++) {
        lm_encoder_free(s->e[i]);
        lm_tokenizer_free(s->t[i]);
    }
}

static bool same(const lm_buf *a, const lm_buf *b)
{
    return a->size == b->size && (!a->size || !memcmp(a->data, b->data, a->size));
}

/* The text at the end of a block of its own size, so that nothing can be read behind it unseen. */
static char *tight(const lm_buf *text)
{
    char *p = malloc(text->size + !text->size);
    NEED(p);
    if (text->size) memcpy(p, text->data, text->size);
    return p;
}

/* All at once and in slices, each way, in a buffer as large as lm_encode_bound allows. */
static bool agree(set *s, const lm_buf *text)
{
    char *p = tight(text);
    lm_buf want = LM_BUF_INIT(lm_encode_bound(s->t[0], text->size));
    bool ok = lm_encode(s->e[0], p, text->size, &want) == 0;
    for (int i = 1; ok && i < WAYS; i++) {
        lm_buf got = LM_BUF_INIT(lm_encode_bound(s->t[i], text->size)), some = LM_BUF_INIT(1 << 28);
        ok = lm_encode(s->e[i], p, text->size, &got) == 0 && same(&want, &got);
        for (size_t at = 0, used; ok && at < text->size; at += used)
            ok = lm_encode_some(s->e[i], p + at, text->size - at, at == 0, &some, &used) == 0 &&
                 used;
        ok = ok && same(&want, &some);
        lm_buf_free(&got);
        lm_buf_free(&some);
    }
    lm_buf_free(&want);
    free(p);
    return ok;
}

static void add(lm_buf *b, const char *s) { NEED(lm_buf_add(b, s, strlen(s)) == 0); }

static void random_text(rng *r, lm_buf *text, uint32_t parts)
{
    static const char *const bad[] = { "\xff", "\xc3", "\xe4\xb8", "\xed\xa0\x80", "\x80" };
    uint32_t letters_in_use = 2 + below(r, 11);
    text->size = 0;
    for (uint32_t i = 0; i < parts; i++) {
        const char *s = letters[below(r, letters_in_use)];
        uint32_t times = below(r, 12) ? 1 : 1 + below(r, 40);
        if (below(r, 300) == 0) s = bad[below(r, 5)];
        while (times--) add(text, s);
    }
}

/* ---- tests ---------------------------------------------------------------------------- */

static const lm_step match[] = { { LM_STEP_MATCH, "[a-c ]+|\\s|\\d{1,3}" } };

static void test_random(void)
{
    static vocab v;
    lm_buf text = LM_BUF_INIT(1 << 24);
    for (unsigned round = 0; round < 48; round++) {
        rng r = { 100 + round, 0 };
        unsigned kind = round % 32;
        if (!(kind & LIST)) kind &= ~(unsigned)HOLES;
        make(&v, &r, kind, 20 + below(&r, 500));
        size_t count = 0;
        const lm_step *steps = NULL;
        if (round % 3 == 0) steps = lm_pattern_named(round % 2 ? "gpt2" : "o200k", &count);
        if (round % 5 == 1) steps = match, count = 1;
        lm_byte_spec spec = spec_of(&v, kind, steps, count);
        set s;
        int64_t unk = kind & HOLES && round % 2 ? (int64_t)v.count : -1;
        open_set(&s, &spec, round % 7 < 3 ? 2 : 4, unk);
        for (unsigned i = 0; i < 60; i++) {
            random_text(&r, &text, i < 40 ? below(&r, 30) : below(&r, 400));
            bool ok = agree(&s, &text);
            CHECK(ok);
            if (!ok) fprintf(stderr, "  round %u, text %u\n", round, i);
        }
        close_set(&s);
    }
    lm_buf_free(&text);
}

static void test_long(void)
{
    static const char *const units[] = { "a", " ", "ab", "abc", "é", "中" };
    static vocab v;
    lm_buf text = LM_BUF_INIT(1 << 24);
    for (unsigned round = 0; round < 2; round++) {
        rng r = { 7 + round, 0 };
        unsigned kind = round % 2 ? LIST | SHUFFLED : 0;
        make(&v, &r, kind, 500);
        lm_byte_spec spec = spec_of(&v, kind, NULL, 0);
        set s;
        open_set(&s, &spec, 4, -1);
        for (unsigned i = 0; i < 8; i++) {
            text.size = 0;
            for (unsigned k = 0; text.size < 80000; k++)
                add(&text, i < 6 ? units[i] : units[below(&r, i == 6 ? 2 : 6)]);
            CHECK(agree(&s, &text));
        }
        close_set(&s);
    }
    lm_buf_free(&text);
}

/* Slices of a megabyte, with a scanner and with form C. */
static void test_slices(void)
{
    static vocab v;
    rng r = { 3, 0 };
    make(&v, &r, LIST, 300);
    size_t count;
    const lm_step *steps = lm_pattern_named("qwen2", &count);
    lm_byte_spec spec = spec_of(&v, LIST, steps, count);
    spec.nfc = LM_NFC_16;
    lm_buf text = LM_BUF_INIT(1 << 24), part = LM_BUF_INIT(1 << 20), some = LM_BUF_INIT(1 << 26);
    while (text.size < 1400000) {
        random_text(&r, &part, 100);
        NEED(lm_buf_add(&text, part.data, part.size) == 0);
    }
    set s;
    open_set(&s, &spec, 4, -1);
    for (int twice = 0; twice < 2; twice++) {
        size_t used = 0;
        NEED(lm_encode_some(s.e[1], (const char *)text.data, text.size, true, &some, &used) == 0);
        /* The text has bytes that are no UTF-8: nothing is cut. Without them it is. */
        CHECK(twice ? used >= 1 << 20 && used < (1 << 20) + 8192 : used == text.size);
        for (size_t i = 0; i < text.size; i++)
            if (text.data[i] >= 0x80) text.data[i] = 'b';
    }
    CHECK(agree(&s, &text));
    /* e and a combining accent: form C is another text. */
    add(&text, "e\u0301");
    size_t used = 0;
    CHECK_OK(lm_encode_some(s.e[1], (const char *)text.data, text.size, true, &some, &used));
    CHECK(used < 1200000);
    CHECK(agree(&s, &text));
    close_set(&s);
    lm_buf_free(&text);
    lm_buf_free(&part);
    lm_buf_free(&some);
}

static void test_text(void)
{
    static vocab v;
    rng r = { 5, 0 };
    make(&v, &r, LIST | EXTRA, 200);
    lm_byte_spec spec = spec_of(&v, LIST, NULL, 0);
    spec.prefix_space = true;
    lm_tokenizer *t = open_flags(&spec, 0, 4, -1);
    lm_buf text = LM_BUF_INIT(1 << 20), ids = LM_BUF_INIT(1 << 20), back = LM_BUF_INIT(1 << 20);
    lm_encoder *e = NULL;
    NEED(lm_encoder_new(&e, t) == 0);
    for (unsigned i = 0; i < 50; i++) {
        ids.size = back.size = 0;
        random_text(&r, &text, 1 + below(&r, 60));
        for (size_t k = 0; k < text.size; k++) text.data[k] &= 127;
        CHECK_OK(lm_encode(e, (const char *)text.data, text.size, &ids));
        CHECK_OK(lm_decode(t, ids.data, ids.size / 4, &back));
        size_t space = text.data[0] != ' ';
        CHECK(back.size == text.size + space && !memcmp(back.data + space, text.data, text.size));
    }
    /* GPT-2's letters for bytes. */
    unsigned others = 0;
    for (unsigned b = 0; b < 256; b++) {
        bool itself = (b > 32 && b < 127) || (b > 160 && b != 173);
        uint32_t c = itself ? b : 256 + others++;
        char want[3] = { (char)c };
        if (c > 127) want[0] = (char)(0xc0 | c >> 6), want[1] = (char)(0x80 | (c & 63));
        CHECK_STR(lm_tokenizer_piece(t, b), want);
    }
    lm_added word = { .text = (char *)"<word>", .size = 6, .id = v.count },
             special = { .text = (char *)"<end>", .size = 5, .id = v.count + 1, .special = true };
    t->vocab = v.count + 3;
    CHECK_OK(lm_added_put(t, &word));
    CHECK_OK(lm_added_put(t, &special));
    CHECK_OK(lm_added_index_new(t));
    const uint32_t end[] = { 'a', v.count, v.count + 1, v.count + 2, 'b' };
    back.size = 0;
    CHECK_OK(lm_decode(t, end, 5, &back));
    CHECK(back.size == 8 && !memcmp(back.data, "a<word>b", 8));
    CHECK_STR(lm_tokenizer_piece(t, v.count + 1), "<end>");
    CHECK(!lm_tokenizer_piece(t, v.count + 2));
    CHECK(lm_decode(t, &(uint32_t){ v.count + 3 }, 1, &back) == LM_EDATA);
    lm_encoder_free(e);
    lm_tokenizer_free(t);
    lm_buf_free(&text);
    lm_buf_free(&ids);
    lm_buf_free(&back);
}

static void refused(const lm_byte_spec *s, const char *message)
{
    lm_tokenizer *t = calloc(1, sizeof *t);
    NEED(t);
    CHECK(lm_byte_level_open(t, s, "toy") == LM_EDATA);
    CHECK_STR(lm_err(), message);
    lm_tokenizer_free(t);
}

static void test_refused(void)
{
    static vocab v;
    rng r = { 5, 0 };
    make(&v, &r, LIST, 0);
    add_piece(&v, "ab", 2);
    v.merges[0] = (lm_byte_merge){ 'a', 'b', 256 };
    v.merge_count = 1;
    lm_byte_spec s = spec_of(&v, LIST, NULL, 0);
    v.merges[0].right = 'c';
    refused(&s, "toy: merge 0: pieces 97 and 99 do not make piece 256");
    v.merges[0].right = 257;
    refused(&s, "toy: merge 0: pieces 97 and 257 do not make piece 256");
    v.merges[0].right = 'b';
    add_piece(&v, "ab", 2);
    s.count++;
    refused(&s, "toy: pieces 256 and 257 are the same bytes");
    s.count--;
    s.merges = NULL;
    v.pieces['x'].size = 0;
    refused(&s, "toy: no piece is the byte 0x78 alone");
    v.pieces['x'].size = 5000;
    refused(&s, "toy: piece 120 has 5000 bytes, over 4096");
    v.pieces['x'].size = 1;
    s.steps = &(lm_step){ LM_STEP_REGEX, "(" };
    s.step_count = 1;
    lm_tokenizer *t = calloc(1, sizeof *t);
    NEED(t);
    CHECK(lm_byte_level_open(t, &s, "toy") == LM_EDATA);
    CHECK(!strncmp(lm_err(), "toy: steps: the expression '(' ", 31));
    lm_tokenizer_free(t);
}

/* Each form C gives the ids of the text in that form. */
static void test_forms(void)
{
    static const struct {
        enum lm_nfc nfc;
        const char *form;
    } forms[] = {
        { LM_NFC_NONE, "e\u0301 q\u0305\u1abf" }, /* U+1ABF is of Unicode 13.0 */
        { LM_NFC_9, "\u00e9 q\u0305\u1abf" },
        { LM_NFC_16, "\u00e9 q\u1abf\u0305" },
    };
    static vocab v;
    rng r = { 7, 0 };
    make(&v, &r, LIST, 100);
    lm_byte_spec spec = spec_of(&v, LIST, NULL, 0);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        lm_buf ids = LM_BUF_INIT(1 << 10), back = LM_BUF_INIT(1 << 10);
        lm_encoder *e = NULL;
        spec.nfc = forms[i].nfc;
        lm_tokenizer *t = open_flags(&spec, 0, 4, -1);
        NEED(lm_encoder_new(&e, t) == 0);
        CHECK_OK(lm_encode(e, forms[0].form, strlen(forms[0].form), &ids));
        CHECK_OK(lm_decode(t, ids.data, ids.size / 4, &back));
        CHECK_OK(lm_buf_add(&back, "", 1));
        CHECK_STR((char *)back.data, forms[i].form);
        lm_buf_free(&ids);
        lm_buf_free(&back);
        lm_encoder_free(e);
        lm_tokenizer_free(t);
    }
}

int main(void)
{
    test_refused();
    test_text();
    test_random();
    test_long();
    test_slices();
    test_forms();
    CHECK_END();
}
