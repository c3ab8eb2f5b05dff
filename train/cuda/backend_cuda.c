/* The CUDA backend: its device, its memory, and its table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/cuda/cuda.h"

/* ---- faults ---------------------------------------------------------------------------- */

void cuda_fault(cuda_backend *c, int code, const char *text)
{
    if (c->fault) return;
    c->fault = code;
    snprintf(c->fault_text, sizeof c->fault_text, "%s", text);
}

bool cuda_check(cuda_backend *c, cudaError_t e, const char *what)
{
    if (e == cudaSuccess) return true;
    char text[512];
    snprintf(text, sizeof text, "%s: %s: %s (%s)", c->gpu, what, cudaGetErrorName(e),
             cudaGetErrorString(e));
    cuda_fault(c, e == cudaErrorMemoryAllocation ? LM_ENOMEM : LM_EIO, text);
    return false;
}

static int finish_cuda(backend *b)
{
    cuda_backend *c = cuda_of(b);
    for (int i = 0; i < BK_LANES; i++)
        cuda_check(c, cudaStreamSynchronize(c->lanes[i]), "a transfer");
    cuda_check(c, cudaStreamSynchronize(c->stream), "queued work");
    return c->fault ? lm_fail((enum lm_code)c->fault, "%s", c->fault_text) : LM_OK;
}

/* ---- memory ---------------------------------------------------------------------------- */

static int no_memory(cuda_backend *c, size_t bytes)
{
    size_t left = 0, all = 0;
    cudaGetLastError(); /* this error is not sticky */
    if (cudaMemGetInfo(&left, &all) != cudaSuccess) left = all = 0;
    return lm_fail(LM_ENOMEM, "%s: out of memory: %zu bytes wanted, %zu of %zu free", c->gpu, bytes,
                   left, all);
}

static int alloc_cuda(backend *b, void **out, size_t bytes)
{
    cuda_backend *c = cuda_of(b);
    *out = NULL;
    void *p = NULL;
    cudaError_t e = cudaMalloc(&p, bytes ? bytes : 1);
    if (e == cudaErrorMemoryAllocation) return no_memory(c, bytes);
    if (!cuda_check(c, e, "memory") ||
        !cuda_check(c, cudaMemsetAsync(p, 0, bytes, c->stream), "zeroing memory")) {
        cudaFree(p);
        return lm_fail((enum lm_code)c->fault, "%s", c->fault_text);
    }
    *out = p;
    return LM_OK;
}

/* cudaFree waits for the device, so nothing queued still uses p. */
static void free_cuda(backend *b, void *p, size_t bytes)
{
    (void)bytes;
    if (p) cuda_check(cuda_of(b), cudaFree(p), "freeing memory");
}

static size_t available_cuda(backend *b)
{
    cuda_backend *c = cuda_of(b);
    size_t left = 0, all = 0, reserve = cuda_attention_reserve(c);
    if (!cuda_check(c, cudaMemGetInfo(&left, &all), "querying free memory")) return 0;
    return left > reserve ? left - reserve : 1; /* 0 would mean unknown */
}

void *cuda_take(cuda_backend *c, cuda_room *r, size_t bytes)
{
    if (r->bytes >= bytes && r->p) return r->p;
    if (r->p) cuda_check(c, cudaFree(r->p), "freeing workspace");
    *r = (cuda_room){ NULL, 0 };
    cudaError_t e = cudaMalloc(&r->p, bytes ? bytes : 1);
    if (e == cudaErrorMemoryAllocation) {
        no_memory(c, bytes);
        cuda_fault(c, LM_ENOMEM, lm_err());
        r->p = NULL;
    } else if (cuda_check(c, e, "workspace")) {
        r->bytes = bytes;
    }
    return r->p;
}

static int alloc_host_cuda(backend *b, void **out, size_t bytes)
{
    cuda_backend *c = cuda_of(b);
    void *p = NULL;
    *out = NULL;
    cudaError_t e = cudaHostAlloc(&p, bytes ? bytes : 1, cudaHostAllocDefault);
    if (e != cudaSuccess) {
        cudaGetLastError();
        return lm_fail(LM_ENOMEM, "%s: %zu bytes of pinned host memory: %s", c->gpu, bytes,
                       cudaGetErrorString(e));
    }
    memset(p, 0, bytes);
    *out = p;
    return LM_OK;
}

static void free_host_cuda(backend *b, void *p, size_t bytes)
{
    (void)bytes;
    if (!p) return;
    cuda_backend *c = cuda_of(b);
    for (int i = 0; i < BK_LANES; i++)
        cuda_check(c, cudaStreamSynchronize(c->lanes[i]), "a transfer");
    cuda_check(c, cudaFreeHost(p), "freeing host memory");
}

/* ---- transfers ------------------------------------------------------------------------- */

static void transfer(backend *b, void *to, const void *from, size_t bytes, int lane,
                     enum cudaMemcpyKind kind)
{
    cuda_backend *c = cuda_of(b);
    if (cuda_check(c, cudaEventRecord(c->begin[lane], c->stream), "start of a transfer") &&
        cuda_check(c, cudaStreamWaitEvent(c->lanes[lane], c->begin[lane], 0),
                   "ordering of transfers"))
        cuda_check(c, cudaMemcpyAsync(to, from, bytes, kind, c->lanes[lane]), "transfer");
}

static void store_cuda(backend *b, void *host, const void *dev, size_t bytes, int lane)
{
    transfer(b, host, dev, bytes, lane, cudaMemcpyDeviceToHost);
}

static void fetch_cuda(backend *b, void *dev, const void *host, size_t bytes, int lane)
{
    transfer(b, dev, host, bytes, lane, cudaMemcpyHostToDevice);
}

static void join_cuda(backend *b, int lane)
{
    cuda_backend *c = cuda_of(b);
    if (cuda_check(c, cudaEventRecord(c->done[lane], c->lanes[lane]), "end of a transfer"))
        cuda_check(c, cudaStreamWaitEvent(c->stream, c->done[lane], 0), "ordering of transfers");
}

static void put_acc(backend *b, bk_acc *dst, const float *src, size_t n)
{
    cuda_backend *c = cuda_of(b);
    cuda_check(c, cudaMemcpyAsync(dst, src, n * 4, cudaMemcpyHostToDevice, c->stream),
               "copying to the device");
    cuda_check(c, cudaStreamSynchronize(c->stream), "copying to the device");
}

static void put_int(backend *b, bk_int *dst, const int32_t *src, size_t n)
{
    put_acc(b, (bk_acc *)dst, (const float *)src, n);
}

static void get_acc(backend *b, float *dst, const bk_acc *src, size_t n)
{
    cuda_backend *c = cuda_of(b);
    cuda_check(c, cudaMemcpyAsync(dst, src, n * 4, cudaMemcpyDeviceToHost, c->stream),
               "copying from the device");
    cuda_check(c, cudaStreamSynchronize(c->stream), "copying from the device");
}

static void copy_act(backend *b, bk_act *dst, const bk_act *src, size_t n)
{
    cuda_backend *c = cuda_of(b);
    cuda_check(c, cudaMemcpyAsync(dst, src, n * 2, cudaMemcpyDeviceToDevice, c->stream), "copy");
}

static void zero_act(backend *b, bk_act *dst, size_t n)
{
    cuda_backend *c = cuda_of(b);
    cuda_check(c, cudaMemsetAsync(dst, 0, n * 2, c->stream), "zero");
}

static void zero_acc(backend *b, bk_acc *dst, size_t n)
{
    cuda_backend *c = cuda_of(b);
    cuda_check(c, cudaMemsetAsync(dst, 0, n * 4, c->stream), "zero");
}

/* ---- rate ------------------------------------------------------------------------------ */

/* Measured FLOP/s of a matrix product of size 8192 x 8192 x 8192. */
static double measure(cuda_backend *c)
{
    enum { SIDE = 8192, TIMES = 5 };
    size_t n = (size_t)SIDE * SIDE;
    backend *b = &c->table;
    void *x = NULL, *w = NULL, *y = NULL;
    cudaEvent_t from = NULL, to = NULL;
    float ms = 0;
    if (!alloc_cuda(b, &x, n * 2) && !alloc_cuda(b, &w, n * 2) && !alloc_cuda(b, &y, n * 2) &&
        cudaEventCreate(&from) == cudaSuccess && cudaEventCreate(&to) == cudaSuccess) {
        b->linear(b, y, x, w, SIDE, SIDE, SIDE, false);
        cudaEventRecord(from, c->stream);
        for (int i = 0; i < TIMES; i++) b->linear(b, y, x, w, SIDE, SIDE, SIDE, false);
        cudaEventRecord(to, c->stream);
        cudaEventSynchronize(to);
        if (cudaEventElapsedTime(&ms, from, to) != cudaSuccess) ms = 0;
    }
    if (from) cudaEventDestroy(from);
    if (to) cudaEventDestroy(to);
    free_cuda(b, x, 0);
    free_cuda(b, w, 0);
    free_cuda(b, y, 0);
    return ms > 0 ? 2.0 * TIMES * (double)n * SIDE / (ms * 1e-3) : 0;
}

/* Dense bf16 peak by the vendor's datasheets, for MFU; measured on other GPUs. */
static double peak_cuda(backend *b)
{
    static const struct {
        const char *name;
        double rate;
    } known[] = { { "H100 PCIe", 756e12 }, { "H100 NVL", 835e12 }, { "H100", 989e12 },
                  { "H200", 989e12 },      { "GH200", 989e12 },    { "A100", 312e12 },
                  { "A800", 312e12 } };
    cuda_backend *c = cuda_of(b);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strstr(c->gpu, known[i].name)) return known[i].rate;
    return measure(c);
}

/* ---- open ------------------------------------------------------------------------------ */

static void close_cuda(backend *b)
{
    cuda_backend *c = cuda_of(b);
    cudaDeviceSynchronize();
    cuda_attention_close(c);
    cuda_products_close(c);
    cudaFree(c->scratch.p);
    cudaFree(c->staging);
    cudaFree(c->sums);
    for (int i = 0; i < BK_LANES; i++) {
        if (c->begin[i]) cudaEventDestroy(c->begin[i]);
        if (c->done[i]) cudaEventDestroy(c->done[i]);
        if (c->lanes[i]) cudaStreamDestroy(c->lanes[i]);
    }
    if (c->stream) cudaStreamDestroy(c->stream);
    free(c);
}

/* LM_CUDA_ATTENTION chooses the implementation of attention; tests compare the two. */
static int read_attention(cuda_backend *c)
{
    const char *text = getenv("LM_CUDA_ATTENTION");
    if (!text || !*text || !strcmp(text, "auto")) c->attention_kind = CUDA_ATTENTION_AUTO;
    else if (!strcmp(text, "cudnn")) c->attention_kind = CUDA_ATTENTION_CUDNN;
    else if (!strcmp(text, "own")) c->attention_kind = CUDA_ATTENTION_OWN;
    else return lm_fail(LM_EUSAGE, "LM_CUDA_ATTENTION=%s: not one of auto, cudnn, own", text);
    return LM_OK;
}

/* The GPU of this rank: mpirun and srun number the ranks on a machine. */
static int device_of_rank(int count)
{
    static const char *const names[] = { "OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID",
                                         "SLURM_LOCALID" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *text = getenv(names[i]);
        if (text && *text) return (int)(strtoul(text, NULL, 10) % (unsigned long)count);
    }
    return 0;
}

static bool stream(cuda_backend *c, cudaStream_t *s)
{
    return cuda_check(c, cudaStreamCreateWithFlags(s, cudaStreamNonBlocking), "stream");
}

static bool event(cuda_backend *c, cudaEvent_t *e)
{
    return cuda_check(c, cudaEventCreateWithFlags(e, cudaEventDisableTiming), "event");
}

static bool make_queues(cuda_backend *c)
{
    size_t staging = CUDA_STAGING * sizeof(float), sums = CUDA_SUMS * sizeof(double);
    bool good = stream(c, &c->stream);
    for (int i = 0; good && i < BK_LANES; i++)
        good = stream(c, &c->lanes[i]) && event(c, &c->begin[i]) && event(c, &c->done[i]);
    return good && cuda_check(c, cudaMalloc((void **)&c->staging, staging), "memory") &&
           cuda_check(c, cudaMalloc((void **)&c->sums, sums), "memory");
}

static int open_device(cuda_backend *c)
{
    int count = 0, major = 0, minor = 0, driver = 0;
    struct cudaDeviceProp prop;
    if (cudaDriverGetVersion(&driver) != cudaSuccess || !driver)
        return lm_fail(LM_EUSAGE, "backend cuda: no GPU: no NVIDIA driver");
    cudaError_t e = cudaGetDeviceCount(&count);
    if (e != cudaSuccess || !count)
        return lm_fail(LM_EUSAGE, "backend cuda: no GPU that CUDA can use: %s",
                       e != cudaSuccess ? cudaGetErrorString(e) : "none was found");
    c->device = device_of_rank(count);
    e = cudaSetDevice(c->device);
    if (e == cudaSuccess) e = cudaGetDeviceProperties(&prop, c->device);
    if (e != cudaSuccess)
        return lm_fail(LM_EIO, "backend cuda: the GPU does not respond: %s", cudaGetErrorString(e));
    snprintf(c->gpu, sizeof c->gpu, "%.120s", prop.name);
    c->multiprocessors = prop.multiProcessorCount;
    major = prop.major;
    minor = prop.minor;
    c->capability = 10 * major + minor;
    if (c->capability < 80)
        return lm_fail(LM_EUSAGE,
                       "backend cuda: %s has compute capability %d.%d; bfloat16 needs "
                       "8.0",
                       c->gpu, major, minor);
    return make_queues(c) ? LM_OK : lm_fail((enum lm_code)c->fault, "%s", c->fault_text);
}

static void fill_table(backend *b)
{
    b->name = "cuda";
    b->act_bytes = 2;
    b->acc_bytes = 4;
    b->block = CUDA_BLOCK;
    b->master = true;
    b->close = close_cuda;
    b->alloc = alloc_cuda;
    b->free = free_cuda;
    b->available = available_cuda;
    b->alloc_host = alloc_host_cuda;
    b->free_host = free_host_cuda;
    b->store = store_cuda;
    b->fetch = fetch_cuda;
    b->join = join_cuda;
    b->put_acc = put_acc;
    b->put_int = put_int;
    b->get_acc = get_acc;
    b->copy_act = copy_act;
    b->zero_act = zero_act;
    b->zero_acc = zero_acc;
    b->finish = finish_cuda;
    b->peak = peak_cuda;
    cuda_pointwise(b);
    cuda_bias(b);
    cuda_loss(b);
    cuda_update(b);
}

int bk_cuda_open(backend **out)
{
    *out = NULL;
    cuda_backend *c = calloc(1, sizeof *c);
    if (!c) return lm_fail_nomem(sizeof *c);
    fill_table(&c->table);
    c->table.kernels = c->gpu;
    int rc = read_attention(c);
    if (!rc) rc = open_device(c);
    if (!rc) rc = cuda_products_open(c);
    if (!rc) rc = cuda_attention_open(c);
    if (rc) {
        close_cuda(&c->table);
        return rc;
    }
    *out = &c->table;
    return LM_OK;
}
