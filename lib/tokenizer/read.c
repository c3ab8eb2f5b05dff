/* read.c -- a file of a tokenizer, read whole. */
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/tokenizer/kind.h"

int lm_tokenizer_read(lm_buf *data, const char *path)
{
    int fd = lm_fd_open_regular(path), rc = fd < 0 ? fd : LM_OK;
    for (ssize_t got = 1; !rc && got;) {
        rc = lm_buf_reserve(data, 1 << 16);
        if (rc) break;
        got = lm_fd_read(fd, data->data + data->size, 1 << 16, data->size, path);
        if (got < 0) rc = (int)got;
        else data->size += (size_t)got;
    }
    if (fd >= 0) close(fd);
    return rc;
}
