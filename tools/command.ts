// Runs other programs.

/** Runs a program in silence; what it complained of, or `undefined` if it ended well. */
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

/** Runs a program that says what it does itself; its exit code. */
export async function run(
  [command, ...args]: string[],
  options: Pick<Deno.CommandOptions, "cwd" | "env"> = {},
): Promise<number> {
  const { code } = await new Deno.Command(command, {
    ...options,
    args,
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  return code;
}
