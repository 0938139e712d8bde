// What a visitor of the demo's page does and sees, in a real Chromium.

import { assertEquals, assertGreater, assertMatch } from "@std/assert";
import { DemoPage } from "../../support/demo_page.ts";
import { testPage } from "../../support/test_page.ts";

testPage(
  "sets a cookie that scripts cannot read when a visitor logs in",
  async ({ context, a }) => {
    const tab = await DemoPage.open(context, a);
    assertEquals(await context.cookies(), []);
    await tab.logIn("Ada");
    const [cookie, ...others] = await context.cookies();
    assertEquals(others, []);
    assertEquals(cookie.httpOnly, true);
    assertEquals(cookie.sameSite, "Lax");
    assertEquals(cookie.path, "/");
    assertGreater(cookie.expires, Date.now() / 1000 + 800);
    assertEquals(await tab.page.evaluate("document.cookie"), "");
  },
);

testPage(
  "shows a flashed message once when the visitor goes on",
  async ({ context, a, b }) => {
    const tab = await DemoPage.open(context, a);
    await tab.logIn("Ada");
    assertEquals(await tab.text("#notice"), "Welcome, Ada.");
    await tab.page.goto(b);
    assertEquals(await tab.text("#notice"), "");
    assertMatch(await tab.text("#account"), /Logged in as Ada/);
  },
);

testPage(
  "loses nothing when two tabs add fifty things each at once",
  async ({ context, a, b }) => {
    const first = await DemoPage.open(context, a);
    await first.logIn("Ada");
    const second = await DemoPage.open(context, b);
    await Promise.all([first.press("Merge"), second.press("Merge")]);
    for (const tab of [first, second]) {
      await tab.sees("#burst-results", "Merge: 50 of 50 kept, 0 lost");
      // Each tab also adds one thing first, so that there is a session.
      await tab.sees("#total", "102");
    }
  },
);

testPage(
  "stays logged out when a slow request ends after the logout",
  async ({ context, a, b }) => {
    const slow = await DemoPage.open(context, a);
    await slow.logIn("Ada");
    const other = await DemoPage.open(context, b);
    await slow.press("Start the slow request");
    await slow.sees("#slow-result", "at work");
    await slow.page.waitForTimeout(500); // It loads the session meanwhile.
    await other.press("Log out");
    await other.sees("#notice", "You are logged out.");

    await slow.sees("#slow-result", "Its save was refused");
    for (const tab of [slow, other]) {
      await tab.page.reload();
      await tab.page.getByLabel("Name").waitFor();
    }
  },
);

testPage(
  "follows the other tab when the cart changes there",
  async ({ context, a, b }) => {
    const first = await DemoPage.open(context, a);
    await first.logIn("Ada");
    const second = await DemoPage.open(context, b);
    await first.press("Add Bread");
    await first.sees("#total", "1");
    await second.sees("#total", "1");
    assertEquals(await first.text("#notice"), "Bread added.");
  },
);

testPage(
  "works as plain forms when scripts are off",
  async ({ browser, a }) => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const tab = await DemoPage.open(context, a);
    await tab.logIn("Ada");
    await tab.press("Add Tea");
    await tab.sees("#total", "1");
    await tab.press("Freeze server 1");
    await tab.sees("#server-1", "frozen");
    await tab.press("Resume server 1");
    await tab.press("Log out");
    await tab.sees("#notice", "You are logged out.");
  },
);

testPage("keeps the focus when parts of it change", async ({ context, a }) => {
  const { page } = await DemoPage.open(context, a);
  const focused = () => page.locator(":focus");
  await page.getByLabel("Name").focus();
  await page.keyboard.type("Ada");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Log out" }).waitFor();
  assertEquals(await focused().innerText(), "Log out");

  await page.getByRole("button", { name: "Kill server 1" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Start server 1" }).waitFor();
  assertEquals(await focused().getAttribute("aria-label"), "Start server 1");
});

for (const width of [320, 768, 1280]) {
  testPage(
    `fits when the window is ${width} pixels wide`,
    async ({ browser, a }) => {
      const context = await browser.newContext({
        viewport: { width, height: 800 },
      });
      const tab = await DemoPage.open(context, a);
      await tab.logIn("Ada");
      await tab.press("Merge");
      await tab.sees("#burst-results", "Merge");
      const scrollWidth = "document.documentElement.scrollWidth";
      assertEquals(await tab.page.evaluate(scrollWidth), width);
    },
  );
}
