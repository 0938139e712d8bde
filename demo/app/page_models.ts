// Collects what the page shows: the session, where it is kept, and the state of
// the demo.

import type { Cookie } from "@remix-run/cookie";
import type { Session } from "@remix-run/session";
import type { MemcacheSessionStorage } from "@remix/session-storage-memcache";
import type { MemcacheClient } from "@remix/session-storage-memcache/client";
import { readCart } from "./cart.ts";
import type { ControlClient } from "./control_client.ts";
import { sessionPlaces } from "./session_place.ts";
import type { PageModel, StatusModel } from "./views/model.ts";

/** What the models are collected from. */
export interface PageSources {
  /** The name of the app process. */
  app: string;
  /** The session cookie. */
  cookie: Cookie;
  /** The storage. */
  storage: MemcacheSessionStorage;
  /** The storage's client. */
  client: MemcacheClient;
  /** What the storage puts before an id. */
  prefix: string;
  /** On how many servers the storage keeps a session. */
  copies: number;
  /** The state of the demo. */
  control: ControlClient;
}

/** The models of the page. */
export class PageModels {
  readonly #sources: PageSources;

  /** Collects models from these sources. */
  constructor(sources: PageSources) {
    this.#sources = sources;
  }

  /** The page for a request that has loaded its session. */
  async page(request: Request, session: Session): Promise<PageModel> {
    const loggedOut = new URL(request.url).searchParams.has("logged-out");
    return {
      ...await this.status(request),
      user: session.get("user") as string | undefined,
      cart: readCart(session),
      message: session.get("message") as string | undefined ??
        (loggedOut ? "You are logged out." : undefined),
      unreachable: this.#sources.storage.isEphemeral(session),
    };
  }

  /** The page with a message that is not the session's own, or with none. */
  async pageWith(
    message: string | undefined,
    request: Request,
  ): Promise<PageModel> {
    const page = await this.page(request, await this.session(request));
    return { ...page, message };
  }

  /** The session of a request, to look at and not to save. */
  async session(request: Request): Promise<Session> {
    const { cookie, storage } = this.#sources;
    return await storage.read(
      await cookie.parse(request.headers.get("Cookie")),
    );
  }

  /** What can be shown without loading the session, and so without renewing it. */
  async status(request: Request): Promise<StatusModel> {
    const { app, client, control, cookie, copies, prefix } = this.#sources;
    const id = await cookie.parse(request.headers.get("Cookie"));
    const answers = (index: number) =>
      control.state.servers[index].status === "running";
    const places = id
      ? await sessionPlaces(client, `${prefix}${id}`, copies, answers)
      : client.servers.map(() => ({ role: "other" as const }));
    return { app, state: control.state, id: id?.slice(0, 4), places };
  }
}
