/**
 * Multicast with a bridge of the kernel between its own stack and ours: it is the querier of the
 * link (RFC 3376, RFC 2236), learns from our reports who wants what, and forwards by what it has
 * learned.
 */

import { assert, assertEquals } from "@std/assert";
import { IpProto } from "../../../assembly/abi/proto.ts";
import { Af, IpOpt, Sock } from "../../../assembly/abi/socket.ts";
import { DEVICE, GODWIT, KERNEL } from "../kit/addresses.ts";
import type { Case, Group } from "../kit/case.ts";
import { ownBytes } from "../kit/content.ts";
import type { Host } from "../kit/host.ts";
import { kernelUdp, run } from "../kit/kernel.ts";

const BRIDGE = "gwbr0";
/** Another address of the kernel. */
const OTHER = "10.77.0.7";
const ANY_SOURCE = "239.1.1.1";
const ONE_SOURCE = "239.1.1.2";
const FROM_US = "239.1.1.3";
const OLD = "239.1.1.4";
const PORT = 5400;

/** What the bridge has learned of a group behind a port, or behind itself. */
interface Entry {
  readonly port: string;
  readonly grp: string;
  readonly src?: string;
  readonly filter_mode?: string;
  readonly source_list?: readonly { address: string }[];
}

async function learned(group: string, behind: string): Promise<Entry | undefined> {
  const [{ mdb }] = JSON.parse(await run("bridge", "-d", "-s", "-j", "mdb", "show"));
  return (mdb as Entry[]).find(({ port, grp, src }) =>
    port === behind && grp === group && src === undefined
  );
}

/** Waits until the bridge knows a group as it should. */
async function learns(
  group: string,
  what: string,
  holds: (entry: Entry | undefined) => boolean,
  behind = DEVICE,
): Promise<void> {
  const end = Date.now() + 10_000;
  for (;;) {
    const entry = await learned(group, behind);
    if (holds(entry)) return;
    assert(Date.now() < end, `${what}: ${JSON.stringify(entry)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Waits until a report has been repeated (RFC 3376 8.11): what comes before says the whole. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1100));
}

async function setBridge(...settings: string[]): Promise<void> {
  await run("ip", "link", "set", BRIDGE, "type", "bridge", ...settings);
}

/** The kernel's address moves from our device to a bridge that our device is a port of. */
async function bridged(): Promise<void> {
  await run("ip", "link", "add", BRIDGE, "type", "bridge", "mcast_snooping", "1");
  // times in hundredths of a second
  await setBridge("mcast_igmp_version", "3", "mcast_query_use_ifaddr", "1");
  await setBridge("mcast_query_response_interval", "50", "mcast_query_interval", "100");
  await setBridge("mcast_last_member_interval", "20", "mcast_startup_query_interval", "50");
  await run("ip", "addr", "flush", "dev", DEVICE);
  await run("ip", "link", "set", DEVICE, "master", BRIDGE);
  await run("ip", "link", "set", BRIDGE, "up");
  await run("ip", "addr", "add", `${KERNEL}/24`, "dev", BRIDGE);
  await run("ip", "addr", "add", `${OTHER}/24`, "dev", BRIDGE);
  await run("ip", "route", "replace", "224.0.0.0/4", "dev", BRIDGE);
  await setBridge("mcast_querier", "1");
}

function member({ sys }: Host, option: IpOpt, multiaddr: string, sourceaddr?: string): number {
  const fd = sys.socket(Af.INET, Sock.DGRAM);
  sys.bind(fd, { port: PORT });
  sys.setsockopt(fd, IpProto.IP, option, { multiaddr, interface: GODWIT, sourceaddr });
  return fd;
}

/** A member is known, and stays known for as long as it answers the querier. */
async function isKnown(host: Host): Promise<void> {
  await bridged();
  const fd = member(host, IpOpt.ADD_MEMBERSHIP, ANY_SOURCE);
  await learns(ANY_SOURCE, "wants all", (it) => it?.filter_mode === "exclude");
  using sender = kernelUdp(KERNEL);
  // what is not refreshed by an answer is forgotten after this
  await setBridge("mcast_membership_interval", "250");
  const end = Date.now() + 4000;
  const buffer = new Uint8Array(100);
  while (Date.now() < end) {
    await sender.send(ownBytes(1, 50), { transport: "udp", hostname: ANY_SOURCE, port: PORT });
    assertEquals(await host.sys.recv(fd, buffer), 50);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  await host.sys.close(fd);
  await learns(ANY_SOURCE, "is left", (it) => it === undefined);
}

/** Of a group, only the sources that are wanted come; the bridge is told which. */
async function choosesSources(host: Host): Promise<void> {
  const { sys } = host;
  await setBridge("mcast_membership_interval", "26000");
  const fd = member(host, IpOpt.ADD_SOURCE_MEMBERSHIP, ONE_SOURCE, KERNEL);
  const sources = (entry: Entry | undefined) => entry?.source_list?.map((it) => it.address).sort();
  await learns(
    ONE_SOURCE,
    "wants one",
    (it) => it?.filter_mode === "include" && sources(it)?.join() === KERNEL,
  );
  using wanted = kernelUdp(KERNEL);
  using other = kernelUdp(OTHER);
  const to = { transport: "udp", hostname: ONE_SOURCE, port: PORT } as const;
  const buffer = new Uint8Array(100);
  const hears = async (which: string) => {
    await other.send(ownBytes(2, 20), to);
    await wanted.send(ownBytes(3, 30), to);
    assertEquals((await sys.recvfrom(fd, buffer)).from?.address, which);
  };
  await hears(KERNEL);
  await settled();
  const option = { multiaddr: ONE_SOURCE, interface: GODWIT, sourceaddr: OTHER };
  sys.setsockopt(fd, IpProto.IP, IpOpt.ADD_SOURCE_MEMBERSHIP, option);
  await learns(ONE_SOURCE, "wants both", (it) => sources(it)?.join() === [KERNEL, OTHER].join());
  await hears(OTHER);
  assertEquals((await sys.recvfrom(fd, buffer)).from?.address, KERNEL);
  await settled();
  sys.setsockopt(fd, IpProto.IP, IpOpt.DROP_SOURCE_MEMBERSHIP, { ...option, sourceaddr: KERNEL });
  // the bridge asks whether nobody else wants it, and forgets it
  await learns(ONE_SOURCE, "wants the other", (it) => sources(it)?.join() === OTHER);
  await hears(OTHER);
  await sys.close(fd);
  await learns(ONE_SOURCE, "is left", (it) => it === undefined);
}

/** Sources that are not wanted are told to the bridge, which keeps them. */
async function blocksSources(host: Host): Promise<void> {
  const fd = member(host, IpOpt.ADD_MEMBERSHIP, ONE_SOURCE);
  await learns(ONE_SOURCE, "wants all", (it) => it?.filter_mode === "exclude");
  const option = { multiaddr: ONE_SOURCE, interface: GODWIT, sourceaddr: OTHER };
  host.sys.setsockopt(fd, IpProto.IP, IpOpt.BLOCK_SOURCE, option);
  await learns(ONE_SOURCE, "blocks one", (it) => it?.source_list?.[0]?.address === OTHER);
  using wanted = kernelUdp(KERNEL);
  using other = kernelUdp(OTHER);
  const to = { transport: "udp", hostname: ONE_SOURCE, port: PORT } as const;
  await other.send(ownBytes(2, 20), to);
  await wanted.send(ownBytes(3, 30), to);
  const { from } = await host.sys.recvfrom(fd, new Uint8Array(100));
  assertEquals(from?.address, KERNEL);
  await host.sys.close(fd);
  await learns(ONE_SOURCE, "is left", (it) => it === undefined);
}

/** What we send to a group reaches the kernel's members with its TTL, and ours if it shall. */
async function sends(host: Host): Promise<void> {
  const { sys } = host;
  using receiver = kernelUdp("0.0.0.0", PORT);
  await receiver.joinMulticastV4(FROM_US, KERNEL);
  await learns(FROM_US, "the kernel wants it", (it) => it !== undefined, BRIDGE);
  const own = member(host, IpOpt.ADD_MEMBERSHIP, FROM_US);
  const fd = sys.socket(Af.INET, Sock.DGRAM);
  const to = { address: FROM_US, port: PORT };
  sys.setsockopt(fd, IpProto.IP, IpOpt.MULTICAST_IF, GODWIT);
  sys.setsockopt(fd, IpProto.IP, IpOpt.MULTICAST_TTL, 5);
  sys.setsockopt(fd, IpProto.IP, IpOpt.MULTICAST_LOOP, 0);
  await sys.sendto(fd, ownBytes(4, 40), 0, to);
  sys.setsockopt(fd, IpProto.IP, IpOpt.MULTICAST_LOOP, 1);
  await sys.sendto(fd, ownBytes(5, 50), 0, to);
  for (const length of [40, 50]) assertEquals((await receiver.receive())[0].length, length);
  assertEquals(await sys.recv(own, new Uint8Array(100)), 50, "only what was to come back");
  await sys.close(own);
  await sys.close(fd);
  await learns(FROM_US, "is left", (it) => it === undefined);
}

/** A querier of version 2 is answered in its language (RFC 3376 7.2.1). */
async function speaksVersion2(host: Host): Promise<void> {
  await setBridge("mcast_querier", "0");
  await setBridge("mcast_igmp_version", "2");
  await setBridge("mcast_querier", "1");
  const { stack } = host;
  // the query has come when what is reported is of version 2
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const fd = member(host, IpOpt.ADD_MEMBERSHIP, OLD);
  await learns(OLD, "is known", (it) => it !== undefined);
  await stack.sys.close(fd);
  await learns(OLD, "is left", (it) => it === undefined);
}

const report = (group: string, type: number) =>
  `igmp.record_type == ${type} && igmp.maddr == ${group} && ip.src == ${GODWIT}`;

const cases: readonly Case[] = [
  { name: "the bridge knows a member, which answers its queries", run: isKnown },
  { name: "the bridge knows the sources that are wanted", run: choosesSources },
  { name: "the bridge knows the sources that are blocked", run: blocksSources },
  { name: "members of the kernel and of ours hear what is sent", run: sends },
  { name: "a querier of version 2 is answered in version 2", run: speaksVersion2 },
];

/** The cases. */
export const group: Group = {
  name: "interop multicast",
  module: import.meta.url,
  tools: ["bridge"],
  cases,
  seen: [
    { name: "answers to general queries (IS_EX)", filter: report(ANY_SOURCE, 2), atLeast: 2 },
    { name: "a leave (TO_IN)", filter: report(ANY_SOURCE, 3) },
    { name: "new sources (ALLOW)", filter: report(ONE_SOURCE, 5) },
    { name: "sources that are wanted no more (BLOCK)", filter: report(ONE_SOURCE, 6) },
    {
      name: "queries for a group and its sources",
      filter: `igmp.type == 0x11 && igmp.num_src > 0 && ip.src == ${KERNEL}`,
    },
    { name: "the TTL that was asked for", filter: `ip.dst == ${FROM_US} && ip.ttl == 5` },
    { name: "a report of version 2", filter: `igmp.type == 0x16 && igmp.maddr == ${OLD}` },
    { name: "a leave of version 2", filter: `igmp.type == 0x17 && igmp.maddr == ${OLD}` },
  ],
};
