// Modules of the runtime that only some apps need, loaded when they are: on Deno
// each of these takes as long as all the rest of this package, 7 to 9 ms.

import { getBuiltinModule } from "node:process";

/** The modules that are worth it. */
interface BuiltinModules {
  "node:crypto": typeof import("node:crypto");
  "node:tls": typeof import("node:tls");
  "node:zlib": typeof import("node:zlib");
}

/** A module of the runtime, which is loaded by the first call. */
export function builtinModule<Name extends keyof BuiltinModules>(
  name: Name,
): BuiltinModules[Name] {
  return getBuiltinModule(name) as unknown as BuiltinModules[Name];
}
