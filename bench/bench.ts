import {
  floor,
  remixMemcache,
  socketOnly,
  tenLines,
  thisStorage,
} from "./contenders.ts";
import { measure } from "./measure.ts";
import { startStores } from "./stores.ts";
const { stores, stop } = await startStores(10);
const S = {
  workload: "read-write",
  concurrency: 32,
  size: 390,
  servers: 1,
} as const;
const pace = { rounds: 5, slice: 200 };
try {
  for (
    const over of [
      {},
      { workload: "read" },
      { concurrency: 1 },
      { concurrency: 1024 },
      { size: 16384 },
      { size: 262144 },
      { servers: 10 },
      { workload: "login" },
      { workload: "new" },
      { workload: "miss" },
    ]
  ) {
    const setting = { ...S, ...over } as never;
    console.log(JSON.stringify(setting));
    const rows = await measure(
      [floor, thisStorage, tenLines, socketOnly, remixMemcache].map((
        contender,
      ) => ({ contender, setting })),
      stores,
      pace,
    );
    for (const r of rows) {
      console.log(
        "  ",
        r.contender.padEnd(36),
        r.failure ??
          [
            Math.round(r.requestsPerSecond.median),
            r.ratio.median.toFixed(3),
            `${r.ratio.low?.toFixed(2)}-${r.ratio.high?.toFixed(2)}`,
            "p50",
            (r.p50.median * 1000).toFixed(0),
            r.p50Ratio.median.toFixed(2),
            "p99",
            (r.p99.median * 1000).toFixed(0),
            r.p99Ratio.median.toFixed(2),
            "cpu",
            r.cpu.median.toFixed(2),
            "conn",
            r.connections,
          ].join(" "),
      );
    }
  }
} finally {
  await stop();
}
