/* foreign.h -- files that are no JSON lines, recognised by content, for a message that helps. */
#ifndef LM_LIB_IO_FOREIGN_H
#define LM_LIB_IO_FOREIGN_H

#include <stddef.h>

enum { LM_FOREIGN_HEAD = 512 }; /* bytes that are enough to recognise any of them */

typedef struct lm_foreign {
    const char *name; /* "Parquet" */
    const char *what; /* "a Parquet file" */
    const char *help; /* what makes JSON lines of it; FILE stands for its path */
} lm_foreign;

/* The format of data that begins with the n bytes at `head`, or NULL where it is none that is
 * known. JSON lines are never taken for another format. */
const lm_foreign *lm_foreign_format(const void *head, size_t n);

/* Set the message "NAME: not JSON lines: ..." and return LM_EDATA. */
int lm_foreign_fail(const char *name, const lm_foreign *f);

#endif
