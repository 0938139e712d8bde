// Faults at random: every kind that a reply can meet, time and again.

import type { Buffer } from "node:buffer";
import type { Random } from "./random.ts";
import type { ProxySettings, ReplyFault } from "./reply_fault.ts";

/** A storm under way. */
export interface FaultStorm {
  /** How often each kind of fault was met. */
  readonly met: Record<string, number>;
  /** The kinds that were not met yet. */
  missing(): string[];
}

/** One in so many replies meets a fault: those of commands, and of handshakes. */
const COMMAND_RATE = 1 / 400;
const HANDSHAKE_RATE = 1 / 20;

/** Lets replies meet faults at random; `timeout` is the client's. */
export function startStorm(
  proxy: ProxySettings,
  timeout: number,
  random: Random,
): FaultStorm {
  const met: Record<string, number> = {};
  let other: Buffer | undefined;
  proxy.onReply = (reply, { index }) => {
    const otherReply = other ?? reply;
    if (other === undefined || random() < 0.01) other = reply;
    if (random() >= (index === 0 ? HANDSHAKE_RATE : COMMAND_RATE)) {
      return undefined;
    }
    const kind = random.pick(Object.keys(FAULTS));
    met[kind] = (met[kind] ?? 0) + 1;
    return FAULTS[kind]({ reply, otherReply, random, timeout });
  };
  return {
    met,
    missing: () => Object.keys(FAULTS).filter((kind) => !(kind in met)),
  };
}

interface Circumstances {
  reply: Buffer;
  /** A reply that was somebody else's. */
  otherReply: Buffer;
  random: Random;
  timeout: number;
}

const FAULTS: Record<string, (met: Circumstances) => ReplyFault> = {
  drop: () => "drop",
  duplicate: () => "duplicate",
  hold: () => "hold",
  swap: () => "swap",
  reset: () => "reset",
  end: () => "end",
  silence: () => "silence",
  delay: ({ random }) => ({ delay: random.below(20) }),
  delayPastDeadline: ({ timeout }) => ({ delay: 2 * timeout }),
  garbage: ({ random }) => ({
    before: Uint8Array.from({ length: 40 }, () => random.below(256)),
  }),
  lineOfGarbage: () => ({ after: "what?\r\n" }),
  bareMiss: () => ({ before: "EN\r\n" }),
  bareSuccess: () => ({ before: "HD\r\n" }),
  bareRefusal: () => ({ before: "SERVER_ERROR of nobody's\r\n" }),
  otherReplyBefore: ({ otherReply }) => ({ before: otherReply }),
  otherReplyAfter: ({ otherReply }) => ({ after: otherReply }),
  otherReplyInstead: ({ otherReply }) => ({ instead: otherReply }),
  cutAndEnd: ({ reply, random }) => ({
    cutAt: random.below(reply.length),
    then: "end",
  }),
  cutAndSilence: ({ reply, random }) => ({
    cutAt: random.below(reply.length),
    then: "silence",
  }),
  // Few enough that no part of the next reply can end where this one was to end:
  // a value that is not its own in such a place shows in no byte around it.
  missingBytes: ({ reply, random }) => ({
    cutAt: reply.length - 1 - random.below(5),
    then: "next",
  }),
  split: ({ reply, random }) => ({ splitAt: random.below(reply.length) }),
  oneByteChunks: () => ({ chunk: 1 }),
};
