#include "longmix/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char message[1024];

static void set(const char *fmt, va_list ap)
{
    /* Arguments may point into the old message, so the new one is formatted in a copy. */
    char tmp[sizeof message];
    vsnprintf(tmp, sizeof tmp, fmt, ap);
    memcpy(message, tmp, sizeof message);
}

int lm_fail(enum lm_code code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set(fmt, ap);
    va_end(ap);
    return code;
}

int lm_fail_errno(int errnum, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set(fmt, ap);
    va_end(ap);
    char text[128];
    const char *why = strerror_r(errnum, text, sizeof text);
    size_t n = strlen(message);
    snprintf(message + n, sizeof message - n, ": %s%s", why,
             errnum == EFBIG ? " (the limit of `ulimit -f`, or of the file system)" : "");
    return errnum == EPIPE ? LM_EPIPE : errnum == ENOMEM ? LM_ENOMEM : LM_EIO;
}

int lm_fail_nomem(size_t bytes) { return lm_fail(LM_ENOMEM, "out of memory: %zu bytes", bytes); }

const char *lm_err(void) { return message; }

void lm_err_set(const char *msg)
{
    if (msg != message) lm_fail(LM_OK, "%s", msg);
}
