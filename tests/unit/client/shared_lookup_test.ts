import { assertEquals } from "@std/assert";
import type { LookupOptions } from "node:dns";
import {
  type LookupCallback,
  rotatingLookup,
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

Deno.test("rotatingLookup() begins with another address at each attempt", () => {
  const found = [1, 2, 3].map((i) => ({ address: `10.0.0.${i}`, family: 4 }));
  const orders = [0, 1, 2, 3].map((attempt) => {
    let order: unknown;
    rotatingLookup(attempt, (_, __, callback) => callback(null, found))(
      "name.test",
      { all: true },
      (_, addresses) => order = addresses,
    );
    return (order as typeof found).map(({ address }) => address.at(-1)).join(
      "",
    );
  });
  assertEquals(orders, ["123", "231", "312", "123"]);
});

Deno.test("rotatingLookup() passes errors and single addresses on", () => {
  const answers: unknown[] = [];
  const failing = new Error("no such name");
  rotatingLookup(1, (_, __, callback) => callback(failing, []))(
    "name.test",
    { all: true },
    (error) => answers.push(error),
  );
  rotatingLookup(1, (_, __, callback) => callback(null, "10.0.0.1", 4))(
    "name.test",
    {},
    (_, address, family) => answers.push([address, family]),
  );
  assertEquals(answers, [failing, ["10.0.0.1", 4]]);
});
