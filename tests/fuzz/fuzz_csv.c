/* Any bytes as a table: refused, or rows that are unchanged after writing and reading. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "eval/data/csv.h"
#include "longmix/buf.h"
#include "must.h"

typedef struct rows {
    lm_buf text; /* every field in quotes */
    size_t columns, n;
} rows;

static int write_row(void *arg, const char *const *field, size_t row)
{
    rows *r = arg;
    MUST(row == r->n++);
    for (size_t i = 0; i < r->columns; i++) {
        MUST(lm_buf_add(&r->text, i ? ",\"" : "\"", i ? 2 : 1) == 0);
        for (const char *s = field[i]; *s; s++)
            MUST(lm_buf_add(&r->text, *s == '"' ? "\"\"" : s, *s == '"' ? 2 : 1) == 0);
        MUST(lm_buf_add(&r->text, "\"", 1) == 0);
    }
    return lm_buf_add(&r->text, "\n", 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (size_t columns = 1; columns <= 6; columns += 5) {
        rows a = { LM_BUF_INIT(1 << 24), columns, 0 }, b = a;
        if (eval_csv("fuzz", (const char *)data, size, columns, write_row, &a)) {
            MUST(!strncmp(lm_err(), "fuzz:", 5));
        } else if (a.n) {
            MUST(eval_csv("again", (char *)a.text.data, a.text.size, columns, write_row, &b) == 0);
            MUST(a.n == b.n && a.text.size == b.text.size);
            MUST(!memcmp(a.text.data, b.text.data, a.text.size));
        }
        lm_buf_free(&a.text);
        lm_buf_free(&b.text);
    }
    return 0;
}
