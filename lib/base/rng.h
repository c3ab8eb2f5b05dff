/* rng.h -- randomness as a pure function: no state, no order of calls.
 *
 * lm_hash4 is normative (docs/determinism.md): every choice of a mixture is made by comparing
 * its values, so a change of it changes every mixture. */
#ifndef LM_LIB_BASE_RNG_H
#define LM_LIB_BASE_RNG_H

#include <stdint.h>

/* The finaliser of SplitMix64 (Steele, Lea, Flood 2014; Stafford's variant 13): a bijection
 * of 64-bit words. */
static inline uint64_t lm_mix64(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* A 64-bit value of (seed, a, b, c), uniform in each argument when the others are held. */
static inline uint64_t lm_hash4(uint64_t seed, uint64_t a, uint64_t b, uint64_t c)
{
    const uint64_t g = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t h = lm_mix64(seed + g);
    h = lm_mix64((h ^ a) + g);
    h = lm_mix64((h ^ b) + g);
    return lm_mix64((h ^ c) + g);
}

/* A double in [0, 1) with 53 bits, from a 64-bit value. */
static inline double lm_unit(uint64_t v) { return (double)(v >> 11) * 0x1p-53; }

__extension__ typedef unsigned __int128 u128;

/* A 64-bit value scaled to 0 .. n-1: floor(v n / 2^64). */
static inline uint64_t lm_scale(uint64_t v, uint64_t n) { return (uint64_t)((u128)v * n >> 64); }

#endif
