/** GRE between stacks on a virtual wire. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Errno } from "../../assembly/abi/errno.ts";
import { SocketError } from "../../mod.ts";
import { Gre, type GreTunnelOptions } from "../../protocols/gre/mod.ts";
import { createSim, type Sim } from "../sim_pair.ts";
import { held, ipFrames, load, transfer } from "./net.ts";

const GRE = 47;

/** A tunnel between the first two stacks, 192.168.5.1 and 192.168.5.2. */
async function tunnel(sim: Sim, options: Partial<GreTunnelOptions> = {}): Promise<Gre[]> {
  const made: Gre[] = [];
  for (let i = 0; i < 2; i++) {
    const remote = `10.0.0.${2 - i}`;
    const addresses = [`192.168.5.${i + 1}/30`];
    const gre = new Gre({ tunnels: [{ remote, addresses, ...options }] });
    made.push(await load(sim, sim.stacks[i], gre));
  }
  await sim.sleep(10_000_000); // addresses are announced
  return made;
}

const KINDS: [string, Partial<GreTunnelOptions>, number, number][] = [
  ["plain", {}, 0x00000800, 1476],
  ["with a key", { key: 0xdeadbeef }, 0x20000800, 1472],
  ["with checksums", { checksum: true }, 0x80000800, 1472],
  ["numbered", { sequence: true }, 0x10000800, 1472],
  ["with everything", { key: 7, checksum: true, sequence: true }, 0xb0000800, 1464],
  ["Ethernet", { ethernet: true }, 0x00006558, 1462],
  [
    "Ethernet with everything",
    {
      ethernet: true,
      key: 7,
      checksum: true,
      sequence: true,
    },
    0xb0006558,
    1450,
  ],
];

for (const [name, options, header, mtu] of KINDS) {
  Deno.test(`gre: TCP crosses a tunnel, ${name}`, async () => {
    await using sim = await createSim({ delay_us: 100 });
    const [one, two] = await tunnel(sim, options);
    const [a, b] = sim.stacks;
    assertEquals(one.tunnels[0].caps.mtu, mtu);
    const lost = one.tunnels[0].stats.txFrames - two.tunnels[0].stats.rxFrames;
    await transfer(sim, a, b, "192.168.5.2", 200_000);
    const outer = ipFrames(sim.capture, GRE);
    assert(outer.length > 200);
    assertEquals(new Set(outer.map((view) => view.getUint32(34))), new Set([header]));
    const most = Math.max(...outer.map((view) => view.getUint16(16)));
    assert(most <= 1500 && most > 1480, `${most}`);
    await sim.sleep(1_000_000);
    const [sent, got] = [one.tunnels[0].stats, two.tunnels[0].stats];
    assertEquals(got.rxFrames, sent.txFrames - lost);
    assertEquals([got.rxOrder, got.rxChecksum, got.rxMissing, sent.txTooBig], [0, 0, 0, 0]);
    const interfaces = a.interfaces.map((it) => it.name);
    assertEquals(interfaces, ["eth0", options.ethernet ? "gretap0" : "gre0"]);
  });
}

Deno.test("gre: tunnels to one host are told apart by their keys", async () => {
  await using sim = await createSim();
  const [one, two] = await tunnel(sim, { key: 1 });
  const [a, b] = sim.stacks;
  await sim.run(one.add({ remote: "10.0.0.2", key: 2, addresses: ["192.168.6.1/30"] }));
  const fd = a.sys.socket(2, 2, 17);
  a.sys.nb.sendto(fd, new Uint8Array(10), 0, { address: "192.168.6.2", port: 9 });
  sim.settle();
  assertEquals(two.stats.rxUnknown, 1);
  await sim.run(two.add({ remote: "10.0.0.1", key: 2, addresses: ["192.168.6.2/30"] }));
  await transfer(sim, a, b, "192.168.6.2", 5000);
  await transfer(sim, b, a, "192.168.5.1", 5000);
  const twice = one.add({ remote: "10.0.0.2", key: 2 });
  const error = await assertRejects(() => sim.run(twice), SocketError, "there is a tunnel");
  assertEquals(error.errno, Errno.EEXIST);
  assertEquals(one.tunnels.length, 2);
  await sim.run(one.remove(one.tunnels[1]));
  assertEquals(a.interfaces.map((it) => it.name), ["eth0", "gre0"]);
});

Deno.test("gre: after unload nothing is left, and it is loaded again", async () => {
  await using sim = await createSim();
  const [a, b] = sim.stacks;
  await tunnel(sim, { key: 3 });
  await transfer(sim, a, b, "192.168.5.2", 100); // the neighbours know each other
  assertEquals(await sim.run(a.protocols.unload("gre")), 0);
  await sim.sleep(120_000_000);
  const before = held(a);
  for (let round = 0; round < 3; round++) {
    const tunnels = [{ remote: "10.0.0.2", key: 3, addresses: ["192.168.5.1/30"] }];
    await load(sim, a, new Gre({ tunnels }));
    await transfer(sim, a, b, "192.168.5.2", 3000);
    await sim.sleep(120_000_000); // connections in TIME-WAIT
    assertEquals(await sim.run(a.protocols.unload("gre")), 0);
    assertEquals(held(a), before);
  }
});
