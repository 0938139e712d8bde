// The help text of the command line.

import { VARIABLES } from "./arguments.ts";

/** What `--help` shows. */
export const HELP = `Keeps the sessions in Memcache while its servers change.

  session-storage-memcache status  --servers a,b,c --copies 2
  session-storage-memcache repair  --servers a,b,c --copies 2
  session-storage-memcache move    --from a,b,c --to d,e,f --copies 2

Commands
  status   Shows the state of every server, and whether every session has all
           its copies. Changes nothing.
  repair   Copies every session to the servers where it belongs. Run it after
           you restart, add or remove a server. It is safe while the app runs;
           you can stop it with Ctrl-C and run it again.
  move     Copies the sessions to other servers: to a new cluster, or from a
           server that you retire (--drain) to those that stay.

Options that must match those of the app
  -s, --servers LIST   The servers of the app, separated by commas: host,
                       host:port, [::1]:port, memcaches://host (TLS),
                       /path/to.sock; or sources to look up: dns+host:port,
                       dnssrv+name, auto+host:port. Or set ${VARIABLES.servers}.
      --from, --to     With move, instead: the old servers and the new ones.
  -c, --copies N       How many servers hold each session.     [1]
  -p, --prefix TEXT    The prefix of every key.                [session:]

Options of status, repair and move
      --quick          With status: use only the lists of keys. Takes a tenth of
                       the time, and does not compare copies.
      --dry-run        Count only; change nothing.
      --rate N         The most sessions per second.           [no limit]
      --remove-strays  With repair: remove sessions from servers where they do
                       not belong. Use it only if no process of the app has an
                       older list of servers.
      --drain          With move: remove sessions from the old servers.

Connecting
      --timeout MS     How long a server may take to answer.   [5000]
      --max-value-bytes N        The app's setting, if memcached runs with -I.
      --tls            Use TLS; memcaches://, --ca, --cert and --key imply it.
      --ca FILE        The certificate authority to trust, as PEM.
      --cert FILE, --key FILE    The client's certificate and its key, as PEM.
      --server-name NAME         The name on the server's certificate.
  Other users can see arguments, so passwords and secrets are variables. Set
      ${VARIABLES.username} and ${VARIABLES.password}
      ${VARIABLES.secrets}  The app's encryption secrets, if any, separated by commas
                       or line breaks. Without them, repair and move leave
                       encrypted copies that differ alone.
      --accept-plaintext         The app's 'acceptPlaintext'.

Output
      --json           One JSON object instead of text.
  -h, --help
  -v, --version

Exit status: 0 if every session has all its copies, 1 if not, or if a server
cannot be reached or does not list its keys, 2 if the arguments are invalid.

With Deno: deno run --allow-net --allow-env --allow-read
             jsr:@remix/session-storage-memcache/cli status --servers a,b,c
`;
