// This process's end of the door in ../control_server.ts: reports twice a second, and
// passes on what the buttons of the page ask for.

import type { AppConfig, DemoState } from "../state.ts";
import type { FigureCounter } from "./figures.ts";

const INTERVAL = 500;

/** What this process knows of the whole demo, and what it can ask for. */
export interface ControlClient {
  /** The state, as it was at the last report or action. */
  readonly state: DemoState;
  /** Asks for an action by its path; whether there is such an action. */
  act(path: string): Promise<boolean>;
}

/** Makes the first report, and goes on reporting. */
export async function connectControl(
  config: AppConfig,
  figures: FigureCounter,
): Promise<ControlClient> {
  async function post(path: string, body?: unknown): Promise<DemoState | null> {
    const response = await fetch(`${config.control.url}/${path}`, {
      method: "POST",
      headers: { Authorization: `Bearer ${config.control.token}` },
      body: JSON.stringify(body ?? null),
    });
    return await response.json();
  }
  const report = () => post(`reports/${config.name}`, figures.takeReport());

  let state = await report();
  if (state === null) throw new Error("The demo does not take reports");
  setInterval(async () => {
    try {
      state = await report();
    } catch {
      // The demo is ending, and ends this process too.
    }
  }, INTERVAL);
  return {
    get state() {
      return state!;
    },
    act: async (path) => {
      const after = await post(path);
      if (after === null) return false;
      state = after;
      return true;
    },
  };
}
