// Values that have no JSON, and what is said of them.

import { assertEquals, assertFalse, assertRejects } from "@std/assert";
import type { Session } from "@remix/session-storage-memcache";
import { login, startApp, visit } from "../../support/app.ts";

const CYCLE: Record<string, unknown> = { secret: "hunter2" };
CYCLE.self = CYCLE;

for (
  const [what, value] of [["a BigInt", { n: 1n }], ["a cycle", CYCLE]] as const
) {
  Deno.test(`save() rejects, names the key and stores nothing when a value holds ${what}`, async () => {
    await using app = await startApp({ processes: 1 });
    const { storage } = app;
    const id = await login(storage, { user: "ann" });
    const uses: ((session: Session) => void)[] = [
      (session) => session.set("balance", value),
      (session) => session.flash("balance", value),
    ];
    for (const use of uses) {
      const session = await storage.read(id);
      session.set("other", 1);
      use(session);
      const error = await assertRejects(
        () => storage.save(session),
        TypeError,
        "Cannot save session as the value of 'balance' has no JSON",
      );
      assertFalse(error.message.includes("hunter2"));
      assertEquals((await storage.read(id)).data, [{ user: "ann" }, {}]);
    }
    // Without it, the session can be saved.
    const cookie = await visit(storage, id, (it) => it.set("balance", "1"));
    assertEquals(cookie, id);
  });
}
