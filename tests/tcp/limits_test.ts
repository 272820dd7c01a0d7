/** How long and how often: TCP_SYNCNT, TCP_KEEPINIT, TCP_LINGER2, TCP_USER_TIMEOUT. */

import { assertEquals } from "@std/assert";
import { IpProto } from "../../assembly/abi/proto.ts";
import { TcpOpt } from "../../assembly/abi/socket.ts";
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
});

Deno.test("RFC 5482 3: data may stay unacknowledged for TCP_USER_TIMEOUT", async () => {
  const c = await established({ options: [[LEVEL, TcpOpt.USER_TIMEOUT, 3000]] });
  c.write(pattern(100));
  c.take();
  c.host.advance(3 * SECOND - 1);
  assertEquals(c.state(), TcpState.ESTABLISHED);
  c.host.advance(1);
  c.readFails(Errno.ETIMEDOUT);
  c.end();
});
