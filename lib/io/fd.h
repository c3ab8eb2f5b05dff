/* fd.h -- system calls on descriptors: those of lib/base/fd.h, and lm_write_all and lm_pread_all of
 * longmix/zio.h. */
#ifndef LM_LIB_IO_FD_H
#define LM_LIB_IO_FD_H

#include "lib/base/fd.h"

#endif
