/**
 * Messages with headers: data in several pieces, addresses and control data (sendmsg, recvmsg).
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { IpProto } from "../../assembly/abi/proto.ts";
import { IpOpt } from "../../assembly/abi/socket.ts";
import { type Engine, STAGING_BYTES } from "../engine.ts";
import * as field from "../layout.ts";
import * as layout from "../wasm/layout.gen.ts";
import type { So } from "./so.ts";
import { copyIn, partFlagsOf } from "./so.ts";
import type { SockAddr, SockAddrInit } from "./sockaddr.ts";

/** A piece of control data (struct cmsghdr). */
export interface ControlMessage {
  /** Level, such as `IpProto.IP`. */
  readonly level: number;
  /** Type within the level, such as `IpOpt.RECVDSTADDR`. */
  readonly type: number;
  /** The data, as it would lie in memory; addresses are in network order. */
  readonly data: Uint8Array<ArrayBuffer>;
}

/** What sendmsg sends (struct msghdr). */
export interface SendHeader {
  /** Where to; left out for a connected socket. */
  readonly name?: SockAddrInit;
  /** The data, piece after piece. */
  readonly iov: readonly Uint8Array[];
  /** Control data of local sockets: descriptors and credentials; see {@link rightsMessage}. */
  readonly control?: readonly ControlMessage[];
}

/** What recvmsg fills (struct msghdr). */
export interface RecvHeader {
  /** Where the data goes, piece after piece. */
  readonly iov: readonly Uint8Array[];
  /** Out: the sender; `undefined` for a stream. */
  name?: SockAddr;
  /** Out: control data, such as the destination address after `IpOpt.RECVDSTADDR` was set. */
  control?: ControlMessage[];
  /** Out: `Msg.TRUNC` if the message was longer than the room, `Msg.EOR`, `Msg.OOB`. */
  flags?: number;
  /** Out: length of the whole message in bytes, also if it was cut. */
  length?: number;
  /** Out: when it came in, in microseconds of the stack's clock, after `So.TIMESTAMPNS` was set. */
  timestamp_us?: number;
}

/** Bytes in all pieces. */
export function iovLength(iov: readonly Uint8Array[]): number {
  let length = 0;
  for (const piece of iov) length += piece.length;
  return length;
}

/** Sends pieces as one message, or as so much of a stream as fits; skips the first `done` bytes. */
export function trySendIov(
  so: So,
  iov: readonly Uint8Array[],
  done: number,
  flags: number,
  nam: number,
): number {
  return so.stream ? sendPieces(so, iov, done, flags, nam) : sendMessage(so, iov, flags, nam);
}

function sendMessage(so: So, iov: readonly Uint8Array[], flags: number, nam: number): number {
  if (iovLength(iov) > STAGING_BYTES) return -Errno.EMSGSIZE;
  let at = 0;
  for (const piece of iov) {
    copyIn(so.layer.engine, piece, 0, piece.length, at);
    at += piece.length;
  }
  return so.trySendStaged(at, flags, nam);
}

function sendPieces(
  so: So,
  iov: readonly Uint8Array[],
  done: number,
  flags: number,
  nam: number,
): number {
  let left = iovLength(iov) - done;
  if (left === 0) return so.trySendStaged(0, flags, nam);
  let skip = done;
  let sent = 0;
  for (const piece of iov) {
    const from = Math.min(skip, piece.length);
    const length = piece.length - from;
    skip -= from;
    if (length === 0) continue;
    left -= length;
    const pieceFlags = left === 0 ? flags : partFlagsOf(flags);
    const taken = so.trySend(piece, from, length, pieceFlags, nam);
    if (taken < 0) {
      if (sent === 0) return taken;
      so.defer(taken);
      return sent;
    }
    sent += taken;
    if (taken < length) break;
  }
  return sent;
}

/** Receives one message, or what a stream has, into pieces; passes over the first `done` bytes. */
export function tryRecvIov(
  so: So,
  iov: readonly Uint8Array[],
  done: number,
  flags: number,
  nam: number,
): number {
  const { memory, staging } = so.layer.engine;
  const room = Math.min(iovLength(iov) - done, STAGING_BYTES);
  const got = so.tryRecvStaged(room, flags, nam);
  let skip = done;
  let at = 0;
  for (const piece of iov) {
    if (at >= got) break;
    const from = Math.min(skip, piece.length);
    const length = Math.min(piece.length - from, got - at);
    skip -= from;
    piece.set(memory.subarray(staging + at, staging + at + length), from);
    at += length;
  }
  return got;
}

/** Fills in what the engine says about the data it gave last; the name is the caller's. */
export function readRecvInfo(engine: Engine, header: RecvHeader): void {
  const { RecvInfo: R } = layout;
  const info = engine.recvInfo;
  header.flags = field.getU32(engine, info, R.flags);
  header.length = field.getU32(engine, info, R.length);
  header.control = [];
  if (field.getU32(engine, info, R.dst_set) !== 0) {
    const dst = field.getU32(engine, info, R.dst);
    header.control.push({
      level: IpProto.IP,
      type: IpOpt.RECVDSTADDR,
      data: Uint8Array.of(dst >>> 24, dst >>> 16, dst >>> 8, dst),
    });
  }
  const timestamp_us = engine.view.getFloat64(info + R.tstamp, true);
  header.timestamp_us = timestamp_us === 0 ? undefined : timestamp_us;
}
