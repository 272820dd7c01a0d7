/**
 * The standard interface to drivers. A driver moves frames between one interface of the stack and
 * the world; it knows nothing of protocols. The stack calls it, once a turn and with a batch, and
 * the driver reads and writes the frames in place, in the engine's memory.
 *
 * @module
 */

/** What an interface carries: Ethernet frames, or bare IP packets. */
export type Medium = "ethernet" | "ip";

/** What a driver tells about its device when it is attached. */
export interface DriverCaps {
  /** Largest IP packet, in bytes, that one frame may carry; without the link header. */
  readonly mtu: number;
  /** What the frames are. */
  readonly medium: Medium;
  /** Hardware address, 6 bytes; chosen by the stack if an Ethernet driver gives none. */
  readonly hwaddr?: Uint8Array;
  /** True if every frame handed in has checksums that the device verified. */
  readonly rxChecksum?: boolean;
  /** True if the device fills in transport checksums. */
  readonly txChecksum?: boolean;
  /**
   * True if every frame, in both directions, begins with a virtio_net_hdr of 10 bytes, as Linux has
   * it (IFF_VNET_HDR): checksums may then be left to the other side, and one frame may stand for
   * many TCP segments, up to 64 KiB.
   */
  readonly vnetHeader?: boolean;
  /** True for a medium without ARP and broadcast: one peer at the other end. */
  readonly pointToPoint?: boolean;
}

/**
 * Up to `count` frames in engine memory. The batch is only valid during the call it is passed to:
 * the driver copies what it keeps.
 */
export interface FrameBatch {
  /** How many frames there are to send, or how many empty ones there are to fill. */
  readonly count: number;
  /** The whole memory of the engine; the buffer never moves. */
  readonly memory: Uint8Array<ArrayBuffer>;
  /** Offset of frame `i` in `memory`, in bytes. */
  address(i: number): number;
  /** Length of frame `i` to send, or the room in the empty frame `i`, in bytes. */
  length(i: number): number;
  /** Says how many bytes were put into the empty frame `i`. */
  setLength(i: number, length: number): void;
  /** A fresh view of frame `i`: convenient, but it allocates; not for a hot path. */
  view(i: number): Uint8Array<ArrayBuffer>;
}

/** The interface a driver is attached to, as the driver sees it. */
export interface Ifnet {
  /** Its name, such as `eth0`. */
  readonly name: string;
  /** Its index in the stack, from 1. */
  readonly index: number;
  /** Hardware address in use, 6 bytes (zeros on a medium without one). */
  readonly hwaddr: Uint8Array<ArrayBuffer>;
  /** The whole memory of the engine. */
  readonly memory: Uint8Array<ArrayBuffer>;
  /** Time of the stack's clock in microseconds. */
  now(): number;
  /** Frames have arrived, or sending is possible again: take a turn soon. */
  wake(): void;
  /** Takes the interface down, with the reason; the stack lives on. */
  down(reason: string): void;
}

/** A device driver: what a program implements to give the stack a network. */
export interface NetDriver {
  /** Short name of the kind of driver, for messages: `pipe`, `tap`. */
  readonly name: string;
  /** What the device is; read once, after `attach`. */
  readonly caps: DriverCaps;
  /** Binds the driver to an interface and opens the device. May throw a `SocketError`. */
  attach(ifp: Ifnet): void | Promise<void>;
  /**
   * Sends frames `0..tx.count-1` in order.
   *
   * @returns how many were taken; fewer than `tx.count` means busy, and the rest is offered again
   * after `ifp.wake()` or on a later turn.
   */
  start(tx: FrameBatch): number;
  /**
   * Fills empty frames with what has arrived, in order, and sets their lengths. Never waits.
   *
   * @returns how many were filled; as many as `free.count` means that there may be more.
   */
  rx(free: FrameBatch): number;
  /**
   * Lends the empty frames that the next `rx` will be given, in the same object: a driver that
   * comes by a frame before may put it there at once, the first one first, and tells in `rx` how
   * long it is. They are lent as long as `free.count` says how many there are: the stack sets that
   * to 0 when it wants them back, and what was put there is lost. Only on the stack's own thread.
   */
  lend?(free: FrameBatch): void;
  /**
   * Waits on this thread, at most `timeout_us`, until a frame can be read. Only for devices that
   * can tell nothing by themselves (files of the host); others call `ifp.wake()`.
   *
   * @returns true if a frame can be read.
   */
  poll?(timeout_us: number): boolean;
  /**
   * Has `ifp.wake()` called as soon as a frame can be read, without holding this thread up: asked
   * for while the stack is idle, again after each wake. Only for drivers with a `poll`.
   *
   * @returns false if that is not possible: then the stack looks from time to time
   */
  watch?(): boolean;
  /** Unbinds and closes the device. Called once, also after `down`. */
  detach(): void | Promise<void>;
}
