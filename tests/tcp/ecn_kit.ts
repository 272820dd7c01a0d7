/**
 * What the tests of ECN share.
 *
 * @module
 */

import { IpProto } from "../../assembly/abi/proto.ts";
import { TcpOpt } from "../../assembly/abi/socket.ts";
import { TcpInfo } from "../../runtime/wasm/layout.gen.ts";
import { type Conn, pattern, type Shake } from "./harness.ts";
import { established } from "./shake.ts";

/** Codepoints of the ECN field. */
export const ECT_1 = 1;
export const ECT_0 = 2;
export const CE = 3;

/** Options of TCP_INFO. */
export const INFO_ECN = 8;
export const INFO_ECN_SEEN = 16;

/** The options that TCP_INFO tells. */
export function infoOptions(c: Conn): number {
  const at = c.host.place();
  c.host.call("so_getopt", c.so, IpProto.TCP, TcpOpt.INFO, at, 32);
  return c.host.engine.view.getUint32(at + TcpInfo.options, true);
}

/** A connection with much to send and a window that never limits; it has ECN. */
export async function bulk(shake: Shake = {}): Promise<Conn> {
  const c = await established({
    ecn: true,
    rtt_us: 50_000,
    sndbuf: 4 << 20,
    wscale: 7,
    win: 60_000,
    sackOk: true,
    ...shake,
  });
  c.send({});
  c.write(pattern(1 << 20));
  return c;
}
