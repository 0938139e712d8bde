// Parses the arguments and the environment into a command with its options, or
// reports what is wrong with them.

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { nearest } from "../client/checks.ts";
import type { TlsOptions } from "../client/socket.ts";
import type { MemcacheClientOptions } from "../client/client_options.ts";

/** The commands. */
export type CommandName = "status" | "repair" | "move";

/** A command and its options. */
export interface Arguments {
  command: CommandName;
  /** The servers; with `move`, those that hold the sessions. */
  servers: string[];
  /** With `move`: the servers that will hold the sessions. */
  to: string[];
  client: MemcacheClientOptions;
  copies: number;
  prefix: string;
  encrypt: { secrets: string[]; acceptPlaintext: boolean } | undefined;
  rate: number;
  dryRun: boolean;
  removeStrays: boolean;
  drain: boolean;
  quick: boolean;
  json: boolean;
}

/** The error for invalid arguments; its message tells the user what is wrong. */
export class UsageError extends Error {}

/** Reads an environment variable; returns `undefined` if it is not set. */
export type ReadVariable = (name: string) => string | undefined;

/** The environment variables that the command line reads. */
export const VARIABLES = {
  servers: "MEMCACHE_SERVERS",
  username: "MEMCACHE_USERNAME",
  password: "MEMCACHE_PASSWORD",
  secrets: "SESSION_SECRETS",
} as const;

const OPTIONS = {
  servers: { type: "string", multiple: true, short: "s" },
  from: { type: "string", multiple: true },
  to: { type: "string", multiple: true },
  copies: { type: "string", short: "c" },
  prefix: { type: "string", short: "p" },
  rate: { type: "string" },
  timeout: { type: "string" },
  "max-value-bytes": { type: "string" },
  "dry-run": { type: "boolean" },
  "remove-strays": { type: "boolean" },
  drain: { type: "boolean" },
  quick: { type: "boolean" },
  "accept-plaintext": { type: "boolean" },
  json: { type: "boolean" },
  tls: { type: "boolean" },
  ca: { type: "string" },
  cert: { type: "string" },
  key: { type: "string" },
  "server-name": { type: "string" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>[
  "values"
];
type OptionName = keyof typeof OPTIONS;

const COMMON: readonly OptionName[] = [
  "copies",
  "prefix",
  "timeout",
  "max-value-bytes",
  "accept-plaintext",
  "json",
  "tls",
  "ca",
  "cert",
  "key",
  "server-name",
];
/** The options of each command. */
const OPTIONS_OF: Record<CommandName, readonly OptionName[]> = {
  status: [...COMMON, "servers", "quick"],
  repair: [...COMMON, "servers", "rate", "dry-run", "remove-strays"],
  move: [...COMMON, "from", "to", "rate", "dry-run", "drain"],
};
/** Milliseconds; no connection over any distance takes that long. */
const TIMEOUT = 5_000;

/**
 * Parses the arguments.
 *
 * @throws {UsageError} If they are invalid.
 */
export function readArguments(
  args: readonly string[],
  readVariable: ReadVariable,
): Arguments | "help" | "version" {
  const { values, positionals } = parse(args);
  const isLost = args.length === 0 || positionals[0] === "help";
  if (values.help || isLost) return "help";
  if (values.version) return "version";
  const command = commandIn(positionals);
  checkOptions(command, values);
  const isMove = command === "move";
  const preset = splitList(readVariable(VARIABLES.servers));
  const servers = isMove
    ? listed("from", values.from)
    : values.servers === undefined
    ? preset
    : listed("servers", values.servers);
  const to = listed("to", values.to);
  if (servers.length === 0) {
    throw new UsageError(
      isMove
        ? "Use --from to name the servers that hold the sessions"
        : `Use --servers or ${VARIABLES.servers} to name the servers`,
    );
  }
  if (isMove && to.length === 0) {
    throw new UsageError(
      "Use --to to name the servers that will hold the sessions",
    );
  }
  return {
    command,
    servers,
    to,
    client: clientOptions(values, readVariable),
    copies: integer("copies", values.copies) ?? 1,
    prefix: values.prefix ?? "session:",
    encrypt: secretsOf(values, readVariable),
    rate: integer("rate", values.rate) ?? Infinity,
    dryRun: values["dry-run"] ?? false,
    removeStrays: values["remove-strays"] ?? false,
    drain: values.drain ?? false,
    quick: values.quick ?? false,
    json: values.json ?? false,
  };
}

function parse(args: readonly string[]) {
  try {
    const options = OPTIONS;
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    // Node's message has a second sentence about positional arguments.
    const [message] = (error as Error).message.split(/\. |\n/);
    const [, unknown] = /^Unknown option '--(.+)'$/.exec(message) ?? [];
    const near = nearest(unknown ?? "", Object.keys(OPTIONS));
    const hint = near === undefined ? "" : `: did you mean --${near}?`;
    throw new UsageError(message + hint);
  }
}

function commandIn(positionals: string[]): CommandName {
  const [command, ...more] = positionals;
  if (command === undefined) {
    throw new UsageError("Choose a command: status, repair or move");
  }
  if (!Object.hasOwn(OPTIONS_OF, command)) {
    throw new UsageError(
      `Unknown command '${command}': use status, repair or move`,
    );
  }
  if (more.length > 0) {
    const hint = "; separate servers with commas";
    throw new UsageError(`Unexpected argument '${more[0]}'${hint}`);
  }
  return command as CommandName;
}

function checkOptions(command: CommandName, values: Values): void {
  const names = Object.keys(values) as OptionName[];
  const unfit = names.find((name) => !OPTIONS_OF[command].includes(name));
  if (unfit === undefined) return;
  const hint = command === "move" && unfit === "servers"
    ? ": it has --from and --to"
    : "";
  throw new UsageError(`'${command}' has no option --${unfit}${hint}`);
}

function listed(name: string, values: string[] = []): string[] {
  const servers = values.flatMap(splitList);
  // Other users of the machine can see the arguments of every process.
  if (servers.some((server) => server.includes("@"))) {
    throw new UsageError(
      `--${name} must not hold a password: set ${VARIABLES.username} and ${VARIABLES.password} instead`,
    );
  }
  return servers;
}

function splitList(list = ""): string[] {
  return list.split(/[,\s]+/).filter((part) => part !== "");
}

function integer(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(value)) return Number(value);
  throw new UsageError(`--${name} takes a positive integer, not '${value}'`);
}

function secretsOf(
  values: Values,
  readVariable: ReadVariable,
): Arguments["encrypt"] {
  const secrets = (readVariable(VARIABLES.secrets) ?? "").split(/[,\r\n]+/)
    .filter((secret) => secret !== "");
  const acceptPlaintext = values["accept-plaintext"] ?? false;
  if (secrets.length > 0) return { secrets, acceptPlaintext };
  if (acceptPlaintext) {
    const need = `--accept-plaintext goes with ${VARIABLES.secrets}`;
    throw new UsageError(`${need}, which is not set`);
  }
}

function clientOptions(
  values: Values,
  readVariable: ReadVariable,
): MemcacheClientOptions {
  const username = readVariable(VARIABLES.username) || undefined;
  const password = readVariable(VARIABLES.password) || undefined;
  const maxValueBytes = integer("max-value-bytes", values["max-value-bytes"]);
  return {
    timeout: integer("timeout", values.timeout) ?? TIMEOUT,
    ...maxValueBytes !== undefined && { maxValueBytes },
    tls: tlsOptions(values),
    ...username !== undefined && { username },
    ...password !== undefined && { password },
  };
}

function tlsOptions(values: Values): boolean | TlsOptions {
  const tls: TlsOptions = {
    ...values.ca && { ca: read("ca", values.ca) },
    ...values.cert && { cert: read("cert", values.cert) },
    ...values.key && { key: read("key", values.key) },
    ...values["server-name"] && { serverName: values["server-name"] },
  };
  return Object.keys(tls).length > 0 ? tls : values.tls ?? false;
}

function read(name: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { message } = error as Error;
    throw new UsageError(
      `--${name} names a file that cannot be read: ${message}`,
    );
  }
}
