// Whether printing a value could show a text. Clients attach all sorts of objects to
// their errors: a command, a request, a whole pool of connections. Printing that
// object graph to look for the text would block the process for seconds, so the
// search gives up early and then reports that the text may be there.

import { Buffer } from "node:buffer";
import { types } from "node:util";

/** How many values a search checks before it gives up. */
const MAX_STEPS = 200;
/** This many bytes of text or data count as one more value. */
const STEP_BYTES = 1024;

const CUSTOM_INSPECTION = [
  "nodejs.util.inspect.custom",
  "Deno.customInspect",
  "Deno.privateCustomInspect",
].map((name) => Symbol.for(name));

/**
 * Whether printing a value, however deeply, could show a text.
 *
 * @returns `true` also if finding out would take too long, or if the value itself
 * decides what it shows.
 */
export function mayShow(value: unknown, text: string): boolean {
  const seen = new Set<unknown>();
  const waiting = [value];
  let steps = 0;
  try {
    // The array grows while it is walked.
    for (const value of waiting) {
      steps += 1 + Math.ceil(sizeOf(value) / STEP_BYTES);
      if (steps > MAX_STEPS || shows(value, text)) return true;
      if (!isObject(value) || ArrayBuffer.isView(value) || seen.has(value)) {
        continue;
      }
      seen.add(value);
      if (decidesItself(value)) return true;
      for (const part of partsOf(value)) {
        waiting.push(part);
        if (waiting.length > MAX_STEPS) return true;
      }
    }
  } catch {
    return true;
  }
  return false;
}

function sizeOf(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (Array.isArray(value)) return value.length * STEP_BYTES;
  return ArrayBuffer.isView(value) ? value.byteLength : 0;
}

function shows(value: unknown, text: string): boolean {
  if (typeof value === "string") return value.includes(text);
  if (typeof value === "symbol") {
    return value.description?.includes(text) === true;
  }
  if (!ArrayBuffer.isView(value)) return false;
  const { buffer, byteOffset, byteLength } = value;
  return Buffer.from(buffer, byteOffset, byteLength).includes(text);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null ||
    typeof value === "function";
}

/** Whether printing an object may show something other than its properties. */
function decidesItself(value: object): boolean {
  return types.isProxy(value) || types.isPromise(value) ||
    types.isAnyArrayBuffer(value) ||
    CUSTOM_INSPECTION.some((symbol) => symbol in value);
}

/**
 * Yields the parts of an object that printing shows. It calls no getters
 * either.
 */
function* partsOf(value: object): Generator<unknown> {
  if (value instanceof Error) yield value.stack;
  if (value instanceof Map || value instanceof Set) {
    for (const entry of value.entries()) yield* entry;
  }
  for (const name of Reflect.ownKeys(value)) {
    yield name;
    yield Object.getOwnPropertyDescriptor(value, name)?.value;
  }
}
