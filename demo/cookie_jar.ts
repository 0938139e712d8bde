// What a browser does with one cookie: keeps it, and sends it along. Cookies
// belong to a host, not to a port, so one jar serves both app processes.

/** A client with a cookie, and no redirects followed behind its back. */
export class CookieJar {
  /** The cookie as it is sent, `name=value`. */
  cookie: string | undefined;
  /** The last `Set-Cookie` that came. */
  lastSetCookie: string | undefined;

  /** Sends a request with the cookie and keeps the one that comes back. */
  async fetch(url: string | URL, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.cookie !== undefined) headers.set("Cookie", this.cookie);
    const response = await fetch(url, { ...init, headers, redirect: "manual" });
    const [setCookie] = response.headers.getSetCookie();
    if (setCookie !== undefined) {
      this.lastSetCookie = setCookie;
      this.cookie = setCookie.split(";", 1)[0];
    }
    return response;
  }

  /** Posts a form and asks for data, which comes when all is well. */
  async post(
    url: string | URL,
    form: Record<string, string> = {},
  ): Promise<{ status: number; setCookie: string | undefined; body: unknown }> {
    const response = await this.fetch(url, {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new URLSearchParams(form),
    });
    const { ok, status } = response;
    const [setCookie] = response.headers.getSetCookie();
    const text = await response.text();
    return { status, setCookie, body: ok ? JSON.parse(text) : undefined };
  }
}
