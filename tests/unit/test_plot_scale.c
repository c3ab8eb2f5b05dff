/* Scales, ticks, placement of labels, palettes. */
#include <math.h>

#include "check.h"
#include "lib/plot/internal.h"

static bool near(double a, double b) { return fabs(a - b) < 1e-9 * (1 + fabs(b)); }

/* The tick labels, separated by spaces. */
static const char *ticks(enum lm_plot_unit unit, bool log, double low, double high, size_t want)
{
    static char all[400];
    pl_ticks t;
    size_t n = 0;
    pl_ticks_make(&t, unit, log, low, high, want);
    all[0] = 0;
    for (size_t i = 0; i < t.n; i++) {
        n += (size_t)snprintf(all + n, sizeof all - n, "%s%s", i ? " " : "", t.text[i]);
        CHECK(t.at[i] >= low - 1e-9 * fabs(low) && t.at[i] <= high + 1e-9 * fabs(high));
        CHECK(!i || t.at[i] > t.at[i - 1]);
    }
    return all;
}

static void tick_texts(void)
{
    CHECK_STR(ticks(LM_PLOT_NUMBER, false, 0, 1, 5), "0 0.2 0.4 0.6 0.8 1");
    CHECK_STR(ticks(LM_PLOT_NUMBER, false, 1.5, 3.2, 6), "1.5 2 2.5 3");
    CHECK_STR(ticks(LM_PLOT_NUMBER, false, -0.04, 0.04, 5), "-0.04 -0.02 0 0.02 0.04");
    CHECK_STR(ticks(LM_PLOT_NUMBER, false, 9990, 10010, 4), "9990 9995 10000 10005 10010");
    CHECK_STR(ticks(LM_PLOT_COUNT, false, 0, 5e6, 5), "0 1M 2M 3M 4M 5M");
    CHECK_STR(ticks(LM_PLOT_COUNT, true, 4e5, 1.1e7, 9), "500K 1M 2M 5M 10M");
    CHECK_STR(ticks(LM_PLOT_NUMBER, true, 0.9, 2e6, 4), "1 100 10000 1000000");
    CHECK_STR(ticks(LM_PLOT_NUMBER, true, 2.2, 3.1, 5), "2.2 2.4 2.6 2.8 3");
    CHECK_STR(ticks(LM_PLOT_LENGTH, true, 240, 4200, 8), "256 512 1K 2K 4K");
    CHECK_STR(ticks(LM_PLOT_LENGTH, true, 240, 140000, 6), "512 2K 8K 32K 128K");
    CHECK_STR(ticks(LM_PLOT_LENGTH, false, 0, 4096, 7), "0 1K 2K 3K 4K");
    CHECK_STR(ticks(LM_PLOT_LENGTH, false, 0, 131072, 5), "0 32K 64K 96K 128K");
    CHECK_STR(ticks(LM_PLOT_NUMBER, false, 1, 1, 5), "");
    CHECK_STR(ticks(LM_PLOT_NUMBER, false, NAN, 1, 5), "");
}

static const char *number(enum lm_plot_unit unit, double v)
{
    static char text[16];
    pl_number(unit, v, text);
    return text;
}

static void numbers(void)
{
    CHECK_STR(number(LM_PLOT_NUMBER, 0), "0");
    CHECK_STR(number(LM_PLOT_NUMBER, -1e-9 + 1e-9), "0");
    CHECK_STR(number(LM_PLOT_NUMBER, 0.30000000000000004), "0.3");
    CHECK_STR(number(LM_PLOT_NUMBER, 1e-7), "1e-07");
    CHECK_STR(number(LM_PLOT_NUMBER, 3e9), "3e+09");
    CHECK_STR(number(LM_PLOT_LENGTH, 1000), "1000");
    CHECK_STR(number(LM_PLOT_LENGTH, 81920), "80K");
    CHECK_STR(number(LM_PLOT_LENGTH, 1048576), "1M");
    CHECK_STR(number(LM_PLOT_COUNT, 2.5e9), "2.5B");
    CHECK_STR(number(LM_PLOT_COUNT, 999), "999");
}

static void positions(void)
{
    pl_scale linear = { 0, 10, 100, 200, false }, down = { 1, 3, 200, 100, false };
    pl_scale logarithmic = { 1, 10000, 0, 4, true };
    CHECK(near(pl_position(&linear, 0), 100) && near(pl_position(&linear, 2.5), 125));
    CHECK(near(pl_position(&linear, 20), 300) && near(pl_position(&down, 2), 150));
    CHECK(near(pl_position(&logarithmic, 100), 2) && near(pl_position(&logarithmic, 10000), 4));

    double low = 1.551, high = 4.99;
    pl_enclose(LM_PLOT_NUMBER, false, &low, &high, 5);
    CHECK(near(low, 1) && near(high, 5));
    low = high = 2; /* one value still has an axis */
    pl_enclose(LM_PLOT_NUMBER, false, &low, &high, 5);
    CHECK(low < 2 && high > 2);
    low = high = 512;
    pl_enclose(LM_PLOT_LENGTH, true, &low, &high, 5);
    CHECK(low < 512 && high > 512 && low > 256 && high < 1024);
}

/* Labels are at least `gap` apart, in order, within the bounds; labels without conflict stay. */
static void spread(void)
{
    double free_ones[] = { 10, 40, 90 };
    pl_spread(free_ones, 3, 12, 0, 100);
    CHECK(near(free_ones[0], 10) && near(free_ones[1], 40) && near(free_ones[2], 90));

    double pair[] = { 50, 52 };
    pl_spread(pair, 2, 12, 0, 100);
    CHECK(near(pair[0], 45) && near(pair[1], 57));

    double crowd[] = { 1, 2, 3, 30, 97, 98, 99, 99 };
    pl_spread(crowd, 8, 12, 0, 100);
    CHECK(crowd[0] >= -1e-9 && crowd[7] <= 100 + 1e-9);
    for (int i = 1; i < 8; i++) CHECK(crowd[i] - crowd[i - 1] >= 12 - 1e-9);

    /* Pushed down from the upper bound into the next one, which must move, too. */
    double chain[] = { 70, 80, 98, 99 };
    pl_spread(chain, 4, 12, 0, 100);
    for (int i = 1; i < 4; i++) CHECK(chain[i] - chain[i - 1] >= 12 - 1e-9);
    CHECK(chain[3] <= 100 + 1e-9 && chain[0] >= 60);
    pl_spread(NULL, 0, 12, 0, 100);
}

static bool is_colour(pl_colour k, int r, int g, int b)
{
    return lround(k.r * 255) == r && lround(k.g * 255) == g && lround(k.b * 255) == b;
}

static void colours(void)
{
    CHECK(is_colour(pl_palette(LM_PLOT_SCORE, 0), 0xf0, 0x49, 0x6e));
    CHECK(is_colour(pl_palette(LM_PLOT_SCORE, 0.5), 0xeb, 0xb8, 0x39));
    CHECK(is_colour(pl_palette(LM_PLOT_SCORE, 1), 0x0c, 0xd7, 0x9f));
    CHECK(is_colour(pl_palette(LM_PLOT_SCORE, 7), 0x0c, 0xd7, 0x9f));
    CHECK(is_colour(pl_palette(LM_PLOT_SCORE, -1), 0xf0, 0x49, 0x6e));
    pl_colour middle = pl_palette(LM_PLOT_DIVERGING, 0.5);
    CHECK(middle.r > 0.95 && middle.g > 0.95 && middle.b > 0.95);
}

int main(void)
{
    tick_texts();
    numbers();
    positions();
    spread();
    colours();
    CHECK_END();
}
