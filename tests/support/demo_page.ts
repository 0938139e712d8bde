// The demo's page in a browser, in the words of a visitor.

import type { BrowserContext, Page } from "playwright-core";

const PATIENCE = 15_000;

/** One tab that shows the demo. */
export class DemoPage {
  /** The tab. */
  readonly page: Page;

  private constructor(page: Page) {
    this.page = page;
  }

  /** Opens the demo in a new tab. */
  static async open(
    context: BrowserContext,
    origin: string,
  ): Promise<DemoPage> {
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    await page.goto(origin);
    return new DemoPage(page);
  }

  /** Logs in. */
  async logIn(name: string): Promise<void> {
    await this.page.getByLabel("Name").fill(name);
    await this.press("Log in");
    await this.sees("#account", `Logged in as ${name}`);
  }

  /** Presses a button. */
  async press(name: string): Promise<void> {
    await this.page.getByRole("button", { name, exact: true }).click();
  }

  /** Waits until a part of the page says something. */
  async sees(selector: string, text: string): Promise<void> {
    await this.page.locator(selector, { hasText: text }).first().waitFor();
  }

  /** What a part of the page says. */
  async text(selector: string): Promise<string> {
    return await this.page.locator(selector).innerText();
  }

  /** A figure of a part of the page, by its label. */
  async figure(selector: string, label: string): Promise<string> {
    return await this.page.locator(`${selector} div`, { hasText: label })
      .locator("dd").innerText();
  }

  /** The numbers of the servers that hold the session. */
  async holders(): Promise<number[]> {
    const ids = await this.page.locator("#servers .holder")
      .evaluateAll((items) => items.map(({ id }) => id));
    return ids.map((id) => Number(id.replace("server-", "")));
  }

  /** Waits until so many servers hold the session. */
  async seesHolders(count: number): Promise<number[]> {
    await this.page.waitForFunction(
      `document.querySelectorAll("#servers .holder").length === ${count}`,
    );
    return await this.holders();
  }
}
