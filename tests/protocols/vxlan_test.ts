/** VXLAN between stacks on a virtual wire. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Errno } from "../../assembly/abi/errno.ts";
import { SocketError } from "../../mod.ts";
import { Vxlan, type VxlanTunnelOptions } from "../../protocols/vxlan/mod.ts";
import { createSim, type Sim } from "../sim_pair.ts";
import { held, ipFrames, load, transfer } from "./net.ts";

const UDP = 17;

/** A segment on each stack, with 192.168.7.1/24 and so on, and all others as end points. */
async function segment(
  sim: Sim,
  options: Partial<VxlanTunnelOptions> = {},
): Promise<Vxlan[]> {
  const made: Vxlan[] = [];
  for (const [i, stack] of sim.stacks.entries()) {
    const remotes = sim.stacks.flatMap((_, k) => k === i ? [] : [`10.0.0.${k + 1}`]);
    const tunnel = { vni: 42, remotes, addresses: [`192.168.7.${i + 1}/24`], ...options };
    made.push(await load(sim, stack, new Vxlan({ tunnels: [tunnel] })));
  }
  await sim.sleep(10_000_000); // addresses are announced
  for (const { tunnels } of made) tunnels.forEach((it) => it.flush());
  return made;
}

Deno.test("vxlan: TCP crosses a segment whole, within the MTU of the network below", async () => {
  await using sim = await createSim({ delay_us: 100 });
  const [one, two] = await segment(sim);
  const [a, b] = sim.stacks;
  assertEquals(one.tunnel(42)!.caps.mtu, 1450);
  const lost = one.tunnel(42)!.stats.txFrames - two.tunnel(42)!.stats.rxFrames;
  await transfer(sim, a, b, "192.168.7.2", 300_000);
  const outer = ipFrames(sim.capture, UDP);
  assert(outer.length > 200);
  const lengths = outer.map((view) => view.getUint16(16));
  assertEquals(Math.max(...lengths), 1500);
  for (const view of outer) {
    assertEquals(view.getUint16(20), 0x4000, "DF is set, and nothing is a fragment");
    assertEquals(view.getUint16(36), 4789);
    assert(view.getUint16(34) >= 49152, "RFC 7348 5: a source port of the private range");
    assertEquals(view.getUint16(38), view.getUint16(16) - 20);
    assertEquals(view.getUint16(40), 0, "RFC 7348 5: no UDP checksum");
    assertEquals([view.getUint32(42), view.getUint32(46)], [0x08000000, 42 << 8]);
  }
  const ports = new Set(outer.map((view) => view.getUint16(34)));
  assert(ports.size <= 4, "one flow has one source port");
  for (const { stats } of [...one.tunnels, ...two.tunnels]) {
    assertEquals([stats.moved, stats.rxShort, stats.txTooBig], [0, 0, 0]);
  }
  await sim.sleep(1_000_000);
  const [sent, got] = [one.tunnel(42)!.stats, two.tunnel(42)!.stats];
  assertEquals(got.rxFrames, sent.txFrames - lost);
});

Deno.test("vxlan: what is learned is sent to one end point, the rest to all", async () => {
  await using sim = await createSim({ hosts: 3, delay_us: 100 });
  const [one, two, three] = await segment(sim);
  const [a, b] = sim.stacks;
  const [sender, , other] = [one, two, three].map((it) => it.tunnel(42)!);
  const { rxFrames } = other.stats;
  await transfer(sim, a, b, "192.168.7.2", 20_000);
  assert(other.stats.rxFrames > rxFrames, "the ARP request is for all");
  assert(other.stats.rxFrames <= rxFrames + 2, "and nothing else");
  assertEquals(sender.entries().map(({ remote }) => remote), ["10.0.0.2"]);
  // what was learned is forgotten after a while, and then all get a copy again
  await sim.sleep(301_000_000);
  const before = other.stats.rxFrames;
  await transfer(sim, a, b, "192.168.7.2", 100);
  assert(other.stats.rxFrames > before);
});

Deno.test("vxlan: a table that is full learns no more, and still delivers", async () => {
  await using sim = await createSim({ hosts: 3 });
  const [one] = await segment(sim, { limit: 1 });
  const [a, b, c] = sim.stacks;
  await transfer(sim, b, a, "192.168.7.1", 100);
  await transfer(sim, c, a, "192.168.7.1", 100);
  const tunnel = one.tunnel(42)!;
  assertEquals(tunnel.entries().length, 1);
  assert(tunnel.stats.full > 0);
});

Deno.test("vxlan: another VNI is dropped and counted, and several share a port", async () => {
  await using sim = await createSim();
  const [a, b] = sim.stacks;
  const far = ["10.0.0.2"];
  const one = await load(
    sim,
    a,
    new Vxlan({
      tunnels: [
        { vni: 1, remotes: far, addresses: ["192.168.1.1/24"] },
        { vni: 2, remotes: far, addresses: ["192.168.2.1/24"] },
      ],
    }),
  );
  const near = ["10.0.0.1"];
  const two = await load(
    sim,
    b,
    new Vxlan({ tunnels: [{ vni: 2, remotes: near, addresses: ["192.168.2.2/24"] }] }),
  );
  await transfer(sim, a, b, "192.168.2.2", 5000);
  assertEquals(two.stats.rxUnknownVni, 0);
  const fd = a.sys.socket(2, 2, 17);
  a.sys.nb.sendto(fd, new Uint8Array(10), 0, { address: "192.168.1.2", port: 9 });
  sim.settle();
  assertEquals(two.stats.rxUnknownVni, 1, "the ARP request");
  await sim.run(two.add({ vni: 1, remotes: near, addresses: ["192.168.1.2/24"] }));
  await transfer(sim, b, a, "192.168.1.1", 5000);
  const again = await assertRejects(() => sim.run(two.add({ vni: 1 })), SocketError, "already");
  assertEquals(again.errno, Errno.EEXIST);
  await sim.run(two.remove(1));
  assertEquals(b.interfaces.map(({ name }) => name), ["eth0", "vxlan2"]);
  assertEquals(one.tunnels.length, 2);
});

Deno.test("vxlan: after unload nothing is left, and it is loaded again", async () => {
  await using sim = await createSim();
  const [a, b] = sim.stacks;
  const [, two] = await segment(sim);
  assertEquals(await sim.run(a.protocols.unload("vxlan")), 0);
  await sim.sleep(120_000_000);
  const before = held(a);
  for (let round = 0; round < 3; round++) {
    const tunnels = [{ vni: 42, remotes: ["10.0.0.2"], addresses: ["192.168.7.1/24"] }];
    const made = await load(sim, a, new Vxlan({ tunnels }));
    two.tunnel(42)!.flush();
    await transfer(sim, a, b, "192.168.7.2", 3000);
    await sim.sleep(120_000_000); // connections in TIME-WAIT
    assert(made.tunnel(42)!.stats.learned > 0);
    assertEquals(await sim.run(a.protocols.unload("vxlan")), 0);
    assertEquals(held(a), before);
    assertEquals(a.interfaces.map(({ name }) => name), ["eth0"]);
  }
});
