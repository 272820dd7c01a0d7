/**
 * Connections in each synchronized state of RFC 9293 3.3.2.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { Shut } from "../../assembly/abi/socket.ts";
import { TcpState } from "../../assembly/abi/tcp.ts";
import type { Conn, Shake } from "./harness.ts";
import { connecting, established } from "./shake.ts";

/** States with a Tcb in which both initial numbers are known, and their names. */
export const SYNCHRONIZED: readonly [TcpState, string][] = [
  [TcpState.SYN_RECEIVED, "SYN-RECEIVED"],
  [TcpState.ESTABLISHED, "ESTABLISHED"],
  [TcpState.FIN_WAIT_1, "FIN-WAIT-1"],
  [TcpState.FIN_WAIT_2, "FIN-WAIT-2"],
  [TcpState.CLOSE_WAIT, "CLOSE-WAIT"],
  [TcpState.CLOSING, "CLOSING"],
  [TcpState.LAST_ACK, "LAST-ACK"],
];

/** A connection in a state, nothing waiting on the wire; the socket is still open. */
export async function inState(state: TcpState, shake: Shake = {}): Promise<Conn> {
  if (state === TcpState.SYN_RECEIVED) return await simultaneous(shake);
  const c = await established(shake);
  const peerFirst = state === TcpState.CLOSE_WAIT || state === TcpState.LAST_ACK;
  if (peerFirst) {
    c.send({ flags: "FA" });
    c.expect({ flags: "A", ack: 2 });
  }
  if (state !== TcpState.ESTABLISHED && state !== TcpState.CLOSE_WAIT) {
    c.shutdown(Shut.WR);
    c.expect({ flags: "FA", seq: 1, ack: peerFirst ? 2 : 1 });
  }
  if (state === TcpState.FIN_WAIT_2) c.send({ ack: 2 });
  if (state === TcpState.CLOSING) {
    c.send({ flags: "FA", ack: 1 });
    c.expect({ flags: "A", seq: 2, ack: 2 });
    c.rcv = 1; // the peer has not seen our FIN
  }
  if (state === TcpState.FIN_WAIT_1 || state === TcpState.LAST_ACK) c.rcv = 1;
  assertEquals(c.state(), state);
  c.silent();
  return c;
}

/** SYN-RECEIVED by way of a simultaneous open (RFC 9293 figure 7). */
async function simultaneous(shake: Shake): Promise<Conn> {
  const c = await connecting(shake);
  c.send({ flags: "S", seq: 0, mss: shake.mss ?? 1460, wscale: shake.wscale });
  c.expect({ flags: "SA", seq: 0, ack: 1 });
  assertEquals(c.state(), TcpState.SYN_RECEIVED);
  return c;
}

/** The number that the engine expects next of the peer. */
export function expectedOf(state: TcpState): number {
  return state === TcpState.CLOSE_WAIT || state === TcpState.CLOSING ||
      state === TcpState.LAST_ACK
    ? 2
    : 1;
}

/** The number after the last that the engine has sent. */
export function sentBy(state: TcpState): number {
  const open = [TcpState.SYN_RECEIVED, TcpState.ESTABLISHED, TcpState.CLOSE_WAIT];
  return open.includes(state) ? 1 : 2;
}
