// Keyv, its storage adapters and what is built on it have the methods of a client,
// but count in milliseconds: a session of a week would end after ten minutes. By
// default they also answer "not found" when the server fails, which would log
// users out. They are recognized in order to be refused.

/** Whether a client is a Keyv, one of its storage adapters, or a Cacheable. */
export function isKeyvLike(client: object): boolean {
  const { clear, has, disconnect, opts } = client as Record<string, unknown>;
  return typeof clear === "function" && typeof has === "function" &&
    (typeof disconnect === "function" ||
      typeof opts === "object" && opts !== null);
}
