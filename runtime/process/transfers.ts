/**
 * Sending and receiving of a program that is not in the stack's thread: what is longer than one
 * request takes is several, and looks like one call all the same.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { Msg } from "../../assembly/abi/socket.ts";
import { SocketError } from "../errors.ts";
import type { ControlMessage, RecvHeader, SendHeader } from "../socket/message.ts";
import type { Received } from "../socket/nonblocking.ts";
import type { SockAddrInit } from "../socket/sockaddr.ts";
import { Arg, Until } from "./arguments.ts";
import { decode } from "./codec.ts";
import { type Reply, Request, type Script } from "./request.ts";
import { put } from "./scripts.ts";
import { DATA_BYTES, INFO_BYTES, Op } from "./ring.ts";

/** Flags with which a call must be made as it is. */
const AS_IT_IS = Msg.WAITALL | Msg.FASTOPEN | Msg.OOB | Msg.DONTWAIT;

/** How data is sent: by which call, how much, where to. */
interface Sending {
  readonly op: Op.SEND | Op.SENDTO;
  readonly syscall: string;
  readonly fd: number;
  readonly flags: number;
  readonly length: number;
  readonly to?: SockAddrInit;
  /** Puts what lies at an offset of the data into the arena. */
  readonly copy: (area: Uint8Array, offset: number) => void;
  /** What goes along with the first part. */
  readonly control?: readonly ControlMessage[];
}

/** How data is received. */
interface Receiving<T> {
  readonly fd: number;
  readonly flags: number;
  readonly room: number;
  /** Asks for `part` bytes, which come behind `done` others. */
  readonly request: (done: number, part: number) => Request<T>;
  /** Bytes that came, with those before. */
  readonly lengthOf: (got: T) => number;
}

/** The calls that move data. */
export class Transfers {
  /** Errors that came after a part was moved, by descriptor: the next call answers them. */
  readonly #deferred = new Map<number, SocketError>();

  /** A descriptor is closed. */
  forget(fd: number): void {
    this.#deferred.delete(fd);
  }

  send(fd: number, data: Uint8Array, flags: number): Script<number> {
    const copy = copier(data);
    return this.#send({ op: Op.SEND, syscall: "send", fd, flags, length: data.length, copy });
  }

  sendto(
    fd: number,
    data: Uint8Array,
    flags: number,
    to: SockAddrInit | undefined,
  ): Script<number> {
    const { length } = data;
    const copy = copier(data);
    return this.#send({ op: Op.SENDTO, syscall: "sendto", fd, flags, length, to, copy });
  }

  *sendmsg(fd: number, message: SendHeader, flags: number): Script<number> {
    const { iov, name: to, control = [] } = message;
    const length = lengthOf(iov);
    const copy = (area: Uint8Array, offset: number) => gather(iov, offset, area);
    const how = {
      op: Op.SENDTO,
      syscall: "sendmsg",
      fd,
      flags,
      length,
      to,
      copy,
      control,
    } as const;
    return yield* this.#send(how);
  }

  recv(fd: number, buffer: Uint8Array, flags: number): Script<number> {
    const request = (done: number, part: number) => {
      const take = ({ result, area }: Reply) => {
        buffer.set(area.subarray(0, result), done);
        return done + result;
      };
      return new Request(Op.RECV, "recv", fd, take).with(Arg.FLAGS, flags).data(part);
    };
    return this.#receive({ fd, flags, room: buffer.length, request, lengthOf: (got) => got });
  }

  recvfrom(fd: number, buffer: Uint8Array, flags: number): Script<Received> {
    const request = (done: number, part: number) => {
      const take = ({ result, area, name }: Reply): Received => {
        buffer.set(area.subarray(0, result), done);
        return { length: done + result, from: name() };
      };
      return new Request(Op.RECVFROM, "recvfrom", fd, take).with(Arg.FLAGS, flags).data(part);
    };
    const { length: room } = buffer;
    return this.#receive({ fd, flags, room, request, lengthOf: (got) => got.length });
  }

  recvmsg(fd: number, message: RecvHeader, flags: number): Script<number> {
    const request = (done: number, part: number) => {
      const take = ({ result, area, name }: Reply): number => {
        scatter(message.iov, done, area.subarray(0, result));
        const info = decode(area.subarray(part)) as unknown as RecvHeader;
        message.name = name();
        message.flags = info.flags;
        message.length = info.length;
        message.control = info.control?.map(({ level, type, data }) => ({ level, type, data }));
        message.timestamp_us = info.timestamp_us;
        return done + result;
      };
      const made = new Request(Op.RECVMSG, "recvmsg", fd, take).with(Arg.FLAGS, flags);
      return made.with(Arg.MORE, part).data(part + INFO_BYTES);
    };
    const room = lengthOf(message.iov);
    return this.#receive({ fd, flags, room, request, lengthOf: (got) => got });
  }

  *#send(how: Sending): Script<number> {
    const { fd, length } = how;
    this.#throwDeferred(fd);
    let done = 0;
    do {
      const part = Math.min(length - done, DATA_BYTES);
      let made: Request<number> | undefined;
      let sent: number;
      try {
        sent = yield* patiently(() => made = partOf(how, done, part), Until.WRITE, how.flags);
      } catch (error) {
        if (done === 0) throw error;
        this.#defer(fd, error);
        return done;
      }
      done += sent;
      // Less than asked for without a try: a timeout, a signal or O_NONBLOCK has ended it.
      if (sent < part && !made!.tried) return done;
    } while (done < length);
    return done;
  }

  /** With MSG_WAITALL until the room is full, or less came than was asked for. */
  *#receive<T>({ fd, flags, room, request, lengthOf }: Receiving<T>): Script<T> {
    this.#throwDeferred(fd);
    const all = (flags & (Msg.WAITALL | Msg.PEEK | Msg.OOB)) === Msg.WAITALL;
    let got: T | undefined;
    let done = 0;
    for (;;) {
      const part = Math.min(room - done, DATA_BYTES);
      try {
        got = yield* patiently(() => request(done, part), Until.READ, flags);
      } catch (error) {
        if (got === undefined) throw error;
        this.#defer(fd, error);
        return got;
      }
      const now = lengthOf(got) - done;
      done += now;
      if (!all || now < part || done === room) return got;
    }
  }

  /** Keeps an error for the next call; that a wait has ended is none. */
  #defer(fd: number, error: unknown): void {
    if (!(error instanceof SocketError)) throw error;
    const { errno } = error;
    const none = errno === Errno.EAGAIN || errno === Errno.EINTR || errno === Errno.ENOBUFS;
    if (!none) this.#deferred.set(fd, error);
  }

  #throwDeferred(fd: number): void {
    const error = this.#deferred.get(fd);
    if (error === undefined) return;
    this.#deferred.delete(fd);
    throw error;
  }
}

/** Makes a request until it is not answered with AGAIN, and waits in between. */
function* patiently<T>(request: () => Request<T>, until: Until, flags: number): Script<T> {
  for (;;) {
    const made = request();
    made.mayTry = (flags & AS_IT_IS) === 0;
    const got = (yield made) as T | undefined;
    if (got !== undefined) return got;
    const wait = new Request(Op.AWAIT, made.syscall, made.numbers[Arg.FD], () => true);
    wait.as = made.syscall;
    yield wait.with(Arg.OTHER, until);
  }
}

/** The request that sends one part of the data. */
function partOf(how: Sending, done: number, part: number): Request<number> {
  const { op, syscall, fd, length, copy, control = [] } = how;
  let { flags } = how;
  // The last part alone is urgent, or ends a record; the first alone opens the connection.
  if (done + part < length) flags = (flags & ~(Msg.OOB | Msg.EOR)) | Msg.MORE;
  const opened = done > 0 && (flags & Msg.FASTOPEN) !== 0;
  if (opened) flags &= ~Msg.FASTOPEN;
  const along = done === 0 && control.length > 0;
  const request = along ? Op.SENDMSG : op;
  const made = new Request(request, syscall, fd, ({ result }) => result).with(Arg.FLAGS, flags);
  made.as = syscall;
  if (!opened) made.named(how.to);
  // How much is left tells a socket for messages that this is none.
  made.with(Arg.MORE, length - done);
  if (along) {
    const info = put(control.map(({ level, type, data }) => ({ level, type, data })), syscall);
    return made.with(Arg.OTHER, part).data(part + INFO_BYTES, (area) => {
      if (part > 0) copy(area.subarray(0, part), done);
      info(area.subarray(part));
    });
  }
  return part === 0 ? made : made.data(part, (area) => copy(area, done));
}

function copier(data: Uint8Array): (area: Uint8Array, offset: number) => void {
  return (area, offset) => {
    // A buffer can be moved away or cut while a send waits for room.
    if (data.length < offset + area.length) throw new SocketError(Errno.EFAULT, "send");
    const whole = offset === 0 && data.length === area.length;
    area.set(whole ? data : data.subarray(offset, offset + area.length));
  };
}

/** Bytes in all pieces. */
function lengthOf(iov: readonly Uint8Array[]): number {
  return iov.reduce((sum, piece) => sum + piece.length, 0);
}

/** For each piece, the part that lies behind `skip` bytes of all, as long as there are bytes. */
function* parts(iov: readonly Uint8Array[], skip: number, bytes: Uint8Array) {
  let at = 0;
  for (const piece of iov) {
    const from = Math.min(skip, piece.length);
    skip -= from;
    const length = Math.min(piece.length - from, bytes.length - at);
    if (length > 0) yield [piece.subarray(from, from + length), bytes.subarray(at, at + length)];
    at += length;
  }
}

/** Copies what lies in the pieces from `offset` on. */
function gather(iov: readonly Uint8Array[], offset: number, area: Uint8Array): void {
  for (const [piece, room] of parts(iov, offset, area)) room.set(piece);
}

/** Copies received bytes to the pieces, from `offset` on. */
function scatter(iov: readonly Uint8Array[], offset: number, data: Uint8Array): void {
  for (const [piece, bytes] of parts(iov, offset, data)) piece.set(bytes);
}
