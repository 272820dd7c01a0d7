/** Reassembly of IPv4 datagrams, against a plain reference and case by case. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Iff, Medium } from "../../../assembly/abi/ifnet.ts";
import { Sock } from "../../../assembly/abi/socket.ts";
import { Stat } from "../../../assembly/abi/stat.ts";
import { bytes, icmp, ip4, type Ip4Fields, readIcmp, readIp4 } from "../net/frames.ts";
import { Host } from "../net/host.ts";

const S = 1_000_000;
const SEED = 20261122;
const PROTO = 200;
const [HOST, OTHER] = ["10.0.0.1", "10.0.0.2"];
const [HELD, DONE] = ["IP_FRAGMENT_HELD", "RAW_DELIVERED"];
const [OVERLAP, INVALID, LIMIT] = [
  "IP_FRAGMENT_OVERLAP",
  "IP_FRAGMENT_INVALID",
  "IP_FRAGMENT_LIMIT",
];

/** A host on a bare IP link, with a raw socket that takes datagrams of protocol 200. */
function rawHost(boot: Record<string, number> = {}): { host: Host; port: number; so: number } {
  const host = new Host(boot);
  const port = host.attach({ medium: Medium.IP, flags: Iff.POINTOPOINT });
  host.address(port, "10.0.0.1/24");
  return { host, port, so: host.socket(Sock.RAW, PROTO) };
}

/** A fragment; its data are functions of its place, so that whoever puts it wrong is seen. */
interface Piece {
  readonly id: number;
  readonly offset: number;
  readonly data: Uint8Array;
  readonly more: boolean;
}

function packet({ id, offset, data, more }: Piece, rest: Partial<Ip4Fields> = {}): Uint8Array {
  return ip4({ src: OTHER, dst: HOST, proto: PROTO, id, offset, more, payload: data, ...rest });
}

function content(id: number, from: number, to: number): Uint8Array {
  return Uint8Array.from({ length: to - from }, (_, i) => (from + i) * 13 + id);
}

function piece(id: number, from: number, to: number, total: number): Piece {
  return { id, offset: from, data: content(id, from, to), more: to < total };
}

/** The same rules in plain TypeScript, without limits. */
class Reference {
  readonly #datagrams = new Map<number, { pieces: Piece[]; dead: boolean; until: number }>();

  /** What becomes of a fragment at `now`: its fate, and the datagram if it is whole. */
  input(piece: Piece, now: number): { fate: string; data?: Uint8Array } {
    if (piece.offset === 0 && !piece.more) return { fate: DONE, data: piece.data };
    const end = piece.offset + piece.data.length;
    const whole = piece.data.length % 8 === 0 || !piece.more;
    if (piece.data.length === 0 || !whole || end > 65515) return { fate: INVALID };
    let datagram = this.#datagrams.get(piece.id);
    if (!datagram || datagram.until <= now) {
      datagram = { pieces: [], dead: false, until: now + 30 * S };
      this.#datagrams.set(piece.id, datagram);
    }
    if (datagram.dead) return { fate: OVERLAP };
    const { pieces } = datagram;
    const spoil = (fate: string) => {
      datagram.dead = true;
      return { fate };
    };
    for (const p of pieces) {
      const copy = p.offset === piece.offset && p.more === piece.more &&
        `${p.data}` === `${piece.data}`;
      if (copy) return { fate: OVERLAP };
    }
    for (const p of pieces) {
      if (p.offset < end && piece.offset < p.offset + p.data.length) return spoil(OVERLAP);
    }
    const last = pieces.find((p) => !p.more);
    const lastEnd = last && last.offset + last.data.length;
    const beyond = piece.more
      ? lastEnd !== undefined && end >= lastEnd
      : last !== undefined || pieces.some((p) => p.offset >= end);
    if (beyond) return spoil(INVALID);
    pieces.push(piece);
    pieces.sort((a, b) => a.offset - b.offset);
    const data = bytes(...pieces.map((p) => p.data));
    if (pieces.at(-1)!.more || data.length !== Math.max(...pieces.map(endOf))) {
      return { fate: HELD };
    }
    this.#datagrams.delete(piece.id);
    return { fate: DONE, data };
  }
}

function endOf(p: Piece): number {
  return p.offset + p.data.length;
}

/** Pieces of datagrams, mostly proper ones cut and shuffled, with copies and intruders. */
function pieces(): fc.Arbitrary<Piece[]> {
  const datagram = fc.record({
    id: fc.integer({ min: 1, max: 4 }),
    size: fc.integer({ min: 1, max: 600 }),
    cuts: fc.array(fc.integer({ min: 1, max: 75 }), { maxLength: 8 }),
  }).map(({ id, size, cuts }) => {
    const bounds = [...new Set(cuts.map((c) => c * 8).filter((c) => c < size))];
    const edges = [0, ...bounds.sort((a, b) => a - b), size];
    return edges.slice(1).map((to, i) => piece(id, edges[i], to, size));
  });
  const intruder = fc.record({
    id: fc.integer({ min: 1, max: 4 }),
    offset: fc.integer({ min: 0, max: 80 }).map((n) => n * 8),
    length: fc.oneof(
      fc.integer({ min: 1, max: 20 }).map((n) => n * 8),
      fc.integer({ min: 0, max: 100 }),
    ),
    more: fc.boolean(),
    salt: fc.integer({ min: 0, max: 1 }),
  }).map(({ id, offset, length, more, salt }): Piece => ({
    id,
    offset,
    data: content(id + salt, offset, offset + length),
    more,
  }));
  const mixed = fc.tuple(
    fc.array(datagram, { minLength: 1, maxLength: 4 }),
    fc.array(intruder, { maxLength: 2 }),
    fc.array(fc.nat(), { maxLength: 3 }),
  ).map(([datagrams, intruders, copies]) => {
    const proper = datagrams.flat();
    return [...proper, ...intruders, ...copies.map((n) => proper[n % proper.length])];
  });
  return mixed.chain((all) => fc.shuffledSubarray(all, { minLength: all.length }));
}

Deno.test("reassembly: fates and datagrams are those of a plain reference", () => {
  let delivered = 0;
  const property = fc.property(
    pieces(),
    fc.array(fc.integer({ min: 0, max: 8 * S }), { minLength: 40, maxLength: 40 }),
    fc.boolean(),
    (all, pauses, slow) => {
      const { host, port, so } = rawHost();
      const reference = new Reference();
      const mbufs = host.mbufs();
      all.forEach((piece, i) => {
        const expected = reference.input(piece, host.now);
        assertEquals(host.input(port, packet(piece)), [expected.fate]);
        if (expected.data) {
          delivered++;
          const got = host.recv(so);
          assertEquals(typeof got !== "number" && got.data.subarray(20), expected.data);
        }
        if (slow) host.advance(pauses[i % pauses.length]);
      });
      host.advance(40 * S);
      host.output(port);
      assertEquals(host.call.probe_reass_count(), 0);
      assertEquals(host.call.probe_reass_storage(), 0);
      assertEquals(host.mbufs() - mbufs <= 1, true, "nothing leaks");
    },
  );
  fc.assert(property, { seed: SEED, numRuns: 250 });
  assertEquals(delivered > 100, true, "datagrams were made whole");
});

Deno.test("reassembly: pieces in any order make the datagram", () => {
  for (const order of [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0]]) {
    const { host, port, so } = rawHost();
    const all = [piece(9, 0, 400, 1001), piece(9, 400, 800, 1001), piece(9, 800, 1001, 1001)];
    const fates = order.flatMap((i) => host.input(port, packet(all[i])));
    assertEquals(fates, [HELD, HELD, DONE], `${order}`);
    const got = host.recv(so);
    if (typeof got === "number") throw new Error("nothing received");
    const read = readIp4(got.data);
    assertEquals([read.more, read.offset, read.id], [false, 0, 9], "a header as if never cut");
    assertEquals(read.payload, content(9, 0, 1001));
  }
});

Deno.test("reassembly: source, destination, protocol and id keep datagrams apart", () => {
  const { host, port, so } = rawHost();
  host.address(port, "10.0.0.3/24");
  const [a, b] = [piece(9, 0, 8, 16), piece(9, 8, 16, 16)];
  host.input(port, packet(a));
  const others: Partial<Ip4Fields>[] = [{ id: 8 }, { src: "10.0.0.9" }, { dst: "10.0.0.3" }];
  for (const other of others) assertEquals(host.input(port, packet(b, other)), [HELD]);
  assertEquals(host.input(port, packet(b, { proto: 201 })), [HELD]);
  assertEquals(host.input(port, packet(b)), [DONE]);
  assertEquals(typeof host.recv(so) !== "number", true);
});

Deno.test("reassembly: after 30 s a datagram is given up, its sender told (RFC 1122 3.3.2)", () => {
  const { host, port } = rawHost();
  const [first, middle] = [piece(9, 0, 80, 800), piece(7, 80, 160, 800)];
  host.input(port, packet(first));
  host.input(port, packet(middle));
  host.advance(29 * S);
  assertEquals(host.output(port), []);
  host.advance(1 * S);
  const errors = host.output(port).map(readIp4);
  assertEquals(errors.length, 1, "only of the datagram whose beginning came");
  const { type, code, data } = readIcmp(errors[0].payload);
  assertEquals([type, code], [11, 1]);
  assertEquals(data, packet(first));
  assertEquals(host.stat(Stat.IP_REASSEMBLY_TIMEOUT), 2);
  assertEquals(host.call.probe_reass_count(), 0);
});

Deno.test("reassembly: giving a datagram up when mbufs have run out frees it once", () => {
  const { host, port } = rawHost({ mbufs_cluster: 40 });
  host.input(port, packet(piece(1, 0, 800, 1600)));
  host.input(port, packet(piece(2, 0, 800, 1600)));
  const held: number[] = [];
  for (let m = host.call.probe_mbuf_getcl(1); m; m = host.call.probe_mbuf_getcl(1)) held.push(m);
  // the last request found nothing and had the fragments freed: take those as well, but for one
  const again = [piece(3, 0, 800, 1600), piece(4, 0, 800, 1600)];
  for (const m of held.splice(0, 3)) host.call.probe_mbuf_freem(m);
  for (const p of again) assertEquals(host.input(port, packet(p)), [HELD]);
  const last = host.call.probe_mbuf_getcl(1);
  host.advance(30 * S);
  assertEquals(host.call.probe_reass_count(), 0);
  assertEquals(host.call.probe_reass_storage(), 0);
  for (const m of [last, ...held]) host.call.probe_mbuf_freem(m);
  host.output(port);
  assertEquals(host.mbufs(), 0);
});

Deno.test("reassembly: an overlap drops the datagram and what is still to come (RFC 5722)", () => {
  const { host, port } = rawHost();
  const fates = [
    piece(9, 0, 80, 240),
    piece(9, 72, 160, 240),
    piece(9, 80, 160, 240),
    piece(9, 160, 240, 240),
    piece(9, 0, 80, 240),
  ].flatMap((p) => host.input(port, packet(p)));
  assertEquals(fates, [HELD, OVERLAP, OVERLAP, OVERLAP, OVERLAP]);
  host.advance(30 * S);
  assertEquals(host.output(port), [], "no error about an attack");
  const again = [piece(9, 0, 80, 160), piece(9, 80, 160, 160)];
  assertEquals(again.flatMap((p) => host.input(port, packet(p))), [HELD, DONE]);
});

Deno.test("reassembly: impossible fragments are dropped", () => {
  const { host, port } = rawHost();
  const cases: [string, Piece][] = [
    ["empty", { id: 1, offset: 8, data: bytes(), more: true }],
    ["not a multiple of 8", { id: 1, offset: 0, data: bytes(1, 2, 3), more: true }],
    ["beyond 65,535", { id: 1, offset: 65512, data: new Uint8Array(8), more: false }],
    ["far beyond", { id: 1, offset: 65528, data: new Uint8Array(1480), more: false }],
  ];
  for (const [name, bad] of cases) assertEquals(host.input(port, packet(bad)), [INVALID], name);
  assertEquals(host.call.probe_reass_count(), 0);
  const tooFar = [piece(2, 0, 8, 24), piece(2, 16, 24, 24), piece(2, 24, 32, 99)];
  assertEquals(tooFar.flatMap((p) => host.input(port, packet(p))), [HELD, HELD, INVALID]);
});

Deno.test("reassembly: the longest datagram, to the last byte", () => {
  const { host, port } = rawHost();
  const whole = icmp(8, 0, 1, Uint8Array.from({ length: 65_507 }, (_, i) => i));
  const fates: string[] = [];
  for (let from = 0; from < whole.length; from += 1480) {
    const data = whole.subarray(from, from + 1480);
    const more = from + 1480 < whole.length;
    fates.push(...host.input(port, packet({ id: 1, offset: from, data, more }, { proto: 1 })));
  }
  assertEquals(fates.at(-1), "ICMP_ECHO_ANSWERED");
  const parts = host.output(port).map(readIp4);
  const back = bytes(...parts.map((p) => p.payload));
  assertEquals(back.length, 65_515);
  assertEquals(back.subarray(8), whole.subarray(8));
});

Deno.test("reassembly: a first fragment with options makes 65,535 too long", () => {
  const { host, port } = rawHost();
  const size = 65_515;
  const fates: string[] = [];
  for (let from = 0; from < size; from += 1440) {
    const part = piece(1, from, Math.min(from + 1440, size), size);
    const options = from === 0 ? [1, 1, 1, 0] : [];
    fates.push(...host.input(port, packet(part, { options })));
  }
  assertEquals(fates.at(-1), INVALID);
  assertEquals(host.call.probe_reass_storage(), 0);
});

Deno.test("reassembly: a datagram has at most 64 fragments", () => {
  const { host, port } = rawHost();
  const fates: string[] = [];
  for (let i = 0; i < 66; i++) {
    fates.push(...host.input(port, packet(piece(1, i * 8, i * 8 + 8, 10_000))));
  }
  assertEquals(fates.slice(0, 64), Array(64).fill(HELD));
  assertEquals(fates.slice(64), [LIMIT, OVERLAP]);
});

Deno.test("reassembly: when there are too many datagrams the oldest makes room", () => {
  const { host, port } = rawHost({ datagrams: 8 });
  for (let id = 1; id <= 12; id++) host.input(port, packet(piece(id, 0, 8, 16)));
  assertEquals(host.call.probe_reass_count(), 8);
  assertEquals(host.input(port, packet(piece(12, 8, 16, 16))), [DONE]);
  assertEquals(host.input(port, packet(piece(5, 8, 16, 16))), [DONE]);
  assertEquals(host.input(port, packet(piece(4, 8, 16, 16))), [HELD], "it was given up");
});

Deno.test("reassembly: a flood of fragments takes a quarter of the mbufs, and no more", () => {
  const { host, port } = rawHost({ mbufs_cluster: 512 });
  for (let i = 0; i < 600; i++) {
    host.input(port, packet(piece(1 + i, 8, 1008, 9000)));
  }
  assertEquals(host.call.probe_reass_storage() <= 128 * 2112, true);
  assertEquals(host.call.probe_reass_count() > 100, true);
  const echo = icmp(8, 0, 1);
  assertEquals(host.input(port, ip4({ src: OTHER, dst: HOST, proto: 1, payload: echo })), [
    "ICMP_ECHO_ANSWERED",
  ]);
});

Deno.test("reassembly: congestion marks are joined as RFC 3168 5.3 says", () => {
  const cases: [number, number, number | undefined][] = [
    [2, 2, 2],
    [2, 3, 3],
    [3, 2, 3],
    [0, 3, undefined],
    [3, 0, undefined],
    [0, 2, undefined],
    [1, 0, undefined],
    [1, 3, 3],
    [1, 1, 1],
    [0, 0, 0],
  ];
  for (const [a, b, joined] of cases) {
    const { host, port, so } = rawHost();
    host.input(port, packet(piece(1, 0, 8, 16), { tos: a }));
    const [fate] = host.input(port, packet(piece(1, 8, 16, 16), { tos: b }));
    assertEquals(fate, joined === undefined ? INVALID : DONE);
    const got = host.recv(so);
    if (joined !== undefined) {
      assertEquals(typeof got !== "number" && readIp4(got.data).tos & 3, joined);
    }
  }
});
