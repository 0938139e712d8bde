// Reports as text for people, and as JSON for programs.

import type { RepairReport } from "../operations/repair.ts";
import type { ServerStatus, StatusReport } from "../operations/status.ts";
import type { Arguments } from "./arguments.ts";

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** Formats a report as JSON, with maps as objects and errors as their messages. */
export function toJsonText(report: RepairReport | StatusReport): string {
  return JSON.stringify(
    report,
    (_key, value) => {
      if (value instanceof Map) return Object.fromEntries(value);
      return value instanceof Error ? value.message : value;
    },
    2,
  );
}

/** Formats the report of `status`. */
export function statusText(
  { servers, sessions, error, isComplete }: StatusReport,
  args: Arguments,
): string {
  const held = sessions?.held ?? new Map();
  const rows = servers.map((server) => rowOf(server, held));
  const titles = [
    "server",
    "version",
    "up for",
    "memory",
    "items",
    "sessions",
    "evicted",
    "unused for",
    "connections",
  ];
  const lines = [table([titles, ...rows]), ""];
  for (const { server, error } of servers) {
    if (error !== undefined) lines.push(`${server}: ${error.message}`);
  }
  if (sessions !== undefined) lines.push(sessionsText(sessions, args));
  else lines.push(`Sessions cannot be counted: ${error?.message}`);
  lines.push(
    isComplete
      ? `Every session has ${copiesText(args.copies)}.`
      : `Not every session is known to have ${copiesText(args.copies)}.`,
  );
  return lines.join("\n");
}

/** Formats the report of `repair` or `move`. */
export function repairText(report: RepairReport, args: Arguments): string {
  const { copied, removed, left, isComplete } = report;
  const lines = [sessionsText(report, args)];
  if (args.dryRun) lines.push("Nothing was changed (--dry-run).");
  else lines.push(`${count(copied, "copy", "copies")} stored.`);
  if (removed > 0) {
    lines.push(`${count(removed, "stray copy", "stray copies")} removed.`);
  }
  if (report.error !== undefined) {
    lines.push(`A server failed during the operation: ${report.error.message}`);
  }
  lines.push(
    isComplete
      ? `Every session has ${copiesText(args.copies)}.`
      : left > 0
      ? `${count(left, "session")} still without ${copiesText(args.copies)}.`
      : `Not every session is known to have ${copiesText(args.copies)}.`,
  );
  return lines.join("\n");
}

function sessionsText(
  { sessions, tombstones, incomplete, strays, undecided, ...rest }:
    RepairReport,
  { prefix, command, dryRun, quick }: Arguments,
): string {
  const ended = command === "status" && !quick
    ? `, ${number(tombstones)} of them ended`
    : "";
  const lines = [`${count(sessions, "session")} under '${prefix}'${ended}.`];
  const verbs = command === "status" || dryRun
    ? ["lack", "have"]
    : ["lacked", "had"];
  const older = quick ? "" : ` or ${verbs[1]} an older one`;
  lines.push(`${number(incomplete)} ${verbs[0]} a copy${older}.`);
  if (strays > 0) {
    lines.push(
      `${count(strays, "copy", "copies")} on servers where they do not belong.`,
    );
  }
  if (undecided > 0) {
    lines.push(
      `${
        number(undecided)
      } with copies that differ and cannot all be read; are they encrypted with other secrets?`,
    );
  }
  for (
    const error of [...rest.unreachable.values(), ...rest.unlisted.values()]
  ) {
    lines.push(error.message);
  }
  return lines.join("\n");
}

function rowOf(status: ServerStatus, held: Map<string, number>): string[] {
  const { server, error, bytes = 0, maxBytes = 0 } = status;
  if (error !== undefined) return [server, "cannot be reached"];
  const used = maxBytes > 0 ? ` (${Math.round(100 * bytes / maxBytes)} %)` : "";
  const sessions = held.get(server);
  return [
    server,
    status.version ?? "?",
    duration(status.uptime ?? 0),
    `${size(bytes)} of ${size(maxBytes)}${used}`,
    number(status.items ?? 0),
    sessions === undefined ? "?" : number(sessions),
    number(status.evictions ?? 0),
    status.evictedAge ? duration(status.evictedAge) : "-",
    number(status.connections ?? 0),
  ];
}

function table(rows: string[][]): string {
  const widths = rows[0].map((_, column) => {
    return Math.max(...rows.map((row) => (row[column] ?? "").length));
  });
  return rows.map((row) => {
    return row.map((cell, column) => cell.padEnd(widths[column])).join("  ")
      .trimEnd();
  }).join("\n");
}

function copiesText(copies: number): string {
  return copies === 1 ? "its place" : `its ${copies} copies`;
}

function count(amount: number, one: string, many = `${one}s`): string {
  return `${number(amount)} ${amount === 1 ? one : many}`;
}

/** Formats a number with thousands separators, the same in every locale. */
export function number(value: number): string {
  return `${value}`.replace(/\B(?=(\d{3})+$)/g, ",");
}

function size(bytes: number): string {
  let unit = 0;
  for (; bytes >= 1024 && unit < UNITS.length - 1; unit++) bytes /= 1024;
  return `${bytes < 10 && unit > 0 ? bytes.toFixed(1) : Math.round(bytes)} ${
    UNITS[unit]
  }`;
}

function duration(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 2 * 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 2 * 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}
