/**
 * Fast Open from both sides, for the tests: what a program calls, and what a peer says.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { IpProto } from "../../assembly/abi/proto.ts";
import { Msg, TcpOpt } from "../../assembly/abi/socket.ts";
import { Conn, Errno, Host, PEER, type Say } from "./harness.ts";
import type { HostOptions } from "./host.ts";
import { localPort } from "./shake.ts";

/** A cookie that the peer gives out. */
export const COOKIE = "0123456789abcdef";
/** A cookie as it came out of the code of Linux for 192.0.2.1 and 192.168.0.1 under KEY. */
export const LINUX_COOKIE = "3021b9d889017eeb";
/** The key of that cookie. */
export const KEY = Uint8Array.from([0xa1, 0xb2, 0xc3, 0xd4].flatMap((b) => [b, b, b, b]));

/** sendto with MSG_FASTOPEN; answers what so_send does. */
export function sendFirst(host: Host, so: number, data: string, flags: number = Msg.FASTOPEN) {
  const { engine } = host;
  engine.memory.set(new TextEncoder().encode(data), engine.staging);
  const nam = flags & Msg.FASTOPEN ? host.name(PEER, 80) : 0;
  const result = host.call("so_send", so, engine.staging, data.length, flags, nam);
  host.step();
  return result;
}

/** A connection that was just begun on `so`; its SYN waits to be taken. */
export function begun(host: Host, so: number): Conn {
  const c = new Conn(host, localPort(host, so), 80);
  c.so = so;
  return c;
}

/** Opens a connection with data; the SYN must carry what it is told. */
export function open(host: Host, data: string, taken = data.length): Conn {
  const so = host.socket();
  assertEquals(sendFirst(host, so, data), taken);
  return begun(host, so);
}

/** A host that has got a cookie from the peer; that connection is over. */
export async function primed(options: HostOptions = {}, synAck: Say = {}): Promise<Host> {
  const host = await Host.boot(options);
  const so = host.socket();
  assertEquals(sendFirst(host, so, "first"), -Errno.EINPROGRESS);
  const c = begun(host, so);
  c.expect({ flags: "S", seq: 0, len: 0, fo: "" });
  c.send({ flags: "SA", ack: 1, mss: 1460, sackOk: true, fo: COOKIE, ...synAck });
  c.expect({ flags: "A", seq: 1, len: 0 });
  c.send({ flags: "RA" });
  host.close(so);
  host.wire.length = 0;
  return host;
}

/** Sets an option of level TCP that is bytes; answers what so_setopt does. */
export function setBytes(host: Host, so: number, name: TcpOpt, bytes: Uint8Array): number {
  const at = host.engine.scratch + 1024;
  host.engine.memory.set(bytes, at);
  return host.call("so_setopt", so, IpProto.TCP, name, at, bytes.length);
}
