// Prints what a fault test measured, one line a fault: the numbers of the
// README's reliability table.

/** What was measured. */
export interface Measurement {
  /** What a request sees that meets the fault. */
  sees: string;
  /** How long after the end of the fault a request succeeded, in milliseconds. */
  backAfter?: number;
}

/** Prints a measurement. */
export function report(fault: string, measured: Measurement): void {
  const back = measured.backAfter === undefined
    ? ""
    : `; service is back after ${milliseconds(measured.backAfter)}`;
  console.log(`measured | ${fault}: ${measured.sees}${back}`);
}

/** A duration as text. */
export function milliseconds(duration: number): string {
  return `${duration < 10 ? duration.toFixed(1) : Math.round(duration)} ms`;
}
