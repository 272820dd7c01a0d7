/**
 * NAME: a driver that carries Ethernet frames over a MessagePort, so that stacks in different
 * Workers, windows or processes of the host meet on one wire. It is whole, and made to be changed:
 * put your device where the port is.
 */
import {
  type DriverCaps,
  Errno,
  type FrameBatch,
  type Ifnet,
  type NetDriver,
  SocketError,
} from "@godwit/godwit";

/** What `stack.drivers.load` hands over as `options`. */
export interface Options {
  /** The wire: one end of a MessageChannel. */
  readonly port: MessagePort;
  /** Largest IP packet in bytes; 1500 unless told. */
  readonly mtu?: number;
}

/** Frames that are kept for a stack that does not take them; more are dropped. */
export const QUEUE_FRAMES = 256;
/** Bytes of an Ethernet header, which the MTU does not count. */
const HEADER_BYTES = 14;

/** The driver. */
class PortDriver implements NetDriver {
  /** Short name of the kind of driver, for messages; interfaces are called NAME0, NAME1. */
  readonly name = "NAME";
  /** What the device is. The stack reads it once, after attach. */
  readonly caps: DriverCaps;
  /** What the driver counts; `stack.drivers.list()` shows these numbers. */
  readonly stats = {
    txFrames: 0,
    txBytes: 0,
    txDropped: 0,
    rxFrames: 0,
    rxBytes: 0,
    rxDropped: 0,
  };
  readonly #port: MessagePort;
  readonly #frameBytesMax: number;
  /** Frames that have arrived and that the stack has not taken yet. */
  #inbound: Uint8Array[] = [];
  #ifp: Ifnet | undefined = undefined;

  constructor({ port, mtu = 1500 }: Options) {
    this.caps = { mtu, medium: "ethernet" };
    this.#frameBytesMax = mtu + HEADER_BYTES;
    this.#port = port;
  }

  /** Opens the device. What it throws, the caller of `load` gets; it may be asynchronous. */
  attach(ifp: Ifnet): void {
    if (this.#ifp) {
      throw new SocketError(Errno.EBUSY, "if_attach", `NAME is on ${this.#ifp.name} already`);
    }
    this.#ifp = ifp;
    this.#port.onmessage = ({ data }) => this.#arrived(data);
    // A device that fails takes its interface down and says why; the stack lives on.
    this.#port.onmessageerror = () => ifp.down("a message could not be read");
  }

  /** Sends frames. The batch is the stack's memory: copy what is kept beyond this call. */
  start(tx: FrameBatch): number {
    for (let i = 0; i < tx.count; i++) {
      const length = tx.length(i);
      if (length === 0 || length > this.#frameBytesMax) {
        this.stats.txDropped++;
        continue;
      }
      const at = tx.address(i);
      const frame = tx.memory.slice(at, at + length);
      this.#port.postMessage(frame, [frame.buffer]);
      this.stats.txFrames++;
      this.stats.txBytes += length;
    }
    // All were taken. A device that is full answers how many it took, and calls ifp.wake() when
    // there is room again; the rest is offered once more.
    return tx.count;
  }

  /** Fills empty frames with what has arrived, in order. Never waits. */
  rx(free: FrameBatch): number {
    let filled = 0;
    let looked = 0;
    while (filled < free.count && looked < this.#inbound.length) {
      const frame = this.#inbound[looked++];
      if (frame.length > free.length(filled)) {
        this.stats.rxDropped++;
        continue;
      }
      free.memory.set(frame, free.address(filled));
      free.setLength(filled, frame.length);
      this.stats.rxBytes += frame.length;
      filled++;
    }
    this.#inbound.splice(0, looked);
    this.stats.rxFrames += filled;
    return filled;
  }

  /** Closes the device. Afterwards the driver is quiet. */
  detach(): void {
    this.#port.onmessage = null;
    this.#port.onmessageerror = null;
    this.#port.close();
    this.#inbound = [];
    this.#ifp = undefined;
  }

  #arrived(data: unknown): void {
    const isFrame = data instanceof Uint8Array && data.length > 0;
    if (!isFrame || this.#inbound.length === QUEUE_FRAMES) {
      this.stats.rxDropped++;
      return;
    }
    this.#inbound.push(data);
    // The stack asks for frames on its next turn, which this brings about.
    this.#ifp?.wake();
  }
}

/** Makes a driver: what `stack.drivers.load` looks for in a module. */
export default function make(options: Options): NetDriver {
  return new PortDriver(options);
}
