// As much of a browser as session cookies need: it keeps the cookies that it is
// given, sends them back, and follows redirects when it is told to.

/** What answers requests. */
export interface App {
  fetch(request: Request): Response | Promise<Response>;
}

/** A visitor of an app. */
export class Browser {
  /** The cookies as the browser holds them, by name. */
  readonly cookies: Map<string, string> = new Map();
  readonly #app: App;
  readonly #origin: string;

  constructor(app: App, origin: string = "https://app.example") {
    this.#app = app;
    this.#origin = origin;
  }

  /** Sends a request with the cookies, and keeps those that come back. */
  async send(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    const pairs = Array.from(this.cookies, ([name, value]) => {
      return `${name}=${value}`;
    });
    if (pairs.length > 0) headers.set("Cookie", pairs.join("; "));
    const request = new Request(new URL(path, this.#origin), {
      redirect: "manual",
      ...init,
      headers,
    });
    const response = await this.#app.fetch(request);
    for (const cookie of response.headers.getSetCookie()) this.#keep(cookie);
    return response;
  }

  /** The text of a page. */
  async get(path: string): Promise<string> {
    const response = await this.send(path);
    if (!response.ok) throw new Error(`GET ${path}: ${response.status}`);
    return await response.text();
  }

  /** Sends a form, and the text of the page that it is redirected to. */
  async post(path: string, form: Record<string, string> = {}): Promise<string> {
    const body = new URLSearchParams(form);
    const response = await this.send(path, { method: "POST", body });
    if (response.status !== 303) {
      throw new Error(`POST ${path}: ${response.status}`);
    }
    await response.body?.cancel();
    return await this.get(response.headers.get("Location")!);
  }

  /** Another browser that has the same cookies now. */
  copy(): Browser {
    const copy = new Browser(this.#app, this.#origin);
    for (const [name, value] of this.cookies) copy.cookies.set(name, value);
    return copy;
  }

  #keep(setCookie: string): void {
    const [name, value] = /^([^=]+)=([^;]*)/.exec(setCookie)!.slice(1);
    this.cookies.set(name, value);
  }
}
