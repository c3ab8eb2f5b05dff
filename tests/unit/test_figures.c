/* The arithmetic of figures: running means, bins, runs. */
#include <math.h>

#include "check.h"
#include "figures/internal.h"

static bool near(double a, double b) { return fabs(a - b) < 1e-9; }

static void smoothing(void)
{
    enum { N = 400 };
    double y[N], out[N];
    for (int i = 0; i < N; i++) y[i] = 3;
    fig_smooth(y, N, 25, out);
    CHECK(near(out[0], 3) && near(out[N - 1], 3)); /* a constant is unchanged */
    for (int i = 0; i < N; i++) y[i] = i % 2;
    fig_smooth(y, N, 1, out);
    CHECK(near(out[0], 0) && near(out[1], 1) && near(out[2], 0)); /* over one step: unchanged */
    fig_smooth(y, N, 50, out);
    CHECK(fabs(out[N - 1] - 0.5) < 0.02 && near(out[0], 0) && out[1] > 0.5 && out[1] < 0.51);
}

static void thinning(void)
{
    double x[10], y[10];
    for (int i = 0; i < 10; i++) x[i] = i, y[i] = 2 * i;
    CHECK_EQ(fig_thin(x, y, 10, 20), 10);
    CHECK(near(x[9], 9) && near(y[9], 18));
    CHECK_EQ(fig_thin(x, y, 10, 3), 3); /* 0..2, 3..5, 6..9 */
    CHECK(near(x[0], 1) && near(x[1], 4) && near(x[2], 7.5) && near(y[2], 15));
    CHECK_EQ(fig_thin(x, y, 0, 3), 0);
}

static lm_json *line_of(const char *text)
{
    lm_json *j = NULL;
    NEED(lm_json_parse(&j, text, strlen(text), "line") == 0);
    return j;
}

/* Three seeds at one position, one at another; a duplicate value; a contradicting one. */
static void averages(void)
{
    static const char *const text[] = { "{\"seed\":0}", "{\"seed\":1}", "{\"seed\":2}",
                                        "{\"seed\":0,\"error\":0.25}", "{\"seed\":0}" };
    static const double value[] = { 1, 2, 6, 5, 1 };
    fig_options o = { 0 };
    fig f = { .o = &o };
    fig_line line[5];
    fig_sample s[5];
    fig_cell *c;
    size_t n;
    for (int i = 0; i < 5; i++) {
        line[i] = (fig_line){ .json = line_of(text[i]), .file = "f", .number = (size_t)i + 1 };
        s[i] =
            (fig_sample){ .series = 0, .a = i == 3 ? 2 : 1, .value = value[i], .line = &line[i] };
    }
    CHECK_OK(fig_average(&f, s, 5, &c, &n));
    CHECK_EQ(n, 2);
    CHECK(c[0].runs == 3 && near(c[0].mean, 3) && near(c[0].bar, sqrt(7)));
    CHECK(c[1].runs == 1 && near(c[1].mean, 5) && near(c[1].bar, 0.25));
    CHECK(fig_find(c, n, 0, 1, 0) == &c[0] && fig_find(c, n, 0, 2, 0) == &c[1]);
    CHECK(!fig_find(c, n, 0, 3, 0) && !fig_find(c, n, 1, 1, 0));
    CHECK_STR(fig_value_text(&f, &c[1], 2), "5.00 ± 0.25");

    for (int i = 0; i < 5; i++) s[i] = (fig_sample){ .a = 1, .value = i, .line = &line[i] };
    CHECK(fig_average(&f, s, 5, &c, &n) == LM_EUSAGE);
    CHECK(strstr(lm_err(), "f:1 and f:4"));
    for (int i = 0; i < 5; i++) lm_json_free(line[i].json);
    for (size_t i = 0; i < f.chunks; i++) free(f.chunk[i]);
    free(f.chunk);
}

int main(void)
{
    smoothing();
    thinning();
    averages();
    CHECK_END();
}
