// Throw-away certificates for tests, made with the openssl command line.

import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** Paths of PEM files. */
export interface CertificateFiles {
  /** The certificate. */
  readonly cert: string;
  /** Its private key. */
  readonly key: string;
}

/** The files that `makeTlsFiles()` has made. All values are paths. */
export interface TlsFiles extends CertificateFiles, AsyncDisposable {
  /** The certificate authority that signed `cert` and `client`. */
  readonly ca: string;
  /** A client's certificate. */
  readonly client: CertificateFiles;
  /** What another certificate authority signed, for the same names as `cert`. */
  readonly stranger: CertificateFiles & { readonly ca: string };
}

const NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1";

/** Makes the certificates of a server for `localhost` and 127.0.0.1, and others. */
export async function makeTlsFiles(): Promise<TlsFiles> {
  const directory = await mkdtemp(join(tmpdir(), "tls-"));
  const [ca, strangerCa] = await Promise.all([
    makeAuthority(directory, "ca"),
    makeAuthority(directory, "stranger-ca"),
  ]);
  const [server, client, stranger] = await Promise.all([
    sign(directory, "server", ca, NAMES),
    sign(directory, "client", ca, "extendedKeyUsage=clientAuth"),
    sign(directory, "stranger", strangerCa, NAMES),
  ]);
  return {
    ca: ca.cert,
    ...server,
    client,
    stranger: { ca: strangerCa.cert, ...stranger },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  };
}

async function makeAuthority(
  directory: string,
  name: string,
): Promise<CertificateFiles> {
  const files = filesOf(directory, name);
  await openssl([
    ...newKey(name, files.key),
    ...["-x509", "-days", "2", "-out", files.cert],
  ]);
  return files;
}

async function sign(
  directory: string,
  name: string,
  authority: CertificateFiles,
  extensions: string,
): Promise<CertificateFiles> {
  const files = filesOf(directory, name);
  const request = join(directory, `${name}.csr`);
  const extensionFile = join(directory, `${name}.ext`);
  writeFileSync(extensionFile, extensions);
  await openssl([...newKey(name, files.key), "-out", request]);
  await openssl([
    ...["x509", "-req", "-in", request, "-days", "2", "-out", files.cert],
    ...["-CA", authority.cert, "-CAkey", authority.key],
    ...["-extfile", extensionFile, "-set_serial", `${serial++}`],
  ]);
  return files;
}

function filesOf(directory: string, name: string): CertificateFiles {
  return {
    cert: join(directory, `${name}.pem`),
    key: join(directory, `${name}.key`),
  };
}

function newKey(name: string, path: string): string[] {
  return [
    ...["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
    ...["-nodes", "-keyout", path, "-subj", `/CN=memcached-test-${name}`],
  ];
}

let serial = 1;

const run = promisify(execFile);

async function openssl(args: string[]): Promise<void> {
  await run("openssl", args);
}
