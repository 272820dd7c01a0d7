/**
 * Addresses of packet sockets (AF_NDD): an interface, an ethertype and a hardware address, as they
 * stand in a struct SockAddr; see protocols/packet/assembly/addr.ts.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { Af } from "../../assembly/abi/socket.ts";
import type { Engine } from "../engine.ts";
import { SocketError } from "../errors.ts";
import * as field from "../layout.ts";
import * as layout from "../wasm/layout.gen.ts";
import { ifIndexBy } from "./ioctl.ts";
import type { SockAddr, SockAddrInit } from "./sockaddr.ts";

const { SockAddr: S } = layout;
const HWADDR_BYTES = 6;
/** Offsets in the 16 bytes of the address: its length, the packet type, and the time. */
const LENGTH_AT = 6;
const TYPE_AT = 7;
const TIME_AT = 8;

/** Writes the address of a packet socket; its port has been checked. */
export function writeLinkAddr(
  engine: Engine,
  at: number,
  { address = "", port = 0, interface: index = 0 }: SockAddrInit,
  syscall: string,
): void {
  const ifindex = ifIndexBy(engine, index); // it may use the same place
  field.clear(engine, at, S.size);
  if (address !== "") {
    const bytes = address.split(/[:-]/);
    if (bytes.length !== HWADDR_BYTES || !bytes.every((byte) => /^[\da-fA-F]{1,2}$/.test(byte))) {
      throw new SocketError(Errno.EINVAL, syscall, `"${address}" is not a hardware address`);
    }
    bytes.forEach((byte, i) => engine.memory[at + S.addr_hi + i] = Number.parseInt(byte, 16));
    engine.memory[at + S.addr_hi + LENGTH_AT] = HWADDR_BYTES;
  }
  field.setU32(engine, at, S.scope, ifindex);
  field.setU16(engine, at, S.family, Af.NDD);
  field.setU16(engine, at, S.port, port);
}

/** Reads the address of a packet socket. */
export function readLinkAddr(engine: Engine, at: number): SockAddr {
  const { memory, view } = engine;
  const bytes = at + S.addr_hi;
  const hwaddr = memory.subarray(bytes, bytes + memory[bytes + LENGTH_AT]);
  return {
    family: Af.NDD,
    address: Array.from(hwaddr, (byte) => byte.toString(16).padStart(2, "0")).join(":"),
    port: field.getU16(engine, at, S.port),
    interface: field.getU32(engine, at, S.scope),
    packetType: memory[bytes + TYPE_AT],
    time_us: view.getFloat64(bytes + TIME_AT, true),
  };
}
