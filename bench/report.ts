// Writes a run down: as text, as JSON and as Markdown.

import type { Environment } from "./environment.ts";
import type { Result } from "./measure.ts";
import { describe } from "./plan.ts";
import { ratioOf, type Spread, spreadOf } from "./statistics.ts";
import type { MeasuredGroup, Target } from "./targets.ts";

/** All of a run. */
export interface Report {
  environment: Environment;
  groups: MeasuredGroup[];
  targets: Target[];
}

const COLUMNS = [
  "",
  "of the first",
  "requests/s",
  "p50 µs",
  "p99 µs",
  "CPU µs",
  "connections",
];

/** A group as lines of text. */
export function groupToText({ title, results }: MeasuredGroup): string {
  const rows = [COLUMNS, ...results.map((result) => cellsOf(result, results))];
  return `${title}\n${aligned(rows)}\n`;
}

/** The targets as lines of text. */
export function targetsToText(targets: Target[]): string {
  return aligned(targets.map(targetCells));
}

/** The whole as Markdown. */
export function toMarkdown({ environment, groups, targets }: Report): string {
  const { runtime } = environment;
  return [
    `# ${runtime}`,
    `${caption(environment)}. Each number is the median of ` +
    `${
      groups[0].results[0].rounds.length
    } rounds, in which the contenders took ` +
    "turns; behind a ratio are the lowest and the highest of the rounds. CPU is " +
    "that of the client's process, for one request.",
    ...groups.flatMap(({ title, results }) => [
      `## ${title}`,
      table(COLUMNS, results.map((result) => cellsOf(result, results))),
    ]),
    "## Targets",
    table(["", "found", "wanted", ""], targets.map(targetCells)),
  ].join("\n\n") + "\n";
}

/** Where the numbers come from, in one line. */
export function caption({ machine, servers, date }: Environment): string {
  const versions = Object.entries(servers).map(([name, version]) => {
    return `${name} ${version}`;
  });
  return [machine, ...versions, date].join(", ");
}

function cellsOf(result: Result, results: Result[]): string[] {
  const { failure, connections } = result;
  const name = nameOf(result, results);
  if (failure !== undefined) return [name, failure];
  return [
    name,
    withRange(ratioOf(result, results[0], "requestsPerSecond")),
    integer(spreadOf(result, "requestsPerSecond").median),
    integer(spreadOf(result, "p50").median * 1000),
    integer(spreadOf(result, "p99").median * 1000),
    spreadOf(result, "cpu").median.toFixed(1),
    String(connections),
  ];
}

/** With the setting, where a group has several. */
function nameOf({ contender, setting }: Result, results: Result[]): string {
  const isAlone = results.filter((it) => it.contender === contender).length < 2;
  return isAlone ? contender : `${contender}: ${describe(setting)}`;
}

function targetCells({ name, limit, wanted, found, met }: Target): string[] {
  const verdict = met ? "met" : "not met";
  return [name, found.toFixed(2), `${limit} ${wanted}`, verdict];
}

function withRange({ median, low, high }: Spread): string {
  return `${median.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;
}

function integer(number: number): string {
  return Math.round(number).toLocaleString("en");
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, column) => column === 0 ? "---" : "--:");
  return [head, rule, ...rows].map(line).join("\n");
}

/** Columns under each other, the first to the left, the others to the right. */
function aligned(rows: string[][]): string {
  const widths = rows[0].map((_, column) => {
    return Math.max(...rows.map((cells) => cells[column]?.length ?? 0));
  });
  return rows.map((cells) =>
    cells.map((cell, column) => {
      const width = widths[column];
      return column === 0 ? cell.padEnd(width) : cell.padStart(width);
    }).join("  ")
  ).join("\n");
}
