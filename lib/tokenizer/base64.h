/* base64.h -- the bytes of pieces in rank files. */
#ifndef LM_LIB_TOKENIZER_BASE64_H
#define LM_LIB_TOKENIZER_BASE64_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Decode n characters of padded base64 (RFC 4648, section 4) to `out`, which has room for n / 4 * 3
 * bytes. Their number; -1 where the text is anything else, unused bits that are set included. */
ptrdiff_t lm_base64_decode(unsigned char *out, const char *text, size_t n);

#ifdef __cplusplus
}
#endif
#endif
