import { assertEquals, assertStrictEquals } from "@std/assert";
import { CommandQueue } from "../../../src/client/command_queue.ts";
import { plainCommand } from "../../../src/client/command.ts";
import { PendingCommand } from "../../../src/client/pending_command.ts";

function command(opaque: number): PendingCommand {
  const ignore = () => {};
  return new PendingCommand(
    plainCommand("get", "key"),
    opaque,
    1000,
    ignore,
    ignore,
  );
}

function queueOf(count: number): CommandQueue {
  const queue = new CommandQueue();
  for (let i = 1; i <= count; i++) queue.push(command(i));
  return queue;
}

function visited(queue: CommandQueue): number[] {
  return Array.from(queue, ({ opaque }) => opaque);
}

Deno.test("shift() takes commands in the order of push()", () => {
  const queue = queueOf(2);
  assertEquals(queue.shift()?.opaque, 1);
  queue.push(command(3));
  assertEquals(queue.shift()?.opaque, 2);
  assertEquals(queue.shift()?.opaque, 3);
  assertEquals(queue.shift(), undefined);
});

Deno.test("push() works when the queue has been emptied", () => {
  const queue = queueOf(1);
  queue.shift();
  assertEquals([queue.size, queue.oldest], [0, undefined]);
  const next = command(2);
  queue.push(next);
  assertEquals(queue.size, 1);
  assertStrictEquals(queue.oldest, next);
  assertStrictEquals(queue.shift(), next);
});

Deno.test("shift() leaves the command unlinked, so that it can be queued again", () => {
  const queue = queueOf(3);
  const first = queue.shift()!;
  assertEquals(first.next, undefined);
  queue.push(first);
  assertEquals(visited(queue), [2, 3, 1]);
  assertEquals(queue.size, 3);
});

Deno.test("drain() takes all commands out, oldest first", () => {
  const queue = queueOf(3);
  assertEquals(queue.drain().map(({ opaque }) => opaque), [1, 2, 3]);
  assertEquals([queue.size, queue.oldest], [0, undefined]);
  assertEquals(queue.drain(), []);
});

Deno.test("drain() returns a copy when commands are pushed during the iteration", () => {
  const queue = queueOf(3);
  for (const drained of queue.drain()) queue.push(drained);
  assertEquals(visited(queue), [1, 2, 3]);
});

Deno.test("iteration leaves the commands where they are", () => {
  const queue = queueOf(3);
  assertEquals(visited(queue), [1, 2, 3]);
  assertEquals(visited(queue), [1, 2, 3]);
  assertEquals(queue.size, 3);
});

Deno.test("prepend() puts commands before all others, in their order", () => {
  const queue = queueOf(2);
  queue.prepend([command(7), command(8)]);
  assertEquals(visited(queue), [7, 8, 1, 2]);
  queue.push(command(3));
  assertEquals([queue.size, queue.drain().length], [5, 5]);
  queue.prepend([command(9)]);
  queue.push(command(10));
  assertEquals(visited(queue), [9, 10]);
  queue.prepend([]);
  assertEquals(queue.size, 2);
});

Deno.test("oldestWaiting is the first command that is not settled", () => {
  const queue = queueOf(3);
  const [first, second] = queue;
  first.settled = true;
  assertStrictEquals(queue.oldestWaiting, second);
  for (const each of queue) each.settled = true;
  assertEquals(queue.oldestWaiting, undefined);
});
