/* Choice of windows for perplexity, and its sums, compared with hand-computed numbers. */
#include <math.h>

#include "check.h"
#include "eval/tasks/windows.h"

int main(void)
{
    /* list(range(0, 1000 - 256, 256)) is [0, 256, 512], and pop() drops 512. */
    CHECK_EQ(eval_windows_count(1000, 256, 256), 2);
    /* range(0, 768 - 256, 256) is [0, 256]: 512 is not below 512. */
    CHECK_EQ(eval_windows_count(768, 256, 256), 1);
    CHECK_EQ(eval_windows_count(769, 256, 256), 2);
    CHECK_EQ(eval_windows_count(512, 256, 256), 0); /* [0], dropped */
    CHECK_EQ(eval_windows_count(513, 256, 256), 1);
    CHECK_EQ(eval_windows_count(256, 256, 256), 0);
    CHECK_EQ(eval_windows_count(10, 256, 256), 0);
    CHECK_EQ(eval_windows_count(11, 4, 3), 2); /* [0, 3, 6] without 6 */

    /* Three of ten, spread: windows 0, 3, 6. All of five: each. */
    CHECK_EQ(eval_windows_start(10, 3, 256, 0), 0);
    CHECK_EQ(eval_windows_start(10, 3, 256, 1), 3 * 256);
    CHECK_EQ(eval_windows_start(10, 3, 256, 2), 6 * 256);
    for (uint64_t i = 0; i < 5; i++) CHECK_EQ(eval_windows_start(5, 5, 2, i), 2 * i);

    /* 1, 2, 3, 6: mean 3, variance 14/3. */
    eval_mean m = { 0 };
    CHECK(isnan(eval_mean_value(&m)));
    for (int i = 1; i <= 3; i++) eval_mean_add(&m, i);
    eval_mean_add(&m, 6);
    CHECK(fabs(eval_mean_value(&m) - 3) < 1e-12);
    CHECK(fabs(eval_mean_error(&m, 4) - sqrt(14.0 / 3 / 4)) < 1e-12);
    CHECK(fabs(eval_mean_error(&m, 2) - sqrt(14.0 / 3 / 2)) <
          1e-12); /* overlapping: half as many */
    CHECK(isnan(eval_mean_error(&m, 1)));

    CHECK(fabs(eval_perplexity(2) - 2.71828 * 2.71828) < 1e-12);
    CHECK_END();
}
