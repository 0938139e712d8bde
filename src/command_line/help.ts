// What the command line says of itself.

import { VARIABLES } from "./arguments.ts";

/** What `--help` shows. */
export const HELP = `Keeps the sessions in Memcache while its servers change.

  session-storage-memcache status  --servers a,b,c --copies 2
  session-storage-memcache repair  --servers a,b,c --copies 2
  session-storage-memcache move    --from a,b,c --to d,e,f --copies 2

Commands
  status   How every server is, and whether every session has all its copies.
           Changes nothing.
  repair   Brings every session to the servers where it belongs. Run it after a
           server was restarted, added or removed. It is safe while the app
           runs, can be stopped with Ctrl-C, and can be run again.
  move     Copies the sessions to other servers: to a new cluster, or from a
           server that is to go (--drain) to those that stay.

Options: give the same as the app has
  -s, --servers LIST   The servers of the app, separated by commas: host,
                       host:port, [::1]:port, memcaches://host (TLS),
                       /path/to.sock; or where to look them up: dns+host:port,
                       dnssrv+name, auto+host:port. Or set ${VARIABLES.servers}.
      --from, --to     Of move, instead: the old servers, and the new ones.
  -c, --copies N       How many servers hold each session.    [1]
  -p, --prefix TEXT    What stands before every key.           [session:]

Options of status, repair and move
      --quick          Of status: go by the lists of keys alone. Takes a tenth
                       of the time, and does not compare copies.
      --dry-run        Count only; change nothing.
      --rate N         At most so many sessions a second.      [no limit]
      --remove-strays  Of repair: remove sessions from servers where they do not
                       belong. Only when no process of the app has an older list
                       of servers.
      --drain          Of move: remove them from the old servers.

Connecting
      --timeout MS     How long a server may take to answer.   [5000]
      --max-value-bytes N        As the app's client, where memcached has -I.
      --tls            Use TLS. Also on by memcaches://, --ca, --cert and --key.
      --ca FILE        The certificate authority to trust, as PEM.
      --cert FILE, --key FILE    The certificate to show, and its key, as PEM.
      --server-name NAME         The name that the certificate is for.
  Passwords and secrets are never arguments, which others can see. Set
      ${VARIABLES.username} and ${VARIABLES.password}
      ${VARIABLES.secrets}  What the app encrypts with, if it does, separated by
                       commas or lines. Without it, encrypted copies that differ
                       are left alone.
      --accept-plaintext         As the app's 'acceptPlaintext'.

Output
      --json           One JSON object instead of text.
  -h, --help
  -v, --version

Exit status: 0 when every session has all its copies, 1 when not or when a
server cannot be reached or does not list its keys, 2 when the arguments are
wrong.

With Deno: deno run --allow-net --allow-env --allow-read
             jsr:@remix/session-storage-memcache/cli status --servers a,b,c
`;
