// Certificates for tests; tests/fixtures/tls/make.sh has made them.

import { fileURLToPath } from "node:url";

/** Paths of PEM files. */
export interface CertificateFiles {
  /** The certificate. */
  readonly cert: string;
  /** Its private key. */
  readonly key: string;
}

/** All of them are paths. */
export interface TlsFiles extends CertificateFiles {
  /** The certificate authority that signed `cert` and `client`. */
  readonly ca: string;
  /** A client's certificate. */
  readonly client: CertificateFiles;
  /** A certificate for the names of `cert` that another authority signed. */
  readonly stranger: CertificateFiles & { readonly ca: string };
}

/** A server's certificate for `localhost` and 127.0.0.1, and others. */
export const TLS_FILES: TlsFiles = {
  ...certificate("server"),
  ca: pathOf("ca.pem"),
  client: certificate("client"),
  stranger: { ...certificate("stranger"), ca: pathOf("stranger-ca.pem") },
};

function certificate(name: string): CertificateFiles {
  return { cert: pathOf(`${name}.pem`), key: pathOf(`${name}.key`) };
}

function pathOf(name: string): string {
  return fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url));
}
