/**
 * What a program asks of a stack, before it is put into the ring: for both forms of the calls.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { SocketError } from "../errors.ts";
import type { SockAddr, SockAddrInit } from "../socket/sockaddr.ts";
import { Arg, Named } from "./arguments.ts";
import { ARGUMENTS, type Op } from "./ring.ts";

/** The answer to a request, valid while it is being taken. */
export interface Reply {
  /** Result; of a call with a value, its length. */
  readonly result: number;
  /** The part of the arena. */
  readonly area: Uint8Array;
  /** The address in the answer; `undefined` if there is none. */
  name(): SockAddr | undefined;
}

/** What is asked for, or handed out, in one call. */
export class Request<T> {
  /** Arguments, by `Arg`. */
  readonly numbers: number[] = new Array(ARGUMENTS).fill(0);
  /** The address. */
  text = "";
  /** Bytes of the arena that it needs. */
  areaBytes = 0;
  /** Puts data there. */
  fill: ((area: Uint8Array) => void) | undefined = undefined;
  /** It may answer AGAIN, as `undefined`, when there is little room in the arena. */
  mayTry = false;
  /** It was made so, and may have moved less than asked for because of that. */
  tried = false;
  /** The call as the program made it, where that is another one than the stack's. */
  as: string | undefined = undefined;

  /**
   * A call on a descriptor.
   *
   * @param syscall its name, for errors that no stack answers
   * @param take makes of the answer what the program gets
   */
  constructor(
    readonly op: Op,
    readonly syscall: string,
    fd: number,
    readonly take: (reply: Reply) => T,
  ) {
    this.numbers[Arg.FD] = number(fd);
  }

  /** Sets an argument. */
  with(arg: Arg, value: number): this {
    this.numbers[arg] = number(value);
    return this;
  }

  /** Sets an address. */
  named(name: SockAddrInit | undefined): this {
    if (name === undefined) return this;
    const { family, port, path, address = path, interface: which } = name;
    let named = Named.GIVEN;
    if (family !== undefined) named |= Named.FAMILY;
    if (port !== undefined) named |= Named.PORT;
    if (path !== undefined) named |= Named.PATH;
    else if (address !== undefined) named |= Named.TEXT;
    this.text = address === undefined ? "" : String(address);
    if (typeof which === "string") {
      named |= Named.IFNAME;
      this.text = `${which}\n${this.text}`;
    } else if (which !== undefined) {
      named |= Named.INTERFACE;
      this.with(Arg.INTERFACE, which);
    }
    return this.with(Arg.NAMED, named).with(Arg.FAMILY, family ?? 0).with(Arg.PORT, port ?? 0);
  }

  /** Asks for a part of the arena, and puts data there. */
  data(bytes: number, fill?: (area: Uint8Array) => void): this {
    this.areaBytes = bytes;
    this.fill = fill;
    return this;
  }
}

/** What is no number becomes one that no argument is. */
function number(value: number): number {
  return typeof value === "number" ? value : NaN;
}

/** A call that takes several requests: each is answered before the next is made. */
export type Script<T> = Generator<Request<unknown>, T, unknown>;

/** A request on its way. */
export interface Pending {
  readonly request: Request<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly signal: AbortSignal | undefined;
  onAbort: (() => void) | undefined;
  /** Its slot; -1 while it waits for one. */
  slot: number;
  areaAt: number;
}

/** The error of a request that its signal has ended. */
export function interrupted({ request, signal }: Pending): SocketError {
  const { as, syscall } = request;
  return new SocketError(Errno.EINTR, as ?? syscall, undefined, { cause: signal?.reason });
}
