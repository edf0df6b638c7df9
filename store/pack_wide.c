#include "pack_wide.h"

#include "plant.h"

#ifdef __x86_64__

#include <immintrin.h>

#define BLOCK 64

static bool is_forbidden;

void
bat_pack_wide_allow(bool allowed)
{
	is_forbidden = !allowed;
}

/* So many of the lowest bits. */
static inline uint64_t
low_bits(size_t count)
{
	return count >= BLOCK ? UINT64_MAX : (UINT64_C(1) << count) - 1;
}

/* The last of the first `count` values. (To look for it from the top takes four
 * steps more, and where the next thing stands waits for this.) */
__attribute__((target("bmi2"))) static inline uint64_t
last_value(uint64_t values, size_t count)
{
	return _pdep_u64(UINT64_C(1) << (count - 1), values);
}

/* As find_values of pack_bytes.c. */
__attribute__((
    target("avx512f,avx512bw,bmi,bmi2,popcnt"))) static inline uint64_t
find_values(__m512i v, size_t left)
{
	const uint64_t even = 0x5555555555555555;
	uint64_t known = low_bits(left);
	uint64_t high = _mm512_movepi8_mask(v);
	uint64_t starts, markers, wrong;

	if (high == 0)
		return known;
	starts = high & ~(high << 1);
	markers = high & ((high + (starts & even)) ^ even);
	wrong = markers &
	    ~_mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8((char)0xcc));
	if (wrong != 0 && !BAT_PLANT(92))
		known &= (wrong & (0 - wrong)) - 1;
	return known & ~markers;
}

__attribute__((
    target("avx512f,avx512bw,avx512vbmi2,bmi,bmi2,popcnt"))) static size_t
take(const uint8_t **at, const uint8_t *end, size_t count, uint8_t *to)
{
	const uint8_t *p = *at;
	size_t done = 0;

	while (done < count) {
		size_t left = (size_t)(end - p);
		__m512i v = left >= BLOCK ?
		    _mm512_loadu_si512(p) :
		    _mm512_maskz_loadu_epi8(low_bits(left), p);
		uint64_t values = find_values(v, left);
		size_t some = (size_t)__builtin_popcountll(values);

		if (some > count - done)
			some = count - done;
		if (some == 0)
			break;
		if (to != NULL)
			_mm512_mask_storeu_epi8(to + done, low_bits(some),
			    _mm512_maskz_compress_epi8(values, v));
		done += some;
		if (BAT_PLANT(451))
			some = (size_t)__builtin_popcountll(values);
		p += __builtin_ctzll(last_value(values, some)) + 1;
	}
	*at = p;
	return done;
}

__attribute__((
    target("avx512f,avx512bw,avx512vbmi2,bmi,bmi2,popcnt"))) static size_t
take_hash(const uint8_t *at, const uint8_t *end, uint8_t to[BAT_HASH_SIZE])
{
	size_t left = (size_t)(end - at);
	__m512i v = left >= BLOCK ? _mm512_loadu_si512(at) :
				    _mm512_maskz_loadu_epi8(low_bits(left), at);
	uint64_t values = find_values(v, left);

	if (__builtin_popcountll(values) < BAT_HASH_SIZE)
		return 0;
	/* What more than 32 there are is in the other half. */
	_mm256_storeu_si256((__m256i_u *)(void *)to,
	    _mm512_castsi512_si256(_mm512_maskz_compress_epi8(values, v)));
	return (size_t)__builtin_ctzll(last_value(values, BAT_HASH_SIZE)) + 1;
}

static bool
is_there(void)
{
	return !is_forbidden && __builtin_cpu_supports("avx512vbmi2") &&
	    __builtin_cpu_supports("avx512bw") &&
	    __builtin_cpu_supports("bmi2");
}

size_t
bat_pack_wide_take(const uint8_t **at, const uint8_t *end, size_t count,
    uint8_t *to)
{
	return is_there() ? take(at, end, count, to) : 0;
}

size_t
bat_pack_wide_hash(const uint8_t *at, const uint8_t *end,
    uint8_t to[BAT_HASH_SIZE])
{
	return is_there() ? take_hash(at, end, to) : 0;
}

#else

void
bat_pack_wide_allow(bool allowed)
{
	(void)allowed;
}

size_t
bat_pack_wide_take(const uint8_t **at, const uint8_t *end, size_t count,
    uint8_t *to)
{
	(void)at;
	(void)end;
	(void)count;
	(void)to;
	return 0;
}

size_t
bat_pack_wide_hash(const uint8_t *at, const uint8_t *end,
    uint8_t to[BAT_HASH_SIZE])
{
	(void)at;
	(void)end;
	(void)to;
	return 0;
}

#endif
