// Writes the files of a whole run: JSON and Markdown for its runtime, and the
// chart of all runtimes that there are results of.

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { toSvg } from "./chart.ts";
import { runtimeName } from "./environment.ts";
import { type Report, toMarkdown } from "./report.ts";

/** Writes a run's results into a folder. */
export function writeResults(folder: string, report: Report): void {
  if (!existsSync(folder)) mkdirSync(folder, { recursive: true });
  const write = (name: string, text: string) =>
    writeFileSync(join(folder, name), text);
  write(`${runtimeName}.json`, JSON.stringify(rounded(report), null, 1) + "\n");
  write(`${runtimeName}.md`, toMarkdown(report));
  write("chart.svg", toSvg(reportsIn(folder)));
}

function reportsIn(folder: string): Report[] {
  return readdirSync(folder).filter((name) => name.endsWith(".json")).sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));
}

/** Digits that mean nothing only make the file long. */
function rounded(report: Report): Report {
  return JSON.parse(JSON.stringify(report, (_, value) => {
    return typeof value === "number" ? Number(value.toPrecision(4)) : value;
  }));
}
