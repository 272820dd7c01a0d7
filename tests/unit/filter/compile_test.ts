/** The compiler of filter expressions. tests/interop/tcpdump_test.ts compares it with tcpdump. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { BpfCode } from "../../../assembly/abi/bpf.ts";
import {
  compileFilter,
  FilterError,
  FilterLinktype,
  type FilterOptions,
  formatAssembly,
  type Program,
  runProgram,
} from "../../../filter/mod.ts";
import { ETHERNET_EXPRESSIONS, IP_EXPRESSIONS } from "./expressions.ts";
import { type Packet, packetsOf } from "./packets.ts";
import { randomExpression } from "./random_expression.ts";

const SEED = 0x636f6d70;
const PACKETS = packetsOf(FilterLinktype.ETHERNET);

/** Names of the whole packets that a filter keeps. */
function kept(expression: string, options: FilterOptions = {}): string[] {
  const program = compileFilter(expression, options);
  return packetsOf(options.linktype ?? FilterLinktype.ETHERNET)
    .filter(({ name, data, wireLength }) =>
      !/spoiled|padded|cut to/.test(name) &&
      runProgram(program, data, 0, data.length, wireLength) > 0
    ).map(({ name }) => name);
}

Deno.test("filter: what some expressions keep", () => {
  assertEquals(kept("arp"), ["who has", "is at"]);
  const queries = ["query in vlan 5", "query in vlan 5, priority 7", "query in vlan 9100"];
  assertEquals(kept("vlan 5 and udp port 53"), queries);
  assertEquals(kept("vlan 100 and icmp"), ["echo in vlan 100"]);
  assertEquals(kept("tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn and port 80"), [
    "syn",
    "version 5",
  ]);
  assertEquals(kept("host 8.8.8.8"), ["query", "answer"]);
  assertEquals(kept("src host 8.8.8.8 or 10.1.2.3"), ["answer", "echo reply"]);
  assertEquals(kept("icmp6 and not ip6 multicast"), ["echo 6"]);
  assertEquals(kept("ip[6:2] & 0x1fff != 0"), ["later fragment", "last fragment"]);
  assertEquals(kept("ether proto 0x42"), ["stp"]);
});

Deno.test("filter: the program for an expression", () => {
  assertEquals(
    formatAssembly(compileFilter("ip and tcp dst port 80", { snaplen: 96 })),
    `(000) ldh      [12]
(001) jeq      #0x800           jt 2\tjf 10
(002) ldb      [23]
(003) jeq      #0x6             jt 4\tjf 10
(004) ldh      [20]
(005) jset     #0x1fff          jt 10\tjf 6
(006) ldxb     4*([14]&0xf)
(007) ldh      [x + 16]
(008) jeq      #0x50            jt 9\tjf 10
(009) ret      #96
(010) ret      #0
`,
  );
  assertEquals(compileFilter("").length, 1, "no words match everything");
  assertEquals(formatAssembly(compileFilter("ip and arp")), "(000) ret      #0\n");
  assertEquals(formatAssembly(compileFilter("1 = 1")), "(000) ret      #262144\n");
});

/** Whether two programs say the same of packets that are long enough for all loads. */
function sameVerdicts(one: Program, other: Program, packets: readonly Packet[]): boolean {
  return packets.every(({ data }) => {
    const long = new Uint8Array(data.length + 140);
    long.set(data);
    return runProgram(one, long) === runProgram(other, long);
  });
}

Deno.test("filter: the optimizer changes no verdict, and makes no program longer", () => {
  const sample = PACKETS.filter((_, i) => i % 5 === 0);
  let [short, long] = [0, 0];
  fc.assert(
    fc.property(randomExpression(true), (expression) => {
      const optimized = compileFilter(expression);
      const plain = compileFilter(expression, { optimize: false });
      assert(optimized.length <= plain.length, `${optimized.length} > ${plain.length}`);
      short += optimized.length;
      long += plain.length;
      assert(sameVerdicts(optimized, plain, sample));
    }),
    { seed: SEED, numRuns: 1500 },
  );
  assert(short < 0.6 * long, `${short} instructions instead of ${long}`);
});

Deno.test("filter: long expressions need jumps that are far, and do the same", () => {
  const ports = Array.from({ length: 600 }, (_, i) => 3 * i + 2);
  const program = compileFilter(ports.map((port) => `udp port ${port}`).join(" or "));
  assert(program.length > 2 * 255, `${program.length} instructions`);
  for (const { name, data } of PACKETS.filter(({ name }) => !/spoiled|padded|cut to/.test(name))) {
    const [from, to] = [34, 36].map((at) => data[at] * 256 + data[at + 1]);
    if (name !== "query" && name !== "ntp" && name !== "port 80 udp") continue;
    const expected = ports.includes(from) || ports.includes(to);
    assertEquals(runProgram(program, data) > 0, expected, name);
  }
});

Deno.test("filter: names, masks and link types are options", () => {
  const hosts = { server: "10.0.0.1", both: ["10.1.2.3", "2001:db8::1"] };
  assertEquals(kept("src host server", { hosts }), kept("src host 10.0.0.1"));
  const both = kept("host 10.1.2.3 or 2001:db8::1");
  assertEquals(kept("host both", { hosts }), both);
  assertEquals(kept("port own", { services: { own: 53 } }), kept("port 53"));
  assertEquals(kept("port own", { services: { own: [53, "udp"] } }), kept("udp port 53"));
  assertEquals(kept("port http", { services: { http: 53 } }), kept("port 53"), "own ones first");
  assertEquals(kept("ip broadcast"), ["dhcp"]);
  const netmask = "255.255.255.0";
  assertEquals(kept("ip broadcast", { netmask }), ["dhcp"]);
  assertEquals(kept("ip broadcast", { netmask: "255.255.255.253" }).includes("syn"), true);
  const raw = { linktype: FilterLinktype.RAW };
  assertEquals(kept("igmp", raw), ["igmp"]);
  assertEquals(kept("igmp", { linktype: FilterLinktype.RAW_BSD }), ["igmp"]);
  const loop = { linktype: FilterLinktype.NULL };
  assertEquals(kept("sctp", loop), ["sctp", "sctp 6"]);
  assertEquals(kept("sctp", { ...loop, littleEndian: false }), []);
  assertThrows(() => compileFilter("ip", { linktype: 113 }), RangeError, "link type 113");
  assertThrows(() => compileFilter("ip", { snaplen: 0 }), RangeError, "snaplen");
  assertThrows(() => compileFilter("ip", { netmask: "255.255" }), RangeError, "netmask");
});

/** Expression, the text that is wrong, and the reason; `RAW` where the link is raw IP. */
const FAULTS: readonly (readonly [expression: string, piece: string, reason: string])[] = [
  ["tcp prot 80", "prot", "expected and, or"],
  ["tcp port", "", "expected a port"],
  ["portrange", "", "expected a range of ports"],
  ["ip proto", "", "expected a protocol"],
  ["host and tcp", "and", "expected an address"],
  ["foo", "foo", "expected host, net, port, proto or another word before it"],
  ["tcp and 10.0.0.1", "10.0.0.1", "expected host, net, port, proto or another word before it"],
  ["port 80 or (81 or tcp)", "tcp", "expected a port"],
  ["tcp and", "", "expected an expression"],
  ["and tcp", "and", "expected an expression"],
  ["mask 1.2.3.4", "mask", "expected an expression"],
  ["(tcp", "(", "the ( is not closed"],
  ["(tcp udp)", "udp", "expected and, or, or )"],
  ["tcp)", ")", "there is no ( before it"],
  ["tcp @ udp", "@", "this character has no meaning"],
  ["gateway foo", "gateway", "this word of tcpdump's language is not understood here"],
  ["port 080", "080", "a number that begins with 0 is octal"],
  ["len > 4294967296", "4294967296", "a number has 32 bits at most"],
  ["host 1.2.3.256", "1.2.3.256", "an IPv4 address has numbers up to 255"],
  ["host 1::2::3", "1::2::3", "this is no IPv6 address"],
  ["host ::1.2.3.999", "::1.2.3.999", "this is no IPv6 address"],
  ["host 1:2:3:4:5:6:7", "1:2:3:4:5:6:7", "this is no IPv6 address"],
  ["host nowhere", "nowhere", "no host of this name is known"],
  ["port nothing", "nothing", "no service of this name is known"],
  ["udp port http", "http", "http is a service of tcp"],
  ["port 70000", "70000", "ports end at 65535"],
  ["icmp port 5", "5", "icmp has no ports"],
  ["portrange 1.2", "1.2", "expected a range of ports such as 6000-6008"],
  ["portrange 1-2-3", "1-2-3", "expected a range of ports such as 6000-6008"],
  ["src proto 6", "proto", "a protocol is neither src"],
  ["tcp proto 6", "6", "tcp carries no protocols that have numbers"],
  ["ip proto nothing", "nothing", "no protocol of this name is known"],
  ["ip proto 10.1", "10.1", "expected the number or the name of a protocol"],
  ["net 10.1.2.3/24", "10.1.2.3", "bits are set that are not of the network"],
  ["net 2001:db8::1/64", "2001:db8::1", "bits are set that are not of the network"],
  ["net 10.1.2.0/33", "10.1.2.0", "a prefix has 32 bits at most"],
  ["net ::/129", "::", "a prefix has 128 bits at most"],
  ["net 10.0.0.0/x", "x", "expected the bits of a network"],
  ["net 10.0.0.0 mask 8", "8", "expected a mask such as 255.255.255.0"],
  ["net localhost", "localhost", "networks are given by their numbers"],
  ["host 10.0.0.0/8", "10.0.0.0", "only a net has a mask"],
  ["host fe80::/10", "fe80::", "only a net has a prefix"],
  ["ip6 host 10.0.0.1", "10.0.0.1", "ip6 has no IPv4 addresses"],
  ["arp host ::1", "::1", "arp has no IPv6 addresses"],
  ["ether host 10.0.0.1", "10.0.0.1", "expected a hardware address"],
  ["ether host 5", "5", "expected a hardware address"],
  ["ether host ::1", "::1", "expected a hardware address"],
  ["ether host some", "some", "expected a hardware address"],
  ["host 2:0:0:0:0:1", "2:0:0:0:0:1", "a hardware address needs ether before it"],
  ["ether net 2:0:0:0:0:1", "2:0:0:0:0:1", "a hardware address is no network"],
  ["ether", "ether", "expected host, proto or [ behind it"],
  ["tcp broadcast", "tcp broadcast", "only ether and ip have broadcasts"],
  ["arp multicast", "arp multicast", "only ether, ip and ip6 have multicasts"],
  ["vlan 4096", "vlan", "a VLAN has a number up to 4095, unlike 4096"],
  ["less tcp", "tcp", "expected a length in bytes"],
  ["len", "", "expected a comparison"],
  ["tcp[13]", "", "expected a comparison"],
  ["tcp[13 = 2", "=", "expected ]"],
  ["tcp[] = 2", "]", "expected a number"],
  ["ip[0:3] = 1", "3", "1, 2 or 4 bytes"],
  ["ip[0:x] = 1", "x", "expected a number of bytes"],
  ["ip[0] / (3 - 3) = 1", "3 - 3", "a division by 0"],
  ["ip[0] % 0 = 1", "0", "a division by 0"],
  ["ip[0] << 32 = 1", "32", "a shift by more than 31 bits"],
  ["ether[0 - 4] = 1", "0 - 4", "an offset that no packet has"],
  ["tcp[-1] = 1", "-1", "an offset that no packet has"],
  ["len = ", "", "expected a number"],
  ["RAW vlan", "vlan", "this link has no VLANs"],
  ["RAW broadcast", "broadcast", "this link has no broadcasts"],
  ["RAW multicast", "multicast", "this link has no multicasts"],
  ["RAW ether src 2:0:0:0:0:1", "2:0:0:0:0:1", "this link has no hardware addresses"],
];

Deno.test("filter: faults are told with the place and the reason", () => {
  for (const [text, piece, reason] of FAULTS) {
    const raw = text.startsWith("RAW ");
    const expression = raw ? text.slice(4) : text;
    const linktype = raw ? FilterLinktype.RAW : FilterLinktype.ETHERNET;
    const error = assertThrows(() => compileFilter(expression, { linktype }), FilterError);
    const { position, length } = error;
    assertEquals([expression.slice(position, position + length), error.reason], [piece, reason]);
    if (piece === "") assertEquals(position, expression.length, expression);
    const found = piece === "" ? "the end" : `"${piece}"`;
    assertEquals(error.message, `bad filter at column ${position + 1}, ${found}: ${reason}`);
  }
  const { picture } = assertThrows(() => compileFilter("tcp port\t70000"), FilterError);
  assertEquals(picture, "tcp port 70000\n         ^^^^^");
});

Deno.test("filter: what is too much is told, and no stack ends", () => {
  const cases: [string, string][] = [
    ["(".repeat(5000) + "tcp", "more than 200 levels"],
    ["not ".repeat(5000) + "tcp", "more than 200 levels"],
    ["-".repeat(5000) + "1 = 1", "more than 200 levels"],
    ["host " + "(".repeat(5000) + "1.2.3.4", "more than 200 levels"],
    ["ip[".repeat(5000) + "0", "more than 200 levels"],
    [`1${" + len".repeat(5000)} = 1`, "more than 1000 operators"],
    [
      Array.from({ length: 360 }, (_, i) => `src host 10.0.${i >> 8}.${i & 255} and port ${i}`)
        .join(" or "),
      "it needs more than 4096 instructions",
    ],
  ];
  for (const [expression, reason] of cases) {
    const error = assertThrows(() => compileFilter(expression), FilterError);
    assertEquals(error.reason, reason);
    assert(error.message.length < 200);
  }
  assertEquals(
    compileFilter("tcp" + " and tcp".repeat(20_000)).length,
    compileFilter("tcp").length,
  );
});

Deno.test("filter: arithmetic over many operands takes few words of memory", () => {
  const data = Uint8Array.from({ length: 200 }, (_, i) => i === 12 ? 8 : i === 13 ? 0 : i % 7 + 1);
  const at = (i: number) => data[14 + i];
  const operands = Array.from({ length: 40 }, (_, i) => `ip[ip[${i}]]`);
  const values = operands.map((_, i) => at(at(i)));
  const sum = values.reduce((a, b) => a - b) >>> 0;
  const product = values.reduceRight((a, b) => Math.imul(b, a) + 1 | 0) >>> 0;
  const left = operands.join(" - ");
  const right = operands.slice(0, -1).reduceRight((a, b) => `(${b} * ${a} + 1)`, operands.at(-1)!);
  for (const [text, value] of [[left, sum], [right, product]]) {
    const program = compileFilter(`${text} = ${value}`);
    assert(runProgram(program, data) > 0, `${text} = ${value}`);
    const stores = program.filter(({ code }) => code === BpfCode.ST).map(({ k }) => k);
    assert(stores.length > 10 && Math.max(...stores) < 2, `words up to ${Math.max(...stores)}`);
  }
});

Deno.test("filter: any text compiles or is refused", () => {
  const words = [...IP_EXPRESSIONS, ...ETHERNET_EXPRESSIONS].flatMap((line) => line.split(" "));
  const word = fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 4 }));
  let refused = 0;
  fc.assert(
    fc.property(fc.array(word, { maxLength: 8 }), (parts) => {
      const expression = parts.join(" ");
      try {
        compileFilter(expression);
      } catch (error) {
        if (!(error instanceof FilterError)) throw error;
        assert(error.position <= expression.length && error.position >= 0);
        refused++;
      }
    }),
    { seed: SEED, numRuns: 5000 },
  );
  assert(refused > 1000 && refused < 4990, `${refused} refused`);
});
