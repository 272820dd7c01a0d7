/** ARP: hosts that are not there, and a host that claims the stack's address. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { Af, Sock } from "../../../assembly/abi/socket.ts";
import { Stat } from "../../../assembly/abi/stat.ts";
import { SocketError } from "../../../runtime/errors.ts";
import { ABSENT, DEVICE, GODWIT, KERNEL } from "../kit/addresses.ts";
import type { Case, Group } from "../kit/case.ts";
import type { Host } from "../kit/host.ts";
import { attempt, kernelUdp, run, setSysctl } from "../kit/kernel.ts";

/** What the kernel's device gets instead of the address that it was made with. */
const NEW_ADDRESS = "02:00:00:00:77:01";

async function pingStack(): Promise<void> {
  const { code, stdout } = await attempt("ping", "-c1", "-W8", GODWIT);
  assert(code === 0, stdout);
}

async function connectsToNobody({ sys }: Host): Promise<void> {
  const fd = sys.socket(Af.INET, Sock.STREAM);
  const error = await assertRejects(
    () => sys.connect(fd, { address: ABSENT, port: 80 }),
    SocketError,
  );
  assertEquals([error.code, error.errno], ["EHOSTDOWN", 80]);
  await sys.close(fd);
}

async function sendsToNobody({ sys }: Host): Promise<void> {
  const fd = sys.socket(Af.INET, Sock.DGRAM);
  await sys.connect(fd, { address: ABSENT, port: 80 });
  const error = await assertRejects(async () => {
    await sys.send(fd, Uint8Array.of(1));
    await sys.recv(fd, new Uint8Array(1));
  }, SocketError);
  assertEquals(error.code, "EHOSTDOWN");
  await sys.close(fd);
}

/** Sets the device down and up, at which the kernel announces its addresses by ARP. */
async function announceAll(): Promise<void> {
  setSysctl(`net.ipv4.conf.${DEVICE}.arp_notify`, "1");
  await run("ip", "link", "set", DEVICE, "down");
  await run("ip", "link", "set", DEVICE, "up");
}

/** RFC 5227 2.4: the conflict is counted, and the address is defended. */
async function defendsAddress(host: Host): Promise<void> {
  const before = host.counter(Stat.ARP_CONFLICTS);
  await run("ip", "addr", "add", `${GODWIT}/32`, "dev", DEVICE);
  await announceAll();
  await host.until("a conflict is counted", () => host.counter(Stat.ARP_CONFLICTS) > before);
  await run("ip", "addr", "del", `${GODWIT}/32`, "dev", DEVICE);
  await run("ip", "neigh", "flush", "dev", DEVICE);
  await pingStack();
}

/** The kernel's device gets another hardware address and says so by ARP. */
async function learnsNewAddress(host: Host): Promise<void> {
  const { sys, stack } = host;
  await run("ip", "link", "set", DEVICE, "address", NEW_ADDRESS);
  await announceAll();
  await host.until("the new address is known", () => {
    const neighbor = stack.netstat().neighbors.find(({ address }) => address === KERNEL);
    return neighbor?.hwaddr === NEW_ADDRESS;
  });
  const fd = sys.socket(Af.INET, Sock.DGRAM);
  using server = kernelUdp(KERNEL);
  const { port } = server.addr as Deno.NetAddr;
  await sys.sendto(fd, Uint8Array.of(7), 0, { address: KERNEL, port });
  const [data] = await server.receive(new Uint8Array(10));
  assertEquals(data, Uint8Array.of(7));
  await sys.close(fd);
}

const cases: Case[] = [
  { name: "the kernel resolves the stack's address", run: pingStack },
  { name: "connecting to a host that is down is EHOSTDOWN", run: connectsToNobody },
  { name: "a datagram to a host that is down is EHOSTDOWN", run: sendsToNobody },
  { name: "the stack lives on when the device goes down and up", run: defendsAfterLinkDown },
  { name: "the stack's address is defended (RFC 5227)", run: defendsAddress },
  { name: "a neighbour's new hardware address is learned", run: learnsNewAddress },
];

async function defendsAfterLinkDown(host: Host): Promise<void> {
  await run("ip", "link", "set", DEVICE, "down");
  await run("ip", "link", "set", DEVICE, "up");
  await pingStack();
  await learnsPeer(host);
}

async function learnsPeer({ sys }: Host): Promise<void> {
  const fd = sys.socket(Af.INET, Sock.STREAM);
  const error = await assertRejects(
    () => sys.connect(fd, { address: KERNEL, port: 9 }),
    SocketError,
  );
  assertEquals(error.code, "ECONNREFUSED");
  await sys.close(fd);
}

/** The cases. */
export const group: Group = {
  name: "interop neighbours",
  module: import.meta.url,
  tools: ["ping"],
  cases,
  seen: [
    {
      name: "requests for the host that is down",
      filter: `arp.opcode == 1 && arp.dst.proto_ipv4 == ${ABSENT}`,
    },
    {
      name: "the stack's announcement (RFC 5227 2.3)",
      filter: `arp.src.proto_ipv4 == ${GODWIT} && arp.dst.proto_ipv4 == ${GODWIT}`,
    },
  ],
};
