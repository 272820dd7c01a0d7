/**
 * Handshakes between the engine and the peer of harness.ts.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { IpProto } from "../../assembly/abi/proto.ts";
import { So, Sol, TcpOpt } from "../../assembly/abi/socket.ts";
import { Cc, TcpState } from "../../assembly/abi/tcp.ts";
import { SockAddr } from "../../runtime/wasm/layout.gen.ts";
import { Conn, Errno, Host, PEER, type Shake } from "./harness.ts";

/** Socket option for tests that count windows as RFC 5681 has them, not as CUBIC does. */
export const NEWRENO: [number, number, number] = [
  IpProto.TCP,
  TcpOpt.CONGESTION,
  Cc.NEWRENO,
];

/** The options of a peer's SYN. */
export function synOptions(shake: Shake, c: Conn) {
  return {
    mss: shake.mss ?? 1460,
    wscale: shake.wscale,
    sackOk: shake.sackOk,
    ...(shake.ts ? { ts: [c.tsNow(), c.tsEcr] as const } : {}),
    win: shake.win ?? 65535,
  };
}

function applyOptions(host: Host, so: number, shake: Shake): void {
  if (shake.sndbuf) host.setopt(so, Sol.SOCKET, So.SNDBUF, shake.sndbuf);
  if (shake.rcvbuf) host.setopt(so, Sol.SOCKET, So.RCVBUF, shake.rcvbuf);
  for (const [level, name, value] of shake.options ?? []) host.setopt(so, level, name, value);
}

/** A socket whose SYN has been sent and taken. */
export async function connecting(shake: Shake = {}, on?: Host): Promise<Conn> {
  const host = on ?? await Host.boot(shake.host);
  if (shake.ecn) host.tune({ ecn: 1 });
  host.tune(shake.settings ?? {});
  const so = host.socket();
  applyOptions(host, so, shake);
  const port = shake.port ?? 80;
  assertEquals(host.call("so_connect", so, host.name(PEER, port)), -Errno.EINPROGRESS, "connect");
  host.step();
  const c = new Conn(host, localPort(host, so), port, shake.win);
  c.so = so;
  c.expect({ flags: shake.ecn ? "SEC" : "S", seq: 0, len: 0, tos: 0 });
  return c;
}

/** The local port of a socket. */
export function localPort(host: Host, so: number): number {
  const at = host.place();
  assertEquals(host.call("so_sockname", so, at), 0, "getsockname");
  return host.engine.view.getUint16(at + SockAddr.port, true);
}

/** An open connection: the engine's active open unless told otherwise. */
export async function established(shake: Shake = {}, on?: Host): Promise<Conn> {
  if (shake.passive) {
    const { c } = await accepted(shake, on);
    return c;
  }
  const c = await connecting(shake, on);
  c.host.advance(shake.rtt_us ?? 0);
  c.send({ flags: shake.ecn ? "SAE" : "SA", ack: 1, ...synOptions(shake, c) });
  c.ts = shake.ts ?? false;
  c.expect({ flags: "A", seq: 1, ack: 1, len: 0, ts: c.ts });
  assertEquals(c.state(), TcpState.ESTABLISHED);
  c.silent();
  return c;
}

/** A connection that a listener has accepted; the listener is still open unless `keep` is false. */
export async function accepted(
  shake: Shake = {},
  on?: Host,
): Promise<{ c: Conn; listener: number }> {
  const host = on ?? await Host.boot(shake.host);
  host.tune(shake.settings ?? {});
  const port = shake.port ?? 80;
  const options = [...shake.options ?? []];
  if (shake.sndbuf) options.push([Sol.SOCKET, So.SNDBUF, shake.sndbuf]);
  if (shake.rcvbuf) options.push([Sol.SOCKET, So.RCVBUF, shake.rcvbuf]);
  const listener = host.listen(port, 5, options);
  const c = new Conn(host, port, 40000, shake.win);
  c.send({ flags: shake.ecn ? "SEC" : "S", ...synOptions(shake, c) });
  c.expect({ flags: shake.ecn ? "SAE" : "SA", seq: 0, ack: 1, tos: 0 });
  c.ts = shake.ts ?? false;
  c.send({ flags: "A", ack: 1 });
  c.so = host.accept(listener);
  assert(c.so > 0, "a connection waits");
  assertEquals(c.state(), TcpState.ESTABLISHED);
  c.silent(); // a window beyond 65,535 bytes is told with the first ACK
  if (on === undefined) host.close(listener);
  return { c, listener };
}
