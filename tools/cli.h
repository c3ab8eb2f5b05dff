/* cli.h -- what the programs share: one table per tool makes its parser, its --help and its man
 * page; errors, signals, progress and the last line are the same everywhere.
 *
 * A program is one file: its options (file-static, one program is one run), a table of them, a
 * run() and a main() of one line. */
#ifndef TOOLS_CLI_H
#define TOOLS_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "longmix/err.h"
#include "longmix/progress.h"
#include "longmix/version.h"

enum cli_kind {
    CLI_FLAG,    /* bool: --name sets it */
    CLI_SWITCH,  /* bool: --name sets it, --no-name clears it */
    CLI_STR,     /* const char * */
    CLI_SIZE,    /* uint64_t: lm_parse_size */
    CLI_INT,     /* int, within min..max */
    CLI_REAL,    /* double, within min..max */
    CLI_CHOICE,  /* int: index into the '|'-separated words of `arg` */
    CLI_LIST,    /* cli_list: may be given again and again */
    CLI_PART,    /* cli_part: k/K */
    CLI_THREADS, /* int: -j N; 0 or absent becomes all cores */
    CLI_ARGS,    /* cli_list: the operands; `name` is NULL, `arg` their name; min of them needed */
    CLI_END,
};

typedef struct cli_list {
    char **v;
    size_t n;
} cli_list;

typedef struct cli_part {
    uint32_t k, n; /* 1 of 1 unless given */
} cli_part;

typedef struct cli_opt {
    enum cli_kind kind;
    const char *name; /* long name without dashes */
    char letter;      /* short name or 0 */
    void *value;      /* what it sets, with its default in it */
    const char *arg;  /* name of the argument: "FILE", "N", "error|repeat|shrink" */
    const char *help; /* one or a few sentences; \n starts a new paragraph in the man page */
    double min, max;
} cli_opt;

typedef struct cli_tool {
    const char *name;
    const char *summary;  /* half a line for NAME and the head of --help */
    const char *about;    /* DESCRIPTION: paragraphs divided by a blank line */
    const cli_opt *opts;  /* ends with CLI_END */
    const char *examples; /* commands that run as they stand in docs/examples' folder, one a line,
                            * each with a line "# what it shows" before it */
    const char *see;      /* "lmhist(1), lmplan(1)" */
    int (*run)(void);     /* 0, or a negative lm_code with lm_err() set, or a positive exit code
                            * (the tool has told why) */
} cli_tool;

/* Parse, run, report, and return the exit code:
 *   0 done · 1 the work failed · 2 the command line is wrong · 3 too little data for the plan
 *   130 interrupted · 141 the reader of the output went away. */
int cli_main(int argc, char **argv, const cli_tool *tool);

/* A line "NAME: text" on standard error, clear of the progress line. cli_note is silent under
 * --quiet, cli_verbose speaks under -v only. */
void cli_warn(const char *fmt, ...) LM_PRINTF(1, 2);
void cli_note(const char *fmt, ...) LM_PRINTF(1, 2);
void cli_verbose(const char *fmt, ...) LM_PRINTF(1, 2);

/* The program's progress line: silent unless standard error is a terminal. */
lm_progress *cli_progress(const char *noun, uint64_t total);

/* Print to standard output; a failed write is reported by cli_main at the end at the latest. */
void cli_print(const char *fmt, ...) LM_PRINTF(1, 2);
LM_CHECKED int cli_write(const void *p, size_t n);

/* A usage fault found by run(): LM_EUSAGE, after which cli_main points to --help. */
int cli_usage(const char *fmt, ...) LM_PRINTF(1, 2);

/* 12345678 -> "12,345,678", in one of eight buffers that take turns. */
const char *cli_count(uint64_t v);

#endif
