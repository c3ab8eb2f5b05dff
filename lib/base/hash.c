#include "lib/base/hash.h"

#include <stdlib.h>
#include <unistd.h>

#include <xxhash.h>
#if defined(__x86_64__) && __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h> /* the same functions, with the vector instructions that there are */
#endif

#include "lib/base/fd.h"

enum { PIECE = 1 << 20 };

uint64_t lm_hash64(const void *p, size_t n) { return XXH3_64bits(p, n); }

struct lm_hasher {
    XXH3_state_t *state;
};

int lm_hasher_new(lm_hasher **out)
{
    lm_hasher *h = malloc(sizeof *h);
    if (!h) return lm_fail_nomem(sizeof *h);
    h->state = XXH3_createState();
    if (!h->state) {
        free(h);
        return lm_fail_nomem(sizeof *h);
    }
    lm_hasher_reset(h);
    *out = h;
    return LM_OK;
}

/* XXH3_64bits_reset and _update fail only on a NULL state or input. */
void lm_hasher_reset(lm_hasher *h) { (void)XXH3_64bits_reset(h->state); }

void lm_hasher_add(lm_hasher *h, const void *p, size_t n)
{
    if (n) (void)XXH3_64bits_update(h->state, p, n);
}

int lm_hasher_add_file(lm_hasher *h, const char *path)
{
    unsigned char *piece = malloc(PIECE);
    if (!piece) return lm_fail_nomem(PIECE);
    int fd = lm_fd_open(path);
    int rc = fd < 0 ? fd : LM_OK;
    uint64_t at = 0;
    for (ssize_t n = 1; !rc && n;) {
        n = lm_fd_read(fd, piece, PIECE, at, path);
        if (n < 0) rc = (int)n;
        else lm_hasher_add(h, piece, (size_t)n), at += (uint64_t)n;
    }
    if (fd >= 0) close(fd);
    free(piece);
    return rc;
}

int lm_hash_file(uint64_t *out, const char *path)
{
    lm_hasher *h = NULL;
    int rc = lm_hasher_new(&h);
    if (!rc) rc = lm_hasher_add_file(h, path);
    if (!rc) *out = lm_hasher_digest(h);
    lm_hasher_free(h);
    return rc;
}

uint64_t lm_hasher_digest(const lm_hasher *h) { return XXH3_64bits_digest(h->state); }

void lm_hasher_free(lm_hasher *h)
{
    if (!h) return;
    XXH3_freeState(h->state);
    free(h);
}

void lm_hex64(char out[17], uint64_t v)
{
    for (int i = 15; i >= 0; i--, v >>= 4) out[i] = "0123456789abcdef"[v & 15];
    out[16] = 0;
}

int lm_unhex64(const char *s, uint64_t *out)
{
    if (s[0] == '0' && s[1] == 'x') s += 2;
    uint64_t v = 0;
    int i = 0;
    for (; s[i]; i++) {
        char c = s[i];
        int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (d < 0 || i == 16) return LM_EDATA;
        v = v << 4 | (unsigned)d;
    }
    if (i == 0) return LM_EDATA;
    *out = v;
    return LM_OK;
}
