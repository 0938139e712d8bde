// Memcached's limits: the longest key, the largest value, and how it reads
// expiration times.
// https://github.com/memcached/memcached/blob/master/doc/protocol.txt

/** The longest key that memcached takes, in bytes. */
export const MAX_KEY_BYTES = 250;

/**
 * The largest value in bytes that memcached takes unless it was started with
 * `-I`: 1 MiB less 512 bytes for its item header, a key of 250 bytes and flags.
 */
export const DEFAULT_MAX_VALUE_BYTES: number = 2 ** 20 - 512;

const MAX_RELATIVE_EXPTIME = 60 * 60 * 24 * 30;
const MAX_EXPTIME = 2 ** 31 - 1;

/**
 * Converts a time to live in seconds to memcached's expiration time. Memcached reads
 * anything over 30 days as a date, so a longer time to live has to be sent as a
 * date. Dates after January 2038 do not fit into 32 bits: such a time to live
 * becomes "no expiry".
 *
 * @throws {RangeError} If the time to live is not a non-negative integer.
 */
export function toExptime(ttl: number): number {
  if (!Number.isSafeInteger(ttl) || ttl < 0) {
    throw new RangeError(
      `Cannot send Memcache command as 'ttl' must be a non-negative integer: current value is ${ttl}`,
    );
  }
  if (ttl <= MAX_RELATIVE_EXPTIME) return ttl;
  const date = Math.floor(Date.now() / 1000) + ttl;
  return date > MAX_EXPTIME ? 0 : date;
}
