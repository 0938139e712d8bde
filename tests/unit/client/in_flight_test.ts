import { assertEquals, assertThrows } from "@std/assert";
import { type CommandKind, plainCommand } from "../../../src/client/command.ts";
import { InFlight } from "../../../src/client/in_flight.ts";
import {
  ownCommand,
  PendingCommand,
} from "../../../src/client/pending_command.ts";
import { OutOfStep } from "../../../src/client/reply_outcome.ts";
import type { Reply } from "../../../src/client/reply_parser.ts";

/** Commands in flight, and what they were answered: `opaque:code`. */
class Scene {
  readonly answers: string[] = [];
  unproven = 0;
  readonly inFlight: InFlight = new InFlight("host:11211", {
    onAnswer: ({ opaque }, { code }) => this.answers.push(`${opaque}:${code}`),
    onUnproven: () => this.unproven++,
  });

  /** Sends commands of these kinds, with the tokens 1, 2, 3 … */
  constructor(...kinds: CommandKind[]) {
    kinds.forEach((kind, i) => this.send(kind, i + 1));
  }

  send(kind: CommandKind, opaque: number): void {
    const ignore = () => {};
    this.inFlight.push(
      kind === "receipt" || kind === "probe"
        ? ownCommand(kind, opaque)
        : new PendingCommand(
          plainCommand(kind, "key"),
          opaque,
          1000,
          ignore,
          ignore,
        ),
    );
  }

  /** Takes replies such as `EN`, and `VA O1` where there is a token. */
  take(...replies: string[]): this {
    for (const text of replies) {
      const [code, opaque = "O-1"] = text.split(" O").map((part, i) =>
        i === 0 ? part : `O${part}`
      );
      this.inFlight.onReply({
        code,
        opaque: Number(opaque.slice(1)),
        cas: 1,
        size: 0,
        ttl: -1,
        value: undefined,
        isBorrowed: false,
        message: "",
      } as Reply);
    }
    return this;
  }
}

Deno.test("onReply() matches each reply by its token", () => {
  const scene = new Scene("get", "set", "get");
  scene.take("VA O1", "HD O2", "EN O3");
  assertEquals(scene.answers, ["1:VA", "2:HD", "3:EN"]);
  assertEquals(scene.inFlight.size, 0);
});

Deno.test("onReply() throws when a reply is surplus, missing or another command's", () => {
  const wrong: [CommandKind[], string[]][] = [
    [[], ["EN"]],
    [[], ["HD O1"]],
    [["get"], ["VA O2"]],
    [["get", "get"], ["VA O2"]],
    [["get"], ["VA"]],
    [["get"], ["HD"]],
    [["set"], ["EN"]],
    [["get"], ["MN"]],
    [["get", "get"], ["VA O1", "VA O1"]],
  ];
  for (const [kinds, replies] of wrong) {
    assertThrows(
      () => new Scene(...kinds).take(...replies),
      OutOfStep,
    );
  }
});

Deno.test("onReply() holds a miss without a token until the next reply proves the order", () => {
  const scene = new Scene("get", "get", "touch", "get").take("EN", "EN");
  assertEquals(scene.answers, []);
  assertEquals(scene.inFlight.size, 4);
  scene.take("HD O3");
  assertEquals(scene.answers, ["1:EN", "2:EN", "3:HD"]);
  assertEquals(scene.unproven, 0);
});

Deno.test("onReply() hands no miss over when it was a stray", () => {
  // The held miss would be the first command's; its own reply comes after it.
  const stray = new Scene("get", "get").take("EN");
  assertThrows(() => stray.take("VA O1"), OutOfStep);
  assertEquals(stray.answers, []);
  // One miss too many: the third command cannot miss.
  const doubled = new Scene("get", "set").take("EN");
  assertThrows(() => doubled.take("EN"), OutOfStep);
  // A reply is missing: the second miss stands where the first was.
  const dropped = new Scene("get", "get", "get").take("EN");
  assertThrows(() => dropped.take("VA O3"), OutOfStep);
  assertEquals(dropped.answers, []);
});

Deno.test("onReply() asks for proof when nothing else is in flight", () => {
  const scene = new Scene("get").take("EN");
  assertEquals([scene.unproven, scene.answers.length], [1, 0]);
  scene.send("probe", 2);
  scene.take("MN");
  assertEquals(scene.answers, ["1:EN", "2:MN"]);
});

Deno.test("onReply() takes a receipt by its own token, never a late value", () => {
  const old: CommandKind[] = ["get", "receipt", "get", "receipt"];
  const scene = new Scene(...old).take("VA O1", "NF O2", "EN", "NF O4");
  assertEquals(scene.answers, ["1:VA", "2:NF", "3:EN", "4:NF"]);
  assertThrows(
    () => new Scene(...old).take("EN", "VA O1"),
    OutOfStep,
  );
  // Both replies of the first command are lost.
  const lost = new Scene(...old).take("EN");
  assertThrows(() => lost.take("NF O4"), OutOfStep);
  assertEquals(lost.answers, []);
});

Deno.test("onReply() hands an error over at once, but not before a miss that is held", () => {
  const scene = new Scene("set", "get", "get").take("SERVER_ERROR");
  assertEquals(scene.answers, ["1:SERVER_ERROR"]);
  scene.take("EN", "SERVER_ERROR");
  assertEquals([scene.answers.length, scene.unproven], [1, 1]);
  scene.send("probe", 4);
  scene.take("MN");
  assertEquals(scene.answers.slice(1), ["2:EN", "3:SERVER_ERROR", "4:MN"]);
});
