// A command that the client gave up never takes effect later, although a kernel keeps
// resending unacknowledged data. The test uses real kernels and a cable that loses the
// packets of one connection.

import { assertEquals } from "@std/assert";
import { createMemcacheClient } from "../../../src/client/mod.ts";
import {
  canMakeNetworks,
  startLossyNetwork,
} from "../../support/lossy_network.ts";
import { outcomeOf, sleep } from "../../support/outcome.ts";

Deno.test({
  name:
    "an abandoned write never takes effect when its packets were lost for a while",
  ignore: !canMakeNetworks(),
  async fn() {
    await using network = await startLossyNetwork();
    await using client = createMemcacheClient([network.address], {
      timeout: 400,
    });
    await client.set("key", "before");
    network.lose(network.ports()[0]);
    await outcomeOf(() => client.set("key", "A"));
    await client.set("key", "B");
    network.mend();
    // The kernel tries again after 0.2, 0.4, 0.8, 1.6 … seconds.
    for (let i = 0; i < 8; i++) {
      await sleep(250);
      const { value } = (await client.get("key"))!;
      assertEquals(new TextDecoder().decode(value), "B");
    }
  },
});
