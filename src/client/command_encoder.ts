// The commands of memcached's meta protocol as text. Whatever reaches the wire
// was checked here: one bad key followed by its data block would make the
// server answer twice and shift every answer after it.
//
// The flags, after https://github.com/memcached/memcached/blob/master/doc/protocol.txt
//   v  return the value            c  return the version (compare-and-set token)
//   t  return the seconds left     u  do not count this as a use of the item
//   T  set the time to live        C  store only over this version
//   ME store only where there is no item (mode "add")
//   O  a token of ours, which the reply repeats: it shows whose reply it is

import { Buffer } from "node:buffer";
import { MAX_KEY_BYTES, toExptime } from "./limits.ts";
import type { CasToken } from "./memcache_client.ts";

/** What no key may contain. */
const UNSAFE = /[^\x21-\x7e]/;

/** `mg`: reads an item with its version. */
export function encodeGet(key: string, opaque: number): string {
  return `mg ${checkKey(key)} v c O${opaque}\r\n`;
}

/** `mg` with a time to live: reads an item and renews it. */
export function encodeGetAndTouch(
  key: string,
  ttl: number,
  opaque: number,
): string {
  return `mg ${checkKey(key)} v c T${toExptime(ttl)} O${opaque}\r\n`;
}

/**
 * `mg` with the time to live (`t`), and without a bump in the LRU (`u`): reads an
 * item as nobody's use of it.
 */
export function encodePeek(key: string, opaque: number): string {
  return `mg ${checkKey(key)} v c t u O${opaque}\r\n`;
}

/** `mg` without a value: renews an item. */
export function encodeTouch(key: string, ttl: number, opaque: number): string {
  return `mg ${checkKey(key)} T${toExptime(ttl)} O${opaque}\r\n`;
}

/** A key that nobody uses. */
const UNUSED_KEY = "memcache-client-probe";

/**
 * `mn`, which does nothing: is the server there, and does it speak meta? Proxies
 * answer it themselves, so that a server behind one that is down does not matter.
 */
export function encodeProbe(): string {
  return "mn\r\n";
}

/**
 * What a connection begins with: is the server there, and which version is it?
 * Neither command has a value, which an old server would run as commands.
 */
export function encodeGreeting(): string {
  return "mn\r\nversion\r\n";
}

/**
 * `md` of a key that nobody uses, after a command whose own reply may carry no
 * token: this one's does, and shows that no reply before it is missing.
 */
export function encodeReceipt(opaque: number): string {
  return `md ${UNUSED_KEY} O${opaque}\r\n`;
}

/** The line before a value: `ms`. The value and a line end come after it. */
export function encodeSet(
  key: string,
  bytes: number,
  ttl: number,
  opaque: number,
): string {
  return `ms ${checkKey(key)} ${bytes} T${toExptime(ttl)} O${opaque}\r\n`;
}

/** As {@linkcode encodeSet}, in `add` mode: only where there is no item. */
export function encodeAdd(
  key: string,
  bytes: number,
  ttl: number,
  opaque: number,
): string {
  return `ms ${checkKey(key)} ${bytes} ME T${toExptime(ttl)} O${opaque}\r\n`;
}

/** As {@linkcode encodeSet}, only if the item is still this version. */
export function encodeCompareAndSet(
  key: string,
  bytes: number,
  cas: CasToken,
  ttl: number,
  opaque: number,
): string {
  return `ms ${checkKey(key)} ${bytes} C${checkCas(cas)} T${
    toExptime(ttl)
  } O${opaque}\r\n`;
}

/** `md`: removes an item. */
export function encodeDelete(key: string, opaque: number): string {
  return `md ${checkKey(key)} O${opaque}\r\n`;
}

/**
 * Memcached's ASCII authentication: a `set`, whose key does not matter, of
 * `user password` as the first command of a connection. A server that asks for
 * none really sets it: the key is one that nobody uses, and what has the time to
 * live -1 has expired at once.
 */
export function encodeAuthentication(
  username: string,
  password: string,
): string {
  const bytes = Buffer.byteLength(username) + 1 + Buffer.byteLength(password);
  return `set ${UNUSED_KEY} 0 -1 ${bytes}\r\n${username} ${password}\r\n`;
}

function checkKey(key: string): string {
  const fits = typeof key === "string" && key !== "" &&
    key.length <= MAX_KEY_BYTES;
  if (!fits || UNSAFE.test(key)) {
    throw new RangeError(
      `Cannot send Memcache command as 'key' must be 1 to ${MAX_KEY_BYTES} printable ASCII characters without spaces`,
    );
  }
  return key;
}

function checkCas(cas: CasToken): CasToken {
  const isSound = typeof cas === "number"
    ? Number.isSafeInteger(cas) && cas >= 0
    : /^\d{1,20}$/.test(cas);
  if (!isSound) {
    throw new RangeError(
      "Cannot send Memcache command as 'cas' must be a token that a read returned",
    );
  }
  return cas;
}
