/* The fast path compared with SentencePiece, with the vocabulary of tests/data and, if available,
 * that of LLaMA 2. */
#include "check.h"
#include "longmix/docs.h"
#include "tokenizer_toy.h"

static const unsigned all_flags[] = { 0, LM_TOKENIZER_SCALAR, LM_TOKENIZER_SMALL,
                                      LM_TOKENIZER_SMALL | LM_TOKENIZER_SCALAR };

/* One of each class of bytes, and of each rule of joining. */
static const char *const pieces[] = {
    "a",    "the", "T",  "5",        "\n",           "\t",
    ".",    "(",   "\r", "\xc3\xa9", "\xe4\xb8\xad", "\xf0\x9f\x98\x80",
    "\x01", "Q",   "\"", "}"
};
#define PIECES (sizeof pieces / sizeof *pieces)

static void add(lm_buf *b, const char *s, size_t times)
{
    for (; times > 0; times--) NEED(lm_buf_add(b, s, strlen(s)) == 0);
}

/* Runs of 0 to 140 spaces before each class, at the start, inside and at the end. */
static void test_runs(toy_pair *p)
{
    lm_buf text = LM_BUF_INIT(1 << 20);
    for (size_t n = 0; n <= 140; n++) {
        for (size_t k = 0; k < PIECES; k++) {
            text.size = 0;
            add(&text, " ", n);
            add(&text, pieces[k], 1);
            add(&text, " ", n);
            add(&text, pieces[(k + n) % PIECES], 1);
            add(&text, " ", n);
            CHECK(toy_agrees(p, text.data, text.size));
        }
    }
    lm_buf_free(&text);
}

/* Every offset to a block of 64 bytes, for every length up to 200. */
static void test_alignments(toy_pair *p)
{
    static const char line[] = "The quick (brown) fox's  12 jumps,\n\tover \xc3\xa9t\xc3\xa9 the   "
                               "lazy dog; x=3.14 \xe4\xb8\xad\xe5\x9b\xbd "
                               "and http://example.org/a_b?c=d#e ran    "
                               "away...\r\nElephantinehousekeeping.  if (a[i] != 0) {        "
                               "return;  }   // and so on";
    _Static_assert(sizeof line > 200, "a line of every length up to 200");
    char block[64 + 256] __attribute__((aligned(64)));
    for (size_t n = 0; n <= 200; n++) {
        p->want.size = 0;
        NEED(lm_encode(p->r, line, n, &p->want) == 0);
        for (size_t at = 0; at < 64; at++) {
            memset(block, 'x', sizeof block);
            memcpy(block + at, line, n);
            p->ids.size = 0;
            CHECK_OK(lm_encode(p->e, block + at, n, &p->ids));
            CHECK(toy_same(p));
        }
    }
}

/* Texts for which a quadratic method would take minutes. */
static void test_without_cuts(toy_pair *p)
{
    lm_buf text = LM_BUF_INIT(1 << 24);
    toy_rng r = { 5, 0 };
    for (int kind = 0; kind < 6; kind++) {
        static const char *const what[] = { "a", "-", "\xe4\xb8\xad", "\xd0\xb0", " ", "\n" };
        text.size = 0;
        add(&text, what[kind], 200000);
        CHECK(toy_agrees(p, text.data, text.size));
    }
    text.size = 0;
    for (int i = 0; i < 100000; i++) {
        char c = (char)('a' + toy_below(&r, 26));
        NEED(lm_buf_add(&text, &c, 1) == 0);
    }
    CHECK(toy_agrees(p, text.data, text.size));
    lm_buf_free(&text);
}

static void test_random(toy_pair *p, uint64_t seed, unsigned texts, unsigned parts)
{
    lm_buf text = LM_BUF_INIT(1 << 26);
    toy_rng r = { seed, 0 };
    const char *words[64];
    char room[64][64];
    for (unsigned i = 0; i < texts; i++) {
        for (size_t k = 0; k < 64; k++) { /* pieces of the vocabulary, their mark a space or not */
            const char *s = lm_tokenizer_piece(p->fast, toy_below(&r, lm_tokenizer_vocab(p->fast)));
            bool mark = !strncmp(s, SPACE_MARK, 3) && toy_below(&r, 50);
            snprintf(room[k], sizeof room[k], "%s%s", mark ? " " : "", s + (mark ? 3 : 0));
            words[k] = room[k];
        }
        text.size = 0;
        toy_text(&r, &text, toy_below(&r, parts), words, 64);
        CHECK(toy_agrees(p, text.data, text.size));
    }
    lm_buf_free(&text);
}

/* lm_encode_some over the text, each slice in its own allocation so that reads past its end are
 * found, must give lm_encode's ids. */
static void check_slices(toy_pair *p, const lm_buf *text)
{
    lm_buf ids = LM_BUF_INIT(SIZE_MAX);
    const char *at = (const char *)text->data;
    size_t slices = 0;
    p->ids.size = 0;
    NEED(lm_encode(p->e, at, text->size, &p->ids) == 0);
    for (size_t left = text->size, used; left > 0; left -= used, at += used, slices++) {
        used = 0;
        CHECK_OK(lm_encode_some(p->e, at, left, slices == 0, &ids, &used));
        NEED(used > 0 && used <= left);
    }
    CHECK(ids.size == p->ids.size && !memcmp(ids.data, p->ids.data, ids.size));
    CHECK(slices > 1);
    lm_buf_free(&ids);
}

static void test_slices(toy_pair *p)
{
    lm_buf text = LM_BUF_INIT(1 << 26);
    toy_rng r = { 9, 0 };
    while (text.size < 4 << 20) toy_text(&r, &text, 1000, NULL, 0);
    check_slices(p, &text);
    /* A run of spaces, and a literal U+2581, around the place where a slice would end. */
    for (int kind = 0; kind < 3; kind++) {
        text.size = 0;
        add(&text, "word ", (1 << 20) / 5 - 20);
        add(&text, kind == 0 ? " " : kind == 1 ? SPACE_MARK : SPACE_MARK " ", 200);
        add(&text, "9 of them ", 200);
        add(&text, "and more\n", 1 << 17);
        check_slices(p, &text);
    }
    lm_buf_free(&text);
    /* More than a megabyte at once; SentencePiece encodes slices of it only. */
    while (text.size < (1 << 20) + 100000) toy_text(&r, &text, 1000, NULL, 0);
    CHECK(toy_agrees(p, text.data, text.size));
    lm_buf_free(&text);
}

/* The texts of a JSONL file. */
static void test_file(toy_pair *p, const char *path, unsigned most)
{
    lm_in *in = NULL;
    lm_chunker *k = NULL;
    lm_line_parser *parser = NULL;
    lm_chunk c = { .bytes = LM_BUF_INIT(SIZE_MAX) };
    unsigned seen = 0;
    NEED(lm_in_open(&in, path) == 0);
    NEED(lm_chunker_new(&k, in) == 0);
    NEED(lm_line_parser_new(&parser, NULL) == 0);
    while (seen < most && lm_chunker_next(k, &c) > 0) {
        const char *s = (const char *)c.bytes.data, *end = s + c.bytes.size, *nl;
        for (; s < end && seen < most && (nl = memchr(s, '\n', (size_t)(end - s))); s = nl + 1) {
            lm_line line;
            size_t fault;
            if (lm_line_parse(parser, s, (size_t)(nl - s), &line, &fault) != 1) continue;
            CHECK(toy_agrees(p, line.text, line.text_size));
            seen++;
        }
    }
    CHECK(seen > 40);
    lm_buf_free(&c.bytes);
    lm_line_parser_free(parser);
    lm_chunker_free(k);
}

/* A plain text, complete and from each of its first character boundaries. */
static void test_plain(toy_pair *p, const char *path)
{
    lm_in *in = NULL;
    char text[1 << 14];
    NEED(lm_in_open(&in, path) == 0);
    ssize_t n = lm_in_read(in, text, sizeof text);
    lm_in_close(in);
    NEED(n > 2000);
    for (size_t at = 0; at < 200; at++)
        if ((text[at] & 0xc0) != 0x80) CHECK(toy_agrees(p, text + at, (size_t)n - at));
}

static void test_vocabulary(const char *model, const char *const *files, size_t n_files)
{
    char path[4096];
    for (size_t i = 0; i < sizeof all_flags / sizeof *all_flags; i++) {
        toy_pair p;
        NEED(toy_open(&p, model, all_flags[i]) == 0);
        CHECK(lm_tokenizer_slow_reason(p.fast) == NULL);
        test_alignments(&p);
        test_random(&p, 100 + i, 300, 60);
        test_plain(&p, own_data(path, "essays/scripts.txt"));
        if (i == 0 || i == 3) test_runs(&p);
        if (i == 0) {
            test_without_cuts(&p);
            test_slices(&p);
            test_random(&p, 50, 10, 2000);
            for (size_t k = 0; k < n_files; k++) test_file(&p, files[k], 150);
        }
        toy_close(&p);
    }
}

int main(void)
{
    char model[4096], one[4096], two[4096];
    const char *files[] = { own_data(one, "stories.jsonl.zst"), NULL };
    test_vocabulary(own_data(model, "tokenizer.model"), files, 1);
    if (real_data(model, "llama2/tokenizer.model")) {
        files[0] = real_data(one, "odd.jsonl");
        files[1] = real_data(two, "slimpajama-sample/valid-00000.jsonl.zst");
        test_vocabulary(model, files, 2);
    }
    CHECK_END();
}
