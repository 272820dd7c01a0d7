/**
 * Makes the sockets of an AF_XDP driver, the memory that its frames lie in, and the rings. The
 * program is attached last, so that no frame comes that there is no place for.
 *
 * @module
 */

import { type RingOffsets, ringOffsets } from "./af_xdp_rings.ts";
import { ConsumerRing, ProducerRing } from "./af_xdp_rings.ts";
import { redirectQueue, type XdpMode } from "./af_xdp_program.ts";
import { PacketOption, SOL_PACKET } from "./af_packet_options.ts";
import { Errno } from "../assembly/abi/errno.ts";
import { SocketError } from "../runtime/errors.ts";
import { HostErrno } from "./host_errno.ts";
import { type HostInterface, HostSocket } from "./host_socket.ts";
import { hostError } from "./libc.ts";

/** Frames that can wait to be read. */
export const RX_FRAMES = 2048;
/** Frames that can be on their way out. */
export const TX_FRAMES = 1024;

const AF_PACKET = 17;
const AF_XDP = 44;
/** Level of the options of an AF_XDP socket. */
export const SOL_XDP = 283;
const MR_PROMISC = 1;
const MR_ALLMULTI = 2;

/** Options of an AF_XDP socket. */
export const enum XdpOption {
  MMAP_OFFSETS = 1,
  RX_RING = 2,
  TX_RING = 3,
  UMEM_REG = 4,
  UMEM_FILL_RING = 5,
  UMEM_COMPLETION_RING = 6,
  STATISTICS = 7,
}

const PGOFF_RX = 0;
const PGOFF_TX = 0x80000000;
const PGOFF_FILL = 0x100000000;
const PGOFF_COMPLETION = 0x180000000;
const BIND_COPY = 1 << 1;
const BIND_USE_NEED_WAKEUP = 1 << 3;
const DESCRIPTOR_BYTES = 16;
const ADDRESS_BYTES = 8;
const SOCKADDR_BYTES = 16;
const SOCKADDR_LL_BYTES = 20;
/** Reserved by the IEEE: no frame has it. */
const ETHERTYPE_RESERVED = 0xffff;
const BIND_TRIES_MAX = 100;
const BIND_WAIT_US = 1000;
/** What the kernel keeps free before a frame (XDP_PACKET_HEADROOM). */
const KERNEL_HEADROOM_BYTES = 256;
/** Asked for beside that, so that IP headers lie at multiples of four. */
const HEADROOM_BYTES = 2;
const LINK_BYTES_MAX = 18;
/** Sizes of the pieces of memory, each for one frame. */
const CHUNK_BYTES = [2048, 4096];
const SEND_BUFFER_BYTES = 8 << 20;

/** What an AF_XDP driver works with. */
export interface XdpSocket extends HostInterface {
  /** The socket, bound. */
  readonly socket: HostSocket;
  /** A socket for questions about the interface, which an AF_XDP socket does not answer. */
  readonly control: HostSocket;
  /** The memory that frames lie in: those to receive, then those to send. */
  readonly umem: Uint8Array<ArrayBuffer>;
  /** Bytes of a piece of it. */
  readonly chunkBytes: number;
  /** Pieces for the kernel to fill. */
  readonly fill: ProducerRing;
  /** Frames received. */
  readonly receive: ConsumerRing;
  /** Frames to send. */
  readonly transmit: ProducerRing;
  /** Pieces whose frames were sent. */
  readonly completion: ConsumerRing;
}

/** What is asked for. */
export interface XdpRequest {
  readonly interface: string;
  readonly queue: number;
  readonly mode: XdpMode;
  readonly promiscuous: boolean;
}

/** Opens, configures, binds and attaches; leaves nothing open if something fails. */
export function openAfXdp(request: XdpRequest): XdpSocket {
  const control = HostSocket.open(AF_PACKET, "AF_PACKET");
  let socket: HostSocket | undefined;
  try {
    const found = control.lookUp(request.interface);
    const membership = [found.index, request.promiscuous ? MR_PROMISC : MR_ALLMULTI, 0, 0];
    if (!control.setOption(SOL_PACKET, PacketOption.ADD_MEMBERSHIP, ...membership)) {
      throw hostError(control.errno, "setsockopt", "the kernel refuses promiscuous mode");
    }
    bindControl(control, found);
    socket = HostSocket.open(AF_XDP, "AF_XDP");
    socket.setSendBuffer(SEND_BUFFER_BYTES);
    const chunkBytes = chunkFor(request.interface, found.mtu);
    const memory = socket.mapAnonymous((RX_FRAMES + TX_FRAMES) * chunkBytes);
    if (!memory) throw hostError(socket.errno, "mmap", "no memory for frames");
    register(socket, memory.base, memory.buffer.byteLength, chunkBytes);
    const rings = makeRings(socket);
    bind(socket, request, found.index);
    fillAll(rings.fill, chunkBytes);
    redirectQueue(socket, request.interface, found.index, request.queue, request.mode);
    return { socket, control, umem: new Uint8Array(memory.buffer), chunkBytes, ...rings, ...found };
  } catch (error) {
    socket?.close();
    control.close();
    throw error;
  }
}

/**
 * Binds the other socket too: it then has an error to tell when the interface is gone. Of a
 * protocol that there are no frames of.
 */
function bindControl(control: HostSocket, { index }: HostInterface): void {
  const address = new DataView(new ArrayBuffer(SOCKADDR_LL_BYTES));
  address.setUint16(0, AF_PACKET, true);
  address.setUint16(2, ETHERTYPE_RESERVED, false);
  address.setInt32(4, index, true);
  if (!control.bind(new Uint8Array(address.buffer))) {
    throw hostError(control.errno, "bind", "cannot bind to the interface");
  }
  // A link that is down leaves an error, and works when it comes up.
  control.takeError();
}

function chunkFor(name: string, mtu: number): number {
  const needed = KERNEL_HEADROOM_BYTES + HEADROOM_BYTES + LINK_BYTES_MAX + mtu;
  const chunk = CHUNK_BYTES.find((bytes) => bytes >= needed);
  if (chunk !== undefined) return chunk;
  const most = mtu - needed + CHUNK_BYTES[CHUNK_BYTES.length - 1];
  const why = `${name} has an MTU of ${mtu}, and AF_XDP carries ${most} at most: ` +
    `sudo ip link set ${name} mtu 1500`;
  throw new SocketError(Errno.EMSGSIZE, "setsockopt", why);
}

/** Tells the kernel where frames lie (struct xdp_umem_reg). */
function register(socket: HostSocket, base: bigint, bytes: number, chunkBytes: number): void {
  const [low, high] = [Number(base & 0xffffffffn), Number(base >> 32n)];
  const words = [low, high, bytes, 0, chunkBytes, HEADROOM_BYTES, 0, 0];
  if (socket.setOption(SOL_XDP, XdpOption.UMEM_REG, ...words)) return;
  const why = socket.errno === HostErrno.ENOBUFS
    ? "too little memory may be locked: ulimit -l unlimited"
    : "the kernel refuses the memory for frames";
  throw hostError(socket.errno, "setsockopt", why);
}

function makeRings(socket: HostSocket) {
  const sizes = [
    [XdpOption.RX_RING, RX_FRAMES],
    [XdpOption.TX_RING, TX_FRAMES],
    [XdpOption.UMEM_FILL_RING, RX_FRAMES],
    [XdpOption.UMEM_COMPLETION_RING, TX_FRAMES],
  ];
  for (const [option, entries] of sizes) {
    if (socket.setOption(SOL_XDP, option, entries)) continue;
    throw hostError(socket.errno, "setsockopt", "the kernel refuses a ring");
  }
  const answer = socket.option(SOL_XDP, XdpOption.MMAP_OFFSETS, 128);
  if (!answer) throw hostError(socket.errno, "getsockopt", "the kernel does not show its rings");
  const [rx, tx, fill, completion] = [0, 1, 2, 3].map((i) => ringOffsets(answer, i));
  const map = (at: RingOffsets, entries: number, entryBytes: number, offset: number) => {
    const mapping = socket.map(at.entries + entries * entryBytes, offset);
    if (!mapping) throw hostError(socket.errno, "mmap", "a ring cannot be mapped");
    return [mapping.buffer, at, entries, entryBytes] as const;
  };
  return {
    receive: new ConsumerRing(...map(rx, RX_FRAMES, DESCRIPTOR_BYTES, PGOFF_RX)),
    transmit: new ProducerRing(...map(tx, TX_FRAMES, DESCRIPTOR_BYTES, PGOFF_TX)),
    fill: new ProducerRing(...map(fill, RX_FRAMES, ADDRESS_BYTES, PGOFF_FILL)),
    completion: new ConsumerRing(...map(completion, TX_FRAMES, ADDRESS_BYTES, PGOFF_COMPLETION)),
  };
}

function bind(socket: HostSocket, { interface: name, queue }: XdpRequest, index: number): void {
  const address = new DataView(new ArrayBuffer(SOCKADDR_BYTES));
  address.setUint16(0, AF_XDP, true);
  address.setUint16(2, BIND_COPY | BIND_USE_NEED_WAKEUP, true);
  address.setUint32(4, index, true);
  address.setUint32(8, queue, true);
  const bytes = new Uint8Array(address.buffer);
  let errno = 0;
  // The kernel lets go of a queue some time after the socket that had it was closed.
  for (let tries = 0; tries < BIND_TRIES_MAX; tries++) {
    if (socket.bind(bytes)) return;
    errno = socket.errno;
    if (errno !== HostErrno.EBUSY) break;
    socket.poll(BIND_WAIT_US);
  }
  const words: Readonly<Record<number, string>> = {
    [HostErrno.EBUSY]: `queue ${queue} of ${name} has an AF_XDP socket already`,
    [HostErrno.EINVAL]: `${name} has no queue ${queue}: ethtool -l ${name} shows how many it has`,
    [HostErrno.ENETDOWN]: `${name} is down: sudo ip link set ${name} up`,
  };
  throw hostError(errno, "bind", words[errno] ?? `cannot bind to queue ${queue} of ${name}`);
}

/** Gives the kernel all pieces for receiving. */
function fillAll(fill: ProducerRing, chunkBytes: number): void {
  for (let i = 0; i < RX_FRAMES; i++) {
    const entry = fill.entry(i);
    fill.words[entry] = i * chunkBytes;
    fill.words[entry + 1] = 0;
  }
  fill.publish(RX_FRAMES);
}
