// A name server that answers what the test says, for lookups that change.

import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import type { DnsLookups } from "../../src/client/server_source.ts";

/** What the server knows. It may change at any time. */
export interface DnsZone {
  /** The IPv4 addresses of every host; `undefined` for a failure. */
  addresses?: string[] | undefined;
  /** The targets of every service; `undefined` for a failure. */
  services?: { name: string; port: number }[] | undefined;
}

/** A running name server, and lookups that ask it. */
export interface ScriptedDns extends AsyncDisposable {
  readonly zone: DnsZone;
  readonly lookups: DnsLookups;
  /** How many questions were asked. */
  readonly asked: number;
}

const SERVICE = 33;
const ANSWER = 0x8180;
const FAILURE = 0x8182;

/** Starts a name server on a free port of the loopback interface. */
export async function startScriptedDns(zone: DnsZone): Promise<ScriptedDns> {
  let asked = 0;
  const socket = createSocket("udp4");
  socket.on("message", (question, { port, address }) => {
    asked++;
    const type = question.readUInt16BE(endOfName(question, 12));
    socket.send(answerTo(question, recordsOf(zone, type)), port, address);
  });
  await new Promise<void>((resolve) => {
    socket.bind(0, "127.0.0.1", () => resolve());
  });
  const resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([`127.0.0.1:${socket.address().port}`]);
  return {
    zone,
    lookups: {
      async addresses(host) {
        const addresses = await resolver.resolve4(host);
        return addresses.map((address) => ({ address }));
      },
      services: (name) => resolver.resolveSrv(name),
    },
    get asked() {
      return asked;
    },
    async [Symbol.asyncDispose]() {
      resolver.cancel();
      await new Promise<void>((resolve) => socket.close(() => resolve()));
    },
  };
}

function recordsOf(zone: DnsZone, type: number): Buffer[] | undefined {
  if (type !== SERVICE) {
    return zone.addresses?.map((it) => Buffer.from(it.split(".").map(Number)));
  }
  return zone.services?.map(({ name, port }) => {
    // Priority, weight, port, target.
    const head = Buffer.alloc(6);
    head.writeUInt16BE(port, 4);
    return Buffer.concat([head, encodeName(name)]);
  });
}

function answerTo(question: Buffer, records: Buffer[] | undefined): Buffer {
  const end = endOfName(question, 12) + 4;
  const head = Buffer.from(question.subarray(0, end));
  head.writeUInt16BE(records === undefined ? FAILURE : ANSWER, 2);
  head.writeUInt16BE(records?.length ?? 0, 6);
  head.writeUInt32BE(0, 8);
  const answers = (records ?? []).map((data) => {
    // The name of the question, its type and class, a time to live of 0.
    const record = Buffer.alloc(12);
    record.writeUInt16BE(0xc00c, 0);
    question.copy(record, 2, end - 4, end);
    record.writeUInt16BE(data.length, 10);
    return Buffer.concat([record, data]);
  });
  return Buffer.concat([head, ...answers]);
}

function endOfName(message: Buffer, start: number): number {
  let at = start;
  while (message[at] !== 0) at += message[at] + 1;
  return at + 1;
}

function encodeName(name: string): Buffer {
  const labels = name.split(".").map((label) => {
    return Buffer.concat([Buffer.of(label.length), Buffer.from(label)]);
  });
  return Buffer.concat([...labels, Buffer.of(0)]);
}
