// Runs other programs.

/** Runs a program in silence; whether it could be run and ended well. */
export async function succeeds(
  [command, ...args]: string[],
): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(command, {
      args,
      env: { DEBIAN_FRONTEND: "noninteractive" },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch {
    return false;
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
