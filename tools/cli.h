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

#include "lib/base/options.h"
#include "longmix/err.h"
#include "longmix/json.h"
#include "longmix/progress.h"
#include "longmix/version.h"

typedef struct cli_tool {
    const char *name;
    const char *summary;  /* a short line for NAME and the head of --help */
    const char *about;    /* DESCRIPTION: paragraphs divided by a blank line */
    const cli_opt *opts;  /* ends with CLI_END */
    const char *examples; /* command lines that run unchanged (tests/cli/examples), each with a
                           * line "# what it shows" before it; NULL: none */
    const char *see;      /* "lmhist(1), lmplan(1)" */
    int (*run)(void);     /* 0, or a negative lm_code with lm_err() set, or a positive exit code
                            * (the tool has said why) */

    /* Of a program with commands: `name` is its first operand, and a command's options may come
     * before it, too. An option with one name means the same kind of value in every command. */
    const char *noun;                        /* "evaluation"; NULL: no commands */
    const cli_command *(*command)(size_t i); /* NULL after the last */
    const cli_opt *model_opts;               /* taken with every command, listed where it runs
                                                  * a model; NULL: none */
} cli_tool;

/* The number of the command that the command line names. */
size_t cli_chosen(void);

/* Parse, run, report, and return the exit code:
 *   0 done · 1 the work failed · 2 the command line is wrong · 3 too little data for the plan
 *   130 interrupted · 141 the reader of the output closed it. */
int cli_main(int argc, char **argv, const cli_tool *tool);

/* A line "NAME: text" on standard error, clear of the progress line and with control characters
 * escaped. cli_note is silent under --quiet, cli_verbose prints under -v only, and may have more
 * lines than one. */
void cli_warn(const char *fmt, ...) LM_PRINTF(1, 2);
void cli_note(const char *fmt, ...) LM_PRINTF(1, 2);
void cli_verbose(const char *fmt, ...) LM_PRINTF(1, 2);

/* The program's progress line: silent unless standard error is a terminal. */
lm_progress *cli_progress(const char *noun, uint64_t total);

/* Print to standard output; a failed write is reported by cli_main at the end at the latest. */
void cli_print(const char *fmt, ...) LM_PRINTF(1, 2);
LM_CHECKED int cli_write(const void *p, size_t n);
LM_CHECKED int cli_write_json(const lm_json *v, int indent); /* and a newline */

/* Write what cli_print and cli_write hold back. At the end, and on a terminal at each line, this is
 * done without it. */
LM_CHECKED int cli_flush(void);

/* A name for a person to read, in one of four buffers used in turn: control characters, and bytes
 * that are not UTF-8, are escaped, and what is above 4,095 bytes is cut. */
const char *cli_name(const char *s);

/* The columns of the terminal that descriptor fd is (COLUMNS, or its own size); 0: it is none. */
int cli_columns(int fd);

/* A usage error found by run(): LM_EUSAGE, after which cli_main points to --help. */
int cli_usage(const char *fmt, ...) LM_PRINTF(1, 2);

/* 12345678 -> "12,345,678", in one of eight buffers used in turn. */
const char *cli_count(uint64_t v);

/* A row of an option table that sets a string: how a rank file splits text. */
/* clang-format off */
#define CLI_PATTERN_OPTION(pattern)                                                               \
    { CLI_STR, "pattern", 0, &(pattern), "gpt2|llama3|qwen2|o200k|deepseek|REGEX",                \
      "How the tokenizer of a tiktoken rank file splits text, by name or as a regular "           \
      "expression. Not needed for the files of LLaMA-3, LLaMA-4, Qwen and Qwen3.6, which are "    \
      "known; other kinds of tokenizers have their own." }
/* clang-format on */

#endif
