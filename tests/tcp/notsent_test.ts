/** TCP_NOTSENT_LOWAT: what may wait to be sent; and the requests that tell what does. */

import { assert, assertEquals } from "@std/assert";
import { Ev } from "../../assembly/abi/event.ts";
import { Sioc } from "../../assembly/abi/ifnet.ts";
import { IpProto } from "../../assembly/abi/proto.ts";
import { TcpOpt } from "../../assembly/abi/socket.ts";
import { type Conn, Errno, Host, pattern } from "./harness.ts";
import { established } from "./shake.ts";

const LEVEL = IpProto.TCP;

/** An ioctl that answers a number. */
function ioctl(host: Host, so: number, cmd: Sioc): number {
  const at = host.place();
  const n = host.call("so_ioctl", so, cmd, at, 4);
  return n < 0 ? n : host.inspect.u32(at);
}

function writable(c: Conn): boolean {
  return (c.host.call("so_ready", c.so) & Ev.WRITE) !== 0;
}

/** A connection whose peer takes 10 segments of 1000 bytes at first. */
function limited(bytes: number, sndbuf = 200_000): Promise<Conn> {
  const options: [number, number, number][] = [[LEVEL, TcpOpt.NOTSENT_LOWAT, bytes]];
  return established({ mss: 1000, options, sndbuf });
}

Deno.test("a socket is writable while less than the limit waits to be sent", async () => {
  const c = await limited(5000);
  assert(writable(c));
  c.write(pattern(10_000));
  assertEquals(c.takeAll().length, 10);
  assertEquals(ioctl(c.host, c.so, Sioc.OUTQNSD), 0);
  assert(writable(c), "all of it is sent");
  c.write(pattern(4000));
  assert(writable(c), "4000 bytes wait");
  c.write(pattern(1000));
  assertEquals(ioctl(c.host, c.so, Sioc.OUTQNSD), 5000);
  assert(!writable(c), "5000 bytes wait");
  assertEquals(c.tryWrite("x"), -Errno.EAGAIN);
  c.end();
});

Deno.test("a large write takes whole chunks until the limit is reached", async () => {
  const c = await limited(5000);
  const taken = c.tryWrite(pattern(150_000));
  // ten segments leave; of what waits, a chunk was begun below the limit: half the peer's window
  assertEquals(taken % 1000, 0);
  assert(taken >= 15_000 && taken <= 15_000 + 33_000, `${taken}`);
  assert(!writable(c));
  c.end();
});

Deno.test("who waits for room is woken when half of the limit is left", async () => {
  const c = await limited(8000);
  c.write(pattern(10_000));
  c.takeAll();
  c.write(pattern(8000));
  assert(!writable(c));
  c.host.call("so_want", c.so, Ev.WRITE);
  const woken = () => {
    const at = c.host.engine.scratch + 3000;
    return c.host.call("ev_drain", at, 8) > 0;
  };
  assertEquals(woken(), false);
  c.send({ ack: 2001 });
  const left = () => ioctl(c.host, c.so, Sioc.OUTQNSD);
  let ack = 2001;
  while (!woken()) {
    assert(left() > 4000 - 1000, `${left()} left and nobody woken`);
    ack += 1000;
    assert(ack <= 18_001);
    c.send({ ack });
    c.takeAll();
  }
  assert(left() < 4000, `${left()}`);
  c.end();
});

Deno.test("the setting of the stack serves sockets without the option", async () => {
  const c = await established({ mss: 1000, host: { tcp: { notsent_lowat: 3000 } } });
  assertEquals(c.host.getopt(c.so, LEVEL, TcpOpt.NOTSENT_LOWAT), 3000);
  c.write(pattern(10_000));
  c.write(pattern(3000));
  assert(!writable(c));
  c.host.setopt(c.so, LEVEL, TcpOpt.NOTSENT_LOWAT, -1);
  assert(writable(c));
  c.end();
});

Deno.test("OUTQ: what is not acknowledged; OUTQNSD: what was never sent", async () => {
  const c = await established({ mss: 1000 });
  const both = () => [Sioc.OUTQ, Sioc.OUTQNSD].map((cmd) => ioctl(c.host, c.so, cmd));
  assertEquals(both(), [0, 0]);
  c.write(pattern(15_000));
  assertEquals(both(), [15_000, 5000]);
  c.send({ ack: 1001 });
  assertEquals(both(), [14_000, 3000]);
  c.host.advance(10_000_000); // sent again: that changes nothing
  assertEquals(both(), [14_000, 3000]);
  for (let i = 0; i < 10; i++) {
    c.takeAll();
    c.send({});
  }
  assertEquals(both(), [0, 0]);
  c.shutdown(1);
  c.expect({ flags: "FA" });
  assertEquals(both(), [0, 0], "a FIN is no data");
  c.end();
  const host = await Host.boot();
  const listener = host.listen(80);
  assertEquals(ioctl(host, listener, Sioc.OUTQ), -Errno.EINVAL);
  assertEquals(ioctl(host, listener, Sioc.OUTQNSD), -Errno.EINVAL);
  host.end(listener);
});
