/**
 * Segments of TCP: a connection, options right and wrong, HTTP.
 *
 * @module
 */

import {
  ACK,
  type Bytes,
  CWR,
  ECE,
  FIN,
  type NamedFrame,
  PSH,
  RST,
  SYN,
  SYN_OPTIONS,
  tcp,
  text,
  u32,
  URG,
} from "./packets.ts";

const TS = (val: number, ecr: number): Bytes => [1, 1, 8, 10, ...u32(val), ...u32(ecr)];

/** A connection from its beginning to its end, and what may come in the middle of one. */
export function conversation(): NamedFrame[] {
  const sack = (base: number, pairs: readonly (readonly [number, number])[]): Bytes => [
    1,
    1,
    5,
    2 + 8 * pairs.length,
    ...pairs.flatMap(([from, to]) => [...u32(base + from), ...u32(base + to)]),
  ];
  const data = (length: number) => Array.from({ length }, (_, i) => 97 + i % 26);
  const [c, s] = [4294967000, 77777];
  return [
    ["syn", tcp({ flags: SYN, seq: c, options: SYN_OPTIONS })],
    ["syn ack", tcp({ flags: SYN | ACK, seq: s, ack: c + 1, options: SYN_OPTIONS }, true)],
    ["ack", tcp({ flags: ACK, seq: c + 1, ack: s + 1, options: TS(8, 7) })],
    ["data", tcp({ flags: PSH | ACK, seq: c + 1, ack: s + 1, data: data(400) })],
    ["data on", tcp({ flags: ACK, seq: c + 801, ack: s + 1, data: data(10) })],
    [
      "sack",
      tcp({
        flags: ACK,
        seq: s + 1,
        ack: c + 401,
        options: sack(c, [[801, 811], [900, 910]]),
      }, true),
    ],
    ["back", tcp({ flags: PSH | ACK, seq: s + 1, ack: c + 401, data: data(5) }, true)],
    ["urgent", tcp({ flags: URG | ACK, urgent: 3, seq: c + 811, ack: s + 6, data: data(4) })],
    ["sack of the other", tcp({ flags: ACK, seq: c + 815, ack: s, options: sack(s, [[2, 4]]) })],
    ["fin", tcp({ flags: FIN | ACK, seq: c + 815, ack: s + 6 })],
    ["rst", tcp({ flags: RST, seq: s + 6 }, true)],
    ["rst ack", tcp({ flags: RST | ACK, seq: s + 6, ack: c + 2 }, true)],
    ["rst text", tcp({ flags: RST | ACK, seq: s + 6, ack: c, data: text("go away\n") }, true)],
    ["ecn", tcp({ flags: SYN | ECE | CWR, sport: 7, dport: 8 })],
    ["no flags", tcp({ flags: 0, sport: 7, dport: 8 })],
    ["all flags", tcp({ flags: 255, sport: 7, dport: 8 })],
    ["same ports", tcp({ flags: ACK, sport: 9, dport: 9, ack: 5 })],
    ["same ports back", tcp({ flags: ACK, sport: 9, dport: 9, seq: 5, ack: 1001 }, true)],
    ["bad sum", tcp({ flags: ACK, sport: 10, dport: 9, ack: 5, badSum: true })],
    ["short header", tcp({ flags: ACK, words: 4 })],
    ["long header", tcp({ flags: ACK, words: 9 })],
  ];
}

/** Options of TCP, right and wrong. */
export function tcpOptions(): NamedFrame[] {
  const lists: readonly (readonly [string, Bytes])[] = [
    ["eol", [1, 1, 0, 0]],
    ["tfo request", [34, 2, 1, 1]],
    ["tfo cookie", [34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1]],
    ["tfo bad", [34, 5, 1, 2, 3, 1, 1, 1]],
    ["uto", [28, 4, 0, 21, 1, 1, 1, 1]],
    ["uto minutes", [28, 4, 0x80, 20, 0, 0, 0, 0]],
    ["md5", [19, 18, ...Array.from({ length: 16 }, (_, i) => i), 1, 1]],
    ["exp tfo", [254, 4, 0xf9, 0x89]],
    ["exp tfo cookie", [254, 8, 0xf9, 0x89, 1, 2, 3, 4]],
    ["exp other", [254, 8, 0x12, 0x34, 1, 2, 3, 4]],
    ["exp short", [254, 2, 1, 1]],
    ["unknown", [99, 5, 1, 2, 3, 1, 1, 1]],
    ["unknown empty", [99, 2, 1, 1]],
    ["mss length", [2, 6, 5, 180, 1, 1, 1, 1]],
    ["mss short", [2, 3, 5, 1]],
    ["wscale long", [3, 4, 5, 1]],
    ["ts short", [8, 6, 0, 0, 0, 1, 1, 1]],
    ["sack odd", [5, 6, 1, 2, 3, 4, 1, 1]],
    ["sack empty", [5, 2, 1, 1]],
    ["length 0", [2, 0, 1, 1]],
    ["length 1", [99, 1, 1, 1]],
    ["beyond", [2, 9, 1, 1]],
    ["last without length", [1, 1, 1, 2]],
    ["echo", [6, 6, 0, 0, 0, 7, 1, 1]],
    ["cc", [11, 6, 0, 0, 0, 7, 1, 1]],
    ["sackOK long", [4, 4, 0, 0]],
  ];
  return lists.map(([name, options], i) => [
    `option ${name}`,
    tcp({ flags: SYN, sport: 100 + i, options }),
  ]);
}

/** Protocols of text beside HTTP. */
export function texts(): NamedFrame[] {
  const said = ["SSH-2.0-a\r\n", "220 b ready\r\n250 more\r\n", "no end", "\x00\x01\x02"];
  return [21, 22, 25, 43, 8080, 3128].flatMap((port) =>
    said.map((line, i): NamedFrame => [
      `text ${port} ${i}`,
      tcp({ flags: PSH | ACK, sport: 3000 + i, dport: port, ack: 1, data: text(line) }),
    ])
  );
}

/** HTTP, and data that is none. */
export function http(): NamedFrame[] {
  const messages = [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    "POST /form HTTP/1.1\nHost: b\n\nx=1",
    "GET /no-end HTTP/1.1",
    "GETTER is no method\r\n",
    "body of something\r\n",
    "HTTP/1.1 OK\r\n",
    "PUT /\u00e4 HTTP/1.1\r\n\r\n",
  ];
  return messages.map((message, i) => [
    `http ${i}`,
    tcp({ flags: PSH | ACK, sport: 2000 + i, dport: 80, ack: 1, data: text(message) }),
  ]);
}
