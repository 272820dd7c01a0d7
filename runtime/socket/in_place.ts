/**
 * Data of streams where it lies in the engine's memory: received bytes are shown and given back,
 * and room for bytes to send is lent and committed. Nothing is copied between program and engine.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { Msg } from "../../assembly/abi/socket.ts";
import { SocketError } from "../errors.ts";
import * as field from "../layout.ts";
import * as layout from "../wasm/layout.gen.ts";
import type { So } from "./so.ts";
import { check, receiveThen, sendAll } from "./so_wait.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** What a program holds of a stream's memory. */
export interface InPlace {
  /** How many received bytes it was shown and has not released. */
  shown: number;
  /** How many bytes of room it was lent and has not committed. */
  lent: number;
  /** Where the room lies. */
  lentAt: number;
}

const EMPTY: Bytes = new Uint8Array(0);

function placeOf(so: So): InPlace {
  return so.place ??= { shown: 0, lent: 0, lentAt: 0 };
}

function address(so: So): number {
  const { engine } = so.layer;
  return field.getU32(engine, engine.recvInfo, layout.RecvInfo.data);
}

/** Shows what has been received: how many bytes; RecvInfo says where. */
function tryShow(so: So, flags: number): number {
  const refusal = so.refusal();
  if (refusal !== 0) return refusal;
  const length = so.layer.engine.calls.so_peek(so.ptr, flags);
  placeOf(so).shown = Math.max(length, 0);
  return length;
}

/** The bytes just shown, before anything else is asked of the engine. */
function shownView(so: So, length: number): Bytes {
  if (length === 0) return EMPTY;
  const at = address(so);
  return so.layer.engine.memory.subarray(at, at + length);
}

/** Shows received bytes without waiting: a view, empty at the end of the stream, or an error. */
export function tryPeek(so: So): Bytes | number {
  const length = tryShow(so, Msg.DONTWAIT);
  return length < 0 ? length : shownView(so, length);
}

/** Waits for bytes and shows them; an empty view at the end of the stream. */
export function peek(so: So): Promise<Bytes> {
  const attempt = (flags: number) => tryShow(so, flags);
  return receiveThen(so, attempt(0), 0, undefined, attempt, (length) => {
    check(length, "peek");
    return shownView(so, length);
  });
}

/** Gives back the first `length` bytes shown; throws `SocketError` EINVAL for more than those. */
export function release(so: So, length: number): void {
  if (so.fd < 0) throw new SocketError(Errno.EBADF, "release");
  const { shown } = placeOf(so);
  if (!Number.isInteger(length) || length < 0 || length > shown) {
    const words = `${length} bytes cannot be released: ${shown} are shown`;
    throw new SocketError(Errno.EINVAL, "release", words);
  }
  const { engine, waits } = so.layer;
  check(engine.calls.so_release(so.ptr, length), "release");
  placeOf(so).shown = shown - length;
  waits.scheduler.touch();
}

/** Borrows room for up to `length` bytes; answers how much there is, or an error. */
function tryBorrow(so: So, length: number): number {
  const refusal = so.refusal();
  if (refusal !== 0) return refusal;
  if (!Number.isInteger(length) || length < 1) return -Errno.EINVAL;
  if (so.senders[0] !== so.sender) return -Errno.EAGAIN;
  const room = so.layer.engine.calls.so_reserve(so.ptr, Math.min(length, 0x7fffffff));
  const place = placeOf(so);
  if (room > 0) {
    place.lent = room;
    place.lentAt = address(so);
  } else if (room === -Errno.ENOBUFS) place.lent = 0; // what was lent before is given back
  return room;
}

function lentView(so: So): Bytes {
  const { lent, lentAt } = placeOf(so);
  return so.layer.engine.memory.subarray(lentAt, lentAt + lent);
}

/** Lends room for up to `length` bytes without waiting: a view of it, or an error. */
export function tryReserve(so: So, length: number): Bytes | number {
  const room = tryBorrow(so, length);
  return room < 0 ? room : lentView(so);
}

/** Waits for room and lends it. */
export async function reserve(so: So, length: number): Promise<Bytes> {
  const first = tryBorrow(so, length);
  if (first < 0) {
    const attempt = () => tryBorrow(so, length);
    check(await sendAll(so, first, 1, 0, undefined, attempt), "reserve");
    // Between the attempt and here somebody else may have borrowed, or closed.
    if (so.fd < 0) throw new SocketError(Errno.EBADF, "reserve");
    if (placeOf(so).lent === 0) return reserve(so, length);
  }
  return lentView(so);
}

/**
 * Sends the first `length` bytes of the room lent: answers `length`, or -EAGAIN if other calls have
 * taken what room the stream had; the memory then stays lent. 0 bytes only give it back.
 */
export function tryCommit(so: So, length: number, flags: number): number {
  const refusal = so.refusal();
  if (refusal !== 0) return refusal;
  const place = placeOf(so);
  if (!Number.isInteger(length) || length < 0 || length > place.lent) return -Errno.EINVAL;
  if (length > 0 && so.senders[0] !== so.sender) return -Errno.EAGAIN;
  const { engine, waits } = so.layer;
  waits.scheduler.enter();
  const sent = engine.calls.so_commit(so.ptr, length, flags);
  if (sent !== -Errno.EAGAIN) place.lent = 0;
  waits.scheduler.sent();
  return sent;
}
