// The options of a storage that have nothing to do with where sessions live.

import type { MemcacheSessionStorageOptions } from "../../mod.ts";

/** What a test adds to the servers or the client that its fixture has. */
export type StorageOptions = Omit<
  MemcacheSessionStorageOptions,
  "servers" | "client"
>;
