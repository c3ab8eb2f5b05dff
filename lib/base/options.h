/* options.h -- tables of command-line options. A program, or a part of one such as an evaluation,
 * describes its options in a table of the variables that they set; tools/cli.c makes
 * the parser, --help and the man page of it. */
#ifndef LM_LIB_BASE_OPTIONS_H
#define LM_LIB_BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cli_kind {
    CLI_FLAG,    /* bool: --name sets it */
    CLI_SWITCH,  /* bool: --name sets it, --no-name clears it */
    CLI_STR,     /* const char * */
    CLI_SIZE,    /* uint64_t: lm_parse_size */
    CLI_INT,     /* int, within min..max */
    CLI_REAL,    /* double, within min..max */
    CLI_CHOICE,  /* int: index into the '|'-separated words of `arg` */
    CLI_LIST,    /* cli_list: may be given several times */
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

/* A command of a program that has several: `lmeval NAME ...`. */
typedef struct cli_command {
    const char *name;
    const char *summary;  /* a short line */
    const char *about;    /* paragraphs divided by a blank line */
    const cli_opt *opts;  /* ends with CLI_END; with a row CLI_ARGS where it takes operands */
    const char *examples; /* as those of a program (tools/cli.h); NULL: none */
    bool model;           /* it runs a model: --help lists the program's model options */
} cli_command;

#endif
