/**
 * Bulk TCP over a link with a rate and a delay, on a virtual clock: what congestion control and
 * windows make of it, whatever the machine is like. Every run gives the same figure.
 *
 * @module
 */

import { Af, Errno, POLLIN, POLLOUT, So, Sock, SocketError, Sol } from "../../mod.ts";
import type { Node, Program } from "../../sim/node.ts";
import type { WorldPlan } from "../../sim/plan.ts";
import { World } from "../../sim/world.ts";
import engine from "../../runtime/wasm/engine_module.js";
import { part, type Row } from "../row.ts";
import { PORT } from "../stacks.ts";

const RATE_BPS = 1e9;
/** Buffers for a path that the largest default ones, 4 MiB to send, are too small for. */
const LARGE_BYTES = 32 * 2 ** 20;
const PATHS = [
  { name: "2ms", rtt_ms: 2, buffers: 0 },
  { name: "10ms", rtt_ms: 10, buffers: 0 },
  { name: "50ms", rtt_ms: 50, buffers: 0 },
  { name: "50ms-32m", rtt_ms: 50, buffers: LARGE_BYTES },
];
const PACKET_BYTES = 1500;
const TOTAL_BYTES = 512 * 1024 * 1024;
const CHUNK = new Uint8Array(65_536);
const MEMORY_BYTES = 512 * 2 ** 20;
/** Ten times what the link needs. */
const LIMIT_US = 60_000_000;
const ADDRESSES = ["10.9.0.1", "10.9.0.2"];

/** Two stacks on a link whose queue holds a round trip's worth of data. */
function planOf(rtt_us: number): WorldPlan {
  const line = {
    rate_bps: RATE_BPS,
    delay_us: rtt_us / 2,
    jitter_us: 0,
    queue: { kind: "tail", limit_bytes: RATE_BPS * rtt_us / 8e6, ecn: false },
    loss: 0,
    corrupt: 0,
    duplicate: 0,
    reorder: 0,
    reorder_us: 0,
  } as const;
  return {
    seed: 1,
    nodes: ADDRESSES.map((name) => ({
      name,
      router: false,
      memory: { bytes: MEMORY_BYTES },
      profile: "linux",
      sysctl: {},
      routes: [],
    })),
    segments: [{
      medium: "ip",
      mtu: PACKET_BYTES,
      ends: ADDRESSES.map((address, node) => ({
        node,
        address: `${address}/24`,
        line,
        backpressure: false,
      })),
    }],
    listeners: [],
    flows: [],
    cuts: [],
    restores: [],
  };
}

/** Connects and sends `left` bytes. */
class Sender implements Program {
  readonly #fd: number;

  constructor(readonly node: Node, buffers: number, private left: number) {
    const { sys } = node.stack;
    this.#fd = sys.socket(Af.INET, Sock.STREAM);
    if (buffers > 0) sys.setsockopt(this.#fd, Sol.SOCKET, So.SNDBUF, buffers);
    try {
      sys.nb.connect(this.#fd, { address: ADDRESSES[1], port: PORT });
    } catch (error) {
      if (!(error instanceof SocketError) || error.errno !== Errno.EINPROGRESS) throw error;
    }
    node.program = this;
  }

  work(): void {
    const { nb } = this.node.stack.sys;
    const entry = { fd: this.#fd, events: POLLOUT, revents: 0 };
    while (this.left > 0 && nb.poll([entry]) > 0) {
      this.left -= nb.send(this.#fd, CHUNK.subarray(0, Math.min(this.left, CHUNK.length)));
    }
  }
}

/** Accepts a connection and reads everything at once. */
class Receiver implements Program {
  received = 0;
  readonly #listener: number;
  readonly #room = new Uint8Array(1 << 20);
  #fd = -1;

  constructor(readonly node: Node, buffers: number) {
    const { sys } = node.stack;
    this.#listener = sys.socket(Af.INET, Sock.STREAM);
    if (buffers > 0) sys.setsockopt(this.#listener, Sol.SOCKET, So.RCVBUF, buffers);
    sys.bind(this.#listener, { port: PORT });
    sys.listen(this.#listener);
    node.program = this;
  }

  work(): void {
    const { nb } = this.node.stack.sys;
    const entry = { fd: this.#listener, events: POLLIN, revents: 0 };
    if (this.#fd < 0) {
      if (nb.poll([entry]) === 0) return;
      this.#fd = nb.accept(this.#listener).fd;
    }
    entry.fd = this.#fd;
    while (nb.poll([entry]) > 0) this.received += nb.recv(this.#fd, this.#room);
  }
}

/** Mbit/s of payload, from the first SYN to the last byte. */
async function goodput(rtt_us: number, buffers: number, bytes: number): Promise<number> {
  const world = await World.create(planOf(rtt_us), { engine });
  const receiver = new Receiver(world.nodes[1], buffers);
  const begin_us = world.now_us;
  new Sender(world.nodes[0], buffers, bytes);
  const whole = await world.run(() => receiver.received >= bytes, LIMIT_US);
  if (!whole) throw new Error(`only ${receiver.received} bytes arrived`);
  return bytes * 8 / (world.now_us - begin_us);
}

/** One connection on a link of 1 Gbit/s. */
export const longPathRows: readonly Row[] = PATHS.map(({ name, rtt_ms, buffers }) => ({
  name: `tcp-bulk-rtt-${name}`,
  unit: "Mbit/s",
  about: `512 MiB on a virtual link of 1 Gbit/s, round trip ${rtt_ms} ms, from the first SYN on` +
    (buffers > 0 ? `, buffers of ${buffers / 2 ** 20} MiB` : ""),
  exact: true,
  ours: (share) =>
    Promise.resolve({
      measure: () => goodput(rtt_ms * 1000, buffers, part(TOTAL_BYTES, share)),
      close() {},
    }),
  reference: { name: "the link, headers and all", value: RATE_BPS / 1e6 },
}));
