/** UDP, its errors, and multicast. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { IpProto } from "../../../assembly/abi/proto.ts";
import { Af, IpOpt, So, Sock, Sol } from "../../../assembly/abi/socket.ts";
import { SocketError } from "../../../runtime/errors.ts";
import { GODWIT, KERNEL } from "../kit/addresses.ts";
import type { Case, Group } from "../kit/case.ts";
import { firstDifference, ownBytes } from "../kit/content.ts";
import type { Host } from "../kit/host.ts";
import { kernelUdp, run } from "../kit/kernel.ts";

/** The largest is the most that UDP over IPv4 can carry. */
const SIZES = [0, 1, 512, 1472, 1473, 9000, 65507];
const GROUP = "239.1.2.3";
const BURST = 200;

function addressOf(conn: Deno.DatagramConn): { address: string; port: number } {
  const { hostname, port } = conn.addr as Deno.NetAddr;
  return { address: hostname, port };
}

/** The kernel sends, and the stack sends back. */
function echoedByStack(size: number): Case {
  return {
    name: `the stack echoes a datagram of ${size} bytes`,
    run: async ({ sys }) => {
      const fd = sys.socket(Af.INET, Sock.DGRAM);
      sys.bind(fd, { address: GODWIT });
      using client = kernelUdp(KERNEL);
      const sent = ownBytes(size, size);
      const { port } = sys.getsockname(fd);
      await client.send(sent, { transport: "udp", hostname: GODWIT, port });
      const buffer = new Uint8Array(65536);
      const { length, from } = await sys.recvfrom(fd, buffer);
      assertEquals({ address: from!.address, port: from!.port }, addressOf(client));
      await sys.sendto(fd, buffer.subarray(0, length), 0, from);
      const [answer, sender] = await client.receive(new Uint8Array(65536));
      assertEquals((sender as Deno.NetAddr).port, port);
      assertEquals(firstDifference(answer, sent), -1);
      await sys.close(fd);
    },
  };
}

/** The stack sends, and the kernel sends back. */
function echoedByKernel(size: number): Case {
  return {
    name: `the kernel echoes a datagram of ${size} bytes`,
    run: async ({ sys }) => {
      using server = kernelUdp(KERNEL);
      const fd = sys.socket(Af.INET, Sock.DGRAM);
      await sys.connect(fd, addressOf(server));
      const sent = ownBytes(size, size);
      assertEquals(await sys.send(fd, sent), size);
      const [request, from] = await server.receive(new Uint8Array(65536));
      await server.send(request, from);
      const buffer = new Uint8Array(65536);
      const length = await sys.recv(fd, buffer);
      assertEquals(firstDifference(buffer.subarray(0, length), sent), -1);
      await sys.close(fd);
    },
  };
}

async function keepsOrder({ stack }: Host): Promise<void> {
  using server = stack.listenDatagram({ transport: "udp", hostname: GODWIT, port: 4000 });
  using client = kernelUdp(KERNEL);
  for (let i = 0; i < BURST; i++) {
    await client.send(ownBytes(i, 100), { transport: "udp", hostname: GODWIT, port: 4000 });
  }
  for (let i = 0; i < BURST; i++) {
    const [data, from] = await server.receive();
    assertEquals((from as Deno.NetAddr).port, addressOf(client).port);
    assertEquals(firstDifference(data, ownBytes(i, 100)), -1, `datagram ${i}`);
  }
}

/** A connected socket hears of the error that a datagram caused (RFC 1122 4.1.3.3). */
async function errorOf({ sys }: Host, address: string, port: number): Promise<string> {
  const fd = sys.socket(Af.INET, Sock.DGRAM);
  await sys.connect(fd, { address, port });
  await sys.send(fd, Uint8Array.of(1));
  const error = await assertRejects(() => sys.recv(fd, new Uint8Array(1)), SocketError);
  await sys.close(fd);
  return error.code;
}

async function hostUnreachable(host: Host): Promise<void> {
  await run("ip", "route", "add", "unreachable", "10.99.0.0/16");
  assertEquals(await errorOf(host, "10.99.0.1", 9), "EHOSTUNREACH");
}

async function kernelHearsOfClosedPort(): Promise<void> {
  // ping's socket gets no errors of UDP; the capture shows the message, quoted in full.
  using client = kernelUdp(KERNEL);
  await client.send(Uint8Array.of(1), { transport: "udp", hostname: GODWIT, port: 9 });
  const deadline = Date.now() + 5000;
  while (Date.now() < deadline) {
    const text = await Deno.readTextFile("/proc/net/snmp");
    const [names, values] = text.split("\n").filter((line) => line.startsWith("Icmp:"))
      .map((line) => line.split(" "));
    if (Number(values[names.indexOf("InDestUnreachs")]) > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("the kernel counts no ICMP destination unreachable");
}

async function receivesMulticast({ sys }: Host): Promise<void> {
  const fd = sys.socket(Af.INET, Sock.DGRAM);
  sys.bind(fd, { port: 5353 });
  const membership = { multiaddr: GROUP, interface: GODWIT };
  sys.setsockopt(fd, IpProto.IP, IpOpt.ADD_MEMBERSHIP, membership);
  using sender = kernelUdp(KERNEL);
  const to: Deno.NetAddr = { transport: "udp", hostname: GROUP, port: 5353 };
  await sender.send(ownBytes(7, 300), to);
  const buffer = new Uint8Array(1000);
  const { length, from } = await sys.recvfrom(fd, buffer);
  assertEquals(from!.address, KERNEL);
  assertEquals(firstDifference(buffer.subarray(0, length), ownBytes(7, 300)), -1);
  sys.setsockopt(fd, IpProto.IP, IpOpt.DROP_MEMBERSHIP, membership);
  await sender.send(ownBytes(8, 300), to);
  // A datagram to the socket itself arrives after the one to the group it has left.
  await sender.send(ownBytes(9, 300), { transport: "udp", hostname: GODWIT, port: 5353 });
  const next = await sys.recv(fd, buffer);
  assertEquals(firstDifference(buffer.subarray(0, next), ownBytes(9, 300)), -1);
  await sys.close(fd);
}

async function sendsMulticast({ sys }: Host): Promise<void> {
  using receiver = kernelUdp("0.0.0.0", 5354);
  await receiver.joinMulticastV4(GROUP, KERNEL);
  const fd = sys.socket(Af.INET, Sock.DGRAM);
  sys.setsockopt(fd, IpProto.IP, IpOpt.MULTICAST_IF, GODWIT);
  await sys.sendto(fd, ownBytes(10, 300), 0, { address: GROUP, port: 5354 });
  const [data, from] = await receiver.receive(new Uint8Array(1000));
  assertEquals((from as Deno.NetAddr).hostname, GODWIT);
  assertEquals(firstDifference(data, ownBytes(10, 300)), -1);
  await sys.close(fd);
}

async function sendsBroadcast({ sys }: Host): Promise<void> {
  using receiver = kernelUdp("0.0.0.0", 5355);
  const fd = sys.socket(Af.INET, Sock.DGRAM);
  const to = { address: "10.77.0.255", port: 5355 };
  const refused = await assertRejects(
    () => sys.sendto(fd, ownBytes(11, 10), 0, to),
    SocketError,
  );
  assertEquals(refused.code, "EACCES");
  sys.setsockopt(fd, Sol.SOCKET, So.BROADCAST, true);
  await sys.sendto(fd, ownBytes(11, 10), 0, to);
  const [data] = await receiver.receive(new Uint8Array(100));
  assert(firstDifference(data, ownBytes(11, 10)) < 0);
  await sys.close(fd);
}

/** The cases. */
export const group: Group = {
  name: "interop datagrams",
  module: import.meta.url,
  cases: [
    ...SIZES.map(echoedByStack),
    ...SIZES.map(echoedByKernel),
    { name: `${BURST} datagrams of the kernel arrive in order`, run: keepsOrder },
    {
      name: "a closed port of the kernel is ECONNREFUSED",
      run: async (host) => assertEquals(await errorOf(host, KERNEL, 9), "ECONNREFUSED"),
    },
    { name: "a route that the kernel refuses is EHOSTUNREACH", run: hostUnreachable },
    { name: "the kernel hears of a closed port of the stack", run: kernelHearsOfClosedPort },
    { name: "a member receives the group's datagrams, until it leaves", run: receivesMulticast },
    { name: "the kernel receives the stack's datagrams to a group", run: sendsMulticast },
    { name: "the kernel receives the stack's broadcast", run: sendsBroadcast },
  ],
  seen: [
    {
      name: "the report of the membership (RFC 3376)",
      filter: `igmp.record_type == 4 && igmp.maddr == ${GROUP} && ip.src == ${GODWIT}`,
    },
    {
      name: "the leave of the group (RFC 3376)",
      filter: `igmp.record_type == 3 && igmp.maddr == ${GROUP} && ip.src == ${GODWIT}`,
    },
    {
      name: "port unreachable by the stack (RFC 1122 4.1.3.1)",
      filter: `icmp.type == 3 && icmp.code == 3 && ip.src == ${GODWIT}`,
    },
  ],
};
