/* version.h -- the release, and the commit that the library was built from.
 *
 * Stores, plans, shards, manifests and man pages name the release only: two builds of one release
 * write the same bytes. The commit is where nothing is compared: `--version`, the last line of -v,
 * and "commit" of result lines. */
#ifndef LONGMIX_VERSION_H
#define LONGMIX_VERSION_H

#define LM_VERSION "0.1.0" /* of the headers */

#ifdef __cplusplus
extern "C" {
#endif

/* LM_VERSION of the library that the program runs with. */
const char *lm_version(void);

/* `git describe --always --dirty --tags` when the library was built, such as "v0.1.0-3-g92ef553" or
 * "92ef553-dirty"; LM_VERSION if it was built outside a repository. */
const char *lm_commit(void);

#ifdef __cplusplus
}
#endif

#endif
