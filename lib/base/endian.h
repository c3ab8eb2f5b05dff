/* endian.h -- explicit little-endian loads and stores, at any alignment. Compilers turn
 * each into one move on a little-endian machine. */
#ifndef LM_LIB_BASE_ENDIAN_H
#define LM_LIB_BASE_ENDIAN_H

#include <stdint.h>
#include <string.h>

static inline uint16_t lm_le16(const void *p)
{
    const unsigned char *b = (const unsigned char *)p;
    return (uint16_t)(b[0] | b[1] << 8);
}

static inline uint32_t lm_le32(const void *p)
{
    const unsigned char *b = (const unsigned char *)p;
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static inline uint64_t lm_le64(const void *p)
{
    const unsigned char *b = (const unsigned char *)p;
    return (uint64_t)lm_le32(b) | (uint64_t)lm_le32(b + 4) << 32;
}

static inline void lm_put16(void *p, uint16_t v)
{
    unsigned char *b = (unsigned char *)p;
    b[0] = (unsigned char)v;
    b[1] = (unsigned char)(v >> 8);
}

static inline void lm_put32(void *p, uint32_t v)
{
    lm_put16(p, (uint16_t)v);
    lm_put16((unsigned char *)p + 2, (uint16_t)(v >> 16));
}

static inline void lm_put64(void *p, uint64_t v)
{
    lm_put32(p, (uint32_t)v);
    lm_put32((unsigned char *)p + 4, (uint32_t)(v >> 32));
}

/* Token id number i of an array of ids of `width` (2 or 4) bytes, as files hold them. */
static inline uint32_t lm_id_at(const void *ids, size_t i, unsigned width)
{
    const unsigned char *p = (const unsigned char *)ids;
    return width == 2 ? lm_le16(p + 2 * i) : lm_le32(p + 4 * i);
}

#endif
