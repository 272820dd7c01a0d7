/**
 * Measures the goodput of one connection over one lossy link: a cell of the table in
 * docs/goodput.md.
 *
 * @module
 */

import { Errno } from "../assembly/abi/errno.ts";
import { IpProto } from "../assembly/abi/proto.ts";
import { Af, So, Sock, Sol, TcpOpt } from "../assembly/abi/socket.ts";
import { SocketError } from "../runtime/errors.ts";
import { POLLIN, POLLOUT } from "../runtime/socket/select.ts";
import { Fault } from "./fault.ts";
import type { Algorithm } from "./goodput_model.ts";
import type { LineSpec } from "./line.ts";
import type { Node, Program } from "./node.ts";
import type { WorldPlan } from "./plan.ts";
import { World } from "./world.ts";

/** A cell: what the link is like and who sends. */
export interface Cell {
  /** Share of the data packets that are lost. */
  readonly loss: number;
  /** Round-trip time without queues. */
  readonly rtt_us: number;
  /** Rate of the link, bits a second. */
  readonly rate_bps: number;
  /** Congestion control of the sender. */
  readonly algorithm: Algorithm;
}

/** What was measured in a cell. */
export interface Measured {
  /** Payload delivered in order, bits a second. */
  readonly goodput_bps: number;
  /** Packets that the link has lost, and its queue. */
  readonly lost: number;
}

/** Numbers of TCP_CONGESTION. */
const ALGORITHMS: Readonly<Record<Algorithm, number>> = { newreno: 0, cubic: 1 };
/** Bytes of an IP packet. */
export const PACKET_BYTES = 1500;
/** Payload of a full segment with timestamps. */
export const SEGMENT_BYTES = PACKET_BYTES - 20 - 32;
/** The queue holds a round trip's worth of data, and never fewer packets than this. */
const QUEUE_PACKETS_MIN = 40;
/** Losses to see: before anything is measured, and while it is. */
const WARM_LOSSES = 20;
const MEASURED_LOSSES = 200;
/** Packets to see, beside those: so many at least, and at most. */
const WARM_PACKETS = 3_000;
const MEASURED_PACKETS = 15_000;
const MEASURED_PACKETS_MAX = 400_000;
const PORT = 5001;
/** How many segments may be in flight goes with the number of connections there may be. */
const TCBS = 4096;
/** A cell that takes longer is stuck. */
const LIMIT_US = 100_000_000_000;
const CHUNK = new Uint8Array(65_536);

/** Packets of a round trip at full rate. */
function bdpPackets({ rate_bps, rtt_us }: Cell): number {
  return rate_bps * rtt_us / 8e6 / PACKET_BYTES;
}

/** Bytes before the measurement, and in it. */
function amounts(cell: Cell): { warm: number; measured: number } {
  const bdp = bdpPackets(cell);
  // Slow start fills link and queue twice over, and as much again is repaired.
  const start = WARM_PACKETS + 8 * bdp;
  if (cell.loss === 0) {
    const packets = Math.max(MEASURED_PACKETS, 12 * bdp);
    return { warm: start * SEGMENT_BYTES, measured: packets * SEGMENT_BYTES };
  }
  const warm = Math.max(WARM_PACKETS, WARM_LOSSES / cell.loss);
  const packets = Math.max(MEASURED_PACKETS, MEASURED_LOSSES / cell.loss);
  const most = Math.min(packets, MEASURED_PACKETS_MAX);
  return { warm: warm * SEGMENT_BYTES, measured: most * SEGMENT_BYTES };
}

function planOf(cell: Cell): { plan: WorldPlan; buffer: number } {
  const bdp_bytes = bdpPackets(cell) * PACKET_BYTES;
  const queue_bytes = Math.max(bdp_bytes, QUEUE_PACKETS_MIN * PACKET_BYTES);
  // Four times what can be on its way: never what limits.
  const buffer = Math.ceil(Math.max(1 << 20, 1.6 * (bdp_bytes + queue_bytes)));
  const line = (loss: number, limit_bytes: number): LineSpec => ({
    rate_bps: cell.rate_bps,
    delay_us: cell.rtt_us / 2,
    jitter_us: 0,
    queue: { kind: "tail", limit_bytes, ecn: false },
    loss,
    corrupt: 0,
    duplicate: 0,
    reorder: 0,
    reorder_us: 0,
  });
  const node = (name: string) => ({
    name,
    router: false,
    memory: { bytes: Math.min((128 << 20) + 4 * buffer, 1 << 30), sockets: 16, tcbs: TCBS },
    profile: "linux" as const,
    sysctl: {},
    routes: [],
  });
  const plan: WorldPlan = {
    seed: 1,
    nodes: [node("sender"), node("receiver")],
    segments: [{
      medium: "ip",
      mtu: PACKET_BYTES,
      ends: [
        {
          node: 0,
          address: "10.0.0.1/24",
          line: line(cell.loss, queue_bytes),
          backpressure: false,
        },
        { node: 1, address: "10.0.0.2/24", line: line(0, 1e9), backpressure: false },
      ],
    }],
    listeners: [],
    flows: [],
    cuts: [],
    restores: [],
  };
  return { plan, buffer };
}

/** Sends without end. */
class Sender implements Program {
  readonly #fd: number;

  constructor(readonly node: Node, buffer: number, algorithm: Algorithm) {
    const { sys } = node.stack;
    this.#fd = sys.socket(Af.INET, Sock.STREAM);
    sys.setsockopt(this.#fd, Sol.SOCKET, So.SNDBUF, buffer);
    sys.setsockopt(this.#fd, IpProto.TCP, TcpOpt.CONGESTION, ALGORITHMS[algorithm]);
    try {
      sys.nb.connect(this.#fd, { address: "10.0.0.2", port: PORT });
    } catch (error) {
      if (!(error instanceof SocketError) || error.errno !== Errno.EINPROGRESS) throw error;
    }
    node.program = this;
  }

  /** True while losses are being repaired. */
  get recovering(): boolean {
    return this.node.stack.sys.getsockopt(this.#fd, IpProto.TCP, TcpOpt.INFO).ca_state !== 0;
  }

  work(): void {
    const { nb } = this.node.stack.sys;
    const entry = { fd: this.#fd, events: POLLOUT, revents: 0 };
    while (nb.poll([entry]) > 0) nb.send(this.#fd, CHUNK);
  }
}

/** Reads everything at once. */
class Receiver implements Program {
  received = 0;
  #listener: number;
  #fd = -1;
  readonly #buffer = new Uint8Array(1 << 20);

  constructor(readonly node: Node, buffer: number) {
    const { sys } = node.stack;
    this.#listener = sys.socket(Af.INET, Sock.STREAM);
    sys.setsockopt(this.#listener, Sol.SOCKET, So.RCVBUF, buffer);
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
    while (nb.poll([entry]) > 0) this.received += nb.recv(this.#fd, this.#buffer);
  }
}

/** Measures a cell. */
export async function measure(cell: Cell, engine: WebAssembly.Module): Promise<Measured> {
  const { plan, buffer } = planOf(cell);
  const world = await World.create(plan, { engine });
  const receiver = new Receiver(world.nodes[1], buffer);
  const sender = new Sender(world.nodes[0], buffer, cell.algorithm);
  const { warm, measured } = amounts(cell);
  const until = async (bytes: number, ready = () => true) => {
    if (await world.run(() => receiver.received >= bytes && ready(), LIMIT_US)) return;
    throw new Fault(`only ${receiver.received} bytes after ${world.now_us / 1e6} s`);
  };
  // What slow start overran is repaired first: until then much has come that could not be read.
  await until(warm, () => cell.loss > 0 || !sender.recovering);
  const [from_us, from] = [world.now_us, receiver.received];
  await until(from + measured);
  const goodput_bps = (receiver.received - from) * 8e6 / (world.now_us - from_us);
  const { lost, dropped } = world.lineStats();
  return { goodput_bps, lost: lost + dropped };
}
