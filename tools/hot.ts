/**
 * The functions of the packet path that the optimizer puts into whoever calls them: small ones with
 * several callers that are called once a packet or more often, as `deno task bench:cost` counts. A
 * function belongs here if that makes a row of the benchmark faster by more than it makes the
 * engine larger.
 *
 * @module
 */

/** Names of functions by the file of assembly/ that they stand in. */
const BY_FILE: Readonly<Record<string, string>> = {
  "inet/in_output": "routeOf send",
  "inet/ip_input": "checkOptions",
  "inet/ip_mtu": "mtuFor mtuOf",
  "net/gro": "flush verified",
  "net/if_list": "byIndex",
  "net/if_queue": "allowance dequeue",
  "net/if_rx": "empty lend",
  "net/input_type": "dispatch place",
  "protocol/domain": "inputRow",
  "socket/so_data": "consume",
  "socket/sockaddr_ops": "is4",
  "socket/sockbuf": "seek space",
  "sys/pool": "count getDirty put",
  "sys/rand": "public32",
  "sys/timer": "earliest startOf sweep",
  "tcp/chrono": "read",
  "tcp/delack": "delay measureOne",
  "tcp/ecn": "delivered",
  "tcp/nagle": "sent",
  "tcp/notsent": "unsent",
  "tcp/options": "sackLength",
  "tcp/output": "flush forgetRefusal",
  "tcp/output_plan": "finish inRecord maxPayload",
  "tcp/pacing": "pace sent",
  "tcp/push": "advance chunkSize has",
  "tcp/rack": "sentAfter",
  "tcp/rtt": "clampRto",
  "tcp/sent": "append found pipe shift touch untime",
  "tcp/subr": "ofSocket",
  "tcp/tcb": "nextOutput wantOutput",
  "tcp/window": "most toAdvertise updateDue",
  "wire/checksum": "copyChain finish lanes",
  "wire/checksum_scalar": "fold",
  "wire/ip4": "pseudo put src",
  "wire/tcp": "seq",
};

/** Names of the functions as the compiler gives them. */
export const HOT: readonly string[] = Object.entries(BY_FILE).flatMap(([file, names]) =>
  names.split(" ").map((name) => `assembly/${file}/${name}`)
);
