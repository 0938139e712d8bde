// Draws the chart of the README: the requests per second of each contender, with one
// panel per runtime, as an SVG that suits light and dark pages.

import { floor, socketOnly, thisStorage } from "./contenders.ts";
import type { Environment } from "./environment.ts";
import { describe, USUAL } from "./plan.ts";
import { caption, type Report } from "./report.ts";
import type { Result } from "./measure.ts";
import { ratioOf, spreadOf } from "./statistics.ts";

const WIDTH = 880;
const MARGIN = 20;
const LABELS = 270;
const GAP = 28;
const TOP = 92;
const ROW = 34;
const BAR = 18;
/** Room for the number behind the longest bar. */
const NUMBER = 60;

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .title { font-size: 17px; font-weight: 600; }
  .strong { font-weight: 600; }
  .muted { fill: #59636e; }
  .small { font-size: 11px; fill: #59636e; }
  .ours { fill: #0969da; }
  .other { fill: #afb8c1; }
  .floor { fill: none; stroke: #818b98; stroke-dasharray: 3 2; }
  .axis { stroke: #d1d9e0; }
  .page { fill: #ffffff; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .muted, .small { fill: #9198a1; }
    .ours { fill: #4493f8; }
    .other { fill: #656c76; }
    .floor { stroke: #9198a1; }
    .axis { stroke: #3d444d; }
    .page { fill: #0d1117; }
  }`;

/** One contender's bar. */
export interface Bar {
  name: string;
  /** Requests per second; 0 if the run did not finish. */
  rate: number;
}

/** One runtime's panel. */
export interface Panel {
  environment: Environment;
  bars: Bar[];
}

/** A chart of runs of the same plan on different runtimes. */
export function toSvg(charted: Panel[]): string {
  const panels = charted.map(({ bars }) => bars);
  const highest = Math.max(...panels.flat().map(({ rate }) => rate));
  const room = WIDTH - 2 * MARGIN - LABELS;
  const width = (room - GAP * (panels.length - 1)) / panels.length;
  const scale = (width - NUMBER) / highest;
  const bottom = TOP + panels[0].length * ROW;
  const height = bottom + 50;
  const { environment } = charted[0];
  const runtimes = charted.map(({ environment }) => environment.runtime);
  const marks = [
    text(MARGIN, 30, "title", "Requests a second"),
    text(
      MARGIN,
      52,
      "muted",
      `Read a session of ${USUAL.size} bytes, change it, save it; ${USUAL.concurrency} requests at a time, one server`,
    ),
    ...panels[0].map(({ name }, row) => {
      const style = name === thisStorage.name ? "strong" : "";
      return text(MARGIN, rowAt(row) + BAR - 4, style, name);
    }),
    ...panels.flatMap((bars, index) => {
      const left = MARGIN + LABELS + index * (width + GAP);
      return [
        text(left, TOP - 14, "strong", runtimes[index]),
        `<path class="axis" d="M${left} ${TOP - 6}V${bottom - 8}"/>`,
        ...bars.flatMap((bar, row) => drawn(bar, left, rowAt(row), scale)),
      ];
    }),
    text(
      MARGIN,
      bottom + 20,
      "small",
      "Floor: a raw pipelined socket, Remix's session object and JSON, and nothing else. All in proportion to it, round by round.",
    ),
    text(MARGIN, bottom + 36, "small", caption(environment)),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    `<title>Requests a second on ${runtimes.join(" and ")}</title>`,
    `<style>${STYLE}\n</style>`,
    `<rect class="page" width="${WIDTH}" height="${height}" rx="8"/>`,
    ...marks,
    "</svg>\n",
  ].join("\n");
}

/** The bars of the group that compares all contenders in the usual setting. */
export function barsOf({ groups }: Pick<Report, "groups">): Bar[] {
  const usual = describe(USUAL);
  const { results } = groups.find(({ title }) => title === usual)!;
  return results.filter(({ contender }) => contender !== socketOnly.name)
    .map((result) => ({ name: result.contender, rate: rateOf(result) }));

  /**
   * Uses the ratio to the floor, because the machine's drift affects both
   * alike.
   */
  function rateOf(result: Result): number {
    if (result.failure !== undefined) return 0;
    const [base] = results;
    return Math.round(
      ratioOf(result, base, "requestsPerSecond").median *
        spreadOf(base, "requestsPerSecond").median,
    );
  }
}

function drawn(
  { name, rate }: Bar,
  left: number,
  top: number,
  scale: number,
): string[] {
  const style = name === thisStorage.name
    ? "ours"
    : name === floor.name
    ? "floor"
    : "other";
  const length = Math.max(1, Math.round(rate * scale));
  const number = rate === 0 ? "–" : rate.toLocaleString("en");
  return [
    `<rect class="${style}" x="${left}" y="${top}" width="${length}" height="${BAR}"/>`,
    text(left + length + 6, top + BAR - 4, "muted", number),
  ];
}

function rowAt(row: number): number {
  return TOP + row * ROW;
}

function text(x: number, y: number, style: string, words: string): string {
  const escaped = words.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${x}" y="${y}" class="${style}">${escaped}</text>`;
}
