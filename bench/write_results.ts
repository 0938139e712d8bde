// Writes the files of a whole run: Markdown with all medians and JSON with what the
// chart shows of its runtime, and the chart of all runtimes that have been run.

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { barsOf, type Panel, toSvg } from "./chart.ts";
import { runtimeName } from "./environment.ts";
import { type Report, toMarkdown } from "./report.ts";

/** Writes a run's results into a folder. */
export function writeResults(folder: string, report: Report): void {
  if (!existsSync(folder)) mkdirSync(folder, { recursive: true });
  const write = (name: string, text: string) =>
    writeFileSync(join(folder, name), text);
  const { environment } = report;
  const panel: Panel = { environment, bars: barsOf(report) };
  write(`${runtimeName}.json`, JSON.stringify(panel, null, 2) + "\n");
  write(`${runtimeName}.md`, toMarkdown(report));
  write("chart.svg", toSvg(panelsIn(folder)));
}

function panelsIn(folder: string): Panel[] {
  return readdirSync(folder).filter((name) => name.endsWith(".json")).sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));
}
