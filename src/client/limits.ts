// What memcached allows: how long a key may be, how large a value, and how it
// reads expiration times.
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
 * Memcached reads an expiration time over 30 days as a date, so a longer time
 * to live has to be sent as one. Dates after January 2038 do not fit its 32
 * bits: such a time to live becomes "no expiry".
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
