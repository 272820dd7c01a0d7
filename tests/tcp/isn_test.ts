/** Initial sequence numbers: RFC 9293 3.4.1, RFC 6528 3. */

import { assert, assertEquals } from "@std/assert";
import { Conn, Host } from "./harness.ts";
import { connecting } from "./shake.ts";

/** Difference of sequence numbers. */
const diff = (a: number, b: number) => (a - b) | 0;

async function issOf(host: Host, port: number, bind?: number): Promise<number> {
  const so = host.socket();
  if (bind) assertEquals(host.call("so_bind", so, host.name("0.0.0.0", bind)), 0);
  host.call("so_connect", so, host.name("192.0.2.1", port));
  host.step();
  const c = new Conn(host, bind ?? 0, port);
  c.so = so;
  const iss = c.tcb("iss");
  host.close(so);
  host.wire.length = 0;
  return await Promise.resolve(iss);
}

// MUST-8, SHLD-1
Deno.test("RFC 6528 3: for the same ends it follows a clock of 4 microseconds", async () => {
  const host = await Host.boot();
  const first = await issOf(host, 80, 5000);
  assertEquals(diff(await issOf(host, 80, 5000), first), 0);
  for (const us of [4, 1000, 1_000_000, 3_600_000_000]) {
    const before = await issOf(host, 80, 5000);
    host.advance(us);
    assertEquals(diff(await issOf(host, 80, 5000), before), us / 4);
  }
  host.end();
});

Deno.test("RFC 6528 3: for other ends it tells nothing", async () => {
  const host = await Host.boot();
  const numbers: number[] = [];
  for (let i = 0; i < 40; i++) numbers.push(await issOf(host, 80 + i, 5000 + (i >> 2)));
  const sorted = [...numbers].sort((a, b) => a - b);
  assertEquals(new Set(numbers).size, 40);
  // forty random numbers of 32 bits spread over the whole range
  assert(sorted[0] < 2 ** 31 && sorted[39] > 2 ** 31);
  for (let i = 1; i < 40; i++) {
    assert(Math.abs(diff(numbers[i], numbers[i - 1])) > 10_000, `${numbers[i]}`);
  }
  host.end();
});

Deno.test("RFC 6528 3 (MUST-9): it depends on the secret", async () => {
  const seeds = ["one", "two", "one"];
  const numbers: number[] = [];
  for (const seed of seeds) numbers.push(await issOf(await Host.boot({ seed }), 80, 5000));
  assertEquals(numbers[0], numbers[2], "the same seed, the same run");
  assert(Math.abs(diff(numbers[0], numbers[1])) > 10_000);
});

Deno.test("RFC 6528 3: passive opens use the same function", async () => {
  const host = await Host.boot();
  const listener = host.listen(80);
  const c = new Conn(host, 80, 40000);
  c.send({ flags: "S", mss: 1460 });
  c.expect({ flags: "SA" });
  const first = c.iss;
  c.send({ flags: "R", seq: 1 });
  host.advance(1_000_000);
  const again = new Conn(host, 80, 40000);
  again.send({ flags: "S", mss: 1460 });
  again.expect({ flags: "SA" });
  assertEquals(diff(again.iss, first), 250_000);
  host.end(listener);
});

Deno.test("RFC 6056 3.3.3: ports to one end tell nothing of those to others", async () => {
  const host = await Host.boot();
  const first: number[] = [];
  for (let i = 0; i < 20; i++) {
    const ports = new Set<number>();
    for (let k = 0; k < 10; k++) {
      const c = await connecting({ port: 80 + i }, host);
      ports.add(c.lport);
      if (k === 0) first.push(c.lport);
      c.host.close(c.so);
    }
    assertEquals(ports.size, 10);
  }
  const steps = first.slice(1).map((p, i) => Math.abs(p - first[i]));
  assert(steps.filter((step) => step > 100).length > 15, `${first}`);
  host.end();
});
