/**
 * From the engine's PRU_ requests to the methods of a protocol in TypeScript.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { Pru } from "../../assembly/abi/proto.ts";
import type { Engine } from "../engine.ts";
import { EnginePanic, SocketError } from "../errors.ts";
import * as field from "../layout.ts";
import { readSockAddr, type SockAddr, writeSockAddr } from "../socket/sockaddr.ts";
import * as layout from "../wasm/layout.gen.ts";
import { kernelCalls } from "./kernel_calls.ts";
import type { UserRequests } from "./module.ts";
import { Packet } from "./packet.ts";
import type { Sock } from "./sock.ts";

/** Sizes of the buffers of a new socket, as for UDP, bytes. */
const SEND_BYTES = 65_536;
const RECEIVE_BYTES = 131_072;

/** What the dispatch of requests needs of the module. */
export interface RequestHost {
  /** The engine. */
  readonly engine: Engine;
  /** The protocol's methods. */
  readonly usrreq: UserRequests;
  /** The socket at an address; made if it is new. */
  sock(ptr: number): Sock;
  /** The socket is gone. */
  forget(ptr: number): void;
  /** True once the protocol has failed. */
  isFailed(): boolean;
  /** It has failed now. */
  fault(hook: string, error: unknown): void;
}

/**
 * Runs a hook of a protocol: its answer, `-Errno` for a `SocketError`, and for any other exception
 * -EIO, when the protocol is stopped.
 */
export function guarded(
  host: Pick<RequestHost, "fault">,
  hook: string,
  call: () => number | void,
): number {
  try {
    const answer: unknown = call() ?? 0;
    if (typeof answer === "number") return answer;
    // a promise that is rejected later must not end the program
    if (answer instanceof Promise) answer.catch(() => {});
    throw new TypeError(`it answered ${answer}: a hook answers a number or nothing, at once`);
  } catch (error) {
    if (error instanceof EnginePanic) throw error;
    if (error instanceof SocketError) return -error.errno;
    host.fault(hook, error);
    return -Errno.EIO;
  }
}

/** Answers one request; see protosw.ts. Frees `m` unless the protocol takes it. */
export function request(
  host: RequestHost,
  ptr: number,
  pru: Pru,
  m: number,
  nam: number,
  arg: number,
): number {
  if (pru === Pru.SEND) return send(host, ptr, m, nam, arg);
  if (m !== 0) kernelCalls(host.engine).mbuf_freem(m);
  if (pru === Pru.ATTACH) return attach(host, ptr, arg);
  if (pru === Pru.DETACH) return detach(host, ptr);
  if (host.isFailed()) return pru === Pru.ABORT ? abort(host, ptr) : -Errno.EIO;
  return guarded(host, `usrreq ${pru}`, () => other(host, host.sock(ptr), pru, nam, arg));
}

function send(host: RequestHost, ptr: number, m: number, nam: number, flags: number): number {
  const packet = new Packet(host.engine).assign(m, 0, 0);
  const { usrreq } = host;
  const result = host.isFailed()
    ? -Errno.EIO
    : usrreq.send === undefined || m === 0
    ? -Errno.EOPNOTSUPP
    : guarded(host, "usrreq.send", () => {
      const to = nam === 0 ? undefined : readSockAddr(host.engine, nam);
      return usrreq.send?.(host.sock(ptr), packet, to, flags);
    });
  packet.free();
  return Math.min(result, 0);
}

function attach(host: RequestHost, ptr: number, protocol: number): number {
  const { engine, usrreq } = host;
  if (host.isFailed()) return -Errno.EIO;
  const so = host.sock(ptr);
  const result = guarded(host, "usrreq.attach", () => {
    const has = field.getU32(engine, ptr, layout.Socket.snd_cc + layout.Sockbuf.hiwat) !== 0;
    if (!has) so.reserve(SEND_BYTES, RECEIVE_BYTES);
    field.setU32(engine, ptr, layout.Socket.pcb, ptr);
    return usrreq.attach?.(so, protocol);
  });
  if (result < 0) letGo(host, ptr);
  return Math.min(result, 0);
}

/** The socket has no protocol's part any more. */
function letGo(host: RequestHost, ptr: number): void {
  host.forget(ptr);
  field.setU32(host.engine, ptr, layout.Socket.pcb, 0);
}

function detach(host: RequestHost, ptr: number): number {
  if (!host.isFailed()) {
    guarded(host, "usrreq.detach", () => host.usrreq.detach?.(host.sock(ptr)));
  }
  letGo(host, ptr);
  return 0;
}

/** The connection is dropped; the engine frees the socket if nobody holds it. */
function abort(host: RequestHost, ptr: number): number {
  const so = host.sock(ptr);
  detach(host, ptr);
  so.disconnected();
  return 0;
}

function other(host: RequestHost, so: Sock, pru: Pru, nam: number, arg: number) {
  const { engine, usrreq } = host;
  const address = () => readSockAddr(engine, nam);
  switch (pru) {
    case Pru.BIND:
      return usrreq.bind ? usrreq.bind(so, address()) : -Errno.EOPNOTSUPP;
    case Pru.LISTEN:
      return usrreq.listen ? usrreq.listen(so, arg) : -Errno.EOPNOTSUPP;
    case Pru.CONNECT:
      return usrreq.connect ? usrreq.connect(so, address()) : -Errno.EOPNOTSUPP;
    case Pru.CONNECT2:
      return usrreq.connect2 ? usrreq.connect2(so, host.sock(nam)) : -Errno.EOPNOTSUPP;
    case Pru.DISCONNECT:
      return usrreq.disconnect ? usrreq.disconnect(so) : so.unconnected();
    case Pru.SHUTDOWN:
      return usrreq.shutdown ? usrreq.shutdown(so) : so.cantSendMore();
    case Pru.RCVD:
      return usrreq.received?.(so);
    case Pru.ABORT:
      usrreq.abort?.(so);
      return abort(host, so.ptr);
    case Pru.SOCKADDR:
      return tell(engine, usrreq.localAddress?.(so), nam);
    case Pru.ACCEPT:
    case Pru.PEERADDR:
      return tell(engine, usrreq.peerAddress?.(so), nam);
    case Pru.SENSE:
      return 0;
    default:
      return -Errno.EOPNOTSUPP;
  }
}

function tell(engine: Engine, name: SockAddr | undefined, nam: number): number {
  if (name === undefined) return -Errno.EOPNOTSUPP;
  writeSockAddr(engine, nam, name, "getsockname", name.family);
  return 0;
}
