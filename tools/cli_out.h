/* cli_out.h -- standard output and standard error of a program. cli.h has what tools call. */
#ifndef TOOLS_CLI_OUT_H
#define TOOLS_CLI_OUT_H

#include "cli.h"

/* First of all: a file that is opened never gets number 0, 1 or 2. A descriptor that is closed is
 * replaced by one from which nothing can be read and to which nothing can be written. `name` is the
 * program's. */
void cli_out_begin(const char *name);

/* What cli_note and cli_verbose print. */
void cli_out_levels(bool quiet, bool verbose);

/* The last message: version, command line, time since `started`, memory. */
void cli_last_line(int argc, char **argv, double started);

/* Write what is held back and close standard output. After lm_interrupt() only what is taken without
 * waiting is written. 0, or the first error of any write. */
LM_CHECKED int cli_out_end(void);

#endif
