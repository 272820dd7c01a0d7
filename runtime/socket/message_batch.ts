/**
 * Several datagrams in one call, as sendmmsg and recvmmsg of Linux move them: one block of memory
 * for all of them, and one way into the engine.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { Limits } from "../../assembly/abi/limits.ts";
import { Af } from "../../assembly/abi/socket.ts";
import { SocketError } from "../errors.ts";
import * as layout from "../wasm/layout.gen.ts";
import { formatIpv4, parseIpv4 } from "./inet_addr.ts";
import { copyIn, copyOut, type So } from "./so.ts";
import { check, receiveThen, sendAll } from "./so_wait.ts";
import type { SockAddr, SockAddrInit } from "./sockaddr.ts";

const { BatchRecord: R } = layout;
/** Messages of one batch at most: so many records fit where requests stand. */
const MESSAGES_MAX = 64;

/**
 * Datagrams to send, or room for datagrams to receive. It can be used again and again, and nothing
 * is allocated meanwhile.
 *
 * ```ts
 * import { createStack, MessageBatch } from "@godwit/godwit";
 *
 * await using stack = await createStack();
 * using here = stack.listenDatagram({ port: 7 });
 * using there = stack.listenDatagram({ port: 8 });
 * const batch = new MessageBatch();
 * const to = { address: "127.0.0.1", port: 8 };
 * for (const word of ["one", "two"]) batch.push(new TextEncoder().encode(word), to);
 * await here.sendBatch(batch);
 * await there.receiveBatch(batch);
 * console.log(batch.count, new TextDecoder().decode(batch.message(1))); // 2 two
 * ```
 */
export class MessageBatch {
  /** The messages, one after the other. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** Most messages it holds. */
  readonly capacity: number;
  /** How many it holds now. */
  count = 0;
  /** Length of each message in bytes; a message that was received and did not fit is cut. */
  readonly lengths: Uint32Array<ArrayBuffer>;
  /** Length of each message received before it was cut. */
  readonly fullLengths: Uint32Array<ArrayBuffer>;
  /** IPv4 address of each as a number, where to or where from; 0 for the peer of the socket. */
  readonly addresses: Uint32Array<ArrayBuffer>;
  /** Port of each; 0 for the peer of the socket. */
  readonly ports: Uint16Array<ArrayBuffer>;

  /** Room for `capacity` messages (1 to 64) of `bytes` bytes (1 to 65,536) together. */
  constructor(capacity: number = MESSAGES_MAX, bytes: number = Limits.STAGING) {
    inRange("capacity", capacity, MESSAGES_MAX);
    inRange("bytes", bytes, Limits.STAGING);
    this.capacity = capacity;
    this.data = new Uint8Array(bytes);
    this.lengths = new Uint32Array(capacity);
    this.fullLengths = new Uint32Array(capacity);
    this.addresses = new Uint32Array(capacity);
    this.ports = new Uint16Array(capacity);
  }

  /** Bytes of all messages. */
  get bytes(): number {
    return this.offset(this.count);
  }

  /** Where message `i` begins in `data`. */
  offset(i: number): number {
    let at = 0;
    for (let k = 0; k < i; k++) at += this.lengths[k];
    return at;
  }

  /** Forgets the messages. */
  clear(): void {
    this.count = 0;
  }

  /**
   * Puts a message behind the others, for the peer of the socket unless `to` says otherwise; false
   * if there is no room for it. `SocketError` EINVAL for an address that is not numeric IPv4.
   */
  push(message: Uint8Array, to?: SockAddrInit): boolean {
    const at = this.bytes;
    const i = this.count;
    if (i === this.capacity || at + message.length > this.data.length) return false;
    const address = to === undefined ? 0 : parseIpv4(to.address ?? "127.0.0.1");
    const port = to?.port ?? 0;
    if (address === undefined || !Number.isInteger(port) || port < 0 || port > 65535) {
      const words = `a batch goes to IPv4 addresses, not to ${to?.address} port ${port}`;
      throw new SocketError(Errno.EINVAL, "sendmmsg", words);
    }
    this.data.set(message, at);
    this.lengths[i] = message.length;
    this.fullLengths[i] = message.length;
    this.addresses[i] = address;
    this.ports[i] = port;
    this.count = i + 1;
    return true;
  }

  /** A view of message `i`, until the batch is used again; `RangeError` if there is none. */
  message(i: number): Uint8Array<ArrayBuffer> {
    this.#mustHave(i);
    const at = this.offset(i);
    return this.data.subarray(at, at + this.lengths[i]);
  }

  /** Where message `i` goes to, or came from; `undefined` for the peer of the socket. */
  address(i: number): SockAddr | undefined {
    this.#mustHave(i);
    if (this.addresses[i] === 0 && this.ports[i] === 0) return undefined;
    return { family: Af.INET, address: formatIpv4(this.addresses[i]), port: this.ports[i] };
  }

  #mustHave(i: number): void {
    if (i >>> 0 >= this.count) {
      throw new RangeError(`message ${i} is not one of the ${this.count} in the batch`);
    }
  }
}

function inRange(name: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return;
  throw new RangeError(`${name} must be a whole number from 1 to ${most}, not ${value}`);
}

/** Sends the messages from number `first` on; answers how many were sent. */
export function trySendBatch(so: So, batch: MessageBatch, first: number, flags: number): number {
  const refusal = so.refusal();
  if (refusal !== 0) return refusal;
  const count = batch.count - first;
  const bytes = batch.bytes;
  if (!(count >= 0 && batch.count <= batch.capacity && bytes <= batch.data.length)) {
    return -Errno.EINVAL;
  }
  if (so.senders[0] !== so.sender) return -Errno.EAGAIN;
  const { engine, waits } = so.layer;
  const { u32, scratch, staging } = engine;
  const at = batch.offset(first);
  copyIn(engine, batch.data, at, bytes - at, 0);
  for (let i = 0; i < count; i++) {
    const record = (scratch + i * R.size) >>> 2;
    u32[record + (R.length >>> 2)] = batch.lengths[first + i];
    u32[record + (R.address >>> 2)] = batch.addresses[first + i];
    u32[record + (R.port >>> 2)] = batch.ports[first + i];
  }
  waits.scheduler.enter();
  const sent = engine.calls.so_sendmmsg(so.ptr, scratch, count, staging, so.lower(flags));
  waits.scheduler.sent();
  return sent;
}

/** Receives as many messages as there are and fit; answers how many. */
export function tryRecvBatch(so: So, batch: MessageBatch, flags: number): number {
  const refusal = so.refusal();
  if (refusal !== 0) return refusal;
  const { engine, waits } = so.layer;
  const { calls, u32, scratch, staging } = engine;
  const { capacity, data } = batch;
  const room = data.length;
  const got = calls.so_recvmmsg(so.ptr, scratch, capacity, staging, room, so.lower(flags));
  if (got < 0) return got;
  let bytes = 0;
  for (let i = 0; i < got; i++) {
    const record = (scratch + i * R.size) >>> 2;
    const length = u32[record + (R.length >>> 2)];
    batch.lengths[i] = length;
    batch.fullLengths[i] = u32[record + (R.full >>> 2)];
    batch.addresses[i] = u32[record + (R.address >>> 2)];
    batch.ports[i] = u32[record + (R.port >>> 2)];
    bytes += length;
  }
  batch.count = got;
  copyOut(engine, data, 0, bytes);
  waits.scheduler.touch();
  return got;
}

/** Sends all messages, waiting for room; answers how many were sent before an error. */
export async function sendBatch(
  so: So,
  batch: MessageBatch,
  flags: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  let done = trySendBatch(so, batch, 0, flags);
  if (done < 0) {
    done = await sendAll(so, done, 1, flags, signal, () => trySendBatch(so, batch, 0, flags));
  }
  while (done > 0 && done < batch.count && so.fd >= 0) {
    const at = done;
    const attempt = () => trySendBatch(so, batch, at, flags);
    const sent = await sendAll(so, attempt(), 1, flags, signal, attempt);
    if (sent <= 0) break;
    done += sent;
  }
  return done;
}

/** Waits for the first message; answers how many were received. */
export function recvBatch(
  so: So,
  batch: MessageBatch,
  flags: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const attempt = (now: number) => tryRecvBatch(so, batch, now);
  return receiveThen(so, attempt(flags), flags, signal, attempt, received);
}

function received(got: number, signal: AbortSignal | undefined): number {
  return check(got, "recvmmsg", signal);
}
