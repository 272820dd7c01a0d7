/** Addresses and ports: which bindings conflict, and how connections find theirs. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { Errno } from "../../../assembly/abi/errno.ts";
import { Fate } from "../../../assembly/abi/fate.ts";
import { So, Sock, Sol } from "../../../assembly/abi/socket.ts";
import { Kernel } from "../socket/kernel.ts";
import { HERE, THERE, Wire } from "./wire.ts";

const LO = "127.0.0.1";
const ANY = "0.0.0.0";

/** One case: options of the first and second socket, their addresses, and whether they conflict. */
type Case = [first: number, second: number, a: string, b: string, error: number];

const IN_USE = -Errno.EADDRINUSE;
const CASES: Case[] = [
  [0, 0, ANY, ANY, IN_USE],
  [0, 0, LO, LO, IN_USE],
  [0, 0, ANY, LO, IN_USE],
  [0, 0, LO, ANY, IN_USE],
  [0, 0, LO, HERE, 0],
  [0, So.REUSEADDR, ANY, LO, 0],
  [0, So.REUSEADDR, LO, ANY, 0],
  [0, So.REUSEADDR, LO, LO, IN_USE],
  [So.REUSEADDR, So.REUSEADDR, LO, LO, IN_USE],
  [So.REUSEADDR, 0, ANY, LO, IN_USE],
  [So.REUSEPORT, So.REUSEPORT, LO, LO, 0],
  [So.REUSEPORT, So.REUSEPORT, ANY, ANY, 0],
  [0, So.REUSEPORT, LO, LO, IN_USE],
  [So.REUSEPORT, 0, LO, LO, IN_USE],
  [So.REUSEADDR, So.REUSEADDR, "239.1.1.1", "239.1.1.1", 0],
  [0, So.REUSEADDR, "239.1.1.1", "239.1.1.1", IN_USE],
];

Deno.test("bind: the table of conflicts, for UDP and TCP", async () => {
  const wire = await Wire.attach();
  const { k } = wire;
  for (const type of [Sock.DGRAM, Sock.STREAM]) {
    for (const [one, two, a, b, error] of CASES) {
      if (type === Sock.STREAM && a.startsWith("239")) continue;
      const first = k.socket(type);
      const second = k.socket(type);
      if (one) k.setopt(first, Sol.SOCKET, one, 1);
      if (two) k.setopt(second, Sol.SOCKET, two, 1);
      assertEquals(k.bind(first, a, 6000), 0);
      assertEquals(k.bind(second, b, 6000), error, `${type} ${one} ${two} ${a} ${b}`);
      if (error) assertEquals(k.bind(second, b, 6001), 0, "another port will do");
      k.call("so_close", first);
      k.call("so_close", second);
    }
  }
  wire.end();
});

Deno.test("datagram sockets may bind to groups and broadcast, streams may not", async () => {
  const wire = await Wire.attach();
  const { k } = wire;
  for (const addr of ["239.1.1.1", "255.255.255.255", "10.0.0.255"]) {
    const stream = k.socket();
    assertEquals(k.bind(stream, addr, 6000), -Errno.EADDRNOTAVAIL);
    const dgram = k.socket(Sock.DGRAM);
    assertEquals(k.bind(dgram, addr, 6000), 0);
    k.send(dgram, "x", 0, { ip: THERE, port: 9 });
    assertEquals(wire.sent().map((p) => p.src), [HERE], "never a group or broadcast source");
    k.call("so_close", stream);
    k.call("so_close", dgram);
  }
  wire.end();
});

Deno.test("UDP and TCP ports have nothing to do with each other", async () => {
  const k = await Kernel.boot();
  const [a, b] = [k.socket(Sock.DGRAM), k.socket()];
  assertEquals(k.bind(a, LO, 6000), 0);
  assertEquals(k.bind(b, LO, 6000), 0);
  k.end(a, b);
});

Deno.test("a port with connections is taken, unless SO_REUSEADDR", async () => {
  const k = await Kernel.boot();
  const { client, server, listener } = k.pair(4000);
  k.call("so_close", listener);
  const plain = k.socket();
  assertEquals(k.bind(plain, LO, 4000), -Errno.EADDRINUSE);
  const next = k.socket();
  k.setopt(next, Sol.SOCKET, So.REUSEADDR, 1);
  assertEquals(k.bind(next, LO, 4000), 0);
  assertEquals(k.call("so_listen", next, 5), 0);
  const other = k.socket();
  k.connect(other, LO, 4000);
  k.settle();
  const accepted = k.accept(next);
  assert(accepted > 0);
  assertEquals(k.send(client, "old"), 3);
  assertEquals(k.send(other, "new"), 3);
  k.settle();
  assertEquals([k.text(server), k.text(accepted)], ["old", "new"]);
  k.end(client, server, plain, next, other, accepted);
});

Deno.test("connect: the same pair of ends twice is EADDRINUSE", async () => {
  const wire = await Wire.attach();
  const { k } = wire;
  const [a, b] = [0, 0].map(() => {
    const so = k.socket(Sock.DGRAM);
    k.setopt(so, Sol.SOCKET, So.REUSEPORT, 1);
    assertEquals(k.bind(so, HERE, 6000), 0);
    return so;
  });
  assertEquals(k.connect(a, THERE, 7), 0);
  assertEquals(k.connect(b, THERE, 7), -Errno.EADDRINUSE);
  assertEquals(k.connect(b, THERE, 8), 0);
  wire.end(a, b);
});

Deno.test("connect chooses the source address by route; disconnecting gives it back", async () => {
  const wire = await Wire.attach();
  const { k } = wire;
  const so = k.socket(Sock.DGRAM);
  assertEquals(k.connect(so, THERE, 7), 0);
  assertEquals(k.sockname(so).ip, HERE);
  const { port } = k.sockname(so);
  assertEquals(k.connect(so, LO, 7), 0);
  assertEquals(k.sockname(so).ip, LO);
  const nobody = k.name({ ip: ANY, port: 0, family: 0 });
  assertEquals(k.call("so_connect", so, nobody), 0);
  assertEquals(k.sockname(so), { ip: ANY, port, family: 2 });
  const bound = k.socket(Sock.DGRAM);
  k.bind(bound, HERE, 6000);
  k.connect(bound, THERE, 7);
  k.call("so_connect", bound, k.name({ ip: ANY, port: 0, family: 0 }));
  assertEquals(k.sockname(bound).ip, HERE);
  wire.end(so, bound);
});

Deno.test("connecting to the unspecified address reaches this host", async () => {
  const k = await Kernel.boot();
  const server = k.socket(Sock.DGRAM);
  k.bind(server, ANY, 6000);
  const client = k.socket(Sock.DGRAM);
  assertEquals(k.connect(client, ANY, 6000), 0);
  k.send(client, "x");
  k.settle();
  assertEquals(k.text(server), "x");
  k.end(server, client);
});

Deno.test("ports chosen for connections depend on the peer (RFC 6056)", async () => {
  const wire = await Wire.attach();
  const { k } = wire;
  const port = (peer: string, to: number) => {
    const so = k.socket(Sock.DGRAM);
    k.connect(so, peer, to);
    const chosen = k.sockname(so).port;
    k.call("so_close", so);
    return chosen - 49152;
  };
  const near = [1, 2, 3].map(() => port(THERE, 80));
  assertEquals((near[1] - near[0] + 16384) % 16384, 1);
  assertEquals((near[2] - near[1] + 16384) % 16384, 1);
  const far = port("10.0.0.77", 80);
  assertNotEquals((far - near[2] + 16384) % 16384, 1);
  assert(near.every((p) => p >= 0 && p < 16384));
  wire.end();
});

Deno.test("streams to different peers may share a local port", async () => {
  const wire = await Wire.attach();
  const { k } = wire;
  const fixed = k.socket();
  k.bind(fixed, HERE, 6000);
  assertEquals(k.connect(fixed, THERE, 80), -Errno.EINPROGRESS);
  const second = k.socket();
  k.setopt(second, Sol.SOCKET, So.REUSEADDR, 1);
  assertEquals(k.bind(second, HERE, 6000), 0);
  assertEquals(k.connect(second, THERE, 81), -Errno.EINPROGRESS);
  const third = k.socket();
  k.setopt(third, Sol.SOCKET, So.REUSEADDR, 1);
  assertEquals(k.bind(third, HERE, 6000), 0);
  assertEquals(k.connect(third, THERE, 80), -Errno.EADDRINUSE);
  wire.sent();
  wire.end(fixed, second, third);
});

/** What a socket of the model is bound and connected to. */
interface Model {
  so: number;
  port: number;
  any: boolean;
  peer: number | undefined;
}

Deno.test("lookup agrees with a search of all sockets", async () => {
  const wire = await Wire.attach();
  const { k } = wire;
  const ports = [6000, 6000 + 1024, 6001];
  const peers = [1, 2, 3];
  const step = fc.record({
    kind: fc.constantFrom("open", "open", "connect", "disconnect", "close", "input", "input"),
    port: fc.constantFrom(...ports),
    peer: fc.constantFrom(...peers),
    any: fc.boolean(),
    which: fc.nat(1000),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const model: Model[] = [];
      for (const { kind, port, peer, any, which } of steps) {
        const chosen = model[which % Math.max(model.length, 1)];
        if (kind === "open") open(k, model, port, any);
        else if (kind === "input") checkInput(wire, model, port, peer);
        else if (!chosen) continue;
        else if (kind === "connect") connect(k, model, chosen, peer);
        else if (kind === "disconnect") {
          k.call("so_connect", chosen.so, k.name({ ip: ANY, port: 0, family: 0 }));
          chosen.peer = undefined;
        } else {
          k.call("so_close", chosen.so);
          model.splice(model.indexOf(chosen), 1);
        }
      }
      for (const { so } of model) k.call("so_close", so);
    }),
    { seed: 99, numRuns: 150 },
  );
  wire.end();
});

function open(k: Kernel, model: Model[], port: number, any: boolean): void {
  const so = k.socket(Sock.DGRAM);
  k.setopt(so, Sol.SOCKET, So.REUSEADDR, 1);
  const taken = model.some((m) => m.port === port && m.any === any && m.peer === undefined);
  const error = k.bind(so, any ? ANY : HERE, port);
  assertEquals(error, taken ? -Errno.EADDRINUSE : 0);
  if (error) k.call("so_close", so);
  else model.push({ so, port, any, peer: undefined });
}

function connect(k: Kernel, model: Model[], chosen: Model, peer: number): void {
  chosen.peer = undefined;
  const taken = model.some((m) => m !== chosen && m.port === chosen.port && m.peer === peer);
  const error = k.connect(chosen.so, THERE, peer);
  assertEquals(error, taken ? -Errno.EADDRINUSE : 0);
  if (!error) chosen.peer = peer;
}

/** A datagram must reach the connected socket, else one at the address, else a wildcard. */
function checkInput(wire: Wire, model: Model[], port: number, peer: number): void {
  const at = model.filter((m) => m.port === port);
  const unconnected = at.filter((m) => m.peer === undefined);
  const best = [
    at.filter((m) => m.peer === peer),
    unconnected.filter((m) => !m.any),
    unconnected,
  ].find((class_) => class_.length > 0) ?? [];
  const fate = wire.udp({ sport: peer, dport: port, data: "x" });
  assertEquals(fate, best.length > 0 ? Fate.UDP_DELIVERED : Fate.UDP_NO_PORT);
  wire.sent();
  const got = model.filter(({ so }) => wire.k.recv(so).n === 1);
  assertEquals(got.length, Math.min(best.length, 1));
  assert(got.every((m) => best.includes(m)), "the wrong socket got it");
}
