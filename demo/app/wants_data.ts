// The two kinds of answers: pages for forms, data for scripts.

/** Whether the sender of a request asks for data rather than for a page. */
export function wantsData(headers: Headers): boolean {
  return headers.get("Accept") === "application/json";
}
