// What browsers meet: app processes, and what is counted of them.

import type { MemcacheSessionStorage } from "../../mod.ts";
import type { Random } from "../support/random.ts";
import type { Account } from "./account.ts";
import type { Trace } from "./trace.ts";
import type { VirtualTime } from "./virtual_time.ts";

/** What apps use of a storage. */
export type AppStorage = Pick<
  MemcacheSessionStorage,
  "read" | "save" | "update" | "withoutRenewal"
>;

/** An app process as a browser meets it. */
export interface AppProcess {
  readonly name: string;
  readonly storage: AppStorage;
  /** Requests that it is still busy with. */
  busy: number;
}

/** What browsers need of the world. */
export interface Web {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly trace: Trace;
  readonly account: Account;
  readonly counts: Counts;
  /** Whether browsers keep the id of a session that has ended. */
  readonly keepsIds: boolean;
  /** The process that the load balancer picks. */
  pickProcess(): AppProcess;
  /** Whether the only copy of a session is on a server that a process does not know. */
  isHidden(id: string, process: AppProcess): boolean;
  /** Called between a login's read and its save. */
  duringLogin(id: string): void;
}

/** What was done in a run. */
export interface Counts {
  rounds: number;
  requests: number;
  reads: number;
  saves: number;
  /** Requests that failed for a server that could not be reached. */
  failures: number;
  /** Reads of sessions whose only copy is on a server that the process does not know. */
  hidden: number;
  /** The longest read and save, in milliseconds of virtual time. */
  slowestRead: number;
  slowestSave: number;
}
