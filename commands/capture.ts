/**
 * The frames of an interface as they come and go, from a packet socket with a filter.
 *
 * @module
 */

import { Af, So, Sock, Sol } from "../assembly/abi/socket.ts";
import { Iff, Medium } from "../assembly/abi/ifnet.ts";
import { compileFilter, encodeProgram, FilterLinktype } from "../filter/mod.ts";
import { type RecvHeader, SocketError, type Stack } from "../mod.ts";
import { ETH_P_ALL, EthP, PacketMr, PacketOpt, PacketType } from "../protocols/packet/mod.ts";
import { RequestError } from "./request.ts";
import { release } from "./waiting.ts";

/** What to capture. */
export interface CaptureOptions {
  /** Name of the interface; the first with a driver unless told, else `lo0`. */
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
  /** Name of the interface. */
  readonly interface: string;
  /** What its frames begin with: a number of LINKTYPE. */
  readonly linktype: number;
}

/** A frame. */
export interface CaptureFrame {
  /** Tells the events apart. */
  readonly kind: "frame";
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

/** The interface that is meant. */
function chosen(stack: Stack, name: string | undefined) {
  const { interfaces } = stack.netstat();
  const wanted = name ?? stack.interfaces[0]?.name ?? "lo0";
  const found = interfaces.find((one) => one.name === wanted);
  if (found !== undefined) return found;
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

/**
 * Captures the frames of an interface: yields what is captured, the frames, and figures at the end.
 *
 * @throws RequestError for an interface that is not there, FilterError for a filter with a fault
 */
export async function* capture(
  stack: Stack,
  options: CaptureOptions = {},
): AsyncGenerator<CaptureEvent, void> {
  const { signal, snaplen = Infinity } = options;
  const { epoch_us = Date.now() * 1000 - stack.now_us } = options;
  const { name, index, medium, flags } = chosen(stack, options.interface);
  const linktype = medium === Medium.ETHERNET ? FilterLinktype.ETHERNET : FilterLinktype.RAW;
  const fd = open(stack, index, linktype, options);
  const buffer = new Uint8Array(FRAME_BYTES_MAX);
  try {
    yield { kind: "start", interface: name, linktype };
    while (!signal?.aborted) {
      const header: RecvHeader = { iov: [buffer] };
      let got: number;
      try {
        got = await stack.sys.recvmsg(fd, header, 0, { signal });
      } catch (error) {
        if (signal?.aborted) break;
        throw error;
      }
      const { packetType, time_us = 0 } = header.name!;
      // What loops comes back: it is told once, as it is received.
      if (packetType === PacketType.OUTGOING && flags & Iff.LOOPBACK) continue;
      yield {
        kind: "frame",
        timestamp_us: epoch_us + time_us,
        direction: packetType === PacketType.OUTGOING ? "out" : "in",
        originalLength: header.length ?? got,
        data: buffer.slice(0, Math.min(got, buffer.length, snaplen)),
      };
    }
    const figures = stack.sys.getsockoptBytes(fd, Sol.PACKET, PacketOpt.STATISTICS, 8);
    const view = new DataView(figures.buffer, figures.byteOffset, 8);
    yield { kind: "end", captured: view.getUint32(0, true), dropped: view.getUint32(4, true) };
  } finally {
    release(stack, fd);
  }
}
