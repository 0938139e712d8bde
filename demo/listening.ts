// Waits for a process to listen.

const TIMEOUT = 60_000;
const INTERVAL = 20;

/**
 * Waits until something listens on a port of the loopback interface, and gives
 * up when the process that should do so has ended.
 */
export async function listening(
  port: number,
  ended: Promise<unknown>,
): Promise<void> {
  let alive = true;
  ended.then(() => alive = false);
  const due = Date.now() + TIMEOUT;
  while (alive && Date.now() < due) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
      await new Promise((resolve) => setTimeout(resolve, INTERVAL));
    }
  }
  throw new Error(
    alive
      ? `Nothing listens on port ${port} after ${TIMEOUT / 1000} s`
      : `The process that should listen on port ${port} has ended; ` +
        "what it said is above",
  );
}
