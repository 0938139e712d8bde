// The storage of an app whose memcached servers are those of memcached.yaml. It
// follows when the StatefulSet is scaled.

import { createMemcacheSessionStorage } from "@remix/session-storage-memcache";

/** Sessions with two copies each, on however many servers there are. */
export const sessionStorage = createMemcacheSessionStorage({
  servers: ["dnssrv+_memcache._tcp.memcached.default.svc.cluster.local"],
  copies: 2,
  ttl: 60 * 60 * 24 * 7,
});
