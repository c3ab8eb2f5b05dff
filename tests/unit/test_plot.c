/* Figures: the three formats, equal bytes for equal input, no file left on failure. */
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "lib/plot/plot.h"

static char data[2][1 << 20];

static size_t slurp(const char *path, char *to)
{
    FILE *f = fopen(path, "rb");
    if (!f) return 0;
    size_t n = fread(to, 1, sizeof data[0] - 1, f);
    fclose(f);
    to[n] = 0;
    return n;
}

/* cairo numbers the surfaces of a process. */
static void mask_number(char *svg)
{
    char *p = strstr(svg, "id=\"surface");
    for (p = p ? p + 11 : svg; *p >= '0' && *p <= '9'; p++) *p = '0';
}

static lm_hist *histogram(const char *unit, unsigned documents)
{
    static const char *const names[] = { "CommonCrawl", "Bücher & <Mehr>" };
    lm_hist *h = NULL;
    NEED(lm_hist_new(&h, unit, names, 2) == 0);
    for (unsigned i = 0; i < documents; i++)
        CHECK_OK(lm_hist_add(h, i % 2, 1 + 37 * i, 1 + 37 * i));
    return h;
}

static void formats(lm_hist *const *h, const char *const *title)
{
    CHECK_OK(lm_plot_hist("a.svg", h, title, 2));
    CHECK_OK(lm_plot_hist("b.svg", h, title, 2));
    size_t n = slurp("a.svg", data[0]);
    CHECK(n > 1000);
    CHECK_EQ(slurp("b.svg", data[1]), n);
    mask_number(data[0]);
    mask_number(data[1]);
    CHECK(!memcmp(data[0], data[1], n));
    CHECK(!strncmp(data[0], "<?xml", 5) && strstr(data[0], "</svg>"));

    CHECK_OK(lm_plot_hist("a.png", h, title, 2));
    CHECK(slurp("a.png", data[0]) > 1000);
    CHECK(!memcmp(data[0], "\x89PNG", 4));

    CHECK_OK(lm_plot_hist("a.pdf", h, title, 2));
    CHECK(slurp("a.pdf", data[0]) > 500);
    CHECK(!memcmp(data[0], "%PDF", 4));

    /* other input gives another figure */
    CHECK_OK(lm_plot_hist("c.svg", h, title, 1));
    CHECK(slurp("c.svg", data[0]) != slurp("a.svg", data[1]));
}

static void refused(lm_hist *const *h, const char *const *title)
{
    CHECK(lm_plot_name("x.svg") == 0 && lm_plot_name("x.jpg") == LM_EUSAGE &&
          lm_plot_name(".svg") == LM_EUSAGE);
    CHECK(lm_plot_hist("a.gif", h, title, 1) == LM_EUSAGE);
    CHECK(access("a.gif", F_OK) != 0);
    CHECK(lm_plot_hist("a.svg", h, title, 0) == LM_EUSAGE);
    CHECK(lm_plot_hist("absent/a.svg", h, title, 1) == LM_EIO);
    if (!access("/dev/full", W_OK)) {
        CHECK(symlink("/dev/full", "full.svg") == 0);
        CHECK(lm_plot_hist("full.svg", h, title, 1) == LM_EIO);
    }
}

/* Equal bytes twice; the three formats. */
static void thrice(int (*draw)(const char *path))
{
    CHECK_OK(draw("x.svg"));
    CHECK_OK(draw("y.svg"));
    size_t n = slurp("x.svg", data[0]);
    CHECK(n > 1000 && slurp("y.svg", data[1]) == n);
    mask_number(data[0]);
    mask_number(data[1]);
    CHECK(!memcmp(data[0], data[1], n));
    CHECK(!strstr(data[0], "nan") && !strstr(data[0], "inf"));
    CHECK_OK(draw("x.png"));
    CHECK(slurp("x.png", data[0]) > 1000 && !memcmp(data[0], "\x89PNG", 4));
    CHECK_OK(draw("x.pdf"));
    CHECK(slurp("x.pdf", data[0]) > 500 && !memcmp(data[0], "%PDF", 4));
    CHECK(draw("x.jpeg") == LM_EUSAGE && access("x.jpeg", F_OK) != 0);
    CHECK(draw("absent/x.svg") == LM_EIO);
}

/* Edge cases: no value, an infinite one, values past the axis, one point, all equal. */
static int draw_lines(const char *path)
{
    static const double x[] = { 256, 512, 1024, 2048 }, y[] = { 2, NAN, 1e300, INFINITY },
                        one[] = { 3 }, error[] = { 1, 1, 1, 1 };
    const lm_plot_line line[] = {
        { .name = "hard", .n = 4, .x = x, .y = y, .error = error, .dots = true },
        { .name = "one", .n = 1, .x = x, .y = one, .colour = 9, .dashed = true },
        { .n = 4, .x = x, .y = x, .error = error, .colour = 2, .faint = true, .band = true }
    };
    const lm_plot_mark mark[] = { { .at = 512, .label = "here" },
                                  { .at = 4, .level = true, .alarm = true },
                                  { .at = 1e9, .label = "nowhere" } };
    const lm_plot_axis length = { "length", LM_PLOT_LENGTH, .log = true, .low = NAN, .high = NAN };
    const lm_plot_panel panel[] = {
        { .title = "log",
          .x = length,
          .y = { "y", .low = NAN, .high = 5 },
          .line = line,
          .lines = 3,
          .mark = mark,
          .marks = 3 },
        { .x = length,
          .y = { "y", .log = true, .low = NAN, .high = NAN },
          .line = line,
          .lines = 3 },
        { .title = "empty", .x = { .low = NAN, .high = NAN }, .y = { .low = NAN, .high = NAN } }
    };
    lm_plot_chart chart = { .title = "Zeile & <Titel>",
                            .caption = "one\ntwo",
                            .panel = panel,
                            .panels = 3,
                            .columns = 2,
                            .legend = strchr(path, 'g') != NULL };
    return lm_plot_lines(path, &chart);
}

static int draw_heat(const char *path)
{
    static const char *const column[] = { "1K", "2K", "a very long name of a column" };
    static const char *const row[] = { "0", "100" };
    static const double value[] = { 0, 0.5, NAN, 1, 2, -1 };
    static const char *const text[] = { "a", "b", NULL, "d", "e", "f" };
    static const bool strong[] = { true, false, false, false, false, false };
    const lm_plot_map map[] = { { .title = "one",
                                  .value = value,
                                  .text = text,
                                  .strong = strong,
                                  .mark = 1,
                                  .mark_label = "m" },
                                { .value = value, .mark = NAN } };
    lm_plot_heat heat = { .title = "t",
                          .x_label = "x",
                          .y_label = "y",
                          .bar_label = "z",
                          .column_name = column,
                          .row_name = row,
                          .columns = 3,
                          .rows = 2,
                          .low = 0,
                          .high = 1,
                          .map = map,
                          .maps = 2,
                          .across = 2,
                          .grid = true,
                          .slanted = true };
    return lm_plot_heat_maps(path, &heat);
}

static void tables(void)
{
    static const char *const head[] = { "name", "1K" };
    static const char *const cell[] = { "a|b", "1.5 ± 0.1", "tab\there", NULL };
    const lm_plot_table t = { "words", head, cell, 2, 2 };
    lm_buf out = LM_BUF_INIT(1 << 16);
    CHECK_OK(lm_plot_table_markdown(&out, &t));
    CHECK_OK(lm_buf_add(&out, "", 1));
    CHECK_STR((char *)out.data, "| name     |        1K |\n"
                                "|----------|----------:|\n"
                                "| a\\|b     | 1.5 ± 0.1 |\n"
                                "| tab here |           |\n"
                                "\nwords\n");
    lm_buf_reset(&out, 0);
    CHECK_OK(lm_plot_table_tsv(&out, &t));
    CHECK_OK(lm_buf_add(&out, "", 1));
    CHECK_STR((char *)out.data, "name\t1K\na|b\t1.5 ± 0.1\ntab here\t\n");
    lm_buf_free(&out);

    lm_plot_chart nothing = { .columns = 1 };
    CHECK(lm_plot_lines("n.svg", &nothing) == LM_EUSAGE);
    lm_plot_panel panel = { .x = { .low = NAN, .high = NAN }, .y = { .low = NAN, .high = NAN } };
    nothing.panel = &panel;
    nothing.panels = 1;
    CHECK(lm_plot_lines("n.svg", &nothing) == LM_EUSAGE && strstr(lm_err(), "nothing to draw"));
    CHECK(access("n.svg", F_OK) != 0);
}

int main(void)
{
    char long_title[900];
    memset(long_title, 'x', sizeof long_title);
    long_title[sizeof long_title - 1] = 0;
    lm_hist *h[] = { histogram("tokens", 5000), histogram("characters", 10) };
    const char *title[] = { "ein Titel mit ß", long_title };
    formats(h, title);
    refused(h, title);
    thrice(draw_lines);
    thrice(draw_heat);
    tables();
    lm_hist *empty = histogram("tokens", 0);
    CHECK_OK(lm_plot_hist("empty.svg", &empty, title, 1));
    lm_hist_free(empty);
    lm_hist_free(h[0]);
    lm_hist_free(h[1]);
    CHECK_END();
}
