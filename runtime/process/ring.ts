/**
 * The memory that a stack and a program in another thread share: two rings of calls, what the calls
 * say, and an arena for their data.
 *
 * ```
 * header     words that tell who sleeps, who is gone, how far the rings are filled
 * submitted  ring of slots with a call to carry out, written by the program
 * completed  ring of slots whose call is done, written by the stack
 * slots      one call each: arguments, then the answer
 * arena      what is sent and received; the program says which part a call may use
 * ```
 *
 * The program owns a slot and its part of the arena until it has submitted the call, and again from
 * the answer on. The stack believes nothing that it reads here: it reads each field once, and what
 * it needs to know of a call it keeps outside of this memory.
 *
 * @module
 */

import { Limits } from "../../assembly/abi/limits.ts";
import { Af } from "../../assembly/abi/socket.ts";
import type { SockAddr } from "../socket/sockaddr.ts";

/** What a program needs to reach a stack; it can be sent to a Worker by `postMessage`. */
export interface RingHandle {
  /** Number of the client, for `SyscallServer.drop`. */
  readonly id: number;
  /** The shared memory. */
  readonly buffer: SharedArrayBuffer;
  /** Calls that may be under way at a time. */
  readonly calls: number;
  /** Bytes of the arena. */
  readonly arenaBytes: number;
  /** Name of the lock that the program holds while it lives. */
  readonly clientLock: string;
  /** Name of the lock that the stack's side holds while it lives. */
  readonly serverLock: string;
}

/** Words of the header; those that different threads write lie in different lines of the cache. */
export const enum Word {
  /** Not 0 once the connection has ended: a `Closed`. */
  CLOSED = 0,
  /** Grows by one a second while the stack lives. */
  BEAT = 16,
  /** Where the stack puts the next completed slot. */
  COMPLETED = 17,
  /** Changes when a call is done. */
  DONE_BELL = 18,
  /** 1 while the stack's side sleeps. */
  SERVER_ASLEEP = 19,
  /** A `Presence`. */
  PRESENCE = 32,
  /** Where the program puts the next submitted slot. */
  SUBMITTED = 33,
  /** Changes when something was submitted. */
  BELL = 34,
  /** 1 while the program sleeps. */
  CLIENT_ASLEEP = 35,
  /** Words of the header. */
  COUNT = 48,
}

/** Who has ended a connection. */
export const enum Closed {
  OPEN = 0,
  /** The stack's side, or the program's death. */
  DROPPED = 1,
  /** The program, or who has started it. */
  LEFT = 2,
}

/** Whether the program holds its lock, whose release tells of its death. */
export const enum Presence {
  NONE = 0,
  LOCKED = 1,
  /** There are no locks where the program runs. */
  UNLOCKED = 2,
}

/** What a slot is. */
export const enum State {
  FREE = 0,
  SUBMITTED = 1,
  /** Submitted, and the program sleeps until it is done. */
  SLEEPING = 2,
  DONE = 3,
}

/** Words of a slot. */
export const enum SlotWord {
  STATE = 0,
  OP = 1,
  /** Where its part of the arena begins, in bytes. */
  AREA_AT = 2,
  /** How long that is. */
  AREA_LENGTH = 3,
  TEXT_LENGTH = 4,
  /** Flags, `Call` bits. */
  FLAGS = 5,
  /** Answer: an error number, 0 for none, or AGAIN. */
  ERROR = 6,
}

/** How a call was made. */
export const enum Call {
  /** The program sleeps on the slot: it is not put into the ring of completed ones. */
  BLOCKING = 1,
  /** Answer AGAIN instead of waiting: the part of the arena is wanted for others. */
  TRY = 2,
}

/** An answer to Call.TRY: the call would wait. */
export const AGAIN = -1;
/** In the ring of submitted slots: the call is to be interrupted. */
export const CANCEL: number = 1 << 30;

/** Bytes of a slot; and where its numbers and its text begin. */
export const SLOT_BYTES = 320;
export const NUMBERS_AT = 32;
export const TEXT_AT = 160;
/** Numbers that a call can be told. */
export const ARGUMENTS = 8;
/** Numbers of an answer follow: the result, and what goes with an address. */
export const RESULT = 8;
const FAMILY = 9;
const PORT = 10;
/** Of the address of a packet socket; -1 in the first if it is none. */
const INTERFACE = 11;
const PACKET_TYPE = 12;
const TIME_US = 13;
/** Longest text: an address, or what went wrong. */
export const TEXT_BYTES: number = SLOT_BYTES - TEXT_AT;

/** Bytes of one send or receive; longer ones are several calls. */
export const DATA_BYTES: number = Limits.STAGING;
/** Room for what is told beside the data of a message. */
export const INFO_BYTES = 2048;
/** Longest part of the arena that a call may use. */
export const AREA_BYTES: number = DATA_BYTES + INFO_BYTES;

/** Bounds of what can be asked for. */
export const CALLS_MAX = 16384;
const ARENA_BYTES_MAX = 2 ** 30;

/** The calls. */
export const enum Op {
  HELLO = 0,
  SOCKET = 1,
  BIND = 2,
  LISTEN = 3,
  ACCEPT = 4,
  CONNECT = 5,
  SEND = 6,
  SENDTO = 7,
  RECV = 8,
  RECVFROM = 9,
  RECVMSG = 10,
  SHUTDOWN = 11,
  CLOSE = 12,
  GETSOCKNAME = 13,
  GETPEERNAME = 14,
  GETSOCKOPT = 15,
  GETSOCKOPT_BYTES = 16,
  SETSOCKOPT = 17,
  IOCTL = 18,
  FCNTL = 19,
  POLL = 20,
  SELECT = 21,
  /** Waits until a receive or send would not; what follows an AGAIN. */
  AWAIT = 22,
  GETNAMES = 23,
  SETNAME = 24,
  SENDMSG = 25,
  SOCKETPAIR = 26,
  DUP = 27,
  UNLINK = 28,
}

/** Bytes of a ring with so many calls and such an arena; RangeError if that cannot be. */
export function ringBytes(calls: number, arenaBytes: number): number {
  if (!Number.isInteger(calls) || calls < 2 || calls > CALLS_MAX) {
    throw new RangeError(`calls must be a whole number from 2 to ${CALLS_MAX}, not ${calls}`);
  }
  const least = 2 * AREA_BYTES;
  if (!Number.isInteger(arenaBytes) || arenaBytes < least || arenaBytes > ARENA_BYTES_MAX) {
    const range = `${least} to ${ARENA_BYTES_MAX}`;
    throw new RangeError(`arenaBytes must be a whole number from ${range}, not ${arenaBytes}`);
  }
  return slotsAt(calls) + calls * SLOT_BYTES + arenaBytes;
}

function slotsAt(calls: number): number {
  const bytes = (Word.COUNT + 2 * ringSlots(calls)) * 4;
  return Math.ceil(bytes / 64) * 64;
}

/** Each call is submitted once, and perhaps interrupted once. */
function ringSlots(calls: number): number {
  return 2 ** Math.ceil(Math.log2(2 * calls));
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const textRoom = new Uint8Array(TEXT_BYTES);

/** The parts of a ring's memory. */
export class RingMemory {
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly numbers: Float64Array<SharedArrayBuffer>;
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  /** Calls that may be under way at a time. */
  readonly calls: number;
  readonly arenaBytes: number;
  /** How many entries each ring has, less one. */
  readonly mask: number;
  /** Index of the word where the ring of submitted slots begins; the other follows. */
  readonly submitted: number = Word.COUNT;
  readonly completed: number;
  /** Where the arena begins, in bytes. */
  readonly arena: number;
  readonly #slots: number;

  /** The memory of a handle; RangeError if it is not as long as the handle says. */
  constructor({ buffer, calls, arenaBytes }: RingHandle) {
    const bytes = ringBytes(calls, arenaBytes);
    if (buffer.byteLength < bytes) throw new RangeError("the ring's memory is too short");
    this.words = new Int32Array(buffer);
    this.numbers = new Float64Array(buffer);
    this.bytes = new Uint8Array(buffer);
    this.calls = calls;
    this.arenaBytes = arenaBytes;
    this.mask = ringSlots(calls) - 1;
    this.completed = Word.COUNT + ringSlots(calls);
    this.#slots = slotsAt(calls);
    this.arena = this.#slots + calls * SLOT_BYTES;
  }

  /** Index of a slot's first word. */
  slotWord(slot: number): number {
    return (this.#slots + slot * SLOT_BYTES) >>> 2;
  }

  /** Index of a slot's first number. */
  slotNumber(slot: number): number {
    return (this.#slots + slot * SLOT_BYTES + NUMBERS_AT) >>> 3;
  }

  /** Writes a text to a slot as UTF-8, cut if it is too long. */
  putText(slot: number, text: string): void {
    const at = this.#slots + slot * SLOT_BYTES + TEXT_AT;
    let length = Math.min(text.length, TEXT_BYTES);
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 127) {
        // What encodes text writes to no shared memory.
        const { written } = encoder.encodeInto(text, textRoom);
        this.bytes.set(textRoom.subarray(0, length = written), at);
        break;
      }
      this.bytes[at + i] = code;
    }
    this.words[this.slotWord(slot) + SlotWord.TEXT_LENGTH] = length;
  }

  /** Writes an address to a slot, or that there is none. */
  putName(slot: number, name: SockAddr | undefined): void {
    const { numbers } = this;
    const at = this.slotNumber(slot);
    numbers[at + FAMILY] = name?.family ?? -1;
    numbers[at + PORT] = name?.port ?? 0;
    numbers[at + INTERFACE] = name?.interface ?? -1;
    numbers[at + PACKET_TYPE] = name?.packetType ?? 0;
    numbers[at + TIME_US] = name?.time_us ?? 0;
    this.putText(slot, name?.path ?? name?.address ?? "");
  }

  /** Reads the address in a slot; `undefined` if there is none. */
  name(slot: number): SockAddr | undefined {
    const { numbers } = this;
    const at = this.slotNumber(slot);
    const family = numbers[at + FAMILY];
    if (family < 0) return undefined;
    const text = this.text(slot) ?? "";
    if (family === Af.UNIX) return { family, address: "", port: 0, path: text };
    const name = { family, address: text, port: numbers[at + PORT] };
    const index = numbers[at + INTERFACE];
    if (index < 0) return name;
    const packetType = numbers[at + PACKET_TYPE];
    return { ...name, interface: index, packetType, time_us: numbers[at + TIME_US] };
  }

  /** Reads the text of a slot; `undefined` if its length cannot be. */
  text(slot: number): string | undefined {
    const length = this.words[this.slotWord(slot) + SlotWord.TEXT_LENGTH];
    if (length < 0 || length > TEXT_BYTES) return undefined;
    const at = this.#slots + slot * SLOT_BYTES + TEXT_AT;
    let text = "";
    for (let i = 0; i < length; i++) {
      const code = this.bytes[at + i];
      // Copied first: it may change while it is read, but then it is only another text.
      if (code > 127) return decoder.decode(this.bytes.slice(at, at + length));
      text += String.fromCharCode(code);
    }
    return text;
  }
}

/**
 * True for the first who asks since a side went to sleep: it is to be notified, and once is enough
 * however much more there is until it wakes. To be asked after the bell was rung.
 */
export function isAsleep(
  words: Int32Array<SharedArrayBuffer>,
  side: Word.SERVER_ASLEEP | Word.CLIENT_ASLEEP,
): boolean {
  return Atomics.load(words, side) !== 0 && Atomics.exchange(words, side, 0) !== 0;
}

/** Ends a connection from any thread that has its handle; the stack then closes its sockets. */
export function endRing(handle: RingHandle): void {
  const words = new Int32Array(handle.buffer, 0, Word.COUNT);
  Atomics.compareExchange(words, Word.CLOSED, Closed.OPEN, Closed.LEFT);
  Atomics.add(words, Word.BELL, 1);
  Atomics.notify(words, Word.BELL);
}
