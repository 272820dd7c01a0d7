/**
 * What an AF_PACKET driver can be told, and the kernel's numbers for it (linux/if_packet.h).
 *
 * @module
 */

import { checkInterfaceName, wholeInRange } from "./options.ts";

/** How frames are spread over the stacks of a fan-out group. */
export type FanoutMode = "hash" | "balance" | "cpu" | "queue";

/**
 * A group of drivers that share the frames of one interface, for stacks that serve under one
 * address. ARP comes to all of them. A connection that one of them opens works only if `hash`
 * happens to bring the answers to it: let a stack outside of the group open connections.
 */
export interface Fanout {
  /** Number of the group, 0 to 65535; all drivers of a group are on the same interface. */
  readonly group: number;
  /**
   * `hash`: all frames of a flow to the same driver, and unless told; `balance`: to each in turn;
   * `cpu`: by the processor that received them; `queue`: by the queue of the card.
   */
  readonly mode?: FanoutMode;
  /** Put fragments together before `hash` looks at them; true unless told. */
  readonly defragment?: boolean;
}

/** Which interface, and how. */
export interface AfPacketOptions {
  /** Name of the interface of the host, such as `eth1`; an Ethernet that is there. */
  readonly interface: string;
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
  /**
   * Frames begin with a virtio header: checksums may be left to the device, and frames of up to
   * 64 KiB stand for many segments, both ways. True unless told. Without it, frames that the kernel
   * has put together (GRO) or not yet cut (TSO of a veth peer) are dropped; on most interfaces
   * there are some unless `ethtool -K eth1 gro off lro off` prevents them.
   */
  readonly offload?: boolean;
  /**
   * How frames come. `blocks`, and unless told: many at once, and as many as there is memory for,
   * but a block that is not full comes only after a millisecond (TPACKET_V3): a round trip of one
   * byte takes a millisecond. `slots`: each at once (TPACKET_V2), so that the round trip takes some
   * 50 µs, into a slot that has room for the longest: with `offload`, a ring of 8 MiB holds 96
   * frames, however short.
   */
  readonly ring?: "blocks" | "slots";
  /** Bytes of the receive ring, a multiple of 256 KiB; 8 MiB unless told. */
  readonly ringBytes?: number;
  /** Send past the host's queueing discipline; false unless told. */
  readonly bypassQdisc?: boolean;
  /** Share the frames of the interface with other drivers. */
  readonly fanout?: Fanout;
}

/** Level of the options below. */
export const SOL_PACKET = 263;

/** Options of an AF_PACKET socket. */
export const enum PacketOption {
  ADD_MEMBERSHIP = 1,
  RX_RING = 5,
  STATISTICS = 6,
  VERSION = 10,
  RESERVE = 12,
  VNET_HDR = 15,
  FANOUT = 18,
  QDISC_BYPASS = 20,
  IGNORE_OUTGOING = 23,
}

/** Bytes of an Ethernet header with a VLAN tag. */
export const LINK_BYTES_MAX = 18;
/** Longest frame with `offload`: 64 KiB, and the link's header. */
export const SUPER_FRAME_BYTES_MAX = LINK_BYTES_MAX + 65_536;
/** Bytes of a block of the ring: room for any frame that there is. */
export const BLOCK_BYTES = 1 << 18;
/** Bytes of a ring of which nobody said how large it shall be. */
export const RING_BYTES = 8 << 20;
const RING_BYTES_MAX = 1 << 30;

const FANOUT_MODES: Readonly<Record<FanoutMode, number>> = {
  hash: 0,
  balance: 1,
  cpu: 2,
  queue: 5,
};
const FANOUT_FLAG_DEFRAG = 0x8000;

/** Throws a `RangeError` for options that make no sense. */
export function checkAfPacketOptions(options: AfPacketOptions): void {
  const { fanout, ringBytes = RING_BYTES } = options;
  checkInterfaceName(options.interface);
  wholeInRange("ringBytes", ringBytes, BLOCK_BYTES, RING_BYTES_MAX);
  if (ringBytes % BLOCK_BYTES !== 0) {
    throw new RangeError(`ringBytes must be a multiple of ${BLOCK_BYTES}, not ${ringBytes}`);
  }
  if (!fanout) return;
  wholeInRange("fanout.group", fanout.group, 0, 65535);
  if (FANOUT_MODES[fanout.mode ?? "hash"] === undefined) {
    const modes = Object.keys(FANOUT_MODES).join(", ");
    throw new RangeError(`fanout.mode must be one of ${modes}, not ${fanout.mode}`);
  }
}

/** The word that joins a group. */
export function fanoutWord(fanout: Fanout): number {
  const flags = fanout.defragment ?? true ? FANOUT_FLAG_DEFRAG : 0;
  return fanout.group | (FANOUT_MODES[fanout.mode ?? "hash"] | flags) << 16;
}
