// Run under --unsafe-proto by npm_memcached_proto_test.ts: the example of
// Remix's documentation, which passes a client of npm memcached.

import process from "node:process";
// @ts-types="@types/memcached"
import Memcached from "memcached";
import { createMemcacheSessionStorage } from "../../../mod.ts";

const client = new Memcached(process.argv[2]);
const storage = createMemcacheSessionStorage({ client });

const session = await storage.read(null);
session.set("user", "ann");
const cookie = await storage.save(session);
console.log(`user: ${(await storage.read(cookie)).get("user")}`);
client.end();
