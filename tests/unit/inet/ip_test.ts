/** IPv4 input and output: every rule of validation, routing and fragmentation. */

import { assertEquals } from "@std/assert";
import { Errno } from "../../../assembly/abi/errno.ts";
import { Iff, Medium } from "../../../assembly/abi/ifnet.ts";
import { IpProto } from "../../../assembly/abi/proto.ts";
import { IpOpt, So, Sock, Sol } from "../../../assembly/abi/socket.ts";
import { Stat } from "../../../assembly/abi/stat.ts";
import { arp, BROADCAST, bytes, ether, ip4, type Ip4Fields, readIcmp } from "../net/frames.ts";
import { readEther, readIp4, udp } from "../net/frames.ts";
import { etherHost, Host, PEER, toHost } from "../net/host.ts";

const UDP = 17;

/** A datagram to port 7 of this host. */
function packet(more: Partial<Ip4Fields> = {}): Uint8Array {
  const [src, dst] = [more.src ?? "10.0.0.2", more.dst ?? "10.0.0.1"];
  return ip4({ src, dst, proto: UDP, payload: udp(src, dst, 9, 7, bytes(1, 2, 3)), ...more });
}

/** Lets the host know the neighbour. */
function meet(host: Host, port: number): void {
  const request = arp({ op: 1, sha: PEER, spa: "10.0.0.2", tpa: "10.0.0.1" });
  host.input(port, ether(BROADCAST, PEER, 0x0806, request));
  host.output(port);
}

Deno.test("ip: what is wrong with a header decides the rule it is dropped under", () => {
  const { host, port } = etherHost();
  host.udp(7);
  const good = packet();
  const cases: [string, Uint8Array, string][] = [
    ["good", good, "UDP_DELIVERED"],
    ["padded by the link", bytes(good, new Uint8Array(20)), "UDP_DELIVERED"],
    ["19 bytes", good.slice(0, 19), "IP_SHORT"],
    ["shorter than its total length", good.slice(0, -1), "IP_SHORT"],
    ["total length below the header's", packet({ total: 19 }), "IP_SHORT"],
    ["version 6", packet({ version: 6 }), "IP_VERSION"],
    ["IHL 4", packet({ ihl: 4 }), "IP_HEADER_LENGTH"],
    ["IHL beyond the packet", packet({ ihl: 15, payload: bytes(1, 2) }), "IP_HEADER_LENGTH"],
    ["checksum", packet({ checksum: 0x1234 }), "IP_CHECKSUM"],
    ["source a group", packet({ src: "224.0.0.1" }), "IP_SOURCE_INVALID"],
    ["source class E", packet({ src: "255.255.255.255" }), "IP_SOURCE_INVALID"],
    ["source our broadcast", packet({ src: "10.0.0.255" }), "IP_SOURCE_INVALID"],
    ["source loopback", packet({ src: "127.0.0.1" }), "IP_SOURCE_INVALID"],
    ["source us", packet({ src: "10.0.0.1" }), "IP_SOURCE_INVALID"],
    ["source zero", packet({ src: "0.0.0.0" }), "IP_SOURCE_INVALID"],
    ["source zero net", packet({ src: "0.0.0.9" }), "IP_SOURCE_INVALID"],
    ["source zero asks all", packet({ src: "0.0.0.0", dst: "255.255.255.255" }), "UDP_DELIVERED"],
    ["another host's", packet({ dst: "10.0.0.3" }), "IP_NOT_OURS"],
    ["destination zero", packet({ dst: "0.0.0.0" }), "IP_NOT_OURS"],
    ["class E", packet({ dst: "240.0.0.1" }), "IP_NOT_OURS"],
    ["loopback from outside", packet({ dst: "127.0.0.1" }), "IP_LOOPBACK_OUTSIDE"],
    ["a group nobody joined", packet({ dst: "224.1.2.3" }), "IP_MULTICAST_NOT_MEMBER"],
    ["subnet broadcast", packet({ dst: "10.0.0.255" }), "UDP_DELIVERED"],
    ["limited broadcast", packet({ dst: "255.255.255.255" }), "UDP_DELIVERED"],
    ["unknown protocol", packet({ proto: 200 }), "IP_PROTOCOL_UNKNOWN"],
  ];
  for (const [name, bad, fate] of cases) assertEquals(host.input(port, toHost(bad)), [fate], name);
});

Deno.test("ip: a unicast packet in a link-layer broadcast is dropped (RFC 1122 3.3.6)", () => {
  const { host, port } = etherHost();
  host.udp(7);
  const frame = ether(BROADCAST, PEER, 0x0800, packet());
  assertEquals(host.input(port, frame), ["IP_NOT_OURS"]);
  assertEquals(host.output(port), []);
});

Deno.test("ip: options are skipped, a source route is refused, nonsense is reported", () => {
  const { host, port } = etherHost();
  host.udp(7);
  meet(host, port);
  const fine: number[][] = [
    [1, 1, 1, 0],
    [7, 7, 4, 0, 0, 0, 0, 0],
    [68, 8, 5, 0, 0, 0, 0, 0],
    [148, 4, 0, 0],
    [0, 99, 99, 99],
  ];
  for (const options of fine) {
    assertEquals(host.input(port, toHost(packet({ options }))), ["UDP_DELIVERED"], `${options}`);
  }
  const refused: [number[], number | undefined][] = [
    [[131, 7, 4, 10, 0, 0, 9, 0], undefined],
    [[137, 7, 4, 10, 0, 0, 9, 0], undefined],
    [[7, 0, 0, 0], 21],
    [[7, 1, 0, 0], 21],
    [[7, 9, 0, 0], 21],
    [[1, 1, 1, 7], 23],
  ];
  for (const [options, pointer] of refused) {
    assertEquals(host.input(port, toHost(packet({ options }))), ["IP_OPTIONS"], `${options}`);
    const errors = host.packets(port).map((p) => readIcmp(readIp4(p).payload));
    const expected = pointer === undefined ? [] : [[12, 0, pointer * 2 ** 24]];
    assertEquals(errors.map(({ type, code, rest }) => [type, code, rest]), expected);
  }
  // RFC 1122 3.2.1.3: a host says nothing about packets for others, a router does
  const other = toHost(packet({ dst: "10.0.9.9", options: [7, 0, 0, 0] }));
  assertEquals(host.input(port, other), ["IP_NOT_OURS"]);
  assertEquals(host.packets(port), []);
  host.call.ip_forwarding(1);
  assertEquals(host.input(port, other), ["IP_OPTIONS"]);
  assertEquals(host.packets(port).length, 1);
});

Deno.test("ip: what is sent has a right header", () => {
  const { host, port } = etherHost();
  meet(host, port);
  const so = host.udp(1234);
  assertEquals(host.setopt(so, IpProto.IP, IpOpt.TTL, 33), 0);
  assertEquals(host.setopt(so, IpProto.IP, IpOpt.TOS, 0x13), 0); // the ECN field is the user's too
  host.send(so, bytes(1, 2, 3), "10.0.0.2", 9);
  host.send(so, bytes(1, 2, 3), "10.0.0.2", 9);
  const [first, second] = host.packets(port).map(readIp4);
  const { src, dst, ttl, tos, proto, df, more, offset } = first;
  assertEquals<unknown>({ src, dst, ttl, tos, proto, df, more, offset }, {
    src: "10.0.0.1",
    dst: "10.0.0.2",
    ttl: 33,
    tos: 0x13,
    proto: UDP,
    df: false,
    more: false,
    offset: 0,
  });
  assertEquals(first.payload, udp("10.0.0.1", "10.0.0.2", 1234, 9, bytes(1, 2, 3)));
  assertEquals(first.id !== second.id, true);
});

Deno.test("ip: large datagrams leave in fragments that fit together", () => {
  for (const [mtu, size] of [[1500, 1472], [1500, 1473], [576, 5000], [68, 200], [1500, 65507]]) {
    const host = new Host({ mbufs_cluster: 2048 });
    const port = host.attach({ medium: Medium.IP, flags: Iff.POINTOPOINT, mtu });
    host.address(port, "10.0.0.1/24");
    const data = Uint8Array.from({ length: size }, (_, i) => i * 7 + (i >> 8));
    const so = host.udp(1234);
    host.setopt(so, Sol.SOCKET, So.SNDBUF, 100_000);
    assertEquals(host.send(so, data, "10.0.0.2", 9), size);
    const parts = host.output(port).map((p) => {
      assertEquals(p.length <= mtu, true);
      return readIp4(p);
    });
    const expected = udp("10.0.0.1", "10.0.0.2", 1234, 9, data);
    const step = Math.floor((mtu - 20) / 8) * 8;
    const count = size + 28 <= mtu ? 1 : Math.ceil((size + 8) / step);
    assertEquals(parts.length, count, `${size} bytes over ${mtu}`);
    parts.forEach(({ id, more, offset, payload }, i) => {
      assertEquals([id, more, offset], [parts[0].id, i < count - 1, count > 1 ? i * step : 0]);
      assertEquals(payload, expected.subarray(offset, offset + payload.length));
    });
    assertEquals(parts.reduce((n, { payload }) => n + payload.length, 0), size + 8);
    assertEquals(host.stat(Stat.IP_FRAGMENTS_OUT), count > 1 ? count : 0);
  }
});

Deno.test("ip: fragments go out all or not at all", () => {
  const { host, port } = etherHost({ mbufs_small: 4096, mbufs_cluster: 512 });
  meet(host, port);
  const so = host.udp(1234);
  for (let i = 0; i < 1022; i++) host.send(so, bytes(1), "10.0.0.2", 9);
  assertEquals(host.send(so, new Uint8Array(4000), "10.0.0.2", 9), -Errno.ENOBUFS);
  assertEquals(host.output(port).length, 1022);
  assertEquals(host.send(so, new Uint8Array(4000), "10.0.0.2", 9), 4000);
  assertEquals(host.output(port).length, 3);
});

Deno.test("ip: options of a user's own header go into fragments if they are to be copied", () => {
  const host = new Host();
  const port = host.attach({ medium: Medium.IP, flags: Iff.POINTOPOINT, mtu: 100 });
  host.address(port, "10.0.0.1/24");
  const so = host.socket(Sock.RAW, 200);
  assertEquals(host.setopt(so, IpProto.IP, IpOpt.HDRINCL, 1), 0);
  const options = [1, 7, 7, 4, 0, 0, 0, 0, 148, 4, 0, 0];
  const payload = Uint8Array.from({ length: 150 }, (_, i) => i);
  const own = ip4({
    src: "0.0.0.0",
    dst: "10.0.0.2",
    proto: 200,
    options,
    payload,
    id: 0,
    total: 9,
  });
  assertEquals(host.send(so, own, "10.0.0.2"), own.length);
  const parts = host.output(port).map(readIp4);
  assertEquals(parts.map((p) => [...p.options]), [options, [148, 4, 0, 0], [148, 4, 0, 0]]);
  assertEquals(parts.map((p) => p.src), ["10.0.0.1", "10.0.0.1", "10.0.0.1"]);
  assertEquals(bytes(...parts.map((p) => p.payload)), payload);
  assertEquals(parts[0].id !== 0, true);
});

Deno.test("ip: a header of the user's that makes no sense is refused", () => {
  const { host, port } = etherHost();
  meet(host, port);
  const so = host.socket(Sock.RAW, 200);
  host.setopt(so, IpProto.IP, IpOpt.HDRINCL, 1);
  const good = { src: "10.0.0.1", dst: "10.0.0.2", proto: 200, payload: bytes(1, 2, 3, 4) };
  const mbufs = host.mbufs();
  const bad: [string, Uint8Array][] = [
    ["short", ip4(good).slice(0, 19)],
    ["version", ip4({ ...good, version: 5 })],
    ["IHL 3", ip4({ ...good, ihl: 3 })],
    ["IHL beyond", ip4({ ...good, ihl: 15 })],
    ["options", ip4({ ...good, options: [7, 0, 0, 0] })],
  ];
  for (const [name, header] of bad) {
    assertEquals(host.send(so, header, "10.0.0.2"), -Errno.EINVAL, name);
  }
  assertEquals(host.mbufs(), mbufs);
  assertEquals(host.send(so, ip4({ ...good, df: true }), "10.0.0.2"), 24);
  assertEquals(readIp4(host.packets(port)[0]).df, true);
  const large = ip4({ ...good, df: true, payload: new Uint8Array(1481) });
  assertEquals(host.send(so, large, "10.0.0.2"), -Errno.EMSGSIZE);
});

Deno.test("ip: a broadcast needs permission, reaches everybody and ourselves", () => {
  const { host, port } = etherHost();
  const so = host.udp(7);
  for (const dst of ["10.0.0.255", "255.255.255.255"]) {
    assertEquals(host.send(so, bytes(1), dst, 7), -Errno.EACCES, dst);
  }
  assertEquals(host.setopt(so, Sol.SOCKET, So.BROADCAST, 1), 0);
  for (const dst of ["10.0.0.255", "255.255.255.255"]) {
    assertEquals(host.send(so, bytes(1), dst, 7), 1, dst);
    const [frame] = host.output(port).map(readEther);
    assertEquals(frame.dst, BROADCAST);
    assertEquals(readIp4(frame.payload).dst, dst);
    assertEquals(host.pollFates(), ["UDP_DELIVERED"], "a copy for this host");
  }
});

Deno.test("ip: packets to our own addresses go by way of lo0, however large", () => {
  const { host, port } = etherHost();
  const server = host.udp(7);
  const so = host.udp(1234);
  for (const [dst, size] of [["10.0.0.1", 9], ["127.0.0.1", 9], ["127.3.4.5", 9000]] as const) {
    const data = Uint8Array.from({ length: size }, (_, i) => i);
    assertEquals(host.send(so, data, dst, 7), size, dst);
    assertEquals(host.recv(server), -Errno.EAGAIN, "not before the next turn");
    assertEquals(host.call.nextDeadline() <= host.now, true);
    assertEquals(host.pollFates(), ["UDP_DELIVERED"], dst);
    const got = host.recv(server);
    assertEquals(typeof got !== "number" && got.data, data);
  }
  assertEquals(host.output(port), []);
  assertEquals(host.count(1, "ipackets"), host.count(1, "opackets"));
});

Deno.test("ip: 127/8 never appears on a link (RFC 1122 3.2.1.3)", () => {
  const { host, port } = etherHost();
  meet(host, port);
  const so = host.udp(1234, "127.0.0.1");
  assertEquals(host.send(so, bytes(1), "10.0.0.2", 9), -Errno.EADDRNOTAVAIL);
  assertEquals(host.output(port), []);
});

Deno.test("ip: SO_DONTROUTE reaches only hosts on a link of ours", () => {
  const { host, port } = etherHost();
  meet(host, port);
  host.route("0.0.0.0/0", "10.0.0.2");
  const so = host.udp(1234);
  host.setopt(so, Sol.SOCKET, So.DONTROUTE, 1);
  assertEquals(host.send(so, bytes(1), "192.0.2.1", 9), -Errno.ENETUNREACH);
  assertEquals(host.send(so, bytes(1), "10.0.0.2", 9), 1);
});
