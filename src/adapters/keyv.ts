// Keyv, its storage adapters and libraries that build on it have the methods of a
// client, but measure in milliseconds: a session of a week would expire after ten
// minutes. By default they also answer "not found" when the server fails, which would
// log users out. The storage recognizes them in order to refuse them.

/** Whether a client is a Keyv, one of its storage adapters, or a Cacheable. */
export function isKeyvLike(client: object): boolean {
  const { clear, has, disconnect, opts } = client as Record<string, unknown>;
  return typeof clear === "function" && typeof has === "function" &&
    (typeof disconnect === "function" ||
      typeof opts === "object" && opts !== null);
}
