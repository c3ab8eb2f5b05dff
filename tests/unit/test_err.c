#include <errno.h>
#include <pthread.h>

#include "check.h"

static void *other_thread(void *arg)
{
    (void)arg;
    CHECK_STR(lm_err(), "");
    lm_fail(LM_EDATA, "of the other thread");
    return NULL;
}

int main(void)
{
    CHECK_STR(lm_err(), "");
    CHECK(lm_fail(LM_EDATA, "%s: record %d", "a.lmt", 7) == LM_EDATA);
    CHECK_STR(lm_err(), "a.lmt: record 7");

    /* The old message may be part of the new one. */
    CHECK(lm_fail(LM_EUSAGE, "while reading: %s", lm_err()) == LM_EUSAGE);
    CHECK_STR(lm_err(), "while reading: a.lmt: record 7");

    CHECK(lm_fail_errno(ENOENT, "%s: cannot open", "x") == LM_EIO);
    CHECK_STR(lm_err(), "x: cannot open: No such file or directory");
    CHECK(lm_fail_errno(EPIPE, "x") == LM_EPIPE);
    CHECK(lm_fail_errno(ENOMEM, "x") == LM_ENOMEM);
    CHECK(lm_fail_nomem(4711) == LM_ENOMEM);
    CHECK(strstr(lm_err(), "4711") != NULL);

    /* Long messages are truncated. */
    char *big = malloc(5001);
    NEED(big);
    memset(big, 'a', 5000);
    big[5000] = 0;
    lm_fail(LM_EDATA, "%s", big);
    CHECK_EQ(strlen(lm_err()), 1023);
    lm_fail_errno(ENOENT, "%s", big);
    CHECK_EQ(strlen(lm_err()), 1023);
    free(big);

    /* Each thread has its own message. */
    lm_err_set("mine");
    lm_err_set(lm_err());
    pthread_t t;
    NEED(!pthread_create(&t, NULL, other_thread, NULL));
    pthread_join(t, NULL);
    CHECK_STR(lm_err(), "mine");
    CHECK_END();
}
