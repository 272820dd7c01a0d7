/**
 * The program that the kernel runs for each frame of an interface: it hands those of one queue to
 * an AF_XDP socket, and those of others to the kernel. Six instructions, written by hand, so that
 * no compiler is needed (RFC 9669 has the instructions, linux/bpf.h the calls).
 *
 * @module
 */

import { HostErrno } from "./host_errno.ts";
import type { HostSocket } from "./host_socket.ts";
import { addressOf, hostError } from "./libc.ts";

/** Commands of bpf(2). */
const enum Bpf {
  MAP_CREATE = 0,
  MAP_UPDATE_ELEM = 2,
  PROG_LOAD = 5,
  LINK_CREATE = 28,
}

const MAP_TYPE_XSKMAP = 17;
const PROG_TYPE_XDP = 6;
const ATTACH_TYPE_XDP = 37;
const XDP_FLAGS_SKB_MODE = 2;
const XDP_FLAGS_DRV_MODE = 4;
const XDP_PASS = 2;
const FUNC_REDIRECT_MAP = 51;
/** Offset of rx_queue_index in `struct xdp_md`. */
const RX_QUEUE_INDEX = 16;
const ATTRIBUTES_BYTES = 128;
const INSTRUCTION_BYTES = 8;
/** Offsets in a buffer of what attributes point to. */
const INSTRUCTIONS_AT = 0;
const LICENSE_AT = 1024;
const KEY_AT = 1040;
const VALUE_AT = 1048;
const DATA_BYTES = 4096;

/** Where the kernel runs the program: `skb` on any interface, `native` in its driver. */
export type XdpMode = "skb" | "native";

/** Opcode, destination and source register, offset, immediate value. */
type Instruction = readonly [number, number, number, number, number];

/** `return bpf_redirect_map(&map, ctx->rx_queue_index, XDP_PASS)`. */
export function redirectProgram(map: number): Uint8Array<ArrayBuffer> {
  const instructions: readonly Instruction[] = [
    [0x61, 2, 1, RX_QUEUE_INDEX, 0], // r2 = *(u32 *)(r1 + 16)
    [0x18, 1, 1, 0, map], // r1 = the map of a descriptor, in two slots
    [0x00, 0, 0, 0, 0],
    [0xb7, 3, 0, 0, XDP_PASS], // r3 = what to do if the map has nothing for the queue
    [0x85, 0, 0, 0, FUNC_REDIRECT_MAP],
    [0x95, 0, 0, 0, 0], // exit
  ];
  const code = new DataView(new ArrayBuffer(INSTRUCTION_BYTES * instructions.length));
  instructions.forEach(([opcode, to, from, offset, value], i) => {
    const at = INSTRUCTION_BYTES * i;
    code.setUint8(at, opcode);
    code.setUint8(at + 1, from << 4 | to);
    code.setInt16(at + 2, offset, true);
    code.setInt32(at + 4, value, true);
  });
  return new Uint8Array(code.buffer);
}

/**
 * Lets `socket` have the frames of a queue; ends when the socket is closed.
 *
 * @throws SocketError EPERM without the privilege, EBUSY if the interface has a program already,
 * EOPNOTSUPP if it can run none in its driver
 */
export function redirectQueue(
  socket: HostSocket,
  name: string,
  index: number,
  queue: number,
  mode: XdpMode,
): void {
  const data = new Uint8Array(DATA_BYTES);
  const base = addressOf(data);
  const map = call(socket, Bpf.MAP_CREATE, [[0, MAP_TYPE_XSKMAP], [4, 4], [8, 4], [12, queue + 1]]);
  new DataView(data.buffer).setUint32(KEY_AT, queue, true);
  new DataView(data.buffer).setUint32(VALUE_AT, socket.fd, true);
  call(socket, Bpf.MAP_UPDATE_ELEM, [[0, map]], [[8, base, KEY_AT], [16, base, VALUE_AT]]);
  const code = redirectProgram(map);
  data.set(code, INSTRUCTIONS_AT);
  data.set(new TextEncoder().encode("MIT\0"), LICENSE_AT);
  const program = call(
    socket,
    Bpf.PROG_LOAD,
    [[0, PROG_TYPE_XDP], [4, code.length / INSTRUCTION_BYTES], [68, ATTACH_TYPE_XDP]],
    [[8, base, INSTRUCTIONS_AT], [16, base, LICENSE_AT]],
  );
  const flags = mode === "skb" ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
  const link = [[0, program], [4, index], [8, ATTACH_TYPE_XDP], [12, flags]] as const;
  call(socket, Bpf.LINK_CREATE, link, [], name);
}

/** A call of bpf(2) with words and addresses at offsets of its attributes. */
function call(
  socket: HostSocket,
  command: Bpf,
  words: readonly (readonly [number, number])[],
  addresses: readonly (readonly [number, bigint, number])[] = [],
  name = "",
): number {
  const attributes = new DataView(new ArrayBuffer(ATTRIBUTES_BYTES));
  for (const [at, word] of words) attributes.setUint32(at, word, true);
  for (const [at, base, offset] of addresses) {
    attributes.setBigUint64(at, base + BigInt(offset), true);
  }
  const makes = command !== Bpf.MAP_UPDATE_ELEM;
  const got = socket.bpf(command, new Uint8Array(attributes.buffer), makes);
  if (got >= 0) return got;
  const { errno } = socket;
  throw hostError(errno, "bpf", why(errno, name));
}

function why(errno: number, name: string): string {
  if (errno === HostErrno.EPERM || errno === HostErrno.EACCES) {
    return "not permitted to load an XDP program: run as root, or with CAP_BPF and CAP_NET_ADMIN";
  }
  if (name === "") return "the kernel refuses the XDP program";
  switch (errno) {
    case HostErrno.EBUSY:
    case HostErrno.EEXIST:
      return `${name} has an XDP program already: ip link show ${name}`;
    case HostErrno.EOPNOTSUPP:
      return `the driver of ${name} cannot run XDP programs: use mode "skb"`;
  }
  return `the XDP program cannot be attached to ${name}; its MTU or its queues may not allow it`;
}
