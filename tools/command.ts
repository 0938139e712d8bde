// Runs programs silently.

/**
 * Runs a program silently; returns its error output, or `undefined` if it
 * succeeded.
 */
export async function failureOf(
  [command, ...args]: string[],
): Promise<string | undefined> {
  try {
    const { success, stderr } = await new Deno.Command(command, {
      args,
      env: { DEBIAN_FRONTEND: "noninteractive" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    return success ? undefined : new TextDecoder().decode(stderr).trim();
  } catch (error) {
    return `${error}`;
  }
}
