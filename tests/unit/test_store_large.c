/* Stores beyond every internal size: an index of many blocks that is spooled to a file, a record
 * larger than any window, a pipe, many threads. */
#include <sys/resource.h>
#include <sys/wait.h>

#include "lib/base/threads.h"
#include "tiny_store.h"

enum { DOCS = 70000 /* > LM_ENTRIES_MAX */, BIG = 3000000 };

static size_t doc_tokens(uint64_t i) { return i == DOCS / 2 ? BIG : i % 7; }

static void write_to(const char *path)
{
    lm_json *header = tiny_header(32000, 0, 1, 1, 1);
    lm_store_writer *w = NULL;
    lm_buf b = LM_BUF_INIT(BIG * 2 + 65536);
    NEED(lm_store_writer_open(&w, path, header, LM_STORE_RESUME, NULL, NULL) == 0);
    for (uint64_t i = 0; i < DOCS; i++) {
        size_t at = 0;
        lm_doc d = { .key = lm_mix64(i), .line = i + 1, .domain = i % 2 };
        NEED(lm_record_begin(&b, false, &at) == 0);
        NEED(lm_buf_reserve(&b, doc_tokens(i) * 2) == 0);
        for (size_t k = 0; k < doc_tokens(i); k++, b.size += 2)
            lm_put16(b.data + b.size, (uint16_t)((i + k) % 32000));
        NEED(lm_record_end(&b, at, false, 2, &d) == 0);
        if (b.size < 10000 && i + 1 < DOCS) continue;
        NEED(lm_store_append(w, b.data, b.size) == 0);
        lm_buf_reset(&b, 65536);
    }
    lm_record end = { .kind = LM_REC_FILE, .file = { .documents = DOCS } };
    NEED(lm_record_add(&b, 2, &end) == 0 && lm_store_append(w, b.data, b.size) == 0);
    NEED(lm_store_finish(w) == 0);
    lm_buf_free(&b);
    lm_json_free(header);
}

static lm_store *store;

/* Each thread reads its share of the documents, backwards. */
static int read_share(void *arg, int t)
{
    (void)arg;
    lm_buf b = LM_BUF_INIT(BIG * 2 + 65536);
    lm_entry *e = malloc(1000 * sizeof *e);
    lm_record r;
    int rc = e ? 0 : LM_ENOMEM;
    for (uint64_t first = DOCS - 1000 - 1000 * (uint64_t)t; !rc && first < DOCS; first -= 4000) {
        rc = lm_store_entries(store, first, 1000, e);
        for (uint64_t i = 0; !rc && i < 1000; i++) {
            rc = lm_store_read(store, &e[i], &b, &r);
            if (rc) break;
            size_t n = doc_tokens(first + i);
            if (r.doc.tokens != n || r.doc.key != lm_mix64(first + i) ||
                r.doc.line != first + i + 1 ||
                (n && lm_le16((const unsigned char *)r.tokens + 2 * n - 2) !=
                          (first + i + n - 1) % 32000))
                rc = lm_fail(LM_EDATA, "document %" PRIu64 " is not what was written", first + i);
        }
    }
    free(e);
    lm_buf_free(&b);
    return rc;
}

static int count_entry(void *arg, uint64_t number, const lm_entry *e)
{
    uint64_t *n = arg;
    return number == (*n)++ && e->key == lm_mix64(number) ? 0 : LM_EDATA;
}

static void through_a_pipe(void)
{
    int fd[2];
    uint64_t docs = 0;
    NEED(pipe(fd) == 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(fd[1], 1);
        close(fd[0]);
        close(fd[1]);
        write_to("-");
        _exit(0);
    }
    dup2(fd[0], 0);
    close(fd[0]);
    close(fd[1]);
    CHECK_OK(tiny_drain("-", &docs));
    CHECK_EQ(docs, DOCS);
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static int same_files(const char *a, const char *b)
{
    FILE *f = fopen(a, "rb"), *g = fopen(b, "rb");
    int c = 0, same = f && g;
    while (same && c != EOF) same = (c = getc(f)) == getc(g);
    if (f) fclose(f);
    if (g) fclose(g);
    return same;
}

int main(void)
{
    uint64_t docs = 0;
    write_to("large.lmt");
    CHECK_OK(lm_store_check("large.lmt", false));
    CHECK_OK(lm_store_check("large.lmt", true));
    CHECK_OK(tiny_drain("large.lmt", &docs));
    CHECK_EQ(docs, DOCS);
    NEED(lm_store_open(&store, "large.lmt") == 0);
    CHECK_EQ(lm_store_documents(store), DOCS);
    CHECK_OK(lm_parallel(4, read_share, NULL));
    docs = 0;
    CHECK_OK(lm_store_each(store, count_entry, &docs));
    CHECK_EQ(docs, DOCS);
    lm_store_close(store);
    through_a_pipe();

    /* The index of a resumed store is spooled again from its records. */
    NEED(rename("large.lmt", "again.lmt.partial") == 0);
    lm_json *header = tiny_header(32000, 0, 1, 1, 1);
    lm_store_writer *w = NULL;
    NEED(lm_store_writer_open(&w, "again.lmt", header, LM_STORE_RESUME, NULL, NULL) == 0);
    CHECK_EQ(lm_store_writer_documents(w), DOCS);
    NEED(lm_store_finish(w) == 0);
    lm_json_free(header);
    write_to("large.lmt");
    CHECK(same_files("large.lmt", "again.lmt"));
    CHECK_END();
}
