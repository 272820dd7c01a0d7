/**
 * Socket addresses: objects for programs on one side, struct SockAddr in the engine's memory on
 * the other.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { Af } from "../../assembly/abi/socket.ts";
import type { Engine } from "../engine.ts";
import { SocketError } from "../errors.ts";
import * as field from "../layout.ts";
import * as layout from "../wasm/layout.gen.ts";
import { readLinkAddr, writeLinkAddr } from "./link_addr.ts";
import { readUnixAddr, writeUnixAddr } from "./unix_addr.ts";
import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from "./inet_addr.ts";

/** An address and port, as calls answer it. */
export interface SockAddr {
  /** Address family, an `Af`. */
  readonly family: number;
  /** Numeric address, such as `10.0.0.1`. */
  readonly address: string;
  /** Port, 0 to 65535; of a packet socket the ethertype. */
  readonly port: number;
  /** Index of the interface; of packet sockets only, as what follows. */
  readonly interface?: number;
  /** For whom a frame was, a `PacketType`. */
  readonly packetType?: number;
  /** When a frame came or went, in microseconds of the stack's clock. */
  readonly time_us?: number;
  /** Of local sockets: the name, `""` for none; it begins with `"\0"` if it is abstract. */
  readonly path?: string;
}

/** An address and port, as calls take it. */
export interface SockAddrInit {
  /** Address family, an `Af`; found from the address unless told. */
  readonly family?: number;
  /** Numeric address, of packet sockets a hardware address; empty or left out for any address. */
  readonly address?: string;
  /** Port, 0 to 65535; 0 lets the stack choose. Of packet sockets the ethertype. */
  readonly port?: number;
  /** Interface of packet sockets, by name or index; any unless told. */
  readonly interface?: string | number;
  /** Name of local sockets, at most 108 bytes; abstract if it begins with `"\0"`. */
  readonly path?: string;
}

const { SockAddr: S } = layout;
/** Where the IPv4 address lies in the 16 bytes. */
const IPV4_AT = 12;

/**
 * Writes a struct SockAddr to `at`; an address that is left out is of family `anyFamily`.
 *
 * @throws SocketError EINVAL for a text that is no address, or a port out of range
 */
export function writeSockAddr(
  engine: Engine,
  at: number,
  name: SockAddrInit,
  syscall: string,
  anyFamily: number = Af.INET,
): void {
  const { memory } = engine;
  const port = name.port ?? 0;
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new SocketError(Errno.EINVAL, syscall, `a port is from 0 to 65535, not ${port}`);
  }
  field.clear(engine, at, S.size);
  const kind = name.family ?? anyFamily;
  if (kind === Af.NDD) return writeLinkAddr(engine, at, name, syscall);
  if (kind === Af.UNIX) return writeUnixAddr(engine, at, name, syscall);
  const text = name.address ?? "";
  const family = text === "" ? anyFamily : writeAddress(memory, at + S.addr_hi, text, syscall);
  field.setU16(engine, at, S.family, name.family ?? family);
  field.setU16(engine, at, S.port, port);
}

/** Writes 16 address bytes over zeros; answers the family of the text. */
function writeAddress(memory: Uint8Array, at: number, text: string, syscall: string): number {
  const ipv4 = parseIpv4(text);
  if (ipv4 !== undefined) {
    if (ipv4 !== 0) setIpv4(memory, at, ipv4);
    return Af.INET;
  }
  const ipv6 = parseIpv6(text);
  if (ipv6 === undefined) {
    throw new SocketError(Errno.EINVAL, syscall, `"${text}" is not a numeric address`);
  }
  memory.set(ipv6, at);
  return Af.INET6;
}

function setIpv4(memory: Uint8Array, at: number, address: number): void {
  memory[at + 10] = 0xff;
  memory[at + 11] = 0xff;
  memory[at + IPV4_AT] = address >>> 24;
  memory[at + IPV4_AT + 1] = address >>> 16;
  memory[at + IPV4_AT + 2] = address >>> 8;
  memory[at + IPV4_AT + 3] = address;
}

/** Reads the struct SockAddr at `at`. */
export function readSockAddr(engine: Engine, at: number): SockAddr {
  const { memory } = engine;
  const family = field.getU16(engine, at, S.family);
  const port = field.getU16(engine, at, S.port);
  const bytes = at + S.addr_hi;
  if (family === Af.NDD) return readLinkAddr(engine, at);
  if (family === Af.UNIX) return readUnixAddr(engine, at);
  if (family === Af.INET6) {
    return { family, address: formatIpv6(memory.subarray(bytes, bytes + 16)), port };
  }
  const quad = bytes + IPV4_AT;
  const address = (memory[quad] << 24 | memory[quad + 1] << 16 | memory[quad + 2] << 8 |
    memory[quad + 3]) >>> 0;
  return { family, address: formatIpv4(address), port };
}

/** The numeric address for a host of the Deno-like calls; `localhost` is known, names are not. */
export function hostAddress(hostname: string): string {
  return hostname === "localhost" ? "127.0.0.1" : hostname.replace(/^\[(.*)\]$/, "$1");
}
