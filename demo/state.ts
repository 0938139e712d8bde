// The plain data that the processes of the demo exchange.

/** What an app process is told on its standard input when it starts. */
export interface AppConfig {
  /** "A" or "B". */
  name: string;
  /** The port to listen on. */
  port: number;
  /** The origins of all app processes, this one included. */
  origins: string[];
  /** The memcached servers. */
  servers: string[];
  /** Signs the cookie; the same for all app processes. */
  secret: string;
  /** Seconds that an unused session lives. */
  ttl: number;
  /** What comes before a session's id in its key. */
  prefix: string;
  /** On how many servers each session is. */
  copies: number;
  /** Where the process that runs the demo listens, and what opens it. */
  control: { url: string; token: string };
}

/** How a memcached process is. */
export type ServerStatus = "running" | "frozen" | "stopped";

/** One memcached process. */
export interface ServerState {
  /** Its address, as the app processes name it. */
  name: string;
  /** How it is. */
  status: ServerStatus;
  /** Its process id, while it lives. */
  pid?: number;
}

/** One app process. */
export interface AppState {
  /** "A" or "B". */
  name: string;
  /** Where it serves the page. */
  origin: string;
  /** Its process id, once it has reported. */
  pid?: number;
}

/** What an app process has counted since it started. */
export interface Figures {
  /** Requests that used a session. */
  requests: number;
  /** Such requests in the last second. */
  perSecond: number;
  /** How long the latest of them took, in milliseconds. */
  latencies: number[];
  /** Cookies whose session was found. */
  hits: number;
  /** Cookies whose session was not there. */
  misses: number;
  /** Saves that were merged with another one's. */
  merged: number;
  /** Saves refused because the user had logged out during the request. */
  refused: number;
  /** Times that a server was found to be down. */
  outages: number;
  /** Reads and saves that no server could serve. */
  unserved: number;
}

/** The figures of all app processes together. */
export interface TotalFigures extends Omit<Figures, "latencies"> {
  /** The median latency, in milliseconds; none before the first request. */
  median?: number;
  /** The latency that 95 of 100 requests kept within, in milliseconds. */
  percentile95?: number;
}

/** The figures of the simulated visitors. */
export interface VisitorsState {
  /** How many there are now. */
  present: number;
  /** Requests they have made. */
  requests: number;
  /** Requests answered "not now": no server that holds the session answered. */
  unserved: number;
  /** Times that one found itself logged out. */
  loggedOut: number;
  /** Things put in a cart, acknowledged, and not there later. */
  lost: number;
  /** The slowest answer, in milliseconds. */
  slowest: number;
}

/** The sessions that the servers which answer hold. */
export interface SessionsState {
  /** How many there are. */
  total: number;
  /** How many of them are on two servers. */
  onTwo: number;
  /** How many each server holds. */
  perServer: number[];
}

/** How far the restart of all servers is. */
export interface RollingState {
  /** The number of the server that it is at. */
  server: number;
  /** How many sessions there were when it began. */
  before: number;
  /** How many of these are still there. */
  kept: number;
  /** Whether it has finished. */
  done: boolean;
}

/** Something worth a line in the log. */
export interface DemoEvent {
  /** Counts up, from the first event to the latest. */
  id: number;
  /** When, in milliseconds since 1970. */
  time: number;
  /** What. */
  text: string;
}

/** All that is the same for every visitor of the page. */
export interface DemoState {
  servers: ServerState[];
  apps: AppState[];
  figures: TotalFigures;
  visitors: VisitorsState;
  sessions: SessionsState;
  /** The latest restart of all servers, if there was any. */
  rolling?: RollingState;
  /** The latest events, newest first. */
  events: DemoEvent[];
}

/** What an app process reports, twice a second. */
export interface AppReport {
  /** The id of the process. */
  pid: number;
  figures: Figures;
  /** What has happened since the last report. */
  events: Omit<DemoEvent, "id">[];
}
