// The demo without a person: what a visitor would do, step by step, over real
// HTTP and through both app processes.

import type { Demo } from "./demo.ts";
import { expect, until, Walker } from "./walker.ts";

const [A, B] = [0, 1];
const BURST = 50;
const WELCOME = "Welcome, Ada.";

const STEPS: [title: string, take: (walker: Walker) => Promise<void>][] = [
  ["App A: a visitor who only looks gets no cookie", async (walker) => {
    await walker.open(A);
    expect(walker.jar.cookie === undefined, "there is a cookie");
  }],

  ["App A: logs in, and the cookie is HttpOnly and SameSite=Lax", async (
    { jar, demo },
  ) => {
    const response = await jar.fetch(`${demo.origins[A]}/login`, {
      method: "POST",
      body: new URLSearchParams({ name: "Ada" }),
    });
    await response.body?.cancel();
    expect(response.status === 303, `the answer is ${response.status}`);
    const flags = jar.lastSetCookie ?? "";
    expect(/; HttpOnly/i.test(flags), "the cookie is not HttpOnly");
    expect(/; SameSite=Lax/i.test(flags), "the cookie is not SameSite=Lax");
  }],

  ["App B: is logged in as well, and sees the flash message once", async (
    walker,
  ) => {
    const page = await walker.open(B);
    expect(page.includes("<strong>Ada</strong>"), "not logged in");
    expect(page.includes(WELCOME), "no flash message");
    const again = await walker.open(B);
    expect(!again.includes(WELCOME), "the flash message came twice");
  }],

  [`Both: ${BURST} things added at once are all in the cart`, async (
    walker,
  ) => {
    await Promise.all(
      Array.from({ length: BURST }, (_, n) => walker.add(n % 2)),
    );
    const lines = await walker.add(A);
    expect(lines === BURST + 1, `${BURST + 1 - lines} were lost`);
  }],

  ["Both: the session is on two servers, with the same time left", async (
    walker,
  ) => {
    for (const app of [A, B]) {
      const { places } = await walker.status(app);
      const left = places.flatMap(({ record }) => record?.secondsLeft ?? []);
      expect(left.length === 2, `${left.length} servers hold it`);
      expect(Math.min(...left) > 890, `${Math.min(...left)} seconds left`);
    }
  }],

  ["App B: a server is killed, and the session is still there", async (
    walker,
  ) => {
    const [server] = await walker.holders(A);
    walker.killed = server;
    await server.kill();
    const lines = await walker.add(B);
    expect(lines === BURST + 2, `${lines} things in the cart`);
    await server.start();
  }],

  ["App A: the server is back, and soon holds the session again", async (
    walker,
  ) => {
    await until("it holds the session", async () => {
      await walker.open(A);
      return (await walker.holders(A)).includes(walker.killed!);
    });
  }],

  ["App B: both its servers freeze; the cookie is left alone", async (
    walker,
  ) => {
    const { cookie } = walker.jar;
    const holders = await walker.holders(A);
    for (const server of holders) server.freeze();
    // A process takes a moment to stop when the machine is busy.
    await until("the answer is 503", async () => {
      return (await walker.post(B, "/cart/empty")).status === 503;
    });
    for (const server of holders) server.resume();
    expect(walker.jar.cookie === cookie, "the cookie has changed");
  }],

  ["App B: they go on, and the visitor is logged in again", async (walker) => {
    await until("the session is back", async () => {
      return (await walker.open(B)).includes("<strong>Ada</strong>");
    });
  }],

  ["Both: a logout at B stays one when a slow request at A saves", async (
    walker,
  ) => {
    const slow = walker.post(A, "/slow");
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const logout = await walker.post(B, "/logout");
    const { status, setCookie } = await slow;
    expect(logout.status === 200, `the logout is answered ${logout.status}`);
    expect(status === 200, `the slow request is answered ${status}`);
    expect(setCookie === undefined, "the slow request set a cookie");
    for (const app of [A, B]) {
      const page = await walker.open(app);
      expect(!page.includes("<strong>Ada</strong>"), "logged in again");
    }
  }],

  ["App A: a cookie that was tampered with counts as none", async (walker) => {
    await walker.post(A, "/login", { name: "Ada" });
    const { jar } = walker;
    jar.cookie = jar.cookie?.replace(/=./, (start) => `${start}x`);
    const page = await walker.open(A);
    expect(!page.includes("<strong>Ada</strong>"), "it was believed");
  }],
];

/** Takes all steps, a printed line each; whether all went well. */
export async function check(
  demo: Demo,
  print: (line: string) => void,
): Promise<boolean> {
  const walker = new Walker(demo);
  for (const [title, take] of STEPS) {
    try {
      await take(walker);
      print(`ok    ${title}`);
    } catch (error) {
      print(`FAIL  ${title}: ${(error as Error).message}`);
      return false;
    }
  }
  return true;
}
