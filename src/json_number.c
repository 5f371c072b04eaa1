/* json_number.c: numbers of JSON as integers and doubles, exactly: see json.h.
 *
 * Most are short: their digits fit into 64 bits, and one multiplication or
 * division gives the nearest double. strtod decides the rest; it gets digits
 * without a point, since a locale may want a comma in its place.
 */
#include "json.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK        8   /* digits that are read at once */
#define SAFE_DIGITS  19  /* so many always fit into 64 bits */
#define KEPT_DIGITS  800 /* more decide nothing but whether the rest is zero (767 would do) */
#define MAX_EXPONENT ((int64_t)1 << 32)
#define QUICK_POWER  22 /* the largest power of ten that a double holds exactly */
#define LONG_POWER   27 /* the largest power of five that 64 bits hold */

typedef struct decimal {
  const char *digits; /* where they begin; a point may stand among them */
  uint64_t mantissa;  /* of SAFE_DIGITS digits at most; else nonsense */
  int64_t exponent;   /* the value is mantissa * 10^exponent */
  bool negative;
  bool whole; /* written without a point and an exponent */
  bool safe;  /* mantissa is right */
} decimal;

static const double powers_of_ten[QUICK_POWER + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* ---- eight digits at once: a byte of a block each, the first the lowest ---- */

static inline uint64_t block_at(const char *at) {
  const unsigned char *bytes = (const unsigned char *)at;
  uint64_t low =
      bytes[0] | (uint64_t)bytes[1] << 8 | (uint64_t)bytes[2] << 16 | (uint64_t)bytes[3] << 24;
  uint64_t high =
      bytes[4] | (uint64_t)bytes[5] << 8 | (uint64_t)bytes[6] << 16 | (uint64_t)bytes[7] << 24;
  return low | high << 32;
}

/* Whether the high half of each byte is that of a digit, also when 6 is added to the low one. */
static inline bool are_digits(uint64_t block) {
  const uint64_t high = 0xF0F0F0F0F0F0F0F0U, digits = 0x3030303030303030U;
  return (block & high) == digits && ((block + 0x0606060606060606U) & high) == digits;
}

/* Joins neighbours: bytes to pairs, those to groups of four, those to the number. */
static inline uint64_t number_of(uint64_t block) {
  block = (block & 0x0F0F0F0F0F0F0F0FU) * (10 * 0x100 + 1) >> 8;
  block = (block & 0x00FF00FF00FF00FFU) * (100 * 0x10000 + 1) >> 16;
  return (block & 0x0000FFFF0000FFFFU) * (10000 * 0x100000000U + 1) >> 32;
}

/* The number that begins with *n and goes on with the digits at `at`, whose end it returns. */
static inline const char *read_digits(const char *at, const char *end, uint64_t *n) {
  uint64_t block;
  for (; end - at >= BLOCK && are_digits(block = block_at(at)); at += BLOCK)
    *n = *n * 100000000 + number_of(block);
  for (; is_digit(*at); at++) *n = *n * 10 + (uint64_t)(*at - '0');
  return at;
}

/* ---- to the nearest double ---- */

/* Shifts until the highest bit is set; returns by how much. `n` is not 0. */
static int normalize(uint64_t *n) {
  int shift = 0;
  for (int step = 32; step > 0; step /= 2) {
    if (*n >> (64 - step) != 0) continue;
    *n <<= step;
    shift += step;
  }
  return shift;
}

/* One digit of a long division in base 2^32: `rest` < `divisor`, whose highest bit is set. */
static uint64_t divide_step(uint64_t *rest, uint64_t next, uint64_t divisor) {
  uint64_t high = divisor >> 32, low = divisor & UINT32_MAX;
  uint64_t digit = *rest / high, left = *rest % high;
  while (digit > UINT32_MAX || digit * low > (left << 32 | next)) {
    digit--;
    left += high;
    if (left > UINT32_MAX) break;
  }
  *rest = (*rest << 32 | next) - digit * divisor;
  return digit;
}

/* The double 0.q * 2^exponent, rounded to even; q has its highest bit set, `rest` says that it goes
 * on behind its last. The exponent is far from the limits of doubles. */
static double assemble(uint64_t q, bool rest, int exponent) {
  uint64_t kept = q >> 11, cut = q & 0x7FF;
  double value;
  if (cut > 0x400 || (cut == 0x400 && (rest || (kept & 1) != 0))) kept++;
  uint64_t bits = ((uint64_t)(exponent + 1021) << 52) + kept;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* n / 10^power, for a power up to LONG_POWER. */
static double divide(uint64_t n, int power) {
  uint64_t divisor = 1;
  for (int i = 0; i < power; i++) divisor *= 5;
  int exponent = normalize(&divisor) - normalize(&n) - power;
  uint64_t next = 0;
  if (n >= divisor) { /* so that the quotient has 64 bits: see divide_step */
    next = n << 63;
    n >>= 1;
    exponent++;
  }
  uint64_t q = divide_step(&n, next >> 32, divisor) << 32;
  q |= divide_step(&n, next & UINT32_MAX, divisor);
  return assemble(q, n != 0, exponent);
}

/* All digits, without the point, behind each other: locales differ about the point alone. */
static double ask_strtod(const decimal *d) {
  char text[KEPT_DIGITS + 32];
  size_t n = 0;
  int64_t exponent = d->exponent;
  bool rest = false;
  for (const char *at = d->digits; is_digit(*at) || *at == '.'; at++) {
    if (*at == '.' || (*at == '0' && n == 0)) continue;
    if (n < KEPT_DIGITS) {
      text[n++] = *at;
      continue;
    }
    rest = rest || *at != '0';
    exponent++;
  }
  if (n == 0) return 0;
  text[n++] = rest ? '1' : '0'; /* one more, and so one power of ten less */
  exponent--;
  if (exponent > 99999) exponent = 99999;
  if (exponent < -99999) exponent = -99999;
  text[n++] = 'e';
  if (exponent < 0) text[n++] = '-';
  int64_t left = exponent < 0 ? -exponent : exponent;
  for (int64_t unit = 10000; unit > 0; unit /= 10) text[n++] = (char)('0' + left / unit % 10);
  text[n] = '\0';
  return strtod(text, NULL);
}

static double nearest_to_long(const decimal *d) {
  int64_t e = d->exponent;
  if (!d->safe) return ask_strtod(d);
  if (d->mantissa == 0) return 0;
  if (e < 0 && e >= -LONG_POWER) return divide(d->mantissa, (int)-e);
  return ask_strtod(d);
}

static inline double nearest(const decimal *d) {
  int64_t e = d->exponent;
  if (FLT_EVAL_METHOD != 0 || !d->safe || d->mantissa > (uint64_t)JSON_EXACT || e < -QUICK_POWER ||
      e > QUICK_POWER)
    return nearest_to_long(d);
  return e < 0 ? (double)d->mantissa / powers_of_ten[-e] : (double)d->mantissa * powers_of_ten[e];
}

/* ---- the grammar ---- */

static const char *read_exponent(const char *at, decimal *d, const char **fault) {
  int64_t e = 0;
  bool negative = *++at == '-';
  if (*at == '-' || *at == '+') at++;
  if (!is_digit(*at)) *fault = "expected a digit in the exponent";
  for (; is_digit(*at); at++)
    if (e < MAX_EXPONENT) e = e * 10 + (*at - '0');
  d->exponent += negative ? -e : e;
  return at;
}

/* Leading zeros fill no bits. */
static bool fits(const char *digits, size_t n) {
  for (; n > SAFE_DIGITS && (*digits == '0' || *digits == '.'); digits++) n -= *digits == '0';
  return n <= SAFE_DIGITS;
}

static inline const char *read_decimal(const char *at, const char *end, decimal *d,
                                       const char **fault) {
  uint64_t m = 0;
  const char *point;
  d->digits = at;
  for (; is_digit(*at); at++) m = m * 10 + (uint64_t)(*at - '0');
  size_t n = (size_t)(at - d->digits);
  if (n > 1 && *d->digits == '0') {
    *fault = "a number begins with 0";
    return d->digits;
  }
  if (n == 0) *fault = "expected a digit";
  d->whole = *at != '.' && (*at | 0x20) != 'e';
  if (*at == '.') {
    point = at;
    at = read_digits(at + 1, end, &m);
    if (at == point + 1) *fault = "expected a digit after the point";
    n += (size_t)(at - point - 1);
    d->exponent = -(at - point - 1);
  }
  d->mantissa = m;
  d->safe = n <= SAFE_DIGITS || fits(d->digits, n);
  return (*at | 0x20) == 'e' && *fault == NULL ? read_exponent(at, d, fault) : at;
}

static bool as_integer(const decimal *d, json_number *out) {
  const uint64_t max = INT64_MAX;
  if (!d->safe || d->mantissa > max + d->negative) return false;
  if (d->mantissa > max)
    out->integer = INT64_MIN;
  else
    out->integer = d->negative ? -(int64_t)d->mantissa : (int64_t)d->mantissa;
  return true;
}

/* A whole number that was written otherwise, as 1.0 or 1e2. */
static bool is_whole(double value) {
  const double exact = (double)JSON_EXACT;
  return value < exact && value > -exact && value == (double)(int64_t)value;
}

const char *json_read_number(const char *at, const char *end, json_number *out,
                             const char **fault) {
  decimal d = {.negative = *at == '-'};
  *fault = NULL;
  if (d.negative) at++;
  if (*at == 'I' && d.negative && strncmp(at, "Infinity", 8) == 0) {
    *out = (json_number){.number = -(double)INFINITY};
    return at + 8;
  }
  at = read_decimal(at, end, &d, fault);
  if (*fault != NULL) return at;
  out->is_integer = d.whole && as_integer(&d, out);
  if (out->is_integer) return at;
  out->number = d.negative ? -nearest(&d) : nearest(&d);
  out->is_integer = is_whole(out->number);
  if (out->is_integer) out->integer = (int64_t)out->number;
  return at;
}
