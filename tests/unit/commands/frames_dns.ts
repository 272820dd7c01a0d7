/**
 * Questions and answers of DNS, over UDP and TCP.
 *
 * @module
 */

import {
  ACK,
  B,
  type Bytes,
  ip4,
  ip6,
  type NamedFrame,
  PSH,
  tcp,
  text,
  u16,
  u32,
  udp,
} from "./packets.ts";

const name = (labels: string): Bytes => [
  ...labels.split(".").flatMap((label) => [label.length, ...text(label)]),
  0,
];

function dnsMessage(
  flags: number,
  sections: readonly (readonly Bytes[])[],
  id = 4660,
): Bytes {
  const counts = [0, 1, 2, 3].flatMap((i) => u16(sections[i]?.length ?? 0));
  return [...u16(id), ...u16(flags), ...counts, ...sections.flat(2)];
}

function record(
  type: number,
  data: Bytes,
  { owner = [0xc0, 12] as Bytes, ttl = 90061, klass = 1 } = {},
) {
  return [...owner, ...u16(type), ...u16(klass), ...u32(ttl), ...u16(data.length), ...data];
}

/** Questions and answers of DNS. */
export function dns(): NamedFrame[] {
  const question = (type = 1, klass = 1): Bytes => [
    ...name("www.example.com"),
    ...u16(type),
    ...u16(klass),
  ];
  const opt = record(41, [], { owner: [0], ttl: 0x8000, klass: 1232 });
  const soa = [
    ...name("ns.example.com"),
    ...name("admin.example.com"),
    ...[1, 2, 3, 4, 5].flatMap(u32),
  ];
  const messages: readonly (readonly [string, Bytes])[] = [
    ["query", dnsMessage(0x0100, [[question()]])],
    ["query aaaa edns", dnsMessage(0x0120, [[question(28)], [], [], [opt]])],
    ["query cd", dnsMessage(0x0110, [[question(255, 255)]])],
    ["two questions", dnsMessage(0x0100, [[question(), question(15)]])],
    ["notify", dnsMessage(0x2000, [[question(6)]])],
    ["answer", dnsMessage(0x8180, [[question()], [record(1, ip4("93.184.216.34"))]])],
    [
      "answers",
      dnsMessage(0x8580, [
        [question()],
        [
          record(5, name("other.example.com")),
          record(1, ip4(B), { ttl: 0 }),
          record(28, ip6("2001:db8::7"), { ttl: 3600 }),
        ],
        [record(2, name("ns.example.com"))],
        [opt],
      ]),
    ],
    ["mail", dnsMessage(0x8400, [[question(15)], [record(15, [...u16(10), ...name("mx.a")])]])],
    ["text", dnsMessage(0x8400, [[question(16)], [record(16, [3, ...text('a"b'), 2, 200, 7])]])],
    [
      "service",
      dnsMessage(0x8400, [[question(33)], [
        record(33, [...u16(1), ...u16(2), ...u16(443), ...name("h.example.com")]),
      ]]),
    ],
    ["authority", dnsMessage(0x8183, [[question()], [], [record(6, soa)]])],
    ["no such name", dnsMessage(0x8183, [[question()]])],
    ["cut short", dnsMessage(0x8380, [[question()]])],
    ["unknown record", dnsMessage(0x8180, [[question()], [record(4242, [1, 2, 3])]])],
    [
      "pointer in a circle",
      dnsMessage(0x8180, [[question()], [record(5, [0xc0, 12 + 17 + 4 + 10 + 2])]]),
    ],
    ["too short", [1, 2, 3]],
  ];
  return messages.flatMap(([what, message], i): NamedFrame[] => [
    [`dns ${what}`, udp(i % 2 === 0 ? 4000 : 53, i % 2 === 0 ? 53 : 4000, message)],
    [
      `dns over tcp ${what}`,
      tcp({
        flags: PSH | ACK,
        dport: 53,
        sport: 6000 + i,
        ack: 9,
        data: [...u16(message.length), ...message],
      }),
    ],
  ]);
}
