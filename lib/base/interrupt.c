/* interrupt.c -- see interrupt.h.
 *
 * A signal interrupts the system call of one thread only, the one that the kernel gives it to. So
 * each thread that may wait has its number in a table, and lm_interrupt() sends a signal to all of
 * them. A thread that has looked at the flag and not yet begun its call would miss that: a timer
 * repeats it until the table is empty. The table stays empty from then on, as lm_block_begin()
 * enters the thread first and then looks at the flag. */
#include "lib/base/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <unistd.h>

/* Threads that wait at the same time; further ones are ended by a signal of their own only. In every
 * pipeline one thread reads and one writes. */
enum { WAITING_MAX = 256, REPEAT_MICROSECONDS = 20000 };

static atomic_bool interrupted;
static atomic_int waiting[WAITING_MAX]; /* thread numbers, 0: free; lock-free, for the handler */
static _Thread_local int mine = -1;     /* this thread's place */

/* How many there are. */
static int wake_all(void)
{
    int n = 0;
    for (int i = 0; i < WAITING_MAX; i++) {
        int thread = atomic_load(&waiting[i]);
        if (!thread) continue;
        n++;
        (void)syscall(SYS_tgkill, getpid(), thread, SIGALRM);
    }
    return n;
}

static void set_timer(long microseconds)
{
    struct itimerval t = { { 0, microseconds }, { 0, microseconds } };
    (void)setitimer(ITIMER_REAL, &t, NULL);
}

/* Of the timer: wake the threads again. Of wake_all: there is nothing to do, the call has ended. */
static void on_alarm(int sig, siginfo_t *info, void *context)
{
    (void)sig, (void)context;
    int e = errno;
    if (info->si_code != SI_TKILL && !wake_all()) set_timer(0);
    errno = e;
}

void lm_interrupt(void)
{
    int e = errno;
    bool waits = false;
    atomic_store(&interrupted, true);
    for (int i = 0; i < WAITING_MAX; i++) waits = waits || atomic_load(&waiting[i]);
    if (waits) {
        struct sigaction a = { .sa_sigaction = on_alarm, .sa_flags = SA_SIGINFO };
        sigemptyset(&a.sa_mask);
        (void)sigaction(SIGALRM, &a, NULL); /* no SA_RESTART: calls end */
        (void)wake_all();
        set_timer(REPEAT_MICROSECONDS);
    }
    errno = e;
}

bool lm_interrupted(void) { return atomic_load(&interrupted); }

int lm_check_interrupt(void) { return lm_interrupted() ? lm_fail(LM_EINTR, "interrupted") : LM_OK; }

int lm_block_begin(void)
{
    static _Thread_local int self;
    if (!self) self = (int)syscall(SYS_gettid);
    for (int i = 0; i < WAITING_MAX; i++) {
        int none = 0;
        if (!atomic_compare_exchange_strong(&waiting[i], &none, self)) continue;
        mine = i;
        break;
    }
    if (!lm_interrupted()) return LM_OK;
    lm_block_end();
    return lm_check_interrupt();
}

void lm_block_end(void)
{
    if (mine >= 0) atomic_store(&waiting[mine], 0);
    mine = -1;
}
