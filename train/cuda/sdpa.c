/* cuDNN recognizes attention as a pattern of operations (products, masks and reductions of a
 * softmax) and runs one kernel. In the backward pattern used here the product of scores and keys
 * writes dq directly instead of accumulating in float32 with atomics: so cuDNN on Hopper gives
 * deterministic gradients. It then keeps the gradient of the scores,
 * batch * heads * queries * keys * 2 bytes, in its workspace; attention.c bounds the calls. */
#include "train/cuda/sdpa.h"

#include <cudnn.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLANS = 64, DESCRIPTORS = 160, OPERATIONS = 40, CONFIGS = 8 };

/* Names of inputs and outputs; intermediate tensors are counted on from NAMES. */
enum {
    Q = 1,
    K,
    V,
    O,
    STATS,
    DOUT,
    DQ,
    DK,
    DV,
    SUM,
    Q_AT,
    KV_AT,
    O_AT,
    STATS_AT,
    GRAD_AT,
    Q_LEN,
    KV_LEN,
    SCALE,
    ONE,
    LOWEST,
    LOWEST2,
    NAMES,
};

typedef cudnnBackendDescriptor_t descriptor;

typedef struct plan {
    sdpa_shape shape;
    descriptor all[DESCRIPTORS]; /* must live as long as the plan */
    size_t n_all;
    descriptor made;          /* the execution plan, one of `all` */
    size_t workspace, sum_at; /* bytes; where the sums of dout o begin */
    uint64_t used;
} plan;

struct sdpa {
    cudnnHandle_t handle;
    plan *plans[PLANS];
    uint64_t calls;
};

/* ---- descriptors ----------------------------------------------------------------------- */

typedef struct builder {
    plan *p;
    descriptor ops[OPERATIONS];
    size_t n_ops;
    int64_t names;
    cudnnStatus_t status; /* the first error */
    const char *where;
} builder;

static void note(builder *b, cudnnStatus_t status, const char *where)
{
    if (status == CUDNN_STATUS_SUCCESS || b->status != CUDNN_STATUS_SUCCESS) return;
    b->status = status;
    b->where = where;
}

static descriptor make(builder *b, cudnnBackendDescriptorType_t type)
{
    descriptor d = NULL;
    if (b->p->n_all == DESCRIPTORS) {
        note(b, CUDNN_STATUS_BAD_PARAM_OUT_OF_BOUND, "number of descriptors");
        return NULL;
    }
    note(b, cudnnBackendCreateDescriptor(type, &d), "create descriptor");
    if (d) b->p->all[b->p->n_all++] = d;
    return d;
}

static void set(builder *b, descriptor d, cudnnBackendAttributeName_t name,
                cudnnBackendAttributeType_t type, int64_t n, const void *value)
{
    if (b->status == CUDNN_STATUS_SUCCESS)
        note(b, cudnnBackendSetAttribute(d, name, type, n, value), "set attribute");
}

static void set_descriptor(builder *b, descriptor d, cudnnBackendAttributeName_t name,
                           descriptor value)
{
    set(b, d, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value);
}

static void finish(builder *b, descriptor d, const char *what)
{
    if (b->status == CUDNN_STATUS_SUCCESS) note(b, cudnnBackendFinalize(d), what);
}

/* ---- tensors --------------------------------------------------------------------------- */

typedef struct sizes {
    int64_t v[4];
} sizes;

static sizes of(int64_t a, int64_t b, int64_t c, int64_t d) { return (sizes){ { a, b, c, d } }; }

enum kind { GIVEN, INNER, HOST };

static descriptor tensor(builder *b, int64_t name, cudnnDataType_t type, sizes dims, sizes strides,
                         enum kind kind, descriptor offsets)
{
    bool inner = kind == INNER, host = kind == HOST;
    int64_t alignment = type == CUDNN_DATA_FLOAT && !inner && !host ? 4 : 16; /* a head's own */
    descriptor t = make(b, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    set(b, t, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &name);
    set(b, t, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type);
    set(b, t, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, dims.v);
    set(b, t, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, strides.v);
    set(b, t, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &alignment);
    set(b, t, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &inner);
    set(b, t, CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_TYPE_BOOLEAN, 1, &host);
    if (offsets) set_descriptor(b, t, CUDNN_ATTR_TENSOR_RAGGED_OFFSET_DESC, offsets);
    finish(b, t, "tensor");
    return t;
}

static descriptor inner(builder *b, cudnnDataType_t type, sizes dims, sizes strides)
{
    return tensor(b, b->names++, type, dims, strides, INNER, NULL);
}

static descriptor host_float(builder *b, int64_t name)
{
    return tensor(b, name, CUDNN_DATA_FLOAT, of(1, 1, 1, 1), of(1, 1, 1, 1), HOST, NULL);
}

static descriptor offsets(builder *b, int64_t name)
{
    return tensor(b, name, CUDNN_DATA_INT64, of(b->p->shape.batch + 1, 1, 1, 1), of(1, 1, 1, 1),
                  GIVEN, NULL);
}

static descriptor lengths(builder *b, int64_t name)
{
    return tensor(b, name, CUDNN_DATA_INT32, of(b->p->shape.batch, 1, 1, 1), of(1, 1, 1, 1), GIVEN,
                  NULL);
}

/* [batch, heads, tokens, d] with `row` elements from one token to the next. `transposed`: seen as
 * [batch, heads, d, tokens]. */
static descriptor rows(builder *b, int64_t name, int64_t heads, int64_t tokens, int64_t row,
                       descriptor at, bool transposed)
{
    const sdpa_shape *z = &b->p->shape;
    sizes dims = of(z->batch, heads, tokens, z->d), strides = of(tokens * row, z->d, row, 1);
    if (transposed) {
        dims = of(z->batch, heads, z->d, tokens);
        strides = of(tokens * row, z->d, 1, row);
    }
    return tensor(b, name, CUDNN_DATA_BFLOAT16, dims, strides, GIVEN, at);
}

static descriptor stats(builder *b)
{
    const sdpa_shape *z = &b->p->shape;
    return tensor(b, STATS, CUDNN_DATA_FLOAT, of(z->batch, z->heads, z->queries, 1),
                  of(z->queries * z->stats_row, 1, z->stats_row, 1), GIVEN, offsets(b, STATS_AT));
}

/* A matrix of scores, a virtual tensor. */
static descriptor scores(builder *b, cudnnDataType_t type)
{
    const sdpa_shape *z = &b->p->shape;
    int64_t n = z->queries * z->keys;
    return inner(b, type, of(z->batch, z->heads, z->queries, z->keys),
                 of(z->heads * n, n, z->keys, 1));
}

/* A number for each row of it. */
static descriptor column(builder *b)
{
    const sdpa_shape *z = &b->p->shape;
    return inner(b, CUDNN_DATA_FLOAT, of(z->batch, z->heads, z->queries, 1),
                 of(z->heads * z->queries, z->queries, 1, 1));
}

/* ---- operations ------------------------------------------------------------------------ */

static void operation(builder *b, descriptor op, const char *what)
{
    finish(b, op, what);
    if (b->n_ops == OPERATIONS) note(b, CUDNN_STATUS_BAD_PARAM_OUT_OF_BOUND, "operations");
    else b->ops[b->n_ops++] = op;
}

/* c = a b, where only the first m rows, n columns or k terms count (NULL: all). */
static void matmul(builder *b, descriptor left, descriptor right, descriptor to, descriptor m,
                   descriptor n, descriptor k)
{
    cudnnDataType_t type = CUDNN_DATA_FLOAT;
    descriptor how = make(b, CUDNN_BACKEND_MATMUL_DESCRIPTOR);
    set(b, how, CUDNN_ATTR_MATMUL_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type);
    finish(b, how, "matmul");
    descriptor op = make(b, CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR);
    set_descriptor(b, op, CUDNN_ATTR_OPERATION_MATMUL_ADESC, left);
    set_descriptor(b, op, CUDNN_ATTR_OPERATION_MATMUL_BDESC, right);
    set_descriptor(b, op, CUDNN_ATTR_OPERATION_MATMUL_CDESC, to);
    set_descriptor(b, op, CUDNN_ATTR_OPERATION_MATMUL_DESC, how);
    if (m) set_descriptor(b, op, CUDNN_ATTR_OPERATION_MATMUL_GEMM_M_OVERRIDE_DESC, m);
    if (n) set_descriptor(b, op, CUDNN_ATTR_OPERATION_MATMUL_GEMM_N_OVERRIDE_DESC, n);
    if (k) set_descriptor(b, op, CUDNN_ATTR_OPERATION_MATMUL_GEMM_K_OVERRIDE_DESC, k);
    operation(b, op, "operation matmul");
}

/* to = x (mode) y; y and select may be NULL; axis < 0: none. */
static void pointwise(builder *b, cudnnPointwiseMode_t mode, cudnnDataType_t type, int64_t axis,
                      descriptor x, descriptor y, descriptor select, descriptor to)
{
    descriptor how = make(b, CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    set(b, how, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode);
    set(b, how, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, &type);
    if (axis >= 0) set(b, how, CUDNN_ATTR_POINTWISE_AXIS, CUDNN_TYPE_INT64, 1, &axis);
    finish(b, how, "pointwise");
    descriptor op = make(b, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    set_descriptor(b, op, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, how);
    set_descriptor(b, op, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x);
    if (y) set_descriptor(b, op, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, y);
    if (select) set_descriptor(b, op, CUDNN_ATTR_OPERATION_POINTWISE_TDESC, select);
    set_descriptor(b, op, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, to);
    operation(b, op, "operation pointwise");
}

static descriptor scored(builder *b, cudnnPointwiseMode_t mode, descriptor x, descriptor y)
{
    descriptor to = scores(b, CUDNN_DATA_FLOAT);
    pointwise(b, mode, CUDNN_DATA_FLOAT, -1, x, y, NULL, to);
    return to;
}

static void reduce(builder *b, cudnnReduceTensorOp_t mode, descriptor x, descriptor to)
{
    cudnnDataType_t type = CUDNN_DATA_FLOAT;
    descriptor how = make(b, CUDNN_BACKEND_REDUCTION_DESCRIPTOR);
    set(b, how, CUDNN_ATTR_REDUCTION_OPERATOR, CUDNN_TYPE_REDUCTION_OPERATOR_TYPE, 1, &mode);
    set(b, how, CUDNN_ATTR_REDUCTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type);
    finish(b, how, "reduction");
    descriptor op = make(b, CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR);
    set_descriptor(b, op, CUDNN_ATTR_OPERATION_REDUCTION_DESC, how);
    set_descriptor(b, op, CUDNN_ATTR_OPERATION_REDUCTION_XDESC, x);
    set_descriptor(b, op, CUDNN_ATTR_OPERATION_REDUCTION_YDESC, to);
    operation(b, op, "operation reduction");
}

static void reshape(builder *b, descriptor x, descriptor to)
{
    descriptor op = make(b, CUDNN_BACKEND_OPERATION_RESHAPE_DESCRIPTOR);
    set_descriptor(b, op, CUDNN_ATTR_OPERATION_RESHAPE_XDESC, x);
    set_descriptor(b, op, CUDNN_ATTR_OPERATION_RESHAPE_YDESC, to);
    operation(b, op, "operation reshape");
}

/* ---- masks ----------------------------------------------------------------------------- */

/* Row and column numbers of a matrix of scores. */
static void indices(builder *b, cudnnDataType_t type, descriptor s, descriptor *row,
                    descriptor *col)
{
    *row = scores(b, CUDNN_DATA_INT32);
    *col = scores(b, CUDNN_DATA_INT32);
    pointwise(b, CUDNN_POINTWISE_GEN_INDEX, type, 2, s, NULL, NULL, *row);
    pointwise(b, CUDNN_POINTWISE_GEN_INDEX, type, 3, s, NULL, NULL, *col);
}

static descriptor compare(builder *b, cudnnPointwiseMode_t mode, descriptor x, descriptor y)
{
    descriptor to = scores(b, CUDNN_DATA_BOOLEAN);
    pointwise(b, mode, CUDNN_DATA_BOOLEAN, -1, x, y, NULL, to);
    return to;
}

/* s where `keep`, the lowest number elsewhere. */
static descriptor masked(builder *b, descriptor s, int64_t lowest, descriptor keep)
{
    descriptor to = scores(b, CUDNN_DATA_FLOAT);
    pointwise(b, CUDNN_POINTWISE_BINARY_SELECT, CUDNN_DATA_FLOAT, -1, s, host_float(b, lowest),
              keep, to);
    return to;
}

static descriptor mask_padding(builder *b, descriptor s, descriptor q_len, descriptor kv_len)
{
    descriptor row = NULL, col = NULL;
    indices(b, CUDNN_DATA_INT32, s, &row, &col);
    row = compare(b, CUDNN_POINTWISE_CMP_LT, row, q_len);
    col = compare(b, CUDNN_POINTWISE_CMP_LT, col, kv_len);
    return masked(b, s, LOWEST, compare(b, CUDNN_POINTWISE_LOGICAL_AND, row, col));
}

/* Causal mask: keys up to row + kv_len - q_len. */
static descriptor mask_future(builder *b, descriptor s, descriptor q_len, descriptor kv_len)
{
    descriptor row = NULL, col = NULL, more = scores(b, CUDNN_DATA_INT32),
               last = scores(b, CUDNN_DATA_INT32);
    indices(b, CUDNN_DATA_FLOAT, s, &row, &col);
    pointwise(b, CUDNN_POINTWISE_ADD, CUDNN_DATA_INT32, -1, row, kv_len, NULL, more);
    pointwise(b, CUDNN_POINTWISE_SUB, CUDNN_DATA_INT32, -1, more, q_len, NULL, last);
    return masked(b, s, LOWEST2, compare(b, CUDNN_POINTWISE_CMP_GE, last, col));
}

/* ---- the two patterns ------------------------------------------------------------------ */

static void describe_forward(builder *b)
{
    const sdpa_shape *z = &b->p->shape;
    descriptor kv_at = offsets(b, KV_AT), q_len = lengths(b, Q_LEN), kv_len = lengths(b, KV_LEN);
    descriptor q = rows(b, Q, z->heads, z->queries, z->q_row, offsets(b, Q_AT), false);
    descriptor k = rows(b, K, z->kv_heads, z->keys, z->kv_row, kv_at, true);
    descriptor v = rows(b, V, z->kv_heads, z->keys, z->kv_row, kv_at, false);
    descriptor o = rows(b, O, z->heads, z->queries, z->o_row, offsets(b, O_AT), false);
    descriptor s = scores(b, CUDNN_DATA_FLOAT);
    matmul(b, q, k, s, q_len, kv_len, NULL);
    s = scored(b, CUDNN_POINTWISE_MUL, s, host_float(b, SCALE));
    s = mask_padding(b, s, q_len, kv_len);
    if (z->causal) s = mask_future(b, s, q_len, kv_len);
    descriptor top = column(b), sum = column(b), log_sum = column(b);
    reduce(b, CUDNN_REDUCE_TENSOR_MAX, s, top);
    descriptor e = scored(b, CUDNN_POINTWISE_EXP, scored(b, CUDNN_POINTWISE_SUB, s, top), NULL);
    reduce(b, CUDNN_REDUCE_TENSOR_ADD, e, sum);
    pointwise(b, CUDNN_POINTWISE_LOG, CUDNN_DATA_FLOAT, -1, sum, NULL, NULL, log_sum);
    pointwise(b, CUDNN_POINTWISE_ADD, CUDNN_DATA_FLOAT, -1, top, log_sum, NULL, stats(b));
    descriptor p = scores(b, CUDNN_DATA_BFLOAT16);
    pointwise(b, CUDNN_POINTWISE_DIV, CUDNN_DATA_FLOAT, -1, e, sum, NULL, p);
    matmul(b, p, v, o, q_len, NULL, kv_len);
}

/* to[keys] = x^T y summed over the query heads of a key head; x are scores. */
static void to_keys(builder *b, descriptor x, descriptor y, descriptor to, descriptor q_len,
                    descriptor kv_len)
{
    const sdpa_shape *z = &b->p->shape;
    int64_t n = z->queries * z->keys;
    descriptor transposed =
        inner(b, CUDNN_DATA_BFLOAT16, of(z->batch, z->heads, z->keys, z->queries),
              of(z->heads * n, n, 1, z->keys));
    reshape(b, x, transposed);
    if (z->heads == z->kv_heads) {
        matmul(b, transposed, y, to, kv_len, NULL, q_len);
        return;
    }
    descriptor each = inner(b, CUDNN_DATA_BFLOAT16, of(z->batch, z->heads, z->keys, z->d),
                            of(z->heads * z->keys * z->d, z->keys * z->d, z->d, 1));
    matmul(b, transposed, y, each, kv_len, NULL, q_len);
    reduce(b, CUDNN_REDUCE_TENSOR_ADD, each, to);
}

static void describe_backward(builder *b)
{
    const sdpa_shape *z = &b->p->shape;
    descriptor q_at = offsets(b, Q_AT), kv_at = offsets(b, KV_AT), grad_at = offsets(b, GRAD_AT);
    descriptor q_len = lengths(b, Q_LEN), kv_len = lengths(b, KV_LEN);
    descriptor q = rows(b, Q, z->heads, z->queries, z->q_row, q_at, false);
    descriptor k = rows(b, K, z->kv_heads, z->keys, z->kv_row, kv_at, true);
    descriptor v = rows(b, V, z->kv_heads, z->keys, z->kv_row, kv_at, true);
    descriptor o = rows(b, O, z->heads, z->queries, z->q_row, q_at, false);
    descriptor dout = rows(b, DOUT, z->heads, z->queries, z->q_row, q_at, false);
    descriptor dq = rows(b, DQ, z->heads, z->queries, z->q_row, q_at, false);
    descriptor dk = rows(b, DK, z->kv_heads, z->keys, z->grad_row, grad_at, false);
    descriptor dv = rows(b, DV, z->kv_heads, z->keys, z->grad_row, grad_at, false);
    descriptor scale = host_float(b, SCALE);

    descriptor both =
        inner(b, CUDNN_DATA_FLOAT, of(z->batch, z->heads, z->queries, z->d),
              of(z->heads * z->queries * z->d, z->queries * z->d, z->heads * z->d, 1));
    descriptor reduced = column(b);
    descriptor sum = tensor(b, SUM, CUDNN_DATA_FLOAT, of(z->batch, z->heads, z->queries, 1),
                            of(z->heads * z->queries, z->queries, 1, 1), GIVEN, NULL);
    pointwise(b, CUDNN_POINTWISE_MUL, CUDNN_DATA_FLOAT, -1, dout, o, NULL, both);
    reduce(b, CUDNN_REDUCE_TENSOR_ADD, both, reduced);
    pointwise(b, CUDNN_POINTWISE_MUL, CUDNN_DATA_FLOAT, -1, reduced, host_float(b, ONE), NULL, sum);

    descriptor s = scores(b, CUDNN_DATA_FLOAT), dp = scores(b, CUDNN_DATA_FLOAT);
    matmul(b, q, k, s, q_len, kv_len, NULL);
    s = scored(b, CUDNN_POINTWISE_MUL, s, scale);
    s = mask_padding(b, s, q_len, kv_len);
    s = scored(b, CUDNN_POINTWISE_SUB, s, stats(b));
    if (z->causal) s = mask_future(b, s, q_len, kv_len);
    descriptor p = scored(b, CUDNN_POINTWISE_EXP, s, NULL);
    to_keys(b, p, dout, dv, q_len, kv_len);

    matmul(b, dout, v, dp, q_len, kv_len, NULL);
    descriptor ds = scored(b, CUDNN_POINTWISE_SUB, dp, sum);
    ds = scored(b, CUDNN_POINTWISE_MUL, ds, p);
    ds = scored(b, CUDNN_POINTWISE_MUL, ds, scale);
    to_keys(b, ds, q, dk, q_len, kv_len);

    descriptor straight =
        tensor(b, b->names++, CUDNN_DATA_FLOAT, of(z->batch, z->kv_heads, z->keys, z->d),
               of(z->keys * z->kv_row, z->d, z->kv_row, 1), INNER, kv_at);
    reshape(b, k, straight);
    matmul(b, ds, straight, dq, q_len, NULL, kv_len);
}

/* ---- plans ----------------------------------------------------------------------------- */

/* Whether the engine of a configuration is nondeterministic. */
static bool unsteady(builder *b, descriptor config)
{
    cudnnBackendNumericalNote_t notes[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
    int64_t n = 0;
    descriptor engine = make(b, CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    cudnnStatus_t status = cudnnBackendGetAttribute(config, CUDNN_ATTR_ENGINECFG_ENGINE,
                                                    CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &n, &engine);
    if (status != CUDNN_STATUS_SUCCESS) return true;
    status = cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
                                      CUDNN_TYPE_NUMERICAL_NOTE, CUDNN_NUMERICAL_NOTE_TYPE_COUNT,
                                      &n, notes);
    if (status != CUDNN_STATUS_SUCCESS) return true;
    for (int64_t i = 0; i < n; i++)
        if (notes[i] == CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC) return true;
    return false;
}

/* The first of cuDNN's proposals that it can run and that is deterministic. */
static int choose(builder *b, cudnnHandle_t handle, descriptor graph)
{
    cudnnBackendHeurMode_t mode = CUDNN_HEUR_MODE_A;
    descriptor heuristics = make(b, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR), configs[CONFIGS];
    set_descriptor(b, heuristics, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
    set(b, heuristics, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode);
    finish(b, heuristics, "heuristics");
    for (size_t i = 0; i < CONFIGS; i++) configs[i] = make(b, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    int64_t n = 0;
    if (b->status == CUDNN_STATUS_SUCCESS)
        note(b,
             cudnnBackendGetAttribute(heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                      CUDNN_TYPE_BACKEND_DESCRIPTOR, CONFIGS, &n, configs),
             "results of the heuristics");
    if (b->status != CUDNN_STATUS_SUCCESS) return LM_EUSAGE;
    cudnnStatus_t last = CUDNN_STATUS_NOT_SUPPORTED;
    for (int64_t i = 0; i < n && i < CONFIGS; i++) {
        int64_t bytes = 0, one = 0;
        if (unsteady(b, configs[i])) continue;
        descriptor made = make(b, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
        if (!made) break;
        last = cudnnBackendSetAttribute(made, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE,
                                        1, &handle);
        if (last == CUDNN_STATUS_SUCCESS)
            last = cudnnBackendSetAttribute(made, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG,
                                            CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &configs[i]);
        if (last == CUDNN_STATUS_SUCCESS) last = cudnnBackendFinalize(made);
        if (last == CUDNN_STATUS_SUCCESS)
            last = cudnnBackendGetAttribute(made, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE,
                                            CUDNN_TYPE_INT64, 1, &one, &bytes);
        if (last != CUDNN_STATUS_SUCCESS) continue;
        b->p->made = made;
        b->p->workspace = (size_t)bytes;
        return LM_OK;
    }
    note(b, last, "execution plan");
    return LM_EUSAGE;
}

static void plan_free(plan *p)
{
    if (!p) return;
    while (p->n_all) cudnnBackendDestroyDescriptor(p->all[--p->n_all]);
    free(p);
}

static int plan_make(plan **out, cudnnHandle_t handle, const sdpa_shape *z)
{
    *out = NULL;
    plan *p = calloc(1, sizeof *p);
    if (!p) return lm_fail_nomem(sizeof *p);
    p->shape = *z;
    builder b = { .p = p, .names = NAMES, .status = CUDNN_STATUS_SUCCESS };
    if (z->back) describe_backward(&b);
    else describe_forward(&b);
    descriptor graph = make(&b, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    set(&b, graph, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &handle);
    set(&b, graph, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, (int64_t)b.n_ops,
        b.ops);
    finish(&b, graph, "operation graph");
    if (b.status != CUDNN_STATUS_SUCCESS || choose(&b, handle, graph)) {
        char why[512] = "";
        cudnnGetLastErrorString(why, sizeof why);
        int rc = lm_fail(LM_EUSAGE,
                         "cuDNN %zu has no plan for attention%s with %lld heads on %lld of %lld: "
                         "%s: %s (%s). LM_CUDA_ATTENTION=own does not need it",
                         cudnnGetVersion(), z->back ? " backward" : "", (long long)z->heads,
                         (long long)z->kv_heads, (long long)z->d, b.where,
                         cudnnGetErrorString(b.status), why);
        plan_free(p);
        return rc;
    }
    p->sum_at = (p->workspace + 255) / 256 * 256;
    if (z->back)
        p->workspace = p->sum_at + (size_t)(z->batch * z->heads * z->queries) * sizeof(float);
    *out = p;
    return LM_OK;
}

/* The plan of a shape; a new one replaces the least recently used. */
static int plan_of(sdpa *s, const sdpa_shape *z, plan **out)
{
    size_t oldest = 0;
    for (size_t i = 0; i < PLANS; i++) {
        plan *p = s->plans[i];
        if (p && !memcmp(&p->shape, z, sizeof *z)) {
            *out = p;
            p->used = ++s->calls;
            return LM_OK;
        }
        plan *q = s->plans[oldest];
        if (q && (!p || p->used < q->used)) oldest = i;
    }
    int rc = plan_make(out, s->handle, z);
    if (rc) return rc;
    if (s->plans[oldest]) cudaDeviceSynchronize(); /* its kernels may still be queued */
    plan_free(s->plans[oldest]);
    s->plans[oldest] = *out;
    (*out)->used = ++s->calls;
    return LM_OK;
}

/* ---- calls ----------------------------------------------------------------------------- */

bool sdpa_takes(size_t d, bool back) { return d && d % 8 == 0 && d <= (back ? 128 : 256); }

int sdpa_workspace(sdpa *s, const sdpa_shape *z, size_t *bytes)
{
    plan *p = NULL;
    int rc = plan_of(s, z, &p);
    if (!rc) *bytes = p->workspace;
    return rc;
}

int sdpa_run(sdpa *s, const sdpa_shape *z, const sdpa_call *c, void *workspace)
{
    plan *p = NULL;
    int rc = plan_of(s, z, &p);
    if (rc) return rc;
    float scale = c->scale, one = 1;
    float lowest = cudnnGetVersion() < 91000 ? -3.402823466e38f : -INFINITY;
    int64_t names[NAMES];
    const void *values[NAMES];
    int64_t n = 0;
#define GIVE(name, value) (names[n] = (name), values[n++] = (value))
    GIVE(Q, c->q), GIVE(K, c->k), GIVE(V, c->v), GIVE(O, c->o), GIVE(STATS, c->stats);
    GIVE(Q_AT, c->q_at), GIVE(KV_AT, c->kv_at), GIVE(STATS_AT, c->stats_at);
    GIVE(Q_LEN, c->q_len), GIVE(KV_LEN, c->kv_len), GIVE(SCALE, &scale), GIVE(LOWEST, &lowest);
    if (z->causal) GIVE(LOWEST2, &lowest);
    if (z->back) {
        GIVE(DOUT, c->dout), GIVE(DQ, c->dq), GIVE(DK, c->dk), GIVE(DV, c->dv), GIVE(ONE, &one);
        GIVE(GRAD_AT, c->grad_at), GIVE(SUM, (char *)workspace + p->sum_at);
    } else {
        GIVE(O_AT, c->o_at);
    }
#undef GIVE
    builder b = { .status = CUDNN_STATUS_SUCCESS };
    descriptor pack = NULL;
    note(&b, cudnnBackendCreateDescriptor(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, &pack),
         "arguments");
    set(&b, pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, n, names);
    set(&b, pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, n, values);
    set(&b, pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &workspace);
    finish(&b, pack, "arguments");
    if (b.status == CUDNN_STATUS_SUCCESS)
        note(&b, cudnnBackendExecute(s->handle, p->made, pack), "execute");
    if (b.status != CUDNN_STATUS_SUCCESS) {
        char why[512] = "";
        cudnnGetLastErrorString(why, sizeof why);
        rc = lm_fail(LM_EIO, "cuDNN %zu, attention%s: %s: %s (%s)", cudnnGetVersion(),
                     z->back ? " backward" : "", b.where, cudnnGetErrorString(b.status), why);
    }
    if (pack) cudnnBackendDestroyDescriptor(pack);
    return rc;
}

int sdpa_open(sdpa **out, cudaStream_t stream)
{
    *out = NULL;
    size_t version = cudnnGetVersion();
    if (version < 90600 || version == 91000 || version == 91001)
        return lm_fail(LM_EUSAGE,
                       "cuDNN %zu: attention needs 9.6 or later, and not 9.10.0 or 9.10.1, whose "
                       "results are wrong",
                       version);
    sdpa *s = calloc(1, sizeof *s);
    if (!s) return lm_fail_nomem(sizeof *s);
    cudnnStatus_t status = cudnnCreate(&s->handle);
    if (status == CUDNN_STATUS_SUCCESS) status = cudnnSetStream(s->handle, stream);
    if (status != CUDNN_STATUS_SUCCESS) {
        sdpa_close(s);
        return lm_fail(LM_EIO, "cuDNN %zu does not start: %s", version,
                       cudnnGetErrorString(status));
    }
    *out = s;
    return LM_OK;
}

void sdpa_close(sdpa *s)
{
    if (!s) return;
    for (size_t i = 0; i < PLANS; i++) plan_free(s->plans[i]);
    if (s->handle) cudnnDestroy(s->handle);
    free(s);
}
