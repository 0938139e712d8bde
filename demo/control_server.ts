// The door through which the app processes reach the process that runs the
// demo: they report, pass on what the buttons ask for, and learn the state.

import type { DemoControls } from "./controls.ts";

/** A listening door. */
export interface ControlServer extends AsyncDisposable {
  /** Where it listens. */
  readonly url: string;
  /** What opens it. */
  readonly token: string;
}

/** Serves the controls on a free port of the loopback interface. */
export function serveControls(controls: DemoControls): ControlServer {
  const token = crypto.randomUUID();
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const server = Deno.serve(options, async (request) => {
    if (request.headers.get("Authorization") !== `Bearer ${token}`) {
      return new Response("Wrong token", { status: 401 });
    }
    const done = await act(controls, request);
    return Response.json(done ? controls.state : null, {
      status: done ? 200 : 404,
    });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    token,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function act(
  controls: DemoControls,
  request: Request,
): Promise<boolean> {
  const [, what, which, action] = new URL(request.url).pathname.split("/");
  if (what === "reports") {
    return controls.report(which, await request.json());
  }
  if (what === "servers" && which === "all") return controls.allServers(action);
  if (what === "servers") return await controls.server(Number(which), action);
  if (what === "visitors") return await controls.visitors(which);
  return false;
}
