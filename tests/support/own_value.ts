// Values that prove whose they are, which one they are and that they are whole.

import { Buffer } from "node:buffer";

/** The value of a key in a version; lengths differ from version to version. */
export function ownValue(key: string, version: number): string {
  return `${key}/${version}/${"x".repeat((version * 37 + key.length) % 300)}`;
}

/** The version of a value of this key; `undefined` if it is not one, byte for byte. */
export function versionOf(key: string, value: Uint8Array): number | undefined {
  const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    .toString("latin1");
  const version = Number(text.split("/", 2)[1]);
  return text === ownValue(key, version) ? version : undefined;
}
