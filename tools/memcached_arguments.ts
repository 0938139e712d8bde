// The arguments with which the tests start memcached.

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

/** The files of a server that speaks TLS, such as the tests' `TLS_FILES`. */
export interface ServerTlsFiles {
  /** The path of the server's certificate. */
  readonly cert: string;
  /** The path of the certificate's private key. */
  readonly key: string;
  /** The path of the certificate that clients' certificates are signed with. */
  readonly ca: string;
}

/** The options of a memcached process. */
export interface MemcachedOptions {
  /** More arguments, such as `["-m", "64", "-I", "2m"]`. */
  args?: string[];
  /**
   * The port on 127.0.0.1.
   *
   * @default {a free port}
   */
  port?: number;
  /** A unix socket to listen on instead of a port. */
  socketPath?: string;
  /** Uses TLS. Clients need a certificate only with `-o ssl_verify_mode=2`. */
  tls?: ServerTlsFiles;
  /** Requires these credentials before any command. */
  auth?: { username: string; password: string };
}

/** Returns the arguments of a memcached, and the paths to remove after its end. */
export function memcachedArguments(
  options: MemcachedOptions,
  port: number,
): { args: string[]; leftovers: string[] } {
  const { args = [], socketPath, tls, auth } = options;
  const leftovers: string[] = [];
  // One thread suffices and starts sooner, and a small table is quick to list; `args`
  // come last and may override these.
  const all = ["-t", "1", "-o", "hashpower=12"];
  if (process.getuid?.() === 0) all.push("-u", "root");
  if (socketPath === undefined) {
    all.push("-l", "127.0.0.1", "-p", `${port}`);
  } else {
    all.push("-s", socketPath);
    leftovers.push(socketPath);
  }
  if (tls !== undefined) {
    const { cert, key, ca } = tls;
    const files = `ssl_chain_cert=${cert},ssl_key=${key},ssl_ca_cert=${ca}`;
    all.push("-Z", "-o", files);
  }
  if (auth !== undefined) {
    const directory = mkdtempSync(join(tmpdir(), "memcached-"));
    const file = join(directory, "users");
    writeFileSync(file, `${auth.username}:${auth.password}\n`);
    all.push("-Y", file);
    leftovers.push(directory);
  }
  all.push(...args);
  return { args: all, leftovers };
}
