/* Question files, examples chosen by BM25, and parsing of few-shot answers. */
#include <math.h>

#include "check.h"
#include "eval/metrics/bm25.h"
#include "eval/data/csv.h"
#include "eval/data/jsonl.h"
#include "eval/metrics/score.h"
#include "longmix/zio.h"

static void write_text(const char *path, const char *text)
{
    NEED(lm_write_file(path, text, strlen(text)) == 0);
}

/* ---- JSON lines ------------------------------------------------------------------------- */

static char seen[256];

static int collect(void *arg, const lm_json *line, size_t i)
{
    eval_texts t;
    (void)arg;
    int rc = eval_get_texts(&t, line, "a", 1);
    if (rc) return rc;
    for (size_t k = 0; k < t.n; k++)
        snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%zu:%s ", i, t.v[k]);
    free(t.v);
    return LM_OK;
}

static int read_lines(const char *text)
{
    seen[0] = 0;
    write_text("lines.jsonl", text);
    return eval_jsonl("lines.jsonl", NULL, collect, NULL);
}

static void jsonl(void)
{
    CHECK_OK(read_lines("{\"a\": \"x\"}\n\n \t\r\n{\"a\": [\"y\", \"z\"]}\r\n{\"a\": \"last\"}"));
    CHECK_STR(seen, "0:x 1:y 1:z 2:last ");
    CHECK(read_lines("{\"a\": \"x\"}\n\n{\"b\": 1}\n") == LM_EDATA);
    CHECK_STR(lm_err(), "lines.jsonl:3: a: is missing");
    CHECK(read_lines("{\"a\": []}\n") == LM_EDATA);
    CHECK_STR(lm_err(), "lines.jsonl:1: a: expected at least 1 strings");
    CHECK(read_lines("{\"a\": [\"x\", 2]}\n") == LM_EDATA);
    CHECK_STR(lm_err(), "lines.jsonl:1: a[1]: expected a string");
    CHECK(read_lines("{\"a\": \"x\"}\n[1]\n") == LM_EDATA);
    CHECK(strstr(lm_err(), "lines.jsonl:2: ") && strstr(lm_err(), "expected an object"));
    CHECK(read_lines("{\"a\": \"x\"}\n{\"a\": \n") == LM_EDATA);
    CHECK(strstr(lm_err(), "lines.jsonl:2") != NULL);
    CHECK_OK(read_lines(""));
    CHECK(eval_jsonl("absent.jsonl", NULL, collect, NULL) == LM_EIO);
    lm_json *o = lm_json_object();
    lm_buf b = LM_BUF_INIT(1000);
    CHECK_OK(eval_set_text(o, "t", "a\xe2\x82 b\xe2\x82\xac"));
    CHECK_OK(lm_json_dump(o, 0, &b));
    CHECK(b.size && memmem(b.data, b.size, "a\xef\xbf\xbd\xef\xbf\xbd b\xe2\x82\xac", 12));
    lm_json_free(o);
    lm_buf_free(&b);
}

/* ---- CSV -------------------------------------------------------------------------------- */

static int collect_row(void *arg, const char *const *field, size_t row)
{
    (void)arg;
    snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%zu<%s|%s|%s>", row, field[0],
             field[1], field[2]);
    return LM_OK;
}

static int read_table(const char *text, size_t n)
{
    seen[0] = 0;
    return eval_csv("t.csv", text, n, 3, collect_row, NULL);
}
#define TABLE(s) read_table(s, sizeof(s) - 1)

static void csv(void)
{
    CHECK_OK(TABLE("\xef\xbb\xbf"
                   "a,b,c\r\n\n\"x, \"\"y\"\"\",,\"two\nlines\"\n1,it's 5\" long,\"q\"tail"));
    CHECK_STR(seen, "0<a|b|c>1<x, \"y\"||two\nlines>2<1|it's 5\" long|qtail>");
    CHECK_OK(TABLE(",,\n"));
    CHECK_STR(seen, "0<||>");
    CHECK(TABLE("a,b,c\nd,e\n") == LM_EDATA);
    CHECK_STR(lm_err(), "t.csv:2: 2 fields; 3 are expected");
    CHECK(TABLE("\"a\n\n\",b,c\nd,e,f,g\n") == LM_EDATA);
    CHECK_STR(lm_err(), "t.csv:4: 4 fields; 3 are expected");
    CHECK(TABLE("a,b,c\nd,\"e,f\ng,h,i\n") == LM_EDATA);
    CHECK_STR(lm_err(), "t.csv:2: this quote is never closed");
    CHECK(TABLE("a,b\0,c\n") == LM_EDATA);
    CHECK_STR(lm_err(), "t.csv:1: a NUL byte");
    CHECK_OK(TABLE(""));
}

/* ---- examples --------------------------------------------------------------------------- */

static void best_examples(void)
{
    const char *texts[] = { "the cat sat", "The dog sat on the cat", "birds fly", "" };
    double s[4];
    bm25 *x = NULL;
    NEED(bm25_new(&x, texts, 4) == 0);
    CHECK_OK(bm25_scores(x, "cat!", s));
    /* two of four texts contain the word; they have 3 and 6 words, the mean is 2.75 */
    double weight = log(1 + 2.5 / 2.5);
    CHECK(fabs(s[0] - weight * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 3 / 2.75))) < 1e-12);
    CHECK(fabs(s[1] - weight * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 6 / 2.75))) < 1e-12);
    CHECK(s[2] == 0 && s[3] == 0);
    CHECK_OK(bm25_scores(x, "The THE", s)); /* twice in the second, twice asked for */
    CHECK(fabs(s[1] - 2 * weight * 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 6 / 2.75))) < 1e-12);
    CHECK_OK(bm25_scores(x, "fish", s));
    CHECK(s[0] == 0 && s[1] == 0);
    bm25_free(x);
    NEED(bm25_new(&x, NULL, 0) == 0);
    CHECK_OK(bm25_scores(x, "fish", NULL));
    bm25_free(x);
    bm25_free(NULL);
}

static void pieces(void)
{
    char one[] = " Paris\n\nQuestion: Who? \nAnswer: Me";
    CHECK_STR(score_fewshot_piece(one), " Paris\n\n");
    char two[] = "\n\n\xc3\xa9\nQuestion: x\nQuestion: more";
    CHECK_STR(score_fewshot_piece(two), " x\n"); /* one character is not enough */
    char none[] = "\nQuestion:a\n";
    CHECK_STR(score_fewshot_piece(none), "\nQuestion:a\n"); /* no piece is long enough: all of it */
    char empty[] = "";
    CHECK_STR(score_fewshot_piece(empty), "");
}

int main(void)
{
    jsonl();
    csv();
    best_examples();
    pieces();
    CHECK_END();
}
