/** Packet sockets, loaded as a side module: whole frames, filters, modes, and what they leave. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { BpfCode } from "../../assembly/abi/bpf.ts";
import { Af, So, Sock, Sol } from "../../assembly/abi/socket.ts";
import {
  compileFilter,
  encodeProgram,
  type Insn,
  parseProgram,
  runProgram,
} from "../../filter/mod.ts";
import { type SockAddr, SocketError, type Stack } from "../../mod.ts";
import { ETH_P_ALL, EthP, PacketMr, PacketOpt, PacketType } from "../../protocols/packet/mod.ts";
import { ETHERNET_EXPRESSIONS, IP_EXPRESSIONS } from "../unit/filter/expressions.ts";
import { packetsOf } from "../unit/filter/packets.ts";
import { holdings, host, Net } from "../unit/protocol/net.ts";

const TEST_TYPE = 0x88b5; // kept for experiments (IEEE 802)
const LOOPBACK = 1;
const ETH0 = 2;

/** A socket on eth0 of a stack. */
function open(stack: Stack, type: number = Sock.RAW, protocol: number = TEST_TYPE): number {
  const fd = stack.sys.socket(Af.NDD, type, type === Sock.RAW ? protocol : 0);
  stack.sys.bind(fd, { interface: "eth0", port: protocol });
  return fd;
}

const address = (stack: Stack, fd: number) => stack.sys.getsockname(fd).address;
const bytesOf = (mac: string) => mac.split(":").map((byte) => Number.parseInt(byte, 16));

/** An Ethernet frame. */
function frame(to: string, from: string, type: number, data: ArrayLike<number>): Uint8Array {
  return new Uint8Array([
    ...bytesOf(to),
    ...bytesOf(from),
    type >> 8,
    type & 255,
    ...Array.from(data),
  ]);
}

async function receive(stack: Stack, fd: number): Promise<{ data: Uint8Array; from: SockAddr }> {
  const buffer = new Uint8Array(70_000);
  const { length, from } = await stack.sys.recvfrom(fd, buffer);
  return { data: buffer.slice(0, length), from: from! };
}

/** What has come; waits for a last frame, which begins with 0xff behind its header. */
async function all(stack: Stack, fd: number): Promise<{ data: Uint8Array; from: SockAddr }[]> {
  const found = [];
  while (true) {
    const one = await receive(stack, fd);
    if (one.data[14] === 0xff) return found;
    found.push(one);
  }
}

Deno.test("packet: frames that are sent arrive as they are, with their addresses", async () => {
  await using net = await Net.create();
  const [a, b] = [open(net.a), open(net.b)];
  const [macA, macB] = [address(net.a, a), address(net.b, b)];
  const sent = frame(macB, macA, TEST_TYPE, [1, 2, 3]);
  assertEquals(await net.a.sys.sendto(a, sent, 0, { interface: "eth0" }), sent.length);
  const { data, from } = await receive(net.b, b);
  assertEquals(data, sent);
  const { time_us, ...where } = from;
  const expected = { family: Af.NDD, address: macA, port: TEST_TYPE, interface: ETH0 };
  assertEquals(where, { ...expected, packetType: PacketType.HOST });
  assert(time_us! > 0);
  // by a peer, and to everybody
  await net.a.sys.connect(a, { interface: ETH0 });
  assertEquals(net.a.sys.getpeername(a).interface, ETH0);
  const broadcast = frame("ff:ff:ff:ff:ff:ff", macA, TEST_TYPE, new Uint8Array(1500));
  await net.a.sys.send(a, broadcast);
  const whole = await receive(net.b, b);
  assertEquals([whole.data, whole.from.packetType], [broadcast, PacketType.BROADCAST]);
  net.a.sys.setsockopt(a, Sol.SOCKET, So.SNDBUF, 100_000);
  const long = frame(macB, macA, TEST_TYPE, new Uint8Array(1501));
  await assertRejects(() => net.a.sys.send(a, long), SocketError, "EMSGSIZE");
  await assertRejects(() => net.a.sys.send(a, sent.subarray(0, 13)), SocketError, "EINVAL");
});

Deno.test("packet: SOCK_DGRAM has no link headers, and makes them", async () => {
  await using net = await Net.create();
  const [a, b] = [open(net.a, Sock.DGRAM), open(net.b, Sock.DGRAM)];
  const to = { interface: "eth0", address: address(net.b, b), port: TEST_TYPE };
  const data = Uint8Array.from({ length: 1500 }, (_, i) => i);
  await net.a.sys.sendto(a, data, 0, to);
  const got = await receive(net.b, b);
  assertEquals(got.data, data);
  assertEquals([got.from.address, got.from.port], [address(net.a, a), TEST_TYPE]);
  const nowhere = net.a.sys.sendto(a, data, 0, { interface: "eth0", port: TEST_TYPE });
  await assertRejects(() => nowhere, SocketError, "EINVAL");
  // a filter looks at what the socket gets
  const program = parseProgram("4\n48 0 0 0\n21 0 1 7\n6 0 0 2\n6 0 0 0\n");
  net.b.sys.setsockopt(b, Sol.SOCKET, So.ATTACH_FILTER, encodeProgram(program));
  for (const first of [6, 7]) {
    await net.a.sys.sendto(a, Uint8Array.of(first, 1, 2, 3), 0, to);
  }
  assertEquals((await receive(net.b, b)).data, Uint8Array.of(7, 1));
});

Deno.test("packet: ETH_P_ALL sees both ways, a type what comes, and 0 nothing", async () => {
  await using net = await Net.create();
  const everything = open(net.b, Sock.RAW, ETH_P_ALL);
  const typed = open(net.b, Sock.RAW, 0x0806);
  const nothing = net.b.sys.socket(Af.NDD, Sock.RAW, EthP.NONE);
  using udp = net.b.listenDatagram({ port: 9 });
  using peer = net.a.listenDatagram({ port: 7 });
  await peer.send(Uint8Array.of(1), { hostname: "10.0.0.2", port: 9 });
  await udp.receive();
  const seen = [await receive(net.b, everything), await receive(net.b, everything)];
  seen.push(await receive(net.b, everything));
  assertEquals(seen.map(({ from }) => [from.port, from.packetType]), [
    [0x0806, PacketType.BROADCAST], // who has 10.0.0.2?
    [0x0806, PacketType.OUTGOING],
    [0x0800, PacketType.HOST],
  ]);
  assertEquals(seen[1].from.address, address(net.b, everything), "ours");
  assertEquals((await receive(net.b, typed)).from.packetType, PacketType.BROADCAST);
  const again = (fd: number) => net.b.sys.nb.recvfrom(fd, new Uint8Array(10));
  assertThrows(() => again(typed), SocketError, "EWOULDBLOCK");
  assertThrows(() => again(nothing), SocketError, "EWOULDBLOCK");
});

Deno.test("packet: the sender does not see its frames, others do", async () => {
  await using net = await Net.create();
  const [one, other] = [open(net.a, Sock.RAW, ETH_P_ALL), open(net.a, Sock.RAW, ETH_P_ALL)];
  // the stack announces its address now and then
  const typed = encodeProgram(compileFilter(`ether proto ${TEST_TYPE}`));
  for (const fd of [one, other]) net.a.sys.setsockopt(fd, Sol.SOCKET, So.ATTACH_FILTER, typed);
  const b = open(net.b);
  const mac = address(net.a, one);
  const sent = frame(address(net.b, b), mac, TEST_TYPE, [1]);
  await net.a.sys.sendto(one, sent, 0, { interface: "eth0" });
  const seen = await receive(net.a, other);
  assertEquals([seen.data, seen.from.packetType], [sent, PacketType.OUTGOING]);
  await receive(net.b, b);
  const look = () => net.a.sys.nb.recvfrom(one, new Uint8Array(100));
  assertThrows(look, SocketError, "EWOULDBLOCK");
  // the loopback interface shows a packet as it goes and as it comes
  const loop = net.a.sys.socket(Af.NDD, Sock.RAW, ETH_P_ALL);
  net.a.sys.bind(loop, { interface: LOOPBACK });
  using udp = net.a.listenDatagram({ port: 9 });
  await udp.send(Uint8Array.of(5), { hostname: "127.0.0.1", port: 9 });
  await udp.receive();
  const types = [await receive(net.a, loop), await receive(net.a, loop)];
  assertEquals(types.map(({ from }) => from.packetType), [PacketType.OUTGOING, PacketType.HOST]);
  assertEquals(types.map(({ data }) => data[0]), [0x45, 0x45]);
});

Deno.test("packet: frames for others and for groups are seen on request", async () => {
  await using net = await Net.create();
  const [a, b] = [open(net.a), open(net.b)];
  const macs = ["02:ff:ff:ff:ff:fe", "33:33:00:00:00:05", "01:00:5e:00:00:01"];
  const last = () => frame(address(net.b, b), address(net.a, a), TEST_TYPE, [0xff]);
  const member = (what: number) => new Uint8Array(new Uint32Array([ETH0, what]).buffer);
  const seen = async () => {
    for (const mac of macs) {
      const sent = frame(mac, address(net.a, a), TEST_TYPE, [0]);
      await net.a.sys.sendto(a, sent, 0, { interface: "eth0" });
    }
    await net.a.sys.sendto(a, last(), 0, { interface: "eth0" });
    return (await all(net.b, b)).map(({ from }) => from.packetType);
  };
  const [OTHERHOST, MULTICAST] = [PacketType.OTHERHOST, PacketType.MULTICAST];
  const option = (name: number, what: number) =>
    net.b.sys.setsockopt(b, Sol.PACKET, name, member(what));
  assertEquals(await seen(), [MULTICAST], "of the group of all hosts it is a member");
  option(PacketOpt.ADD_MEMBERSHIP, PacketMr.ALLMULTI);
  assertEquals(await seen(), [MULTICAST, MULTICAST]);
  option(PacketOpt.ADD_MEMBERSHIP, PacketMr.PROMISC);
  option(PacketOpt.DROP_MEMBERSHIP, PacketMr.ALLMULTI);
  assertEquals(await seen(), [OTHERHOST, MULTICAST, MULTICAST]);
  option(PacketOpt.DROP_MEMBERSHIP, PacketMr.PROMISC);
  assertEquals(await seen(), [MULTICAST]);
  const drop = () => option(PacketOpt.DROP_MEMBERSHIP, PacketMr.PROMISC);
  assertThrows(drop, SocketError, "EADDRNOTAVAIL");
  assertThrows(() => option(PacketOpt.ADD_MEMBERSHIP, 7), SocketError, "EINVAL");
});

Deno.test("packet: filters keep what they keep by themselves, and cut", async () => {
  await using net = await Net.create();
  const a = open(net.a);
  const b = open(net.b, Sock.RAW, ETH_P_ALL);
  const promisc = new Uint8Array(new Uint32Array([ETH0, PacketMr.PROMISC]).buffer);
  net.b.sys.setsockopt(b, Sol.PACKET, PacketOpt.ADD_MEMBERSHIP, promisc);
  net.b.sys.setsockopt(b, Sol.SOCKET, So.RCVBUF, 400_000);
  const frames = packetsOf(1).map(({ data }) => data)
    .filter((data) => data.length >= 15 && data[14] !== 0xff && (data[6] & 1) === 0);
  const isLast: Insn[] = [
    { code: BpfCode.LD_B_ABS, jt: 0, jf: 0, k: 14 },
    { code: BpfCode.JEQ_K, jt: 0, jf: 1, k: 0xff },
    { code: BpfCode.RET_K, jt: 0, jf: 0, k: 60 },
  ];
  const last = frame("ff:ff:ff:ff:ff:ff", address(net.a, a), TEST_TYPE, [0xff]);
  for (
    const expression of [...IP_EXPRESSIONS, ...ETHERNET_EXPRESSIONS].filter((_, i) => i % 12 === 1)
  ) {
    const filter = compileFilter(expression, { snaplen: 40 });
    net.b.sys.setsockopt(b, Sol.SOCKET, So.ATTACH_FILTER, encodeProgram([...isLast, ...filter]));
    const expected: Uint8Array[] = [];
    for (const data of frames) {
      if (runProgram(filter, data) > 0) expected.push(data.subarray(0, 40));
      await net.a.sys.sendto(a, data, 0, { interface: "eth0" });
    }
    await net.a.sys.sendto(a, last, 0, { interface: "eth0" });
    // what the stack answers to the frames goes out, and is seen as well
    const came = (await all(net.b, b)).filter(({ from }) =>
      from.packetType !== PacketType.OUTGOING
    );
    assertEquals(came.map(({ data }) => data), expected, expression);
  }
});

Deno.test("packet: a filter is verified, read, locked and taken away", async () => {
  await using net = await Net.create();
  const { sys } = net.a;
  const fd = open(net.a);
  const attach = (program: readonly Insn[]) =>
    sys.setsockopt(fd, Sol.SOCKET, So.ATTACH_FILTER, encodeProgram(program));
  const detach = () => sys.setsockopt(fd, Sol.SOCKET, So.DETACH_FILTER, 0);
  const ret: Insn = { code: BpfCode.RET_K, jt: 0, jf: 0, k: 1 };
  const longest = [...Array<Insn>(4095).fill({ ...ret, code: BpfCode.TAX }), ret];
  assertThrows(detach, SocketError, "ENOENT");
  assertThrows(() => attach([]), SocketError, "EINVAL");
  assertThrows(() => attach([{ ...ret, code: BpfCode.TAX }]), SocketError, "EINVAL");
  assertThrows(() => attach([...longest, ret]), SocketError, "EINVAL");
  attach(longest);
  const read = (room: number) => sys.getsockoptBytes(fd, Sol.SOCKET, So.ATTACH_FILTER, room);
  assertEquals(read(40_000), encodeProgram(longest));
  assertThrows(() => attach([{ ...ret, code: 0xffff }]), SocketError, "EINVAL");
  assertEquals(read(40_000).length, 8 * 4096, "the old one stays");
  assertThrows(() => read(100), SocketError, "EINVAL");
  attach(compileFilter("arp"));
  assertEquals(sys.getsockopt(fd, Sol.SOCKET, So.LOCK_FILTER), 0);
  sys.setsockopt(fd, Sol.SOCKET, So.LOCK_FILTER, true);
  assertEquals(sys.getsockopt(fd, Sol.SOCKET, So.LOCK_FILTER), 1);
  assertThrows(() => attach([ret]), SocketError, "EPERM");
  assertThrows(detach, SocketError, "EPERM");
  const unlock = () => sys.setsockopt(fd, Sol.SOCKET, So.LOCK_FILTER, false);
  assertThrows(unlock, SocketError, "EPERM");
});

Deno.test("packet: what does not fit is counted, and wrong addresses are refused", async () => {
  await using net = await Net.create();
  const [a, b] = [open(net.a), open(net.b)];
  const data = frame(address(net.b, b), address(net.a, a), TEST_TYPE, new Uint8Array(1000));
  net.b.sys.setsockopt(b, Sol.SOCKET, So.RCVBUF, 2500);
  for (let i = 0; i < 4; i++) await net.a.sys.sendto(a, data, 0, { interface: "eth0" });
  const statistics = () => {
    const bytes = net.b.sys.getsockoptBytes(b, Sol.PACKET, PacketOpt.STATISTICS, 8);
    return [...new Uint32Array(bytes.buffer)];
  };
  for (let i = 0; i < 2; i++) await receive(net.b, b);
  while (net.b.protocols.list()[0].counters!.dropped < 2) {
    await new Promise((resolve) => setTimeout(resolve));
  }
  assertEquals(statistics(), [4, 2]);
  assertEquals(statistics(), [0, 0]);
  const { sys } = net.a;
  assertThrows(() => sys.bind(a, { interface: 9 }), SocketError, "ENXIO");
  assertThrows(() => sys.bind(a, { family: Af.INET, port: 5 }), SocketError, "EAFNOSUPPORT");
  assertThrows(() => sys.bind(a, { address: "10.0.0.1" }), SocketError, "EINVAL");
  const inet = sys.sendto(a, data, 0, { family: Af.INET, address: "10.0.0.2", port: 5 });
  await assertRejects(() => inet, SocketError, "EAFNOSUPPORT");
  await assertRejects(() => sys.sendto(a, data, 0, { interface: 9 }), SocketError, "ENXIO");
  assertThrows(() => sys.getpeername(a), SocketError, "ENOTCONN");
  assertThrows(() => sys.getsockopt(a, Sol.PACKET, 77), SocketError, "ENOPROTOOPT");
});

Deno.test("packet: it goes on from a snapshot, and leaves nothing behind", async () => {
  await using net = await Net.create();
  const before = holdings(net.a);
  const fd = open(net.a);
  const filter = encodeProgram(compileFilter("ether[14] = 7"));
  net.a.sys.setsockopt(fd, Sol.SOCKET, So.ATTACH_FILTER, filter);
  await assertRejects(() => net.a.protocols.unload("packet"), SocketError, "EBUSY");
  const snapshot = net.a.snapshot();
  await net.a.sys.close(fd);
  await net.a.protocols.unload("packet");
  assertEquals(holdings(net.a), { ...before, sockets: holdings(net.a).sockets });
  await net.a.close();
  await using again = await host(net.bridge, "", {
    snapshot,
    interfaces: [{ name: "eth0", driver: net.bridge.port() }],
  });
  const b = open(net.b);
  for (const byte of [6, 7]) {
    const data = frame("ff:ff:ff:ff:ff:ff", address(net.b, b), TEST_TYPE, [byte]);
    await net.b.sys.sendto(b, data, 0, { interface: "eth0" });
  }
  const got = await receive(again, fd);
  assertEquals(got.data[14], 7);
  assertEquals(again.netstat().sockets.length, 1);
});
