#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "lib/base/fd.h"
#include "lib/base/threads.h"

static void defaults(void) { CHECK(lm_threads_default() >= 1); }

static int mark(void *arg, int t)
{
    atomic_int *seen = arg;
    atomic_fetch_add(&seen[t], 1);
    return 0;
}

static int fail_some(void *arg, int t)
{
    (void)arg;
    return t == 2 || t == 5 ? lm_fail(LM_EDATA, "thread %d", t) : t == 1 ? 7 : 0;
}

static void regions(void)
{
    for (int n = 1; n <= 37; n += 4) {
        atomic_int seen[37] = { 0 };
        CHECK_OK(lm_parallel(n, mark, seen));
        for (int t = 0; t < n; t++) CHECK_EQ(seen[t], 1);
    }
    CHECK(lm_parallel(8, fail_some, NULL) == LM_EDATA);
    CHECK_STR(lm_err(), "thread 2");
    CHECK(lm_parallel(0, mark, NULL) == LM_EUSAGE);
}

/* Threads claim numbers and append them in turn; the list must be in order, each number once. */
enum { ITEMS = 5000 };

typedef struct line {
    lm_turns *turns;
    uint64_t next;            /* under the claim */
    uint64_t list[ITEMS + 1]; /* in turn */
    size_t listed;
    uint64_t fail_at;
} line;

static int take_and_hand_on(void *arg, int t)
{
    line *l = arg;
    for (;;) {
        lm_turns_enter(l->turns);
        if (l->next == ITEMS || lm_turns_stopped(l->turns)) {
            lm_turns_leave(l->turns);
            return 0;
        }
        uint64_t item = l->next++, ticket = lm_turns_claim(l->turns);
        if ((item + (uint64_t)t) % 3 == 0) sched_yield();
        if (!lm_turns_wait(l->turns, ticket)) return 0;
        if (item == l->fail_at) {
            lm_turns_stop(l->turns);
            return lm_fail(LM_EDATA, "item %d", (int)item);
        }
        l->list[l->listed++] = item;
        lm_turns_done(l->turns, ticket);
    }
}

static void turns(void)
{
    static line l;
    for (int n = 1; n <= 8; n *= 2)
        for (int fail = 0; fail < 2; fail++) {
            memset(&l, 0, sizeof l);
            l.fail_at = fail ? 1234 : ITEMS + 1;
            NEED(!lm_turns_new(&l.turns));
            CHECK(lm_parallel(n, take_and_hand_on, &l) == (fail ? LM_EDATA : 0));
            if (fail) CHECK_STR(lm_err(), "item 1234");
            CHECK_EQ(l.listed, fail ? 1234 : ITEMS);
            bool in_order = true;
            for (size_t i = 0; i < l.listed; i++) in_order = in_order && l.list[i] == i;
            CHECK(in_order);
            CHECK(lm_turns_stopped(l.turns) == fail);
            lm_turns_free(l.turns);
        }
    lm_turns_free(NULL);
}

/* Some threads wait for a pipe that stays silent, some for one that stays full; the signal goes to
 * this thread, which does not. */
enum { WAITERS = 8 };

typedef struct waits {
    int silent[2], full[2];
    atomic_int begun;
} waits;

static int wait_or_interrupt(void *arg, int t)
{
    waits *w = arg;
    char byte[4096] = "";
    atomic_fetch_add(&w->begun, 1);
    if (t && t % 2) return (int)lm_fd_read(w->silent[0], byte, 1, 0, "silent");
    if (t) return lm_fd_write(w->full[1], byte, sizeof byte, "full", NULL);
    while (atomic_load(&w->begun) < WAITERS) sched_yield();
    usleep(100000);
    lm_interrupt();
    return LM_OK;
}

static void waiting_calls(void)
{
    waits w = { .begun = 0 };
    char byte[4096] = "";
    NEED(!pipe(w.silent) && !pipe(w.full) && !fcntl(w.full[1], F_SETFL, O_NONBLOCK));
    while (write(w.full[1], byte, sizeof byte) > 0) continue;
    fcntl(w.full[1], F_SETFL, 0);
    CHECK(lm_parallel(WAITERS, wait_or_interrupt, &w) == LM_EINTR);
    CHECK(lm_fd_read(w.silent[0], byte, 1, 0, "silent") == LM_EINTR); /* from now on at once */
    CHECK(lm_fd_wait(w.silent[0]) == LM_EINTR);
    NEED(!mkfifo("nobody", 0600));
    CHECK(lm_fd_open("nobody") == LM_EINTR);
    CHECK(lm_fd_open_writing("nobody") == LM_EINTR);
    CHECK_EQ(lm_fd_write_now(w.full[1], byte, sizeof byte), 0);
    CHECK_EQ(lm_fd_write_now(w.silent[1], byte, 700), 700);
    /* A regular file is finished. */
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
    size_t done = 0;
    CHECK_OK(lm_fd_write(fd, "abc", 3, "file", &done));
    CHECK_EQ(done, 3);
    close(fd);
    fd = lm_fd_open_regular("file");
    CHECK_EQ(lm_fd_read(fd, byte, 9, 0, "file"), 3);
    close(fd);
    CHECK(lm_fd_open_regular("nobody") < 0);
}

static void interruption(void)
{
    CHECK(!lm_interrupted());
    CHECK_OK(lm_check_interrupt());
    waiting_calls();
    CHECK(lm_interrupted());
    CHECK(lm_check_interrupt() == LM_EINTR);
    CHECK_STR(lm_err(), "interrupted");
}

int main(void)
{
    defaults();
    regions();
    turns();
    interruption();
    CHECK_END();
}
