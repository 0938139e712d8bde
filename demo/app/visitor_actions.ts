// What a visitor can do: look, log in, fill a cart, wait, log out.

import type { RequestContext } from "@remix-run/fetch-router";
import { Session } from "@remix-run/session";
import type { CartAnswer } from "../visitors.ts";
import { addToCart, emptyCart, readCart, THINGS } from "./cart.ts";
import { wantsData } from "./wants_data.ts";

const SLOW = 5_000;

/** Logs in: a new id for the session, what is in the cart stays. */
export async function login(context: RequestContext): Promise<Response> {
  const form = await context.request.formData();
  const session = context.get(Session);
  const name = String(form.get("name") ?? "").trim().slice(0, 40);
  if (name === "") {
    session.flash("message", "Please give a name.");
  } else {
    session.regenerateId(true);
    session.set("user", name);
    session.flash("message", `Welcome, ${name}.`);
  }
  return answer(context, session);
}

/** Logs out: the session is gone, on every server and for every tab. */
export function logout(context: RequestContext): Response {
  const session = context.get(Session);
  session.destroy();
  return answer(context, session, "/?logged-out");
}

/** Puts one thing in the cart. */
export async function add(context: RequestContext): Promise<Response> {
  const form = await context.request.formData();
  const session = context.get(Session);
  const thing = THINGS.find((thing) => thing === form.get("thing"));
  if (thing === undefined) {
    return new Response("No such thing", { status: 400 });
  }
  const batch = String(form.get("batch") ?? "").replace(/\W/g, "").slice(0, 8);
  addToCart(session, thing, batch);
  if (!wantsData(context.headers)) session.flash("message", `${thing} added.`);
  return answer(context, session);
}

/** Takes everything out of the cart. */
export function empty(context: RequestContext): Response {
  const session = context.get(Session);
  emptyCart(session);
  session.flash("message", "The cart is empty.");
  return answer(context, session);
}

/** Takes its time between loading the session and saving it. */
export async function slow(context: RequestContext): Promise<Response> {
  const session = context.get(Session);
  await new Promise((resolve) => setTimeout(resolve, SLOW));
  session.set("slowRequests", Number(session.get("slowRequests") ?? 0) + 1);
  if (!wantsData(context.headers)) {
    session.flash("message", "The slow request is done.");
  }
  return answer(context, session);
}

function answer(
  context: RequestContext,
  session: Session,
  location = "/",
): Response {
  if (!wantsData(context.headers)) {
    return new Response(null, { status: 303, headers: { Location: location } });
  }
  const body: CartAnswer = {
    user: session.get("user") as string | undefined ?? null,
    lines: readCart(session).total,
  };
  return Response.json(body);
}
