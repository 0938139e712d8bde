// What a visitor of the demo's page notices of outages, in a real Chromium.

import { assertEquals, assertMatch } from "@std/assert";
import { DemoPage } from "../../support/demo_page.ts";
import { testPage } from "../../support/test_page.ts";

testPage(
  "goes on when a server of the session is killed and comes back empty",
  async ({ context, a }) => {
    const tab = await DemoPage.open(context, a);
    await tab.logIn("Ada");
    await tab.press("Add Tea");
    const [number] = await tab.seesHolders(2);

    await tab.press(`Kill server ${number}`);
    await tab.sees(`#server-${number}`, "stopped");
    await tab.sees("#log", `Server ${number} was killed.`);
    await tab.press("Add Tea");
    await tab.sees("#total", "2");
    assertMatch(await tab.text("#account"), /Logged in as Ada/);

    await tab.press(`Start server ${number}`);
    await tab.sees("#log", `uses server ${number} again`);
    await tab.press("Add Tea");
    await tab.sees("#total", "3");
    await tab.sees(`#server-${number}.holder`, "your");
  },
);

testPage(
  "keeps the cookie when both servers of the session are frozen",
  async ({ context, a }) => {
    const tab = await DemoPage.open(context, a);
    await tab.logIn("Ada");
    await tab.press("Add Tea");
    const numbers = await tab.seesHolders(2);
    const cookies = await context.cookies();

    for (const number of numbers) {
      await tab.press(`Freeze server ${number}`);
      await tab.sees(`#server-${number}`, "frozen");
    }
    // The page may warn before this request has been answered.
    const refused = tab.page.waitForResponse((response) => {
      return response.request().method() === "POST" &&
        response.url().endsWith("/cart");
    });
    await tab.press("Add Tea");
    assertEquals((await refused).status(), 503);
    await tab.sees("#notice.warning", "You are not logged out");

    for (const number of numbers) {
      await tab.press(`Resume server ${number}`);
      await tab.sees(`#server-${number}`, "running");
    }
    await tab.sees("#account", "Logged in as Ada");
    assertEquals(await tab.text("#total"), "1");
    assertEquals(
      (await context.cookies()).map(({ value }) => value),
      cookies.map(({ value }) => value),
    );
  },
);

testPage(
  "says that nothing was saved when a new visitor logs in and no server answers",
  async ({ context, a }) => {
    const tab = await DemoPage.open(context, a);
    await tab.sees("#servers", "Holds no session");
    for (const number of [1, 2, 3]) {
      await tab.press(`Freeze server ${number}`);
      await tab.sees(`#server-${number}`, "frozen");
    }
    await tab.page.getByLabel("Name").fill("Ada");
    await tab.press("Log in");
    await tab.sees("#notice", "nothing was saved");
    assertEquals(await context.cookies(), []);

    await tab.press("Resume server 1");
    await tab.sees("#server-1", "running");
    await tab.sees("#log", "uses server 1 again");
    await tab.logIn("Ada");
  },
);

testPage(
  "counts no lost thing and no logout when a server dies under load",
  async ({ context, a }) => {
    const tab = await DemoPage.open(context, a);
    await tab.press("Let them come");
    await tab.sees("#visitors", "Send them home");
    await tab.page.waitForTimeout(1_500);
    await tab.press("Kill server 2");
    await tab.page.waitForTimeout(1_500);
    await tab.press("Start server 2");
    await tab.page.waitForTimeout(1_500);
    await tab.press("Send them home");
    await tab.sees("#visitors", "Let them come");
    assertEquals(await tab.figure("#visitors", "Logged out"), "0");
    assertEquals(await tab.figure("#visitors", "Things lost"), "0");
    assertMatch(await tab.figure("#visitors", "Not served"), /^\d+ of \d{2,}$/);
  },
);

testPage(
  "warns before the last copy is killed, and logs out when it is",
  async ({ context, a }) => {
    const tab = await DemoPage.open(context, a);
    await tab.logIn("Ada");
    const [first] = await tab.seesHolders(2);
    assertEquals(await tab.page.locator(".caution").count(), 0);
    await tab.press(`Kill server ${first}`);
    await tab.sees(`#server-${first}`, "stopped");
    await tab.sees(".caution", "only copy");
    const others = [1, 2, 3].filter((number) => number !== first);
    for (const number of others) {
      await tab.press(`Kill server ${number}`);
      await tab.sees(`#server-${number}`, "stopped");
    }
    for (const number of [first, ...others]) {
      await tab.press(`Start server ${number}`);
      await tab.sees(`#server-${number}`, "running");
    }
    await tab.page.getByLabel("Name").waitFor();
  },
);

testPage(
  "keeps every session when all three servers are restarted in turn",
  async ({ context, a }) => {
    const tab = await DemoPage.open(context, a);
    await tab.logIn("Ada");
    await tab.press("Add Tea");
    await tab.press("Let them come");
    await tab.sees("#visitors", "Send them home");
    await tab.sees("#rolling", "21 sessions now");
    await tab.press("Restart all three, one after the other");
    await tab.sees("#rolling", "Server 3 of 3");
    await tab.sees("#rolling", "All three were restarted: 21 of 21 sessions");
    await tab.press("Send them home");
    await tab.sees("#visitors", "Let them come");
    assertEquals(await tab.figure("#visitors", "Logged out"), "0");
    assertEquals(await tab.figure("#visitors", "Things lost"), "0");
    assertMatch(await tab.text("#account"), /Logged in as Ada/);
    assertEquals(await tab.text("#total"), "1");
  },
);
