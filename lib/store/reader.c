/* reader.c -- a token stream from front to back, without seeking: a window that slides
 * over the input, and the records in it, each verified where it lies. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/store/internal.h"

enum {
    WINDOW_BYTES = 1 << 20, /* read at a time */
    WINDOW_KEEP = 4 << 20,  /* a larger window, for a large document, is freed */
};

void lmstore_reader_init(lmstore_reader *r, int fd, const char *name)
{
    *r = (lmstore_reader){ .fd = fd, .name = name, .window = LM_BUF_INIT(SIZE_MAX / 2) };
}

void lmstore_reader_close(lmstore_reader *r)
{
    if (r->fd > 0) close(r->fd);
    lm_buf_free(&r->window);
    r->fd = -1;
}

/* Refuse what cannot be a stream, before an open or a read that may block. */
static int check_type(const char *path, bool regular)
{
    struct stat st;
    if (stat(path, &st)) return lm_fail_errno(errno, "%s: cannot open", path);
    if (S_ISREG(st.st_mode) || (S_ISFIFO(st.st_mode) && !regular)) return LM_OK;
    if (S_ISFIFO(st.st_mode))
        return lm_fail(LM_EUSAGE,
                       "%s: not a regular file; a store is read by its index, which is at the end",
                       path);
    return lm_fail(LM_EUSAGE, "%s: is a %s, not a token stream", path,
                   S_ISDIR(st.st_mode)    ? "directory"
                   : S_ISSOCK(st.st_mode) ? "socket"
                                          : "device");
}

int lmstore_reader_open(lmstore_reader *r, const char *path, bool regular)
{
    bool standard = !strcmp(path, "-");
    int rc = standard ? LM_OK : check_type(path, regular);
    if (rc) return rc;
    int fd = standard ? STDIN_FILENO : lm_fd_open(path);
    if (fd < 0) return fd;
    if (standard)
        fcntl(fd, F_SETPIPE_SZ, WINDOW_BYTES); /* a wide pipe where the system allows it */
    else posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    lmstore_reader_init(r, fd, standard ? "stdin" : path);
    return LM_OK;
}

const unsigned char *lmstore_reader_at(const lmstore_reader *r) { return r->window.data + r->pos; }

void lmstore_reader_skip(lmstore_reader *r, size_t n)
{
    r->pos += n;
    r->offset += n;
}

int lmstore_reader_fail(const lmstore_reader *r, uint64_t more, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return lm_fail(LM_EDATA, "%s: byte %" PRIu64 ": %s", r->name, r->offset + more, text);
}

/* Move the unread bytes to the front of a window of `cap` bytes. */
static int rewindow(lmstore_reader *r, size_t cap)
{
    lm_buf *w = &r->window;
    size_t left = w->size - r->pos;
    if (w->cap == cap) {
        memmove(w->data, w->data + r->pos, left);
    } else {
        unsigned char *p = NULL;
        if (r->pos == 0) {
            p = realloc(w->data, cap); /* large blocks move without a copy */
        } else if ((p = malloc(cap))) {
            memcpy(p, w->data + r->pos, left);
            free(w->data);
        }
        if (!p) return lm_fail_nomem(cap);
        w->data = p;
        w->cap = cap;
    }
    w->size = left;
    r->pos = 0;
    return LM_OK;
}

/* Make space after the unread bytes, of which there are too few for n. */
static int make_room(lmstore_reader *r, uint64_t n)
{
    lm_buf *w = &r->window;
    size_t left = w->size - r->pos;
    size_t cap = w->cap;
    if (n <= WINDOW_BYTES) {
        if (cap < WINDOW_BYTES || cap > WINDOW_KEEP) cap = WINDOW_BYTES;
        else if (w->size < cap && r->pos + n <= cap) return LM_OK;
    } else if (left == cap || cap < WINDOW_BYTES) {
        /* Twice what has come so far, so that a damaged count cannot take memory. */
        cap = 2 * (left > WINDOW_BYTES ? left : WINDOW_BYTES);
        if (cap > n) cap = (size_t)n;
    } else if (w->size < cap) {
        return LM_OK;
    }
    return rewindow(r, cap);
}

int lmstore_reader_need(lmstore_reader *r, uint64_t n)
{
    lm_buf *w = &r->window;
    while (w->size - r->pos < n) {
        int rc = make_room(r, n);
        if (rc) return rc;
        ssize_t got = lm_fd_read(r->fd, w->data + w->size, w->cap - w->size,
                                 r->offset + (w->size - r->pos), r->name);
        if (got < 0) return (int)got;
        if (got == 0) return 0;
        w->size += (size_t)got;
    }
    return 1;
}

int lmstore_reader_record(lmstore_reader *r, const lmstore_limits *l, lm_record *out,
                          uint64_t *size)
{
    /* Index and trailer are longer than the smallest record: every kind shows in this look. */
    int rc = lmstore_reader_need(r, RECORD_MIN);
    if (rc < 0) return rc;
    if (rc == 0) return lmstore_reader_fail(r, 0, "truncated: the end marker is missing");
    const unsigned char *p = lmstore_reader_at(r);
    if (lm_le32(p + 8) == KIND_INDEX) return 0;
    *size = lmstore_record_size(p, l->width);
    if (*size == 0) return lmstore_reader_fail(r, 0, "not a record: the file is damaged here");
    rc = lmstore_reader_need(r, *size);
    if (rc < 0) return rc;
    if (rc == 0)
        return lmstore_reader_fail(r, 0, "truncated inside a record of %" PRIu64 " bytes", *size);
    p = lmstore_reader_at(r);
    const char *why = lmstore_record_parse(p, *size, l, out);
    if (!why && out->kind == LM_REC_DOC) {
        if (!r->document) r->document = lm_le32(p + 8);
        if (r->document != lm_le32(p + 8)) why = "whole documents and pieces in one stream";
    }
    return why ? lmstore_reader_fail(r, 0, "the record is damaged: %s", why) : 1;
}
