#include "train/backend.h"

#include <string.h>

int bk_open(backend **out, const char *name, int threads)
{
    *out = NULL;
    if (!strcmp(name, "cpu")) return bk_cpu_open(out, threads);
    if (!strcmp(name, "cuda"))
#ifdef LM_CUDA
        return bk_cuda_open(out);
#else
        return lm_fail(LM_EUSAGE, "backend cuda: this program was built without CUDA");
#endif
    return lm_fail(LM_EUSAGE, "backend %s: not one of cpu, cuda", name);
}
