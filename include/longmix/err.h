/* err.h -- error codes and messages.
 *
 * A function that can fail returns int: 0 (or a documented positive number) is
 * success, a negative LM_E* is an error. The message is set once, where the error was
 * detected, in a thread-local buffer; callers return the code and leave the
 * message unchanged. The library never prints and never exits. */
#ifndef LONGMIX_ERR_H
#define LONGMIX_ERR_H

#include <stdarg.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LM_CHECKED __attribute__((warn_unused_result))
#define LM_PRINTF(f, a) __attribute__((format(printf, f, a)))

enum lm_code {
    LM_OK = 0,
    LM_EIO = -1,    /* a system call failed: open, read, write, rename, full disk */
    LM_EDATA = -2,  /* the input is damaged or not what its format says */
    LM_EUSAGE = -3, /* the request makes no sense: options, recipe, plan */
    LM_ENOMEM = -4, /* no memory, or a declared bound was reached */
    LM_ESHORT = -5, /* the data holds too little for what was asked */
    LM_EPIPE = -6,  /* the reader of our output has closed it */
    LM_EINTR = -7,  /* stopped by lm_interrupt() (threads.h) */
};

/* Set this thread's message and return `code`, so that an error is one line:
 *     return lm_fail(LM_EDATA, "%s: record at byte %" PRIu64 " is damaged", ...);
 * A message says what is wrong, where (file, line or byte offset) and, where it
 * helps, what to do. It has no newline and no program name. At most 1023 bytes
 * are kept. */
int lm_fail(enum lm_code code, const char *fmt, ...) LM_PRINTF(2, 3);

/* As lm_fail(LM_EIO, ...) with ": " and the text of `errnum` (an errno) added. EPIPE
 * becomes LM_EPIPE, ENOMEM becomes LM_ENOMEM. */
int lm_fail_errno(int errnum, const char *fmt, ...) LM_PRINTF(2, 3);

/* LM_ENOMEM with the number of bytes that could not be had. */
int lm_fail_nomem(size_t bytes);

/* This thread's last message; "" before the first. Borrowed until this thread's next
 * failure. */
const char *lm_err(void);

/* Set this thread's message without failing: for moving the message of a worker to the
 * thread that reports it. */
void lm_err_set(const char *msg);

#ifdef __cplusplus
}
#endif
#endif
