// Tests that drive the demo's page in a real Chromium, each with a demo of its
// own and a browser without cookies.

import type { Browser, BrowserContext } from "playwright-core";
import { type Demo, startDemo } from "../../demo/demo.ts";
import { findChromium } from "../../tools/find_command.ts";
import { startChromium } from "./chromium.ts";

const chromium = findChromium();

/** What a test of the page is given. */
export interface Visit {
  demo: Demo;
  browser: Browser;
  /** A browser profile; its tabs share one cookie. */
  context: BrowserContext;
  /** Where app A serves the page. */
  a: string;
  /** Where app B does. */
  b: string;
}

/** Registers a test of the page; ignored where there is no Chromium to drive. */
export function testPage(
  name: string,
  run: (visit: Visit) => Promise<void>,
): void {
  Deno.test({
    name: `demo page ${name}`,
    ignore: chromium === undefined,
    async fn() {
      await using demo = await startDemo();
      await using browser = await startChromium(chromium!);
      const context = await browser.newContext();
      const [a, b] = demo.origins;
      await run({ demo, browser, context, a, b });
    },
  });
}
