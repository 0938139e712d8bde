// Encodes the commands of memcached's meta protocol. Every key and number is
// checked here before it reaches the wire: one bad key followed by its data block
// would make the server answer twice and shift every answer after that.
//
// The flags, after https://github.com/memcached/memcached/blob/master/doc/protocol.txt
//   v  return the value            c  return the version (compare-and-set token)
//   t  return the seconds left     u  do not count this as a use of the item
//   T  set the time to live        C  store, or remove, only this version
//   ME store only where there is no item (mode "add")
//   O  an opaque token, which the reply repeats: it tells which command the
//      reply belongs to

import { Buffer } from "node:buffer";
import type { CasTokens } from "./cas_tokens.ts";
import { MAX_KEY_BYTES, toExptime } from "./limits.ts";
import type { CasToken } from "./memcache_client.ts";

/** The characters that no key may contain. */
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
 * item without counting as a use of it.
 */
export function encodePeek(key: string, opaque: number): string {
  return `mg ${checkKey(key)} v c t u O${opaque}\r\n`;
}

/** `mg` without a value: renews an item. */
export function encodeTouch(key: string, ttl: number, opaque: number): string {
  return `mg ${checkKey(key)} T${toExptime(ttl)} O${opaque}\r\n`;
}

/** A key that no application uses. */
const UNUSED_KEY = "memcache-client-probe";

/**
 * `mn`, which does nothing. Its reply shows that the server is up and speaks the
 * meta protocol. Proxies answer it themselves, so a dead server behind a proxy does
 * not matter.
 */
export function encodeProbe(): string {
  return "mn\r\n";
}

/**
 * The first commands of a connection, which check that the server is up and ask
 * for its version. Neither has a value, which an old server would run as commands.
 */
export function encodeGreeting(): string {
  return "mn\r\nversion\r\n";
}

/**
 * `md` of a key that no application uses. It follows a command whose own reply may
 * carry no token; the token of this reply shows that no earlier reply is missing.
 */
export function encodeReceipt(opaque: number): string {
  return `md ${UNUSED_KEY} O${opaque}\r\n`;
}

/** `ms`: the line before a value. The value and a line end follow it. */
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
  tokens: Pick<CasTokens, "versionOf">,
): string {
  const version = tokens.versionOf(checkCas(cas));
  return `ms ${checkKey(key)} ${bytes} C${version} T${
    toExptime(ttl)
  } O${opaque}\r\n`;
}

/** `md`: removes an item. */
export function encodeDelete(key: string, opaque: number): string {
  return `md ${checkKey(key)} O${opaque}\r\n`;
}

/** As {@linkcode encodeDelete}, only if the item is still this version. */
export function encodeCompareAndDelete(
  key: string,
  cas: CasToken,
  opaque: number,
  tokens: Pick<CasTokens, "versionOf">,
): string {
  const version = tokens.versionOf(checkCas(cas));
  return `md ${checkKey(key)} C${version} O${opaque}\r\n`;
}

/**
 * Memcached's ASCII authentication: a `set` of `user password`, under any key, as
 * the first command of a connection. A server without authentication stores the
 * item, so the key is one that no application uses, and the time to live of -1
 * makes the item expire at once.
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
  // A 0 stands for no token: the caller read nothing.
  const isSound = typeof cas === "number"
    ? Number.isSafeInteger(cas) && cas > 0
    : /^[1-9]\d{0,19}$/.test(cas);
  if (!isSound) {
    throw new RangeError(
      "Cannot send Memcache command as 'cas' must be a token that a read returned",
    );
  }
  return cas;
}
