/**
 * One queue of an interface of a Linux host through an AF_XDP socket: its frames go past the
 * kernel's network stack altogether. Which queue gets which frames is the card's affair
 * (`ethtool -L eth1 combined 1` leaves one queue, which gets all).
 *
 * ```ts
 * import { AfXdpDriver } from "@godwit/godwit/drivers/af_xdp";
 * const driver = new AfXdpDriver({ interface: "eth1", mode: "native" });
 * ```
 *
 * Needs `--allow-ffi`, CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF. While the driver is attached, the
 * kernel sees nothing of what arrives on the queue. There is one XDP program to an interface, and
 * so one such driver.
 *
 * Frames come as they are in the kernel's hands: neither checksums that a virtual device was to
 * compute nor segments that it was to cut are done. On the far end of a veth pair,
 * `ethtool -K veth1 tx off` lets the kernel do both.
 *
 * Frames are copied once between the memory that is registered with the kernel and the engine's:
 * the stack lends frames at addresses of its own choice, which are no pieces of that memory.
 *
 * See the kernel's Documentation/networking/af_xdp.rst.
 *
 * @module
 */

import type { DriverCaps, FrameBatch, Ifnet, NetDriver } from "../runtime/device/driver.ts";
import { copyFrame } from "./af_packet_frames.ts";
import {
  openAfXdp,
  RX_FRAMES,
  SOL_XDP,
  TX_FRAMES,
  XdpOption,
  type XdpSocket,
} from "./af_xdp_setup.ts";
import { FdWatcher } from "./fd_watcher.ts";
import type { XdpMode } from "./af_xdp_program.ts";
import { HostErrno } from "./host_errno.ts";
import {
  checkHwaddr,
  checkInterfaceName,
  checkMtu,
  frameBytesMax,
  refuseSecondAttach,
  wholeInRange,
} from "./options.ts";
import { type DriverStats, newStats } from "./stats.ts";

export type { XdpMode } from "./af_xdp_program.ts";
export type { DriverStats } from "./stats.ts";

export { AfXdpDriver as default };

/** Which queue, and how. */
export interface AfXdpOptions {
  /** Name of the interface of the host, such as `eth1`; an Ethernet that is there. */
  readonly interface: string;
  /** Number of its queue; 0 unless told. */
  readonly queue?: number;
  /**
   * `skb`: the kernel runs the program where every interface has a place for it; and unless told.
   * `native`: in the driver of the interface, before the kernel makes a buffer, if it can.
   */
  readonly mode?: XdpMode;
  /** Largest IP packet in bytes; that of the interface unless told. */
  readonly mtu?: number;
  /**
   * Hardware address of the stack: `interface` for that of the interface, and unless told; `own`
   * for one that the stack makes; or 6 bytes.
   */
  readonly hwaddr?: "interface" | "own" | Uint8Array;
  /**
   * Receive what is sent to other hardware addresses. Unless told, true if the stack has not that
   * of the interface.
   */
  readonly promiscuous?: boolean;
}

/** Number of the last queue that a card can have. */
const QUEUE_MAX = 65535;

/** A queue of an interface of the host. */
export class AfXdpDriver implements NetDriver {
  /** `af_xdp` */
  readonly name = "af_xdp";
  readonly #options: AfXdpOptions;
  readonly #stats = newStats();
  /** Pieces of memory that no frame to send is in; the first `#spareCount` count. */
  readonly #spare = new Int32Array(TX_FRAMES);
  #spareCount = 0;
  #xdp: XdpSocket | undefined = undefined;
  #ifp: Ifnet | undefined = undefined;
  #watcher: FdWatcher | undefined = undefined;
  /** The end of a watcher, which the sockets have to outlive. */
  #unwatched: Promise<void> | undefined = undefined;
  #mtu: number;
  #hwaddr: Uint8Array<ArrayBuffer> | undefined = undefined;
  #kernelDropped = 0;

  /** Opens nothing yet; `RangeError` for options that nothing can have. */
  constructor(options: AfXdpOptions) {
    checkInterfaceName(options.interface);
    wholeInRange("queue", options.queue ?? 0, 0, QUEUE_MAX);
    const mode = options.mode ?? "skb";
    if (mode !== "skb" && mode !== "native") {
      throw new RangeError(`mode must be "skb" or "native", not ${JSON.stringify(mode)}`);
    }
    this.#options = options;
    this.#mtu = checkMtu(options.mtu ?? 1500);
    this.#hwaddr = checkHwaddr(options.hwaddr);
  }

  /** MTU and hardware address of the interface once attached. */
  get caps(): DriverCaps {
    const hwaddr = this.#hwaddr && Uint8Array.from(this.#hwaddr);
    return { mtu: this.#mtu, medium: "ethernet", ...(hwaddr && { hwaddr }) };
  }

  /** Name of the interface. */
  get device(): string {
    return this.#options.interface;
  }

  /** What went through; frames that the kernel had no place for are in `rxDropped`. */
  get stats(): DriverStats {
    this.#countKernelDrops();
    return this.#stats;
  }

  /**
   * Opens the socket, makes its memory and rings, and attaches the program that feeds it.
   *
   * @throws SocketError whose message says what to do: EPERM without the privilege, ENXIO if there
   * is no such interface, EINVAL if it has no such queue, EBUSY if it has an XDP program already,
   * EMSGSIZE if its MTU is too large, EOPNOTSUPP off Linux and without the mode
   */
  attach(ifp: Ifnet): void {
    refuseSecondAttach(this.name, this.#ifp);
    const { interface: name, queue = 0, mode = "skb", hwaddr = "interface" } = this.#options;
    const promiscuous = this.#options.promiscuous ?? hwaddr !== "interface";
    const xdp = openAfXdp({ interface: name, queue, mode, promiscuous });
    this.#xdp = xdp;
    this.#mtu = Math.min(this.#options.mtu ?? xdp.mtu, xdp.mtu);
    if (hwaddr === "interface") this.#hwaddr = xdp.hwaddr;
    for (let i = 0; i < TX_FRAMES; i++) this.#spare[i] = (RX_FRAMES + i) * xdp.chunkBytes;
    this.#spareCount = TX_FRAMES;
    this.#kernelDropped = 0;
    this.#ifp = ifp;
  }

  /** Copies frames to where the kernel finds them, and tells it once. */
  start(tx: FrameBatch): number {
    const xdp = this.#xdp;
    const stats = this.#stats;
    if (!xdp) return this.#refuse(tx.count);
    this.#reclaim(xdp);
    const { transmit, umem } = xdp;
    const longest = frameBytesMax("ethernet", this.#mtu);
    const room = Math.min(transmit.room, this.#spareCount);
    let placed = 0;
    let taken = 0;
    for (; taken < tx.count; taken++) {
      const length = tx.length(taken);
      if (length < 1 || length > longest) {
        stats.txDropped++;
        continue;
      }
      if (placed === room) {
        stats.txBusy++;
        break;
      }
      const chunk = this.#spare[--this.#spareCount];
      copyFrame(umem, chunk, tx.memory, tx.address(taken), length);
      const entry = transmit.entry(placed++);
      transmit.words[entry] = chunk;
      transmit.words[entry + 1] = 0;
      transmit.words[entry + 2] = length;
      transmit.words[entry + 3] = 0;
      stats.txBytes += length;
    }
    stats.txFrames += placed;
    transmit.publish(placed);
    this.#push(xdp);
    return taken;
  }

  /** Copies frames out of the kernel's memory until there are no more. */
  rx(free: FrameBatch): number {
    const xdp = this.#xdp;
    if (!xdp) return 0;
    if (xdp.transmit.pending > 0) this.#push(xdp);
    const { receive, fill, umem } = xdp;
    const stats = this.#stats;
    const available = receive.available;
    let seen = 0;
    let filled = 0;
    for (; seen < available && filled < free.count; seen++) {
      const entry = receive.entry(seen);
      const at = receive.words[entry];
      const length = receive.words[entry + 2];
      if (length < 1 || length > free.length(filled)) stats.rxDropped++;
      else {
        copyFrame(free.memory, free.address(filled), umem, at, length);
        free.setLength(filled, length);
        stats.rxBytes += length;
        filled++;
      }
      const back = fill.entry(seen);
      fill.words[back] = at;
      fill.words[back + 1] = 0;
    }
    receive.release(seen);
    fill.publish(seen);
    stats.rxFrames += filled;
    return filled;
  }

  /** Waits on this thread until a frame can be read, at most one second. */
  poll(timeout_us: number): boolean {
    const xdp = this.#xdp;
    if (!xdp) return false;
    if (xdp.receive.available > 0) return true;
    const readable = xdp.socket.poll(timeout_us) === "readable";
    // A socket whose interface is gone has an error, which nothing else tells of.
    if (!readable && this.#takeErrors(xdp)) this.#checkInterface(xdp);
    return readable;
  }

  /** Has the stack woken when a frame can be read, by a Worker that waits for it. */
  watch(): boolean {
    const xdp = this.#xdp;
    if (!xdp) return false;
    // Of an interface that is gone, only the other socket tells one who waits.
    this.#watcher ??= new FdWatcher([xdp.socket.fd, xdp.control.fd], () => {
      this.poll(0);
      this.#ifp?.wake();
    });
    return this.#watcher.arm();
  }

  /** Takes the program off the interface, closes the socket and unmaps its memory. */
  async detach(): Promise<void> {
    this.#ifp = undefined;
    this.#close();
    await this.#unwatched;
  }

  /** Makes the kernel send what waits in the ring: a call sends a few frames, so several. */
  #push(xdp: XdpSocket): void {
    const { socket, transmit } = xdp;
    let pending = transmit.pending;
    while (pending > 0 && transmit.needsWakeup) {
      if (socket.kick() < 0) {
        const { errno } = socket;
        if (errno === HostErrno.ENXIO || errno === HostErrno.ENETDOWN) {
          // While the link is down, frames wait in the ring until it comes up.
          this.#checkInterface(xdp);
          return;
        }
      }
      const left = transmit.pending;
      if (left >= pending) return;
      pending = left;
    }
  }

  /** Takes back the pieces whose frames were sent. */
  #reclaim(xdp: XdpSocket): void {
    const { completion } = xdp;
    const available = completion.available;
    for (let i = 0; i < available; i++) {
      this.#spare[this.#spareCount++] = completion.words[completion.entry(i)];
    }
    if (available > 0) completion.release(available);
  }

  #checkInterface(xdp: XdpSocket): void {
    if (xdp.control.exists(xdp.index)) return;
    this.#close();
    this.#ifp?.down(`the interface ${this.device} was removed (ENODEV)`);
  }

  #takeErrors({ socket, control }: XdpSocket): boolean {
    const errors = [socket.takeError(), control.takeError()];
    return errors.some((error) => error !== 0);
  }

  #close(): void {
    this.#countKernelDrops();
    const xdp = this.#xdp;
    const close = () => {
      xdp?.socket.close();
      xdp?.control.close();
    };
    this.#xdp = undefined;
    if (this.#watcher) this.#unwatched = this.#watcher.close().then(close);
    else close();
    this.#watcher = undefined;
  }

  /** Adds what the kernel has dropped since it was last asked (struct xdp_statistics). */
  #countKernelDrops(): void {
    const statistics = this.#xdp?.socket.option(SOL_XDP, XdpOption.STATISTICS, 48);
    if (!statistics) return;
    const [dropped, ringFull] = [0, 24].map((at) => Number(statistics.getBigUint64(at, true)));
    this.#stats.rxDropped += dropped + ringFull - this.#kernelDropped;
    this.#kernelDropped = dropped + ringFull;
  }

  #refuse(count: number): number {
    this.#stats.txDropped += count;
    return count;
  }
}
