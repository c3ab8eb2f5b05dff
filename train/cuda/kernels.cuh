/* kernels.cuh -- private to train/cuda: shared by the kernel files. Indices are 64 bits wide
 * everywhere; sums run in an order that depends on sizes alone. */
#ifndef TRAIN_CUDA_KERNELS_CUH
#define TRAIN_CUDA_KERNELS_CUH

#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include "train/cuda/cuda.h"

typedef __nv_bfloat16 bf16; /* what a bk_act holds */

enum { THREADS = 256, WARP = 32, WARPS = THREADS / WARP };

#define LAUNCH(c, kernel, grid, block, shared, ...)                      \
    do {                                                                 \
        kernel<<<(grid), (block), (shared), (c)->stream>>>(__VA_ARGS__); \
        cuda_check((c), cudaGetLastError(), #kernel);                    \
    } while (0)

static inline bf16 *act(const bk_act *p) { return (bf16 *)p; }
static inline float *acc(const bk_acc *p) { return (float *)p; }
static inline int32_t *ints(const bk_int *p) { return (int32_t *)p; }

/* Blocks of THREADS for n work items; kernels stride over the rest. */
static inline unsigned blocks_for(int64_t n)
{
    int64_t blocks = (n + THREADS - 1) / THREADS;
    return (unsigned)(blocks < 1 ? 1 : blocks > 1 << 20 ? 1 << 20 : blocks);
}

__device__ static inline float up(bf16 x) { return __bfloat162float(x); }
__device__ static inline bf16 down(float x) { return __float2bfloat16_rn(x); }
__device__ static inline int64_t thread_index(void)
{
    return (int64_t)blockIdx.x * THREADS + threadIdx.x;
}
__device__ static inline int64_t thread_count(void) { return (int64_t)gridDim.x * THREADS; }

/* Eight numbers of a bk_act, moved as 16 bytes. */
struct __align__(16) eight { bf16 v[8]; };

__device__ static inline float warp_sum(float x)
{
    for (int k = WARP / 2; k; k /= 2) x += __shfl_xor_sync(0xffffffffu, x, k);
    return x;
}

__device__ static inline float warp_max(float x)
{
    for (int k = WARP / 2; k; k /= 2) x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, k));
    return x;
}

/* The sum over a block of THREADS, in every thread. room[WARPS] is shared; it may be used again
 * after the call. */
__device__ static inline float block_sum(float x, float *room)
{
    x = warp_sum(x);
    if (threadIdx.x % WARP == 0) room[threadIdx.x / WARP] = x;
    __syncthreads();
    float sum = 0;
    for (int i = 0; i < WARPS; i++) sum += room[i];
    __syncthreads();
    return sum;
}

__device__ static inline float block_max(float x, float *room)
{
    x = warp_max(x);
    if (threadIdx.x % WARP == 0) room[threadIdx.x / WARP] = x;
    __syncthreads();
    float top = room[0];
    for (int i = 1; i < WARPS; i++) top = fmaxf(top, room[i]);
    __syncthreads();
    return top;
}

/* Whether all pointers allow moves of 16 bytes. */
static inline bool aligned(const void *a, const void *b, const void *c, const void *d)
{
    return (((uintptr_t)a | (uintptr_t)b | (uintptr_t)c | (uintptr_t)d) & 15) == 0;
}

#endif
