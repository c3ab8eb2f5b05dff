#include <time.h>

#include "check.h"
#include "longmix/progress.h"
#include "lib/base/threads.h"

static char last[256];
static unsigned shown;

static void show(void *arg, const char *line)
{
    CHECK(arg == last);
    snprintf(last, sizeof last, "%s", line);
    shown++;
}

static void wait_ms(long ms)
{
    struct timespec t = { 0, ms * 1000000 };
    nanosleep(&t, NULL);
}

static int add_many(void *arg, int t)
{
    (void)t;
    for (int i = 0; i < 10000; i++) lm_progress_add(arg, 3, 1);
    return 0;
}

int main(void)
{
    double a = lm_seconds();
    wait_ms(2);
    CHECK(lm_seconds() >= a + 0.002);

    lm_progress_add(NULL, 1, 1);
    lm_progress silent = { .noun = "rows" };
    lm_progress_add(&silent, 1, 1);

    lm_progress p = { .show = show, .arg = last, .noun = "rows", .total = 4000000000 };
    for (int i = 0; i < 1000; i++) lm_progress_add(&p, 1000000, 2);
    CHECK(shown >= 1 && shown <= 20); /* at most ten times per second */
    wait_ms(110);
    unsigned before = shown;
    lm_progress_add(&p, 0, 0);
    CHECK_EQ(shown, before + 1);
    CHECK(strstr(last, "1.00 GB") && strstr(last, " 25%") && strstr(last, "2000 rows"));
    CHECK(strstr(last, "MB/s") && strstr(last, " left"));

    /* Without a total there is no percentage and no remaining time. */
    lm_progress open_end = { .show = show, .arg = last, .noun = "documents" };
    lm_progress_add(&open_end, 1, 1);
    CHECK(!strstr(last, "%") && !strstr(last, "left") && strstr(last, "1 documents"));

    /* The text of compressed files: its amount and rate, and the percentage of the files. */
    lm_progress text = { .show = show, .arg = last, .noun = "documents", .total = 4000000000 };
    lm_progress_text(NULL, 1);
    lm_progress_text(&silent, 1);
    lm_progress_add(&text, 0, 0);
    wait_ms(110);
    lm_progress_text(&text, 3000000000);
    lm_progress_add(&text, 1000000000, 5);
    CHECK(strstr(last, "3.00 GB of text") && strstr(last, " 25%") && strstr(last, "5 documents"));
    const char *rate = strstr(last, " MB/s");
    NEED(rate);
    while (rate > last && rate[-1] != ' ') rate--;
    double of_text = strtod(rate, NULL); /* 3 GB in at least 0.11 s, not 1 GB */
    CHECK(of_text > 0 && of_text < 3000 / 0.11);
    CHECK(lm_seconds() - text.started > 0.3 || of_text > 1000 / 0.11);

    lm_progress many = { .show = show, .arg = last, .noun = "rows" };
    CHECK_OK(lm_parallel(4, add_many, &many));
    wait_ms(110);
    lm_progress_add(&many, 0, 0);
    CHECK(strstr(last, "40000 rows") != NULL);
    CHECK_END();
}
