// What the buttons of the page do, and the state that the page shows.

import { type RollingParts, RollingRestart } from "./rolling_restart.ts";
import type { DemoServer } from "./servers.ts";
import type { SessionCounter } from "./session_counter.ts";
import type {
  AppReport,
  AppState,
  DemoEvent,
  DemoState,
  Figures,
} from "./state.ts";
import { totalFigures } from "./total_figures.ts";
import type { Visitors } from "./visitors.ts";

const EVENTS_KEPT = 8;

/** What the buttons act on. */
export interface ControlParts extends Pick<RollingParts, "repair"> {
  servers: DemoServer[];
  apps: AppState[];
  visitors: Visitors;
  counter: SessionCounter;
}

/** The demo, as its page sees it and acts on it. */
export class DemoControls implements AsyncDisposable {
  readonly #servers: DemoServer[];
  readonly #apps: AppState[];
  readonly #visitors: Visitors;
  readonly #counter: SessionCounter;
  readonly #rolling: RollingRestart;
  readonly #figures = new Map<string, Figures>();
  #events: DemoEvent[] = [];
  #eventCount = 0;

  /** Controls of these servers, app processes and visitors. */
  constructor({ servers, apps, visitors, counter, repair }: ControlParts) {
    this.#servers = servers;
    this.#apps = apps;
    this.#visitors = visitors;
    this.#counter = counter;
    const log = (text: string) => this.#log([{ time: Date.now(), text }]);
    this.#rolling = new RollingRestart({ servers, counter, repair, log });
  }

  /** The state of the demo now. */
  get state(): DemoState {
    return {
      servers: this.#servers.map((server) => server.state),
      apps: this.#apps,
      figures: totalFigures([...this.#figures.values()]),
      visitors: this.#visitors.state,
      sessions: this.#counter.state,
      rolling: this.#rolling.state,
      events: this.#events,
    };
  }

  /** Takes in what an app process reports; whether that process exists. */
  report(name: string, { pid, figures, events }: AppReport): boolean {
    const app = this.#apps.find((app) => app.name === name);
    if (app === undefined) return false;
    app.pid = pid;
    this.#figures.set(name, figures);
    this.#log(events);
    return true;
  }

  /** Does something to a server; whether there is such a server and action. */
  async server(index: number, action: string): Promise<boolean> {
    const server = this.#servers[index];
    const found = SERVER_ACTIONS.get(action);
    if (server === undefined || found === undefined) return false;
    if (this.#rolling.isRunning) return true;
    if (found.from.includes(server.state.status)) {
      const text = `Server ${index + 1} ${found.text}`;
      this.#log([{ time: Date.now(), text }]);
      await found.run(server);
    }
    return true;
  }

  /** Restarts all servers, one after the other; whether that is the action. */
  allServers(action: string): boolean {
    if (action !== "restart") return false;
    this.#rolling.start();
    return true;
  }

  /** Lets the visitors come or leave; whether there is such an action. */
  async visitors(action: string): Promise<boolean> {
    if (action === "come") this.#visitors.come();
    else if (action === "leave") await this.#visitors.leave();
    else return false;
    return true;
  }

  /** Ends what is under way. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#rolling[Symbol.asyncDispose]();
  }

  #log(added: AppReport["events"]): void {
    const numbered = added.map((event) => ({
      ...event,
      id: this.#eventCount++,
    }));
    this.#events = [...this.#events, ...numbered]
      .sort((a, b) => b.time - a.time || b.id - a.id)
      .slice(0, EVENTS_KEPT);
  }
}

interface ServerAction {
  /** When there is something to do. */
  from: string[];
  /** What the log says. */
  text: string;
  run(server: DemoServer): void | Promise<void>;
}

const SERVER_ACTIONS = new Map<string, ServerAction>([
  ["kill", {
    from: ["running", "frozen"],
    text: "was killed. What it held is gone.",
    run: (server) => server.kill(),
  }],
  ["start", {
    from: ["stopped"],
    text: "was started, empty.",
    run: (server) => server.start(),
  }],
  ["freeze", {
    from: ["running"],
    text: "was frozen. It keeps what it holds and answers nothing.",
    run: (server) => server.freeze(),
  }],
  ["resume", {
    from: ["frozen"],
    text: "goes on, with the data of the moment it was frozen.",
    run: (server) => server.resume(),
  }],
]);
