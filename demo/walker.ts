// A visitor without a person: one cookie jar, both app processes, and the
// questions that a check asks of them.

import type { StatusModel } from "./app/views/model.ts";
import { CookieJar } from "./cookie_jar.ts";
import type { Demo } from "./demo.ts";
import type { DemoServer } from "./servers.ts";
import type { CartAnswer } from "./visitors.ts";

const PATIENCE = 10_000;
const INTERVAL = 100;

/** Uses the demo as a visitor does. */
export class Walker {
  /** The visitor's cookie. */
  readonly jar = new CookieJar();
  /** The demo that is walked through. */
  readonly demo: Demo;

  /** The server that was killed last. */
  killed: DemoServer | undefined;

  /** A visitor of this demo. */
  constructor(demo: Demo) {
    this.demo = demo;
  }

  /** Opens the page at an app process and returns its HTML. */
  async open(app: number): Promise<string> {
    const response = await this.jar.fetch(this.#url(app, "/"));
    const page = await response.text();
    expect(response.ok, `the page is answered ${response.status}`);
    return page;
  }

  /** Sends a form and returns what came back. */
  post(
    app: number,
    path: string,
    form?: Record<string, string>,
  ): ReturnType<CookieJar["post"]> {
    return this.jar.post(this.#url(app, path), form);
  }

  /** Puts a thing in the cart and returns how many there are then. */
  async add(app: number): Promise<number> {
    const { status, body } = await this.post(app, "/cart", { thing: "Tea" });
    expect(status === 200, `adding to the cart is answered ${status}`);
    return (body as CartAnswer).lines;
  }

  /** How things are, looked at without using the session. */
  async status(app: number): Promise<StatusModel> {
    const response = await this.jar.fetch(
      this.#url(app, "/background/status"),
      { headers: { Accept: "application/json" } },
    );
    return await response.json();
  }

  /** The servers that hold the session. */
  async holders(app: number): Promise<DemoServer[]> {
    const { places } = await this.status(app);
    return this.demo.servers.filter((_, index) => places[index].record);
  }

  #url(app: number, path: string): string {
    return this.demo.origins[app] + path;
  }
}

/** Throws unless the condition holds. */
export function expect(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise);
}

/** Asks again and again until the condition holds. */
export async function until(
  what: string,
  holds: () => Promise<boolean>,
): Promise<void> {
  const due = Date.now() + PATIENCE;
  while (!await holds()) {
    expect(Date.now() < due, `${what}: not within ${PATIENCE / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, INTERVAL));
  }
}
