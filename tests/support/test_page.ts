// Tests that drive the demo's page in a real Chromium, each with a demo of its
// own and a browser without cookies.

import type { Browser, BrowserContext } from "playwright-core";
import { type Demo, startDemo } from "../../demo/demo.ts";
import { findChromium, startChromium } from "./chromium.ts";

const chromium = findChromium();
if (chromium === undefined) {
  console.log("There is no Chromium on PATH: the demo's page is not tested");
}

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

/** Registers a test of the page, where there is a Chromium to drive. */
export function testPage(
  name: string,
  run: (visit: Visit) => Promise<void>,
): void {
  if (chromium === undefined) return;
  Deno.test(`demo page ${name}`, async () => {
    await using demo = await startDemo();
    await using browser = await startChromium(chromium);
    const context = await browser.newContext();
    const [a, b] = demo.origins;
    await run({ demo, browser, context, a, b });
  });
}
