/** IGMP version 3, the host's side (RFC 3376), and source filters of sockets (RFC 3678). */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Errno } from "../../../assembly/abi/errno.ts";
import { IpProto } from "../../../assembly/abi/proto.ts";
import { IpOpt } from "../../../assembly/abi/socket.ts";
import { bytes, checksum, ether, ip, ip4, ipText } from "../net/frames.ts";
import { readEther, readIp4, u16, u32, udp } from "../net/frames.ts";
import { etherHost, Host, PEER } from "../net/host.ts";

const S = 1_000_000;
const GROUP = "224.5.6.7";
const GROUP_MAC = "01:00:5e:05:06:07";
const SOURCES = ["10.0.0.2", "10.0.0.3", "10.0.0.4"];
const [IS_IN, IS_EX, TO_IN, TO_EX, ALLOW, BLOCK] = [1, 2, 3, 4, 5, 6];

/** Joins, leaves, and what concerns a source. */
function set(host: Host, so: number, name: number, source?: string): number {
  const words = [ip(GROUP), 0, ...(source ? [ip(source)] : [])];
  return host.setopt(so, IpProto.IP, name, new Uint8Array(Uint32Array.from(words).buffer));
}

interface Record3 {
  readonly type: number;
  readonly sources: string[];
}

/** The records of the reports that the host wants to send. */
function reports(host: Host, port: number): Record3[] {
  return host.output(port).map((frame) => {
    const { dst, payload } = readEther(frame);
    const packet = readIp4(payload);
    assertEquals([packet.proto, packet.ttl, packet.dst], [2, 1, "224.0.0.22"]);
    assertEquals([...packet.options], [148, 4, 0, 0], "Router Alert");
    assertEquals(dst, "01:00:5e:00:00:16");
    const p = packet.payload;
    const view = new DataView(p.slice().buffer);
    assertEquals(checksum(p), 0);
    assertEquals([p[0], view.getUint16(6), p[9]], [0x22, 1, 0]);
    const count = view.getUint16(10);
    assertEquals(ipText(view.getUint32(12)), GROUP);
    assertEquals(p.length, 16 + 4 * count);
    const sources = Array.from({ length: count }, (_, i) => ipText(view.getUint32(16 + 4 * i)));
    return { type: p[8], sources: sources.sort() };
  });
}

function query(
  group: string,
  code: number,
  sources: string[] = [],
  cut = 0,
  qrv = 2,
  qqic = 125,
): Uint8Array {
  const list = sources.map((s) => u32(ip(s)));
  const message = bytes(
    0x11,
    code,
    [0, 0],
    u32(ip(group)),
    [qrv, qqic],
    u16(sources.length),
    ...list,
  );
  const payload = message.slice(0, message.length - cut);
  payload.set(u16(checksum(payload)), 2);
  const packet = ip4({
    src: "10.0.0.254",
    dst: "224.0.0.1",
    proto: 2,
    ttl: 1,
    options: [148, 4, 0, 0],
    payload,
  });
  return ether("01:00:5e:00:00:01", PEER, 0x0800, packet);
}

/** Lets time pass in steps of 0.1 s; what was sent, and how many seconds later. */
function listen(host: Host, port: number, seconds: number): [number, Record3][] {
  const begin = host.now;
  const heard: [number, Record3][] = [];
  for (let i = 0; i < seconds * 10; i++) {
    host.advance(S / 10);
    for (const sent of reports(host, port)) heard.push([(host.now - begin) / S, sent]);
  }
  return heard;
}

Deno.test("igmp 3: joining tells of all sources, twice within a second; leaving of none", () => {
  const { host, port } = etherHost();
  const so = host.udp(7);
  assertEquals(set(host, so, IpOpt.ADD_MEMBERSHIP), 0);
  assertEquals(reports(host, port), [{ type: TO_EX, sources: [] }]);
  const later = listen(host, port, 20);
  assertEquals(later.map(([, r]) => r), [{ type: TO_EX, sources: [] }]);
  assertEquals(later[0][0] <= 1.1, true);
  assertEquals(set(host, so, IpOpt.DROP_MEMBERSHIP), 0);
  assertEquals(reports(host, port), [{ type: TO_IN, sources: [] }]);
  assertEquals(listen(host, port, 20), []);
});

Deno.test("igmp 3: changes of a list are told as such", () => {
  const { host, port } = etherHost();
  const so = host.udp(7);
  const [a, b] = SOURCES;
  assertEquals(set(host, so, IpOpt.ADD_SOURCE_MEMBERSHIP, a), 0);
  assertEquals(reports(host, port), [{ type: TO_IN, sources: [a] }]);
  listen(host, port, 2);
  assertEquals(set(host, so, IpOpt.ADD_SOURCE_MEMBERSHIP, b), 0);
  assertEquals(reports(host, port), [{ type: ALLOW, sources: [b] }]);
  assertEquals(listen(host, port, 2).map(([, r]) => r), [{ type: ALLOW, sources: [b] }]);
  assertEquals(set(host, so, IpOpt.DROP_SOURCE_MEMBERSHIP, a), 0);
  assertEquals(reports(host, port), [{ type: BLOCK, sources: [a] }]);
  assertEquals(set(host, so, IpOpt.ADD_SOURCE_MEMBERSHIP, a), 0);
  assertEquals(reports(host, port), [{ type: ALLOW, sources: [a] }]);
  assertEquals(set(host, so, IpOpt.ADD_SOURCE_MEMBERSHIP, SOURCES[2]), 0);
  assertEquals(reports(host, port), [{ type: TO_IN, sources: SOURCES }], "both changes");
  assertEquals(host.call.so_close(so), 0);
  assertEquals(reports(host, port), [{ type: TO_IN, sources: [] }]);
});

Deno.test("igmp 3: queries for all, a group, and sources of it", () => {
  const { host, port } = etherHost();
  const so = host.udp(7);
  const [a, b] = SOURCES;
  set(host, so, IpOpt.ADD_SOURCE_MEMBERSHIP, a);
  listen(host, port, 3);
  const answers = (frame: Uint8Array, fate = "IGMP_ACCEPTED") => {
    assertEquals(host.input(port, frame), [fate]);
    return listen(host, port, 15);
  };
  const state = { type: IS_IN, sources: [a] };
  for (const frame of [query("0.0.0.0", 50), query(GROUP, 50), query(GROUP, 50, [b, a])]) {
    const heard = answers(frame);
    assertEquals(heard.map(([, r]) => r), [state]);
    assertEquals(heard[0][0] <= 5.1, true);
  }
  assertEquals(answers(query("224.9.9.9", 50)), []);
  assertEquals(answers(query(GROUP, 50, [b])), [], "a source that nobody wants");
  assertEquals(answers(query(GROUP, 0x80)).length, 1, "12.8 seconds");
  assertEquals(answers(query(GROUP, 50, [], 2), "IGMP_INVALID"), [], "RFC 3376 7.1");
  assertEquals(answers(query(GROUP, 50, [a], 4), "IGMP_INVALID"), []);
});

/** A query of version 2, which is one of version 3 cut to eight bytes (RFC 3376 7.1). */
const query2 = () => query("0.0.0.0", 100, [], 4);

Deno.test("igmp 3: changes are told as often as the querier's Robustness Variable says", () => {
  const { host, port } = etherHost();
  const so = host.udp(7);
  for (const [qrv, times] of [[1, 1], [4, 4], [7, 7], [0, 2]]) {
    host.input(port, query("0.0.0.0", 10, [], 0, qrv));
    assertEquals(set(host, so, IpOpt.ADD_MEMBERSHIP), 0);
    const told = [[0, ...reports(host, port)], ...listen(host, port, 10)];
    assertEquals(told.map(([, r]) => r), Array(times).fill({ type: TO_EX, sources: [] }));
    const at = told.map(([seconds]) => seconds as number);
    assertEquals(at.every((t, i) => i === 0 || t - at[i - 1] <= 1.2), true, `${at}`);
    assertEquals(set(host, so, IpOpt.DROP_MEMBERSHIP), 0);
    assertEquals(reports(host, port), [{ type: TO_IN, sources: [] }]);
    assertEquals(listen(host, port, 10), []);
  }
});

Deno.test("igmp 3: an older querier counts as present for as long as RFC 3376 8.12 has it", () => {
  const { host, port } = etherHost();
  const so = host.udp(7);
  const isOlder = () => {
    set(host, so, IpOpt.ADD_MEMBERSHIP);
    const [frame] = host.output(port);
    set(host, so, IpOpt.DROP_MEMBERSHIP);
    host.output(port);
    return readIp4(readEther(frame).payload).payload[0] === 0x16;
  };
  // 3 times 20 seconds and the 5 of the response; a query for a group does not change them
  const queries = [query("0.0.0.0", 50, [], 0, 3, 20), query(GROUP, 10, [], 0, 3, 20)];
  for (const [before, seconds] of [[[], 260], [queries, 65]] as const) {
    for (const frame of before) assertEquals(host.input(port, frame), ["IGMP_ACCEPTED"]);
    assertEquals(host.input(port, query2()), ["IGMP_ACCEPTED"]);
    host.advance((seconds - 1) * S);
    assertEquals(isOlder(), true, `before ${seconds} s`);
    host.advance(2 * S);
    assertEquals(isOlder(), false, `after ${seconds} s`);
  }
});

/** The filter of a socket: undefined when it is no member. */
type Filter = { include: boolean; sources: Set<string> } | undefined;

/** What an option does to a filter, by RFC 3678 4.1; answers the result of the call. */
function model(filters: Filter[], who: number, name: number, source: string): number {
  const f = filters[who];
  switch (name) {
    case IpOpt.ADD_MEMBERSHIP:
      if (f) return -Errno.EADDRINUSE;
      filters[who] = { include: false, sources: new Set() };
      return 0;
    case IpOpt.DROP_MEMBERSHIP:
      if (!f) return -Errno.EADDRNOTAVAIL;
      filters[who] = undefined;
      return 0;
  }
  const include = name === IpOpt.ADD_SOURCE_MEMBERSHIP || name === IpOpt.DROP_SOURCE_MEMBERSHIP;
  if (!f) {
    if (name !== IpOpt.ADD_SOURCE_MEMBERSHIP) {
      return include ? -Errno.EADDRNOTAVAIL : -Errno.EINVAL;
    }
    filters[who] = { include: true, sources: new Set([source]) };
    return 0;
  }
  if (f.include !== include) return -Errno.EINVAL;
  const add = name === IpOpt.ADD_SOURCE_MEMBERSHIP || name === IpOpt.BLOCK_SOURCE;
  if (f.sources.has(source) === add) return -Errno.EADDRNOTAVAIL;
  if (add) f.sources.add(source);
  else f.sources.delete(source);
  if (include && f.sources.size === 0) filters[who] = undefined;
  return 0;
}

const takes = (f: Filter, source: string) => f !== undefined && f.sources.has(source) === f.include;

/** A router on the link that believes every record, as RFC 3376 6.4 has it for a single host. */
class Router {
  exclude = false;
  list = new Set<string>();

  hear({ type, sources }: Record3): void {
    if (type <= TO_EX) {
      this.exclude = type === TO_EX || type === IS_EX;
      this.list = new Set(sources);
      return;
    }
    for (const s of sources) {
      if ((type === ALLOW) !== this.exclude) this.list.add(s);
      else this.list.delete(s);
    }
  }

  forwards(source: string): boolean {
    return this.list.has(source) !== this.exclude;
  }
}

const NAMES = [
  IpOpt.ADD_MEMBERSHIP,
  IpOpt.DROP_MEMBERSHIP,
  IpOpt.ADD_SOURCE_MEMBERSHIP,
  IpOpt.DROP_SOURCE_MEMBERSHIP,
  IpOpt.BLOCK_SOURCE,
  IpOpt.UNBLOCK_SOURCE,
];

function arrive(host: Host, port: number, src: string, dport: number): boolean {
  const payload = udp(src, GROUP, 9, dport, bytes(1));
  const packet = ip4({ src, dst: GROUP, proto: 17, ttl: 1, payload });
  return host.input(port, ether(GROUP_MAC, PEER, 0x0800, packet))[0] === "UDP_DELIVERED";
}

Deno.test("source filters: errors, deliveries and what a router hears, by a plain model", () => {
  const step = fc.record({
    who: fc.nat(2),
    name: fc.constantFrom(...NAMES),
    source: fc.constantFrom(...SOURCES),
    wait: fc.constantFrom(0, 0, 0.3, 2),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const { host, port } = etherHost();
      const sockets = [7, 8, 9].map((p) => host.udp(p));
      const filters: Filter[] = [undefined, undefined, undefined];
      const router = new Router();
      for (const { who, name, source, wait } of steps) {
        const argument = name <= IpOpt.DROP_MEMBERSHIP ? undefined : source;
        const expected = model(filters, who, name, source);
        assertEquals(set(host, sockets[who], name, argument), expected);
        for (const r of reports(host, port)) router.hear(r);
        for (const [, r] of listen(host, port, wait)) router.hear(r);
        for (const s of [...SOURCES, "10.0.0.9"]) {
          assertEquals(router.forwards(s), filters.some((f) => takes(f, s)), `router, ${s}`);
          filters.forEach((f, i) => {
            assertEquals(arrive(host, port, s, 7 + i), takes(f, s), `socket ${i}, ${s}`);
          });
        }
      }
    }),
    { seed: 3376, numRuns: 100 },
  );
});
