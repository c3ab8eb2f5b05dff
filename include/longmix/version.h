/* version.h -- the release. It stands in every output, so that a receipt says what made it. */
#ifndef LONGMIX_VERSION_H
#define LONGMIX_VERSION_H

#define LM_VERSION "0.1.0"

#endif
