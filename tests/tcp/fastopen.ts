/**
 * Fast Open from both sides, for the tests: what a program calls, and what a peer says.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { Fate } from "../../assembly/abi/fate.ts";
import { IpProto } from "../../assembly/abi/proto.ts";
import { Msg, TcpOpt } from "../../assembly/abi/socket.ts";
import { TcpInfo } from "../../runtime/wasm/layout.gen.ts";
import { Conn, Errno, Host, PEER, type Say } from "./harness.ts";
import type { HostOptions } from "./host.ts";
import { localPort } from "./shake.ts";

/** A cookie that the peer gives out. */
export const COOKIE = "0123456789abcdef";
/** A cookie as it came out of the code of Linux for 192.0.2.1 and 192.168.0.1 under KEY. */
export const LINUX_COOKIE = "3021b9d889017eeb";
/** The key of that cookie. */
export const KEY = Uint8Array.from([0xa1, 0xb2, 0xc3, 0xd4].flatMap((b) => [b, b, b, b]));

/** What a peer of ours says to a SYN. */
export const SYN_ACK = { flags: "SA", mss: 1460, sackOk: true } as const;
/** What a peer of ours begins with. */
export const SYN: Say = { flags: "S", seq: 0, mss: 1460, sackOk: true };
/** Bit 32 of tcpi_options. */
const SYN_DATA = 32;

/** Does TCP_INFO say that the data of the SYN was taken? */
export function synDataTaken(c: Conn): boolean {
  const at = c.host.engine.scratch + 1024;
  c.host.call("so_getopt", c.so, IpProto.TCP, TcpOpt.INFO, at, TcpInfo.size);
  return (c.host.inspect.u32(at + TcpInfo.options) & SYN_DATA) !== 0;
}

/** A listener with Fast Open on port 80, under the key of LINUX_COOKIE, for clients and servers. */
export async function listening(
  limit = 5,
  options: HostOptions = { tcp: { fastopen: 3 } },
): Promise<{ host: Host; listener: number; conn: (port?: number) => Conn }> {
  const host = await Host.boot(options);
  const listener = host.listen(80, 100, [[IpProto.TCP, TcpOpt.FASTOPEN, limit]]);
  assertEquals(setBytes(host, listener, TcpOpt.FASTOPEN_KEY, KEY), 0);
  return { host, listener, conn: (port = 40000) => new Conn(host, 80, port) };
}

/** A SYN with data and a good cookie, taken at once. */
export async function opened(data = "request") {
  const { host, listener, conn } = await listening();
  const c = conn();
  c.send({ ...SYN, data, fo: LINUX_COOKIE });
  assertEquals(c.fate(), Fate.TCP_SYN_ACCEPTED);
  c.expect({ flags: "SA", seq: 0, ack: 1 + data.length, len: 0, fo: null });
  c.so = host.accept(listener);
  assert(c.so > 0, "acceptable before the handshake ends");
  return { host, listener, c };
}

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
