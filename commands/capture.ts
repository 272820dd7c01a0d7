/**
 * The frames of an interface as they come and go, from a packet socket with a filter.
 *
 * @module
 */

import { Errno } from "../assembly/abi/errno.ts";
import { Af, So, Sock, Sol } from "../assembly/abi/socket.ts";
import { Iff, Medium } from "../assembly/abi/ifnet.ts";
import { compileFilter, encodeProgram, FilterLinktype } from "../filter/mod.ts";
import { POLLIN, type RecvHeader, SocketError, type Stack } from "../mod.ts";
import { ETH_P_ALL, EthP, PacketMr, PacketOpt, PacketType } from "../protocols/packet/mod.ts";
import { RequestError } from "./request.ts";
import { release } from "./waiting.ts";

/** What to capture. */
export interface CaptureOptions {
  /** Its name, `any` for all; the first with a driver unless told, else `lo0`. */
  readonly interface?: string;
  /** Which frames, in the language of tcpdump; all unless told. */
  readonly filter?: string;
  /** Bytes of each frame to keep; all unless told. */
  readonly snaplen?: number;
  /** Leaves frames for others to others. */
  readonly onlyOurs?: boolean;
  /** Added to the stack's clock to make times; what makes them the time of day unless told. */
  readonly epoch_us?: number;
  /** Ends it. */
  readonly signal?: AbortSignal;
}

/** The capture has begun. */
export interface CaptureStart {
  /** Tells the events apart. */
  readonly kind: "start";
  /** The interfaces, in the order that frames count them. */
  readonly interfaces: readonly CapturedInterface[];
}

/** An interface whose frames are captured. */
export interface CapturedInterface {
  /** Its name. */
  readonly name: string;
  /** What its frames begin with: a number of LINKTYPE. */
  readonly linktype: number;
}

/** A frame. */
export interface CaptureFrame {
  /** Tells the events apart. */
  readonly kind: "frame";
  /** Which of the interfaces it came or went by. */
  readonly interface: number;
  /** When it came or went, in microseconds. */
  readonly timestamp_us: number;
  /** Whether the stack received or sent it. */
  readonly direction: "in" | "out";
  /** Its length on the wire. */
  readonly originalLength: number;
  /** What was kept of it. */
  readonly data: Uint8Array<ArrayBuffer>;
}

/** The figures at the end. */
export interface CaptureEnd {
  /** Tells the events apart. */
  readonly kind: "end";
  /** Frames that the filter kept. */
  readonly captured: number;
  /** Of them, those that were lost because nobody took them in time. */
  readonly dropped: number;
}

/** What a capture tells. */
export type CaptureEvent = CaptureStart | CaptureFrame | CaptureEnd;

const FRAME_BYTES_MAX = 70_000;
const RECEIVE_BUFFER_BYTES = 1 << 20;

/** The name that stands for all interfaces. */
const ANY = "any";
/** Most frames of one interface that are taken before the others have their turn. */
const BURST = 256;

/** The interfaces that are meant. */
function chosen(stack: Stack, name: string | undefined) {
  const { interfaces } = stack.netstat();
  const wanted = name ?? stack.interfaces[0]?.name ?? "lo0";
  const found = interfaces.filter((one) => wanted === ANY || one.name === wanted);
  if (found.length > 0) return found;
  const names = interfaces.map((one) => one.name).join(", ");
  throw new RequestError(`there is no interface ${wanted}; there are ${names}`, "ENXIO");
}

/** A packet socket on an interface; what comes before the filter is in place is not seen. */
function open(stack: Stack, index: number, linktype: number, options: CaptureOptions): number {
  const { sys } = stack;
  const program = compileFilter(options.filter ?? "", { linktype });
  const fd = sys.socket(Af.NDD, Sock.RAW, EthP.NONE);
  try {
    sys.setsockopt(fd, Sol.SOCKET, So.ATTACH_FILTER, encodeProgram(program));
    try {
      sys.setsockopt(fd, Sol.SOCKET, So.RCVBUF, RECEIVE_BUFFER_BYTES);
    } catch (error) {
      // A stack may allow less; then more is dropped.
      if (!(error instanceof SocketError)) throw error;
    }
    sys.bind(fd, { family: Af.NDD, interface: index, port: ETH_P_ALL });
    if (!options.onlyOurs && linktype === FilterLinktype.ETHERNET) {
      const membership = new Uint8Array(8);
      new DataView(membership.buffer).setInt32(0, index, true);
      new DataView(membership.buffer).setInt32(4, PacketMr.PROMISC, true);
      sys.setsockopt(fd, Sol.PACKET, PacketOpt.ADD_MEMBERSHIP, membership);
    }
    return fd;
  } catch (error) {
    release(stack, fd);
    throw error;
  }
}

/** The frames of one interface. */
class Tap implements CapturedInterface {
  readonly name: string;
  readonly linktype: number;
  readonly fd: number;
  readonly #stack: Stack;
  readonly #loops: boolean;

  constructor(stack: Stack, it: Chosen, options: CaptureOptions) {
    this.#stack = stack;
    this.name = it.name;
    this.linktype = it.medium === Medium.ETHERNET ? FilterLinktype.ETHERNET : FilterLinktype.RAW;
    this.#loops = (it.flags & Iff.LOOPBACK) !== 0;
    this.fd = open(stack, it.index, this.linktype, options);
  }

  /** What has come and was not taken, some of it. */
  *take(room: Uint8Array, number: number, { snaplen = Infinity, epoch_us = 0 }: CaptureOptions) {
    for (let i = 0; i < BURST; i++) {
      const header: RecvHeader = { iov: [room] };
      let got: number;
      try {
        got = this.#stack.sys.nb.recvmsg(this.fd, header);
      } catch (error) {
        if (error instanceof SocketError && error.errno === Errno.EAGAIN) return;
        throw error;
      }
      const { packetType, time_us = 0 } = header.name!;
      const out = packetType === PacketType.OUTGOING;
      // What loops comes back: it is told once, as it is received.
      if (out && this.#loops) continue;
      const frame: CaptureFrame = {
        kind: "frame",
        interface: number,
        timestamp_us: epoch_us + time_us,
        direction: out ? "out" : "in",
        originalLength: header.length ?? got,
        data: room.slice(0, Math.min(got, room.length, snaplen)),
      };
      yield frame;
    }
  }

  /** What it has counted since this was asked last. */
  figures(): { captured: number; dropped: number } {
    const bytes = this.#stack.sys.getsockoptBytes(this.fd, Sol.PACKET, PacketOpt.STATISTICS, 8);
    const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
    return { captured: view.getUint32(0, true), dropped: view.getUint32(4, true) };
  }
}

type Chosen = ReturnType<typeof chosen>[number];

/**
 * Captures the frames of an interface, or of all: yields what is captured, the frames, and figures
 * at the end.
 *
 * @throws RequestError for an interface that is not there, FilterError for a filter with a fault
 */
export async function* capture(
  stack: Stack,
  options: CaptureOptions = {},
): AsyncGenerator<CaptureEvent, void> {
  const { signal, epoch_us = Date.now() * 1000 - stack.now_us } = options;
  const taps: Tap[] = [];
  const room = new Uint8Array(FRAME_BYTES_MAX);
  try {
    for (const it of chosen(stack, options.interface)) taps.push(new Tap(stack, it, options));
    const interfaces = taps.map(({ name, linktype }) => ({ name, linktype }));
    yield { kind: "start", interfaces };
    const fds = taps.map(({ fd }) => ({ fd, events: POLLIN }));
    while (!signal?.aborted) {
      const frames = taps.flatMap((tap, i) => [...tap.take(room, i, { ...options, epoch_us })]);
      yield* frames.sort((one, other) => one.timestamp_us - other.timestamp_us);
      if (frames.length > 0) continue;
      try {
        await stack.sys.poll(fds, -1, { signal });
      } catch (error) {
        if (!signal?.aborted) throw error;
      }
    }
    const figures = taps.map((tap) => tap.figures());
    const sum = (which: "captured" | "dropped") =>
      figures.reduce((all, one) => all + one[which], 0);
    yield { kind: "end", captured: sum("captured"), dropped: sum("dropped") };
  } finally {
    for (const { fd } of taps) release(stack, fd);
  }
}
