// What can happen to servers, processes and the network, as data.

import type { Kind } from "./account.ts";
import type { Network } from "./network.ts";

/** What happens to one server, or between one process and one server. */
export type Fault = "pause" | "restart" | "cut" | "lossy";

/** What a deploy brings: another list of servers, another number of copies. */
export interface Deployment {
  /** The servers by name; `name@machine` where the name is not the machine's. */
  servers: readonly string[];
  copies: number;
  /**
   * The copies of every other process, where processes with different numbers
   * run side by side for good.
   */
  otherCopies?: number;
}

/** One kind of world. */
export interface Scenario {
  name: string;
  /** The first deployment, and those that follow one by one, side by side for a while. */
  deployments: readonly Deployment[];
  /** One of these at a time, again and again. */
  faults?: readonly Fault[];
  /** How often processes are replaced by others that are alike. */
  deploys?: boolean;
  /** Faults also come while nobody uses a session. */
  faultsInQuiet?: boolean;
  /** Every session is used between two faults, and after each deploy. */
  usesBetween?: boolean;
  /**
   * Somebody runs `repair` between two faults, and after each deploy; or all the
   * time.
   */
  repairs?: "between" | "always";
  network?: Partial<Network>;
  /** How far apart from the true time the clocks of processes may be, in milliseconds. */
  clockSkew?: number;
  /** Sessions begin under ids that browsers send, after a logout as well. */
  useUnknownIds?: boolean;
  /** What it does not promise. */
  ignores?: readonly Kind[];
  /** What a few runs may show. */
  allows?: readonly Kind[];
  /** How often the record that a login leaves is evicted during that login. */
  evictions?: number;
}

const THREE = ["alpha:11211", "beta:11211", "gamma:11211"];
const FOUR = [...THREE, "delta:11211"];
const REPLACED = ["alpha:11211", "epsilon:11211", "gamma:11211"];
const RENAMED = [
  "10.0.0.1:11211@alpha:11211",
  "10.0.0.2:11211@beta:11211",
  "10.0.0.3:11211@gamma:11211",
];

/** A network that loses messages and connections. */
export const LOSSY: Partial<Network> = {
  loseRequest: 0.01,
  loseReply: 0.03,
  reset: 0.03,
  resend: 0.5,
  slow: 0.03,
};

/**
 * What two copies may show in a few runs, and one copy never. A read repair may
 * remove what a save has stored on one server only. Then that save stores it again,
 * also where others have built on it in the meantime, or counts it once more. Two
 * flash values of one name in one moment may count as one.
 */
const RARE: readonly Kind[] = [
  "came back",
  "lost count",
  "counted twice",
  "flash lost",
];

/** What `update()` made of a value, one process may write over without the other. */
const COUNTS: readonly Kind[] = ["lost count", "counted twice"];

/** With one copy, processes keep no log of what they changed. */
const RARE_WITHOUT_LOG: readonly Kind[] = [
  ...RARE,
  "stale read",
  "lost write",
  "flash twice",
];

/** Scenarios that have to show no violation. */
export const SCENARIOS: readonly Scenario[] = [1, 2].flatMap((copies) => {
  const on = (servers: readonly string[]) => ({ servers, copies });
  const kept: Scenario[] = [
    { name: "healthy", deployments: [on(THREE)] },
    { name: "slow links", deployments: [on(THREE)], network: { slow: 0.1 } },
    {
      name: "servers away in turn",
      deployments: [on(THREE)],
      faults: ["pause"],
    },
    {
      name: "servers away in turn, with deploys and in quiet times",
      deployments: [on(THREE)],
      faults: ["pause"],
      deploys: true,
      faultsInQuiet: true,
    },
    {
      name: "processes cut off from servers in turn",
      deployments: [on(THREE)],
      faults: ["cut"],
      faultsInQuiet: true,
    },
    {
      name: "servers losing replies in turn",
      deployments: [on(THREE)],
      faults: ["lossy"],
    },
    {
      name: "servers away or losing replies in turn",
      deployments: [on(THREE)],
      faults: ["lossy", "pause"],
      faultsInQuiet: true,
    },
    {
      name: "commands that take effect after they were given up",
      deployments: [on(THREE)],
      network: { late: 0.5 },
      faults: ["lossy", "pause"],
    },
    { name: "a server added", deployments: [on(THREE), on(FOUR)] },
    { name: "a server removed", deployments: [on(FOUR), on(THREE)] },
    { name: "a server replaced", deployments: [on(THREE), on(REPLACED)] },
    { name: "servers renamed", deployments: [on(THREE), on(RENAMED)] },
    {
      name: "lists that change and change back, sessions used",
      usesBetween: true,
      deployments: [
        on(THREE),
        on(FOUR),
        on(THREE),
        on(REPLACED),
        on(THREE),
        on(RENAMED),
        on(THREE),
      ],
    },
    {
      name: "lists that change, servers away in between",
      usesBetween: true,
      deployments: [on(THREE), on(FOUR), on(THREE), on(FOUR)],
      faults: ["pause"],
      faultsInQuiet: true,
    },
    {
      name: "repairs all the time",
      deployments: [on(THREE)],
      repairs: "always",
    },
    {
      name: "repairs all the time, servers away or losing replies",
      deployments: [on(THREE)],
      faults: ["lossy", "pause"],
      repairs: "always",
    },
    {
      // With one copy, a repair during the deploy would part old processes from
      // new ones: each would have a copy of its own.
      name: "a server added, a repair after, or all the time",
      deployments: [on(THREE), on(FOUR)],
      repairs: copies === 1 ? "between" : "always",
    },
    {
      name: "clocks five seconds apart",
      deployments: [on(THREE)],
      clockSkew: 2_500,
    },
    {
      name: "clocks apart, servers away or losing replies",
      deployments: [on(THREE)],
      faults: ["lossy", "pause"],
      clockSkew: 2_500,
    },
    {
      name: "ids that browsers send",
      deployments: [on(THREE)],
      useUnknownIds: true,
    },
    {
      name: "ids that browsers send, servers away or losing replies",
      deployments: [on(THREE)],
      faults: ["lossy", "pause"],
      useUnknownIds: true,
    },
    {
      name: "the old record evicted during a login",
      deployments: [on(THREE)],
      evictions: 0.5,
    },
  ];
  if (copies === 1) {
    kept.push({
      name: "replies lost by all servers",
      deployments: [on(THREE)],
      network: LOSSY,
      faults: ["pause"],
    });
  } else {
    kept.push({
      name: "memory refused now and then",
      deployments: [on(THREE)],
      network: { refuse: 0.005 },
    }, {
      name: "servers restarted in turn, sessions used",
      deployments: [on(THREE)],
      faults: ["restart"],
      usesBetween: true,
    }, {
      name: "servers restarted or away in turn, sessions used",
      deployments: [on(THREE)],
      faults: ["restart", "pause"],
      usesBetween: true,
    }, {
      name: "one server restarted at a time, a repair between",
      deployments: [on(THREE)],
      faults: ["restart"],
      faultsInQuiet: true,
      repairs: "between",
    }, {
      name: "servers restarted or away in turn, a repair between",
      deployments: [on(THREE)],
      faults: ["restart", "pause"],
      faultsInQuiet: true,
      repairs: "between",
    }, {
      name: "lists that change, servers restarted and repaired",
      deployments: [on(THREE), on(FOUR), on(THREE), on(REPLACED), on(THREE)],
      faults: ["restart"],
      faultsInQuiet: true,
      repairs: "between",
      // Old and new processes may change one value on different servers.
      allows: ["came back", "lost count", "flash lost"],
    });
  }
  const allows = copies === 1 ? [] : RARE;
  return kept.map((scenario) => {
    const noun = copies === 1 ? "copy" : "copies";
    return {
      allows,
      ...scenario,
      name: `${scenario.name} (${copies} ${noun})`,
    };
  });
}).concat([
  {
    name: "one and two copies side by side",
    deployments: [{ servers: THREE, copies: 2, otherCopies: 1 }],
    ignores: COUNTS,
    allows: RARE_WITHOUT_LOG,
  },
  {
    name: "from one copy to two and back",
    deployments: [
      { servers: THREE, copies: 1 },
      { servers: THREE, copies: 2 },
      { servers: THREE, copies: 1 },
    ],
    ignores: COUNTS,
    allows: RARE_WITHOUT_LOG,
  },
]);

/** What the storage does not promise: to look at, and not to test. */
export const LIMITS: readonly Scenario[] = [
  {
    // Memcached drops what is there when it refuses a write, be it newer than what
    // the request had read and puts back.
    name: "memory refused now and then (1 copy)",
    deployments: [{ servers: THREE, copies: 1 }],
    network: { refuse: 0.005 },
  },
  {
    // A process with one copy asks one server, which may be the one that was away.
    name: "one and two copies side by side, servers away in turn",
    deployments: [{ servers: THREE, copies: 2, otherCopies: 1 }],
    faults: ["pause"],
    faultsInQuiet: true,
  },
  {
    // One read may then find two of three servers silent.
    name: "replies lost by all servers (2 copies)",
    deployments: [{ servers: THREE, copies: 2 }],
    network: LOSSY,
    faults: ["pause"],
  },
];
