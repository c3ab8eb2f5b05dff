/* sentence.h -- where sentences end, in any script: for tasks that hide a sentence between others. */
#ifndef EVAL_DATA_SENTENCE_H
#define EVAL_DATA_SENTENCE_H

#include <stdbool.h>
#include <stddef.h>

/* Does a sentence end at the end of these n bytes of UTF-8: with a full stop, question or exclamation
 * mark of any script, or a mark of ellipsis, closing quotes and brackets after it aside? */
bool eval_ends_sentence(const char *text, size_t n);

#endif
