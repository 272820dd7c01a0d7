/** How long and how often: TCP_SYNCNT, TCP_KEEPINIT, TCP_LINGER2, TCP_USER_TIMEOUT. */

import { assertEquals } from "@std/assert";
import { IpProto } from "../../assembly/abi/proto.ts";
import { So, Sol, TcpOpt } from "../../assembly/abi/socket.ts";
import { TcpState } from "../../assembly/abi/tcp.ts";
import { Errno, type Host, pattern } from "./harness.ts";
import { connecting, established } from "./shake.ts";

const SECOND = 1_000_000;
const LEVEL = IpProto.TCP;

Deno.test("TCP_KEEPINIT: an attempt ends after so long, whatever is repeated", async () => {
  const c = await connecting({ options: [[LEVEL, TcpOpt.KEEPINIT, 5]] });
  c.host.advance(5 * SECOND - 1);
  assertEquals(c.state(), TcpState.SYN_SENT);
  c.host.advance(1);
  assertEquals(c.state(), TcpState.CLOSED);
  assertEquals(c.host.error(c.so), Errno.ETIMEDOUT);
  c.end();
});

Deno.test("TCP_KEEPINIT: nothing once the connection stands; may be set late", async () => {
  const c = await established({ options: [[LEVEL, TcpOpt.KEEPINIT, 5]] });
  c.silentFor(100 * SECOND);
  assertEquals(c.state(), TcpState.ESTABLISHED);
  c.end();
  const d = await connecting();
  d.host.setopt(d.so, LEVEL, TcpOpt.KEEPINIT, 2);
  d.host.advance(2 * SECOND);
  assertEquals(d.host.error(d.so), Errno.ETIMEDOUT);
  d.end();
});

/** A closed socket whose FIN is acknowledged, and the host it was on. */
async function orphan(linger2: number): Promise<Host> {
  const c = await established({ options: [[LEVEL, TcpOpt.LINGER2, linger2]] });
  const { host } = c;
  c.close();
  c.expect({ flags: "FA", seq: 1 });
  c.send({ ack: 2 });
  return host;
}

/** Connections in FIN-WAIT-2. */
function waiting(host: Host): number {
  return host.call("tcp_count", TcpState.FIN_WAIT_2);
}

Deno.test("TCP_LINGER2: the stay in FIN-WAIT-2 of a closed socket", async () => {
  for (const [linger2, seconds] of [[0, 60], [3, 3], [500, 120]]) {
    const host = await orphan(linger2);
    host.advance(seconds * SECOND - 1);
    assertEquals(waiting(host), 1, `${linger2}`);
    host.advance(1);
    assertEquals(waiting(host), 0, `${linger2}`);
    host.end();
  }
  const host = await orphan(-1);
  host.advance(0);
  assertEquals(waiting(host), 0, "no stay at all");
  host.end();
  const c = await established({ options: [[LEVEL, TcpOpt.LINGER2, -1]] });
  c.shutdown(1);
  c.expect({ flags: "FA", seq: 1 });
  c.send({ ack: 2 });
  c.silent();
  c.close();
  c.expect({ flags: "RA", seq: 2 });
  c.end();
});

Deno.test("RFC 5482 3 (MUST-21): data may stay unacknowledged for TCP_USER_TIMEOUT", async () => {
  const c = await established({ options: [[LEVEL, TcpOpt.USER_TIMEOUT, 3000]] });
  c.write(pattern(100));
  c.take();
  c.host.advance(3 * SECOND - 1);
  assertEquals(c.state(), TcpState.ESTABLISHED);
  c.host.advance(1);
  c.readFails(Errno.ETIMEDOUT);
  c.end();
});

Deno.test("TCP_USER_TIMEOUT counts for the handshake, too", async () => {
  const c = await connecting({ options: [[LEVEL, TcpOpt.USER_TIMEOUT, 4000]] });
  c.host.advance(4 * SECOND - 1);
  assertEquals(c.state(), TcpState.SYN_SENT);
  c.host.advance(1);
  assertEquals(c.host.error(c.so), Errno.ETIMEDOUT);
  c.end();
});

Deno.test("TCP_USER_TIMEOUT counts for data that waits for the window", async () => {
  for (const persist_probe of [0, 1]) {
    const options: [number, number, number][] = [[LEVEL, TcpOpt.USER_TIMEOUT, 5000]];
    const c = await established({ win: 0, options, host: { tcp: { persist_probe } } });
    c.silentFor(100 * SECOND);
    c.write(pattern(100));
    // the peer answers every probe: the window stays shut all the same
    for (let at = 0; at < 5 * SECOND - 1; at += 100_000) {
      c.host.advance(Math.min(100_000, 5 * SECOND - 1 - at));
      if (c.takeAll().length > 0) c.send({ ack: 1, win: 0 });
      assertEquals(c.state(), TcpState.ESTABLISHED, `after ${at}`);
    }
    c.host.advance(1);
    c.readFails(Errno.ETIMEDOUT);
    c.end();
  }
});

Deno.test("TCP_USER_TIMEOUT takes the place of TCP_KEEPCNT", async () => {
  const options: [number, number, number][] = [
    [Sol.SOCKET, So.KEEPALIVE, 1],
    [LEVEL, TcpOpt.KEEPIDLE, 60],
    [LEVEL, TcpOpt.KEEPINTVL, 10],
    [LEVEL, TcpOpt.KEEPCNT, 2],
    [LEVEL, TcpOpt.USER_TIMEOUT, 95_000],
  ];
  const c = await established({ options });
  c.host.advance(99 * SECOND);
  assertEquals(c.takeAll().length, 4, "probes after 60, 70, 80 and 90 s");
  assertEquals(c.state(), TcpState.ESTABLISHED);
  c.host.advance(SECOND);
  c.readFails(Errno.ETIMEDOUT);
  c.end();
});
