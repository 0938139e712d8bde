import { assertEquals } from "@std/assert";
import type { LookupOptions } from "node:dns";
import {
  type LookupCallback,
  shareLookups,
} from "../../../src/client/shared_lookup.ts";

/** A lookup that answers when it is told to. */
function silentLookup() {
  const asked: { hostname: string; answer: LookupCallback }[] = [];
  const lookup = shareLookups((hostname, _, answer) => {
    asked.push({ hostname, answer });
  });
  const answers: unknown[] = [];
  const ask = (hostname: string, options: LookupOptions = {}) => {
    lookup(hostname, options, (...answer) => answers.push(answer));
  };
  return { asked, answers, ask };
}

Deno.test("shareLookups() looks a name up once when many ask for it at a time", () => {
  const { asked, answers, ask } = silentLookup();
  for (let i = 0; i < 100; i++) ask("one.example");
  ask("two.example");
  ask("one.example", { all: true });
  assertEquals(asked.map(({ hostname }) => hostname), [
    "one.example",
    "two.example",
    "one.example",
  ]);
  asked[0].answer(null, "127.0.0.1", 4);
  assertEquals(answers, Array(100).fill([null, "127.0.0.1", 4]));
});

Deno.test("shareLookups() looks a name up again when it has been answered, well or not", () => {
  const { asked, answers, ask } = silentLookup();
  const error = new Error("not found");
  ask("one.example");
  asked[0].answer(error, "");
  ask("one.example");
  asked[1].answer(null, "127.0.0.1", 4);
  assertEquals(answers, [[error, ""], [null, "127.0.0.1", 4]]);
});
