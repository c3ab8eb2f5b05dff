/* csv.h -- tables of text, as MMLU is published: fields divided by commas, rows by line ends; a
 * field in double quotes may hold both, and a quote as two. As in the reader that MMLU's own script
 * uses, a quote inside a field that does not begin with one is a character, and what follows a
 * closing quote belongs to the field. */
#ifndef EVAL_DATA_CSV_H
#define EVAL_DATA_CSV_H

#include <stddef.h>

#include "longmix/err.h"

/* Call `each` for every row of the `n` bytes of file `path`; rows are numbered from 0, empty lines
 * are none. The fields are borrowed during the call. LM_EDATA, with file and line, for a row that
 * has not `columns` fields, a quote without an end or a NUL; or the first error that `each`
 * returns. */
LM_CHECKED int eval_csv(const char *path, const char *text, size_t n, size_t columns,
                        int (*each)(void *arg, const char *const *field, size_t row), void *arg);

#endif
