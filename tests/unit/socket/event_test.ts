/** Events: what is reported, once, to those who wait for it. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Errno } from "../../../assembly/abi/errno.ts";
import { Ev } from "../../../assembly/abi/event.ts";
import { Shut, Sock } from "../../../assembly/abi/socket.ts";
import { Kernel } from "./kernel.ts";

const LO = "127.0.0.1";

Deno.test("nothing is reported that nobody waits for", async () => {
  const k = await Kernel.boot();
  const { client, server, listener } = k.pair();
  k.send(client, "x");
  k.settle();
  assertEquals(k.events(), []);
  k.end(client, server, listener);
});

Deno.test("what is true already is reported at once, and only once", async () => {
  const k = await Kernel.boot();
  const { client, server, listener } = k.pair();
  k.send(client, "x");
  k.settle();
  k.call("so_want", server, Ev.READ | Ev.OOB);
  assertEquals(k.events(), [[server, Ev.READ]]);
  k.send(client, "y");
  k.settle();
  assertEquals(k.events(), []);
  k.call("so_want", server, Ev.READ);
  k.call("so_want", server, Ev.READ);
  assertEquals(k.events(), [[server, Ev.READ]]);
  k.end(client, server, listener);
});

Deno.test("wanting nothing withdraws what was not yet taken", async () => {
  const k = await Kernel.boot();
  const { client, server, listener } = k.pair();
  k.call("so_want", client, Ev.WRITE);
  k.call("so_want", server, Ev.WRITE);
  k.call("so_want", client, 0);
  assertEquals(k.events(), [[server, Ev.WRITE]]);
  k.end(client, server, listener);
});

Deno.test("a closed socket is never reported", async () => {
  const k = await Kernel.boot();
  const sockets = [0, 0, 0].map(() => k.socket(Sock.DGRAM));
  for (const so of sockets) k.call("so_want", so, Ev.WRITE);
  k.call("so_close", sockets[1]);
  assertEquals(k.events(), [[sockets[0], Ev.WRITE], [sockets[2], Ev.WRITE]]);
  for (const so of [sockets[0], sockets[2]]) k.call("so_want", so, Ev.WRITE);
  k.call("so_close", sockets[2]);
  const fresh = k.socket(Sock.DGRAM);
  k.call("so_want", fresh, Ev.WRITE);
  assertEquals(k.events(), [[sockets[0], Ev.WRITE], [fresh, Ev.WRITE]]);
  k.end(sockets[0], fresh);
});

Deno.test("both ends learn that a connection is finished", async () => {
  const k = await Kernel.boot();
  const { client, server, listener } = k.pair();
  k.call("so_want", server, Ev.READ | Ev.HUP);
  k.call("so_shutdown", client, Shut.WR);
  k.settle();
  assertEquals(k.events(), [[server, Ev.READ]]);
  k.call("so_want", client, Ev.HUP | Ev.STATE);
  k.call("so_want", server, Ev.HUP | Ev.STATE);
  k.call("so_shutdown", server, Shut.WR);
  k.settle();
  const seen = new Map(k.events());
  assert((seen.get(client) ?? 0) & Ev.HUP, "client");
  assert((seen.get(server) ?? 0) & Ev.HUP, "server");
  k.end(client, server, listener);
});

Deno.test("draining in small batches gives each event once, in order", async () => {
  const k = await Kernel.boot();
  const sockets = Array.from({ length: 10 }, () => k.socket(Sock.DGRAM));
  for (const so of sockets) k.call("so_want", so, Ev.WRITE);
  const at = k.engine.scratch + 2048;
  const seen: number[] = [];
  for (const n of [3, 3, 3, 1, 0]) {
    assertEquals(k.call("ev_drain", at, 3), n);
    for (let i = 0; i < n; i++) seen.push(k.view.getUint32(at + i * 8, true));
  }
  assertEquals(seen, sockets);
  k.end(...sockets);
});

const step = fc.record({
  kind: fc.constantFrom("want", "want", "send", "recv", "drain", "replace"),
  from: fc.nat(4),
  to: fc.nat(4),
  mask: fc.constantFrom(0, Ev.READ, Ev.WRITE, Ev.READ | Ev.WRITE),
});

Deno.test("events agree with a model, while sockets come and go", async () => {
  const k = await Kernel.boot();
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const sockets = [0, 1, 2, 3, 4].map((i) => open(k, i));
      const want = sockets.map(() => 0);
      const pending = sockets.map(() => 0);
      const queued = sockets.map(() => 0);
      const post = (i: number, bits: number) => {
        pending[i] |= want[i] & bits;
        want[i] &= ~bits;
      };
      for (const { kind, from, to, mask } of steps) {
        if (kind === "want") {
          k.call("so_want", sockets[from], mask);
          want[from] = mask;
          if (mask === 0) pending[from] = 0;
          post(from, Ev.WRITE | (queued[from] ? Ev.READ : 0));
        } else if (kind === "send") {
          k.send(sockets[from], "x", 0, { ip: LO, port: 7000 + to });
          k.settle();
          queued[to]++;
          post(to, Ev.READ);
        } else if (kind === "recv") {
          assertEquals(k.recv(sockets[from]).n, queued[from] ? 1 : -Errno.EAGAIN);
          queued[from] = Math.max(queued[from] - 1, 0);
        } else if (kind === "replace") {
          k.call("so_close", sockets[from]);
          sockets[from] = open(k, from);
          want[from] = pending[from] = queued[from] = 0;
        } else {
          const got = new Map(k.events());
          assertEquals(sockets.map((so) => got.get(so) ?? 0), pending);
          pending.fill(0);
        }
      }
      for (const so of sockets) k.call("so_close", so);
      assertEquals(k.events(), []);
    }),
    { seed: 4711, numRuns: 200 },
  );
  k.end();
});

function open(k: Kernel, i: number): number {
  const so = k.socket(Sock.DGRAM);
  assertEquals(k.bind(so, LO, 7000 + i), 0);
  return so;
}
