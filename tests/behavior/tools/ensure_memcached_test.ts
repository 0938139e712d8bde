import { assertEquals, assertStringIncludes } from "@std/assert";
import { cpSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const SCRIPT = "tools/ensure_memcached.ts";

/** A directory that takes the place of PATH, with commands in it. */
class FakePath implements AsyncDisposable {
  readonly directory = Deno.makeTempDirSync();

  add(name: string, ...lines: string[]): this {
    const script = ["#!/bin/sh", ...lines].join("\n");
    Deno.writeTextFileSync(join(this.directory, name), script, { mode: 0o755 });
    return this;
  }

  /** Lines of a script that make a command appear in this directory. */
  install(name: string): string {
    const path = join(this.directory, name);
    return `echo '#!/bin/sh' >'${path}' && /bin/chmod +x '${path}'`;
  }

  /** What the commands have written to a file of the directory. */
  read(name: string): string {
    return Deno.readTextFileSync(join(this.directory, name));
  }

  async run(env: Record<string, string> = {}, root: string = ROOT) {
    const output = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-config", join(root, SCRIPT)],
      env: { MEMCACHED_BIN: "", ...env, PATH: this.directory },
    }).output();
    const decoder = new TextDecoder();
    return {
      code: output.code,
      stdout: decoder.decode(output.stdout),
      stderr: decoder.decode(output.stderr),
    };
  }

  async [Symbol.asyncDispose]() {
    await Deno.remove(this.directory, { recursive: true });
  }
}

/** What runs as root: the command itself, or through sudo. */
const isRoot = Deno.uid() === 0;

Deno.test("ensureMemcached() finds memcached when it is on PATH", async () => {
  await using path = new FakePath().add("memcached");
  const { code, stdout } = await path.run();
  assertEquals(
    stdout,
    `memcached: ${join(path.directory, "memcached")} (found)\n`,
  );
  assertEquals(code, 0);
});

Deno.test("ensureMemcached() takes MEMCACHED_BIN when it is set", async () => {
  await using path = new FakePath().add("memcached");
  const { stdout } = await path.run({ MEMCACHED_BIN: "/opt/memcached" });
  assertEquals(stdout, "memcached: /opt/memcached (found)\n");
});

Deno.test("ensureMemcached() installs memcached when a package manager may", async () => {
  await using path = new FakePath();
  const log = join(path.directory, "log");
  path.add(
    "apt-get",
    `echo "$DEBIAN_FRONTEND $*" >>'${log}'`,
    `if [ "$1" = install ]; then ${path.install("memcached")}; fi`,
  );
  path.add("sudo", "shift", 'exec "$@"').add("true");
  const { code, stdout } = await path.run();
  assertStringIncludes(stdout, "(installed with apt-get)");
  assertEquals(
    path.read("log"),
    "noninteractive update\n" +
      "noninteractive install -y --no-install-recommends memcached\n",
  );
  assertEquals(code, 0);
});

Deno.test("ensureMemcached() tries the next way when one fails", async () => {
  await using path = new FakePath();
  path.add("apt-get", "exit 1").add("sudo", "shift", 'exec "$@"').add("true");
  path.add("apk", path.install("memcached"));
  const { stdout } = await path.run();
  assertStringIncludes(stdout, "(installed with apk)");
});

Deno.test({
  name: "ensureMemcached() runs memcached in docker when nothing installs it",
  // Elsewhere a container shares neither ports nor processes with the system.
  ignore: Deno.build.os !== "linux",
  fn: runsInDocker,
});

async function runsInDocker() {
  await using path = new FakePath().add("docker", 'echo "docker $*"');
  // It writes a command into the project, here into a copy of it.
  const root = join(path.directory, "copy");
  for (const directory of ["tools"]) {
    cpSync(join(ROOT, directory), join(root, directory), { recursive: true });
  }
  const { code, stdout } = await path.run({}, root);
  const memcached = join(root, ".cache", "memcached");
  assertEquals(
    stdout,
    `memcached: ${memcached} (docker image memcached:1.6)\n`,
  );
  assertEquals(code, 0);
  const env = { PATH: path.directory };
  const { stdout: ran } = await new Deno.Command(memcached, {
    args: ["-p", "12345"],
    env,
  }).output();
  const words = new TextDecoder().decode(ran).trim().split(" ");
  assertEquals(words.slice(0, 3), ["docker", "run", "--rm"]);
  assertEquals(words.slice(-4), [
    ...["memcached:1.6", "memcached", "-p", "12345"],
  ]);
}

Deno.test("ensureMemcached() says what to do when nothing works", async () => {
  await using path = new FakePath();
  // Root needs no sudo; others have one that asks for a password.
  path.add("apt-get", isRoot ? "exit 1" : `${path.install("memcached")}`);
  path.add("sudo", "exit 1").add("docker", "exit 1");
  const { code, stdout, stderr } = await path.run();
  assertEquals(stdout, "");
  assertStringIncludes(stderr, "Install it");
  assertStringIncludes(stderr, "MEMCACHED_BIN");
  assertEquals(code, 1);
});
