// What the views are given to show.

import type { DemoState } from "../../state.ts";
import type { Cart } from "../cart.ts";
import type { Place } from "../session_place.ts";

/** What can be shown without loading the session. */
export interface StatusModel {
  /** The app process that serves the page. */
  app: string;
  /** The state of the demo. */
  state: DemoState;
  /** The beginning of the session's id, where the cookie names one. */
  id: string | undefined;
  /** What each server holds of the session. */
  places: Place[];
}

/** The whole page. */
export interface PageModel extends StatusModel {
  /** Who is logged in. */
  user: string | undefined;
  /** What is in the cart. */
  cart: Cart;
  /** What this request has to say, once. */
  message: string | undefined;
  /** Whether no server that holds the session can be reached. */
  unreachable: boolean;
}
