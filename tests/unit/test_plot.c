/* Figures: the three formats, equal bytes for equal input, nothing left behind on failure. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "longmix/plot.h"

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

    /* another input is another figure */
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
        CHECK(symlink("/dev/full", "full.svg.tmp") == 0);
        CHECK(lm_plot_hist("full.svg", h, title, 1) < 0);
        CHECK(access("full.svg", F_OK) != 0);
    }
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
    lm_hist *empty = histogram("tokens", 0);
    CHECK_OK(lm_plot_hist("empty.svg", &empty, title, 1));
    lm_hist_free(empty);
    lm_hist_free(h[0]);
    lm_hist_free(h[1]);
    CHECK_END();
}
