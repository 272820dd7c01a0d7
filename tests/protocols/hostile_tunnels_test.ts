/**
 * Whatever comes to a tunnel: each packet is delivered or in one counter, and nothing is kept. The
 * packets are near to good ones, since most random bytes fail at the first look.
 */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Af, Sock } from "../../assembly/abi/socket.ts";
import { Gre } from "../../protocols/gre/mod.ts";
import { Vxlan, VXLAN_PORT } from "../../protocols/vxlan/mod.ts";
import { createSim, type Sim } from "../sim_pair.ts";
import { load, mbufsOf } from "./net.ts";

const SEED = 3828;
const RUNS = 400;
const GRE = 47;

/** An IPv4 header with ones in it that are wrong, and what follows. */
const inner = fc.tuple(
  fc.constantFrom(0x45, 0x4f, 0x40, 0x65, 0x46),
  fc.uint8Array({ minLength: 0, maxLength: 60 }),
).map(([first, rest]) => [first, ...rest]);

const grePacket = fc.tuple(
  fc.constantFrom(0, 0x20, 0x80, 0x10, 0xb0, 0x40, 0xa8),
  fc.constantFrom(0, 0, 0, 1, 0x80),
  fc.constantFrom([8, 0], [0x65, 0x58], [0x86, 0xdd], [0, 0], [8, 6]),
  fc.constantFrom([], [0, 0, 0, 7], [0, 0, 0, 0, 0, 0, 0, 7], [0xff]),
  inner,
).map(([flags, version, type, fields, rest]) =>
  Uint8Array.from([flags, version, ...type, ...fields, ...rest])
);

const vxlanPacket = fc.tuple(
  fc.constantFrom([8, 0, 0, 0], [0, 0, 0, 0], [0xff, 0xff, 0xff, 0xff], [8]),
  fc.constantFrom([0, 0, 42, 0], [0, 0, 43, 9], [0xff, 0xff, 0xff, 0], []),
  fc.constantFrom([2, 0, 0, 0, 0, 9], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [0, 0, 0, 0, 0, 0]),
  fc.constantFrom([2, 0, 0, 0, 0, 8], [3, 0, 0, 0, 0, 8], [0, 0, 0, 0, 0, 0], []),
  fc.constantFrom([8, 0], [8, 6], [0x81, 0], [0xff]),
  inner,
).map((parts) => Uint8Array.from(parts.flat()));

/** All that begins with `rx` and counts packets. */
function received(stats: object): number {
  return Object.entries(stats).reduce(
    (sum, [name, n]) => /^rx(?!Bytes|Packets|Datagrams)/.test(name) ? sum + n : sum,
    0,
  );
}

/** Sends each packet from the first host to the second, and looks whether all is accounted for. */
async function storm(
  sim: Sim,
  packets: fc.Arbitrary<Uint8Array>,
  send: (packet: Uint8Array) => void,
  counted: () => [came: number, found: number],
): Promise<void> {
  const [, b] = sim.stacks;
  await sim.sleep(10_000_000); // addresses are announced
  send(new Uint8Array(1)); // the neighbours know each other
  await sim.sleep(60_000_000); // and nothing waits for an answer
  const before = mbufsOf(b);
  let sent = counted()[0];
  fc.assert(
    fc.property(packets, (packet) => {
      send(packet);
      sim.settle();
      const [came, found] = counted();
      assertEquals([came, found], [++sent, came]);
    }),
    { seed: SEED, numRuns: RUNS },
  );
  await sim.sleep(120_000_000); // what waited for ARP inside is given up
  assertEquals(mbufsOf(b), before);
}

Deno.test("gre: whatever comes is taken or counted, and nothing is kept", async () => {
  await using sim = await createSim();
  const [{ sys }, b] = sim.stacks;
  const remote = "10.0.0.1";
  const gre = await load(
    sim,
    b,
    new Gre({
      tunnels: [
        { remote, addresses: ["192.168.5.2/30"] },
        { remote, key: 7, checksum: true, addresses: ["192.168.6.2/30"] },
        { remote, ethernet: true, key: 7, addresses: ["192.168.7.2/30"] },
      ],
    }),
  );
  const fd = sys.socket(Af.INET, Sock.RAW, GRE);
  const send = (packet: Uint8Array) => void sys.nb.sendto(fd, packet, 0, { address: "10.0.0.2" });
  await storm(sim, grePacket, send, () => [
    gre.stats.rxPackets,
    received(gre.stats) + gre.tunnels.reduce((sum, { stats }) => sum + received(stats), 0),
  ]);
  await sim.run(b.protocols.unload("gre"));
});

Deno.test("vxlan: whatever comes is taken or counted, and nothing is kept", async () => {
  await using sim = await createSim();
  const [{ sys }, b] = sim.stacks;
  const tunnel = { vni: 42, remotes: ["10.0.0.1"], addresses: ["192.168.5.2/24"], limit: 8 };
  const vxlan = await load(sim, b, new Vxlan({ tunnels: [tunnel] }));
  const fd = sys.socket(Af.INET, Sock.DGRAM);
  const send = (packet: Uint8Array) =>
    void sys.nb.sendto(fd, packet, 0, { address: "10.0.0.2", port: VXLAN_PORT });
  await storm(sim, vxlanPacket, send, () => [
    vxlan.stats.rxDatagrams,
    received(vxlan.stats) + received(vxlan.tunnel(42)!.stats),
  ]);
  await sim.run(b.protocols.unload("vxlan"));
});
