// Combines the figures of several app processes.

import type { Figures, TotalFigures } from "./state.ts";

/** Adds up figures, and takes the latencies together. */
export function totalFigures(parts: Figures[]): TotalFigures {
  const sum = (key: Exclude<keyof Figures, "latencies">) =>
    parts.reduce((total, part) => total + part[key], 0);
  const latencies = parts.flatMap((part) => part.latencies)
    .sort((a, b) => a - b);
  return {
    requests: sum("requests"),
    perSecond: sum("perSecond"),
    hits: sum("hits"),
    misses: sum("misses"),
    merged: sum("merged"),
    refused: sum("refused"),
    outages: sum("outages"),
    unserved: sum("unserved"),
    median: quantile(latencies, 0.5),
    percentile95: quantile(latencies, 0.95),
  };
}

function quantile(sorted: number[], fraction: number): number | undefined {
  return sorted[Math.ceil(sorted.length * fraction) - 1];
}
