/**
 * Makes the socket of an AF_PACKET driver. It is bound last, so that no frame comes that the ring
 * has no place for.
 *
 * @module
 */

import {
  type AfPacketOptions,
  BLOCK_BYTES,
  fanoutWord,
  LINK_BYTES_MAX,
  PacketOption,
  RING_BYTES,
  SOL_PACKET,
  SUPER_FRAME_BYTES_MAX,
} from "./af_packet_options.ts";
import {
  BlockRing,
  type ReceiveRing,
  RESERVE_BYTES,
  SLOT_HEADER_BYTES,
  SlotRing,
} from "./af_packet_ring.ts";
import { HostErrno } from "./host_errno.ts";
import { type HostInterface, HostSocket } from "./host_socket.ts";
import { hostError } from "./libc.ts";

/** Frames that go out in one system call. */
export const BATCH_MAX = 64;

const AF_PACKET = 17;
const ETH_P_ALL = 3;
const ETH_P_ARP = 0x0806;
const TPACKET_V2 = 1;
const TPACKET_V3 = 2;
const MR_PROMISC = 1;
const MR_ALLMULTI = 2;
/** A block that is not full is handed over after this time; the kernel knows no shorter one. */
const BLOCK_TIMEOUT_MS = 1;
/** What the kernel is told of the size of frames in blocks; they are as long as they are. */
const NOMINAL_FRAME_BYTES = 2048;
/** A batch of full frames must find room however large they are. */
const SEND_BUFFER_BYTES = 8 << 20;
const SOCKADDR_LL_BYTES = 20;
/** More than any ARP packet on an Ethernet has. */
const ARP_BYTES_MAX = 128;
/** Bytes that slots are a multiple of (TPACKET_ALIGNMENT). */
const ALIGNMENT = 16;

/** What an AF_PACKET driver works with. */
export interface AfPacketSocket extends HostInterface {
  /** The socket, bound. */
  readonly socket: HostSocket;
  /** Its receive ring. */
  readonly ring: ReceiveRing;
  /** In a fan-out group: ARP, which is of no flow and concerns every stack of the group. */
  readonly arp?: { readonly socket: HostSocket; readonly ring: ReceiveRing };
}

/** Opens, configures and binds; leaves nothing open if something fails. */
export function openAfPacket(options: AfPacketOptions): AfPacketSocket {
  const socket = HostSocket.open(AF_PACKET, "AF_PACKET");
  let arp: AfPacketSocket["arp"];
  try {
    const found = socket.lookUp(options.interface);
    const ring = configure(socket, options, found.mtu);
    if (options.fanout) arp = openArp(options, found);
    bind(socket, options.interface, found.index, ETH_P_ALL);
    join(socket, options, found.index);
    return { socket, ring, ...(arp && { arp }), ...found };
  } catch (error) {
    arp?.socket.close();
    socket.close();
    throw error;
  }
}

/** Everything but the binding; answers the ring. */
function configure(socket: HostSocket, options: AfPacketOptions, mtu: number): ReceiveRing {
  set(socket, "a virtio header", PacketOption.VNET_HDR, 1);
  set(socket, "room in the ring", PacketOption.RESERVE, RESERVE_BYTES);
  set(socket, "leaving out what the host sends", PacketOption.IGNORE_OUTGOING, 1);
  if (options.bypassQdisc) set(socket, "bypassing the qdisc", PacketOption.QDISC_BYPASS, 1);
  socket.setSendBuffer(SEND_BUFFER_BYTES);
  return makeRing(socket, options, mtu);
}

/** A socket for ARP alone, outside of the group. */
function openArp(options: AfPacketOptions, found: HostInterface): AfPacketSocket["arp"] {
  const socket = HostSocket.open(AF_PACKET, "AF_PACKET");
  try {
    const small = { ...options, ring: "slots", offload: false, ringBytes: BLOCK_BYTES } as const;
    const ring = configure(socket, small, ARP_BYTES_MAX);
    bind(socket, options.interface, found.index, ETH_P_ARP);
    return { socket, ring };
  } catch (error) {
    socket.close();
    throw error;
  }
}

function set(socket: HostSocket, what: string, option: PacketOption, ...words: number[]): void {
  if (socket.setOption(SOL_PACKET, option, ...words)) return;
  throw hostError(socket.errno, "setsockopt", `the kernel refuses ${what}`);
}

function makeRing(socket: HostSocket, options: AfPacketOptions, mtu: number): ReceiveRing {
  const bytes = options.ringBytes ?? RING_BYTES;
  const blocks = bytes / BLOCK_BYTES;
  if (options.ring === "slots") {
    const frame = options.offload ?? true ? SUPER_FRAME_BYTES_MAX : LINK_BYTES_MAX + mtu;
    const slotBytes = Math.ceil((SLOT_HEADER_BYTES + frame) / ALIGNMENT) * ALIGNMENT;
    const slots = blocks * Math.floor(BLOCK_BYTES / slotBytes);
    set(socket, "TPACKET_V2", PacketOption.VERSION, TPACKET_V2);
    set(socket, "a ring", PacketOption.RX_RING, BLOCK_BYTES, blocks, slotBytes, slots);
    return new SlotRing(map(socket, bytes), BLOCK_BYTES, slotBytes);
  }
  const frames = bytes / NOMINAL_FRAME_BYTES;
  const rest = [NOMINAL_FRAME_BYTES, frames, BLOCK_TIMEOUT_MS, 0, 0];
  set(socket, "TPACKET_V3", PacketOption.VERSION, TPACKET_V3);
  set(socket, "a ring", PacketOption.RX_RING, BLOCK_BYTES, blocks, ...rest);
  return new BlockRing(map(socket, bytes), BLOCK_BYTES);
}

function map(socket: HostSocket, bytes: number): ArrayBuffer {
  const mapping = socket.map(bytes, 0);
  if (mapping) return mapping.buffer;
  throw hostError(socket.errno, "mmap", "the receive ring cannot be mapped");
}

function bind(socket: HostSocket, name: string, index: number, protocol: number): void {
  const address = new DataView(new ArrayBuffer(SOCKADDR_LL_BYTES));
  address.setUint16(0, AF_PACKET, true);
  address.setUint16(2, protocol, false);
  address.setInt32(4, index, true);
  if (!socket.bind(new Uint8Array(address.buffer))) {
    throw hostError(socket.errno, "bind", `cannot bind to ${name}`);
  }
  // A link that is down leaves an error, and works when it comes up.
  socket.takeError();
}

/** Joins groups: what other hardware addresses get, or all multicasts, and the fan-out. */
function join(socket: HostSocket, options: AfPacketOptions, index: number): void {
  const foreign = (options.hwaddr ?? "interface") !== "interface";
  // Without it the card would take in only the groups that the kernel itself has joined.
  const kind = options.promiscuous ?? foreign ? MR_PROMISC : MR_ALLMULTI;
  set(socket, "promiscuous mode", PacketOption.ADD_MEMBERSHIP, index, kind, 0, 0);
  if (!options.fanout) return;
  if (socket.setOption(SOL_PACKET, PacketOption.FANOUT, fanoutWord(options.fanout))) return;
  const { errno } = socket;
  const words = errno === HostErrno.EINVAL
    ? `group ${options.fanout.group} has another mode or is on another interface`
    : `cannot join the fan-out group ${options.fanout.group}`;
  throw hostError(errno, "setsockopt", words);
}
