/**
 * Addresses of local sockets (AF_UNIX): a path, which stands beside the struct SockAddr; see
 * assembly/socket/so_local.ts.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { Af, LocalLimit } from "../../assembly/abi/socket.ts";
import type { Engine } from "../engine.ts";
import { SocketError } from "../errors.ts";
import * as field from "../layout.ts";
import * as layout from "../wasm/layout.gen.ts";
import type { SockAddr, SockAddrInit } from "./sockaddr.ts";

const { SockAddr: S, LocalInfo: L } = layout;

function pathAt(engine: Engine): number {
  return engine.localInfo + L.size + 4 * LocalLimit.RIGHTS;
}

/** The bytes of a path. `SocketError` EINVAL for one that is too long or has a zero byte inside. */
export function pathBytes(path: string, syscall: string): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(path);
  if (bytes.length > LocalLimit.PATH) {
    const words = `a path has at most ${LocalLimit.PATH} bytes, not ${bytes.length}`;
    throw new SocketError(Errno.EINVAL, syscall, words);
  }
  if (bytes[0] !== 0 && bytes.includes(0)) {
    throw new SocketError(Errno.EINVAL, syscall, "a path has no zero byte, but for a first one");
  }
  return bytes;
}

/** Writes the address of a local socket over zeros. */
export function writeUnixAddr(
  engine: Engine,
  at: number,
  { path = "" }: SockAddrInit,
  syscall: string,
): void {
  const bytes = pathBytes(path, syscall);
  engine.memory.set(bytes, pathAt(engine));
  field.setU16(engine, at, S.family, Af.UNIX);
  field.setU16(engine, at, S.port, bytes.length);
}

/** Reads the address of a local socket. */
export function readUnixAddr(engine: Engine, at: number): SockAddr {
  const length = field.getU16(engine, at, S.port);
  const from = pathAt(engine);
  const path = new TextDecoder("utf-8", { ignoreBOM: true }).decode(
    engine.memory.subarray(from, from + length),
  );
  return { family: Af.UNIX, address: "", port: 0, path };
}
