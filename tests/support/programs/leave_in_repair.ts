// Looks after servers for a moment, and then does nothing else while self-repair is
// under way: the process has to end by itself.

import { createMemcacheClient } from "../../../src/client/mod.ts";
import { startSelfRepair } from "../../../src/operations/self_repair.ts";
import { toSettings } from "../../../src/settings.ts";
import { RecordFormat } from "../../../src/store/record_format.ts";

const client = createMemcacheClient(Deno.args, { timeout: 10_000 });
const common = { copies: 2, prefix: "session:" };
const settings = toSettings({ client, ...common });
const format = new RecordFormat(settings, client.maxValueBytes);
startSelfRepair(client, { ...common, format, interval: 20, rate: 10 });
await new Promise((resolve) => setTimeout(resolve, 500));
console.log("leaves");
