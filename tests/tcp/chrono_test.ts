/** What a sender's time went into, as TCP_INFO tells it. */

import { assert, assertEquals } from "@std/assert";
import { IpProto } from "../../assembly/abi/proto.ts";
import { TcpOpt } from "../../assembly/abi/socket.ts";
import { TcpInfo } from "../../runtime/wasm/layout.gen.ts";
import { type Conn, pattern } from "./harness.ts";
import { established } from "./shake.ts";

const MSS = 1460;
const MS = 1000;

/** Busy, stopped by the peer's window, and by the send buffer; milliseconds. */
function spent(c: Conn): number[] {
  const at = c.host.call("scratch");
  const room = TcpInfo.size;
  assertEquals(c.host.call("so_getopt", c.so, IpProto.TCP, TcpOpt.INFO, at, room), room);
  const fields = [TcpInfo.busy_time_us, TcpInfo.rwnd_limited_us, TcpInfo.sndbuf_limited_us];
  return fields.map((field) => c.host.engine.view.getUint32(at + field, true) / MS);
}

/** Acknowledges all. */
function acknowledge(c: Conn): void {
  c.takeAll();
  c.send({});
}

Deno.test("time without data to send is not busy", async () => {
  const c = await established();
  c.host.advance(1000 * MS);
  assertEquals(spent(c), [0, 0, 0]);
  c.write("x");
  c.host.advance(70 * MS);
  assertEquals(spent(c), [70, 0, 0], "not yet acknowledged");
  acknowledge(c);
  c.host.advance(1000 * MS);
  assertEquals(spent(c), [70, 0, 0]);
  c.end();
});

Deno.test("a window that is full counts, as long as it is", async () => {
  const c = await established({ win: 2 * MSS });
  c.write(pattern(10 * MSS));
  c.host.advance(50 * MS);
  assertEquals(spent(c), [50, 50, 0]);
  c.win = 65_535;
  acknowledge(c);
  c.host.advance(30 * MS);
  assertEquals(spent(c), [80, 50, 0]);
  c.end();
});

Deno.test("a window that is closed counts too", async () => {
  const c = await established({ win: MSS });
  c.write(pattern(3 * MSS));
  c.takeAll();
  c.win = 0;
  c.send({});
  c.host.advance(100 * MS);
  const [busy, rwnd] = spent(c);
  assertEquals([busy, rwnd], [100, 100]);
  c.end();
});

Deno.test("a congestion window that is full is the network's doing", async () => {
  const c = await established({ sndbuf: 1 << 20 });
  c.write(pattern(100 * MSS));
  c.host.advance(50 * MS);
  assertEquals(spent(c), [50, 0, 0]);
  c.end();
});

Deno.test("a send buffer that is full and all sent counts", async () => {
  const c = await established({ sndbuf: 4 * MSS });
  assert(c.tryWrite(pattern(10 * MSS)) < 10 * MSS);
  c.host.advance(40 * MS);
  assertEquals(spent(c), [40, 0, 40]);
  acknowledge(c);
  c.host.advance(40 * MS);
  assertEquals(spent(c), [40, 0, 40]);
  c.end();
});

Deno.test("the sums do not overlap", async () => {
  const c = await established({ sndbuf: 4 * MSS, win: 2 * MSS });
  c.tryWrite(pattern(10 * MSS));
  for (let i = 0; i < 10; i++) {
    c.host.advance(10 * MS);
    acknowledge(c);
    if (i % 3 === 0) c.win = (1 + i) * MSS;
    c.tryWrite(pattern(2 * MSS));
  }
  const [busy, rwnd, sndbuf] = spent(c);
  assertEquals(busy, 100);
  assert(rwnd > 0 && sndbuf > 0 && rwnd + sndbuf <= busy, `${rwnd} + ${sndbuf}`);
  c.end();
});
