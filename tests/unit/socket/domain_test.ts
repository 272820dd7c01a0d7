/** The protocol switch: domains and rows that come and go. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { Errno } from "../../../assembly/abi/errno.ts";
import { HostKind } from "../../../assembly/abi/module.ts";
import { Fate } from "../../../assembly/abi/fate.ts";
import { IpProto, Pr, Prc } from "../../../assembly/abi/proto.ts";
import { Af, Sock } from "../../../assembly/abi/socket.ts";
import * as layout from "../../../runtime/wasm/layout.gen.ts";
import { Kernel } from "./kernel.ts";

const FAMILY = 30;
const PROTOCOL = 77;

Deno.test("a family can be added once, and taken away while nobody uses it", async () => {
  const k = await Kernel.boot();
  assertEquals(k.call("so_create", FAMILY, Sock.STREAM, 0), -Errno.EPFNOSUPPORT);
  assertEquals(k.call("probe_dom_add", FAMILY), 0);
  assertEquals(k.call("probe_dom_add", FAMILY), -Errno.EEXIST);
  assertEquals(k.call("probe_dom_add", Af.UNSPEC), -Errno.EINVAL);
  assertEquals(k.call("so_create", FAMILY, Sock.STREAM, 0), -Errno.ESOCKTNOSUPPORT);
  const row = k.call("probe_dom_add_row", FAMILY, Sock.STREAM, PROTOCOL, Pr.CONNREQUIRED);
  k.call("probe_row_recorded", row);
  const so = k.call("so_create", FAMILY, Sock.STREAM, 0);
  assert(so > 0);
  assertEquals(k.call("probe_row_sockets", row), 1);
  assertEquals(k.call("probe_dom_del", FAMILY), -Errno.EBUSY);
  assertEquals(k.call("probe_dom_del_row", row), -Errno.EBUSY);
  assertEquals(k.call("so_close", so), 0);
  assertEquals(k.call("probe_row_sockets", row), 0);
  assertEquals(k.call("probe_dom_del", FAMILY), 0);
  assertEquals(k.call("probe_dom_del", FAMILY), -Errno.ENOENT);
  assertEquals(k.call("so_create", FAMILY, Sock.STREAM, 0), -Errno.EPFNOSUPPORT);
});

Deno.test("rows: no duplicates, no contradicting flags, none without a domain", async () => {
  const k = await Kernel.boot();
  const add = (family: number, flags: number, protocol = PROTOCOL) =>
    k.call("probe_dom_add_row", family, Sock.DGRAM, protocol, flags);
  assertEquals(add(FAMILY, 0), 0);
  assertEquals(add(Af.INET, Pr.ADDR), 0);
  assertEquals(add(Af.INET, Pr.ATOMIC | Pr.ADDR | Pr.CONNREQUIRED), 0);
  assertNotEquals(add(Af.INET, Pr.ATOMIC | Pr.ADDR), 0);
  assertEquals(add(Af.INET, Pr.ATOMIC | Pr.ADDR), 0);
});

Deno.test("find: the exact pair, else the raw wildcard, if it has user requests", async () => {
  const k = await Kernel.boot();
  const find = (protocol: number, type: number) =>
    k.call("probe_dom_find", Af.INET, protocol, type);
  const tcp = find(IpProto.TCP, Sock.STREAM);
  assert(tcp);
  assertEquals(k.view.getUint16(tcp + layout.Protosw.protocol, true), IpProto.TCP);
  assertEquals(find(IpProto.TCP, Sock.DGRAM), 0);
  const wildcard = find(PROTOCOL, Sock.RAW);
  assertEquals(k.view.getUint16(wildcard + layout.Protosw.protocol, true), 0);
  assertNotEquals(find(IpProto.RAW, Sock.RAW), wildcard);
  const row = k.call("probe_dom_add_row", Af.INET, Sock.RAW, PROTOCOL, Pr.ATOMIC | Pr.ADDR);
  assertEquals(find(PROTOCOL, Sock.RAW), wildcard);
  k.call("probe_row_recorded", row);
  assertEquals(find(PROTOCOL, Sock.RAW), row);
  assertEquals(k.call("probe_dom_del_row", row), 0);
  assertEquals(find(PROTOCOL, Sock.RAW), wildcard);
});

Deno.test("input rows are found once they have the entry, until they are deleted", async () => {
  const k = await Kernel.boot();
  assertEquals(k.call("probe_dom_input_row", PROTOCOL), 0);
  const row = k.call("probe_dom_add_row", Af.INET, 0, PROTOCOL, 0);
  assertEquals(k.call("probe_dom_input_row", PROTOCOL), 0);
  const entry = k.call("probe_host_input_index");
  k.view.setUint32(row + layout.Protosw.input, entry, true);
  assertEquals(k.call("probe_dom_input_row", PROTOCOL), row);
  assertEquals(k.call("probe_dom_del_row", row), 0);
  assertEquals(k.call("probe_dom_input_row", PROTOCOL), 0);
});

Deno.test("control input reaches every row that has the entry", async () => {
  const k = await Kernel.boot();
  for (const [family, type] of [[FAMILY, Sock.STREAM], [FAMILY, Sock.DGRAM], [31, Sock.RAW]]) {
    k.call("probe_dom_add", family);
    k.call("probe_row_recorded", k.call("probe_dom_add_row", family, type, PROTOCOL, 0));
  }
  k.call("probe_dom_ctlinput", Prc.IFDOWN);
  assertEquals(k.call("probe_seen", 31), 3);
});

Deno.test("packets for protocols of the runtime wait in a bounded queue, in order", async () => {
  const k = await Kernel.boot({ host_queue: 4 });
  const row = k.call("probe_dom_add_row", Af.INET, 0, PROTOCOL, 0);
  k.view.setUint32(row + layout.Protosw.input, k.call("probe_host_input_index"), true);
  const before = k.mbufs();
  const sent: number[] = [];
  for (let i = 0; i < 6; i++) {
    const m = k.call("probe_chain", k.engine.staging, 40, 40);
    sent.push(m);
    k.call("probe_stat_clear_fate");
    k.call("probe_row_input", row, m, 20 + i);
    const fate = i < 4 ? Fate.HOST_PROTOCOL : Fate.HOST_QUEUE_FULL;
    assertEquals(k.call("last_fate"), fate);
  }
  const { HostQueue } = layout;
  const queue = k.call("host_queue");
  const word = (offset: number) => k.view.getUint32(queue + offset, true);
  assertEquals(word(HostQueue.tail) - word(HostQueue.head), 4);
  assertEquals(k.mbufs(), before + 4);
  for (let i = 0; i < 4; i++) {
    const at = word(HostQueue.ring) + i * 16;
    assertEquals(k.view.getUint32(at, true), sent[i]);
    assertEquals(k.view.getUint32(at + 4, true), 20 + i);
    assertEquals(k.view.getUint32(at + 12, true), HostKind.PACKET);
    k.call("probe_mbuf_freem", sent[i]);
  }
  k.view.setUint32(queue + HostQueue.head, word(HostQueue.tail), true);
  assertEquals(k.mbufs(), before);
});
