/**
 * Segments of a batch that are put together on their way up: which are, which are not, and that
 * nobody can tell, neither the user nor the peer nor whoever reads the counters.
 */

import { assert, assertEquals } from "@std/assert";
import { Fate } from "../../assembly/abi/fate.ts";
import { Stat } from "../../assembly/abi/stat.ts";
import { type Conn, pattern, type Say, type Shake } from "./harness.ts";
import { Host } from "./host.ts";
import { checksum, ipHeader } from "./segment.ts";
import { established } from "./shake.ts";

const SIZE = 1000;

/** Four segments of 1000 bytes, which become one packet. */
function four(): Say[] {
  return [0, 1, 2, 3].map((i) => ({ seq: 1 + SIZE * i, data: pattern(SIZE, SIZE * i) }));
}

/** Four with another said about the third. */
function third(say: Say): Say[] {
  return four().map((one, i) => i === 2 ? { ...one, ...say } : one);
}

/** Changes a packet, and mends its IP header. */
function edit(packet: Uint8Array, change: (packet: Uint8Array, view: DataView) => void) {
  const view = new DataView(packet.buffer);
  change(packet, view);
  view.setUint16(10, 0);
  view.setUint16(10, ~checksum(packet.subarray(0, (packet[0] & 15) * 4)) & 0xffff);
  return packet;
}

/** The packets of four segments with the third changed. */
function edited(change: (packet: Uint8Array, view: DataView) => void) {
  return (c: Conn) => four().map((say, i) => i === 2 ? edit(c.packet(say), change) : c.packet(say));
}

/** Inserts the bytes of an IP option that is ignored. */
function withOption(packet: Uint8Array): Uint8Array {
  const longer = new Uint8Array(packet.length + 4).fill(1, 20, 24);
  longer.set(packet.subarray(0, 20));
  longer.set(packet.subarray(20), 24);
  return edit(longer, (p, view) => {
    p[0] = 0x46;
    view.setUint16(2, longer.length);
  });
}

interface Case {
  readonly name: string;
  readonly packets: (c: Conn) => Uint8Array[];
  /** Segments put behind others. */
  readonly merged: number;
  /** Bytes that are in order afterwards; 4000 unless told. */
  readonly taken?: number;
  readonly shake?: Shake;
}

function said(says: Say[]): (c: Conn) => Uint8Array[] {
  return (c) => says.map((say) => c.packet(say));
}

const CASES: readonly Case[] = [
  { name: "four alike", packets: said(four()), merged: 3 },
  { name: "four with timestamps", packets: said(four()), merged: 3, shake: { ts: true } },
  {
    name: "a short last one ends a packet",
    packets: said([...four().slice(0, 3), { seq: 3001, data: pattern(1, 3000) }]),
    merged: 3,
    taken: 3001,
  },
  {
    name: "nothing follows a shorter one",
    packets: said([
      ...four().slice(0, 2),
      { seq: 2001, data: pattern(900, 2000) },
      { seq: 2901, data: pattern(1100, 2900) },
    ]),
    merged: 2,
  },
  {
    name: "a larger one begins a packet",
    packets: said([
      ...four().slice(0, 2),
      { seq: 2001, data: pattern(1001, 2000) },
      { seq: 3002, data: pattern(999, 3001) },
    ]),
    merged: 2,
  },
  { name: "PSH ends a packet", packets: said(third({ flags: "PA" })), merged: 2 },
  {
    name: "PSH alone does not begin one",
    packets: said(four().map((say) => ({ ...say, flags: "PA" }))),
    merged: 0,
  },
  {
    name: "small ones are not worth it",
    packets: said([0, 1, 2, 3].map((i) => ({ seq: 1 + 50 * i, data: pattern(50, 50 * i) }))),
    merged: 0,
    taken: 200,
  },
  {
    name: "FIN",
    packets: said(third({ flags: "FA", data: pattern(SIZE, 2000) })),
    merged: 1,
    taken: 3001,
  },
  { name: "URG", packets: said(third({ flags: "UA", up: 1 })), merged: 1 },
  { name: "ECE", packets: said(third({ flags: "AE" })), merged: 1 },
  { name: "CWR", packets: said(third({ flags: "AC" })), merged: 1 },
  { name: "another window", packets: said(third({ win: 60_000 })), merged: 1 },
  { name: "another TOS", packets: said(third({ tos: 0x10 })), merged: 1 },
  { name: "a CE mark", packets: said(third({ tos: 3 })), merged: 1 },
  { name: "another TTL", packets: said(third({ ttl: 63 })), merged: 1 },
  {
    name: "another timestamp",
    packets: (c) => third({ ts: [c.tsNow() + 1, c.tsEcr] }).map((say) => c.packet(say)),
    merged: 1,
    shake: { ts: true },
  },
  {
    name: "another echo",
    packets: (c) => third({ ts: [c.tsNow(), c.tsEcr - 1] }).map((say) => c.packet(say)),
    merged: 1,
    shake: { ts: true },
  },
  { name: "other options", packets: said(third({ mss: 1460 })), merged: 1 },
  {
    name: "timestamps that stand elsewhere",
    packets: (c) => {
      const ts = new DataView(new ArrayBuffer(12));
      ts.setUint16(0, 0x080a);
      ts.setUint32(2, c.tsNow());
      ts.setUint32(6, c.tsEcr);
      ts.setUint16(10, 0x0101);
      return third({ rawOptions: new Uint8Array(ts.buffer) }).map((say) => c.packet(say));
    },
    merged: 1,
    shake: { ts: true },
  },
  { name: "no data", packets: said([...four().slice(0, 2), {}, ...four().slice(2)]), merged: 2 },
  {
    name: "a hole",
    packets: said([...four().slice(0, 2), ...four().slice(3)]),
    merged: 1,
    taken: 2000,
  },
  {
    name: "the wrong order",
    packets: said([2, 3, 0, 1].map((i) => four()[i])),
    merged: 2,
  },
  {
    name: "the same again",
    packets: said([0, 1, 1, 2, 3].map((i) => four()[i])),
    merged: 3,
  },
  {
    name: "a wrong TCP checksum",
    packets: said(third({ badChecksum: true })),
    merged: 1,
    taken: 2000,
  },
  {
    name: "a wrong TCP checksum in the first",
    packets: said(four().map((say, i) => ({ ...say, badChecksum: i === 0 }))),
    merged: 2,
    taken: 0,
  },
  {
    name: "a wrong IP checksum",
    packets: (c) =>
      said(four())(c).map((p, i) => {
        if (i === 2) p[10] ^= 1;
        return p;
      }),
    merged: 1,
    taken: 2000,
  },
  { name: "DF unlike", packets: edited((p) => p[6] = 0), merged: 1 },
  { name: "another identification", packets: edited((_, v) => v.setUint16(4, 77)), merged: 3 },
  { name: "a fragment", packets: edited((p) => p[6] = 0x20), merged: 1, taken: 2000 },
  {
    name: "an IP option",
    packets: (c) => said(four())(c).map((p, i) => i === 2 ? withOption(p) : p),
    merged: 1,
  },
  {
    name: "bytes behind the packet",
    packets: (c) => said(four())(c).map((p) => Uint8Array.of(...p, 1, 2, 3)),
    merged: 3,
  },
  {
    name: "shorter than it says",
    packets: (c) => said(four())(c).map((p, i) => i === 2 ? p.subarray(0, 1000) : p),
    merged: 1,
    taken: 2000,
  },
  {
    name: "something else between",
    packets: (c) => {
      const udp = new Uint8Array(28);
      udp.set(ipHeader(c.peer, c.host.ip, 17, 8));
      const packets = said(four())(c);
      return [packets[0], packets[1], udp, packets[2], packets[3]];
    },
    merged: 3,
  },
];

for (const { name, packets, merged, taken = 4 * SIZE, shake } of CASES) {
  Deno.test(`gro: ${name}`, async () => {
    const c = await established({ rcvbuf: 1 << 16, ...shake });
    c.host.input(...packets(c));
    assertEquals(c.stat(Stat.TCP_MERGED), merged, "segments put behind others");
    assertEquals(c.tcb("rcv_nxt"), (c.isn + 1 + taken) >>> 0, "bytes in order");
    c.takeAll();
    const { n, data } = c.tryRead();
    if (taken > 0) assertEquals(data, pattern(Math.min(taken, n)));
    c.end();
  });
}

Deno.test("gro: a packet is no longer than 65,535 bytes", async () => {
  const c = await established({ rcvbuf: 1 << 20, wscale: 7 });
  const says = Array.from(
    { length: 60 },
    (_, i) => ({ seq: 1 + 1460 * i, data: pattern(1460, 1460 * i) }),
  );
  c.send(...says);
  assertEquals(c.stat(Stat.TCP_MERGED), 58, "two packets: 44 segments and 16");
  assertEquals(c.stat(Stat.TCP_PARTED), 0);
  assertEquals(c.stat(Stat.TCP_PREDICTED), 60);
  assertEquals(c.tcb("segs_in") - c.tcb("data_segs_in"), 1, "the SYN-ACK");
  assertEquals(c.tcb("data_segs_in"), 60);
  assertEquals(c.takeAll().map((s) => s.ack), [1 + 1460 * 60], "one ACK");
  assertEquals(c.fate(), Fate.TCP_ACCEPTED);
  assertEquals(c.tryRead(65_536).data, pattern(65_536));
  c.end();
});

Deno.test("gro: connections whose segments alternate, more than it can hold", async () => {
  for (const count of [2, 8, 9]) {
    const host = await Host.boot();
    const all: Conn[] = [];
    for (let i = 0; i < count; i++) all.push(await established({ host: {}, port: 5000 + i }, host));
    const packets: Uint8Array[] = [];
    for (let i = 0; i < 4; i++) for (const c of all) packets.push(c.packet(four()[i]));
    host.input(...packets);
    const merged = host.inspect.stat(Stat.TCP_MERGED);
    if (count <= 8) assertEquals(merged, 3 * count);
    else assert(merged < 3 * count);
    for (const c of all) assertEquals(c.tryRead().data, pattern(4 * SIZE));
    for (const c of all) c.takeAll();
    host.end(...all.map((c) => c.so));
  }
});

Deno.test("gro: the setting switches it off", async () => {
  const c = await established({});
  c.host.tuneNet({ gro: 0 });
  c.send(...four());
  assertEquals(c.stat(Stat.TCP_MERGED), 0);
  assertEquals(c.tryRead().data, pattern(4 * SIZE));
  c.end();
});

Deno.test("gro: segments out of order are acknowledged one by one", async () => {
  const c = await established({ sackOk: true });
  c.send(...four().slice(1));
  assertEquals(c.stat(Stat.TCP_MERGED), 2);
  assertEquals(c.stat(Stat.TCP_PARTED), 1);
  const acks = c.takeAll();
  assertEquals(acks.map((s) => s.ack), [1, 1, 1]);
  assertEquals(acks.map((s) => s.sack), [[[1001, 2001]], [[1001, 3001]], [[1001, 4001]]]);
  assertEquals(c.stat(Stat.TCP_OUT_OF_ORDER), 3);
  c.end();
});

Deno.test("gro: what lies beyond the window is cut off", async () => {
  const c = await established({ rcvbuf: 3500 });
  c.send(...four());
  assertEquals(c.stat(Stat.TCP_MERGED), 3);
  const last = c.takeAll().at(-1)!;
  assertEquals([last.ack, last.win], [3501, 0]);
  assertEquals(c.tryRead().data, pattern(3500));
  c.end();
});

Deno.test("gro: segments for nobody are refused one by one", async () => {
  const c = await established({});
  const port = c.fport + 1;
  const packets = four().map((say) => c.packet(say));
  for (const p of packets) {
    edit(p, (_, view) => {
      view.setUint16(20, port);
      view.setUint16(36, 0);
      const sum = checksum(p.subarray(12, 20)) + 6 + (p.length - 20);
      view.setUint16(36, ~checksum(p.subarray(20), sum) & 0xffff);
    });
  }
  c.host.input(...packets);
  assertEquals(c.stat(Stat.TCP_MERGED), 3);
  assertEquals(c.stat(Stat.TCP_RST_OUT), 4);
  c.host.wire.length = 0;
  c.end();
});
