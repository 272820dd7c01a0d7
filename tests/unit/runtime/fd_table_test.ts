/** The table of descriptors: what is made when, and what numbers are none. */

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Errno } from "../../../assembly/abi/errno.ts";
import { Af, Sock } from "../../../assembly/abi/socket.ts";
import { SocketError } from "../../../mod.ts";
import { SeededEntropy } from "../../../runtime/entropy.ts";
import { Engine } from "../../../runtime/engine.ts";
import { FdTable } from "../../../runtime/socket/fd_table.ts";
import { Waits } from "../../../runtime/socket/waits.ts";

const FIRST = 3;

/** A table, and the addresses of sockets to put there. */
async function tableWith(sockets: number): Promise<{ table: FdTable; ptrs: number[] }> {
  const engine = await Engine.create({
    memory: { bytes: 32 * 2 ** 20, sockets: sockets + 1 },
    entropy: new SeededEntropy(1),
  });
  const table = new FdTable();
  const waits = new Waits(engine, (ptr) => table.byPtr(ptr));
  table.begin({ engine, table, waits, demand: () => false });
  const ptrs = Array.from({ length: sockets }, () => {
    const ptr = engine.calls.so_create(Af.INET, Sock.DGRAM, 0);
    assert(ptr > 0, `so_create: ${ptr}`);
    return ptr;
  });
  return { table, ptrs };
}

function errno(call: () => unknown): number {
  return assertThrows(call, SocketError).errno;
}

Deno.test("fd table: a descriptor has no object until somebody uses it", async () => {
  const { table, ptrs } = await tableWith(2100);
  const fds = ptrs.map((ptr) => table.add(ptr));
  assertEquals(fds, ptrs.map((_, i) => FIRST + i));
  assertEquals([...table.used()], []);
  assertEquals(table.byPtr(ptrs[7]), undefined);
  const so = table.get(fds[7], "test");
  assertEquals([so.ptr, so.fd], [ptrs[7], fds[7]]);
  assertStrictEquals(table.get(fds[7], "test"), so);
  assertStrictEquals(table.byPtr(ptrs[7]), so);
  const far = table.get(fds[2050], "test");
  assertEquals([...table.used()], [so, far]);
  assertEquals(table.open, ptrs.length);
});

Deno.test("fd table: what looks like a descriptor in its lower bits is none", async () => {
  const { table, ptrs } = await tableWith(3);
  for (const ptr of ptrs) table.add(ptr);
  table.get(4, "test");
  for (const fd of [-1, 4.5, 6, 1024, 2 ** 32 + 4, 2 ** 53, NaN, Infinity, "4" as never]) {
    assertEquals(errno(() => table.get(fd, "test")), Errno.EBADF, String(fd));
  }
  for (const fd of [0, 1, 2]) assertEquals(errno(() => table.get(fd, "test")), Errno.ENOTSOCK);
});

Deno.test("fd table: a descriptor that was freed is another socket's", async () => {
  const { table, ptrs: [one, two, three] } = await tableWith(3);
  table.add(one);
  table.add(two);
  const so = table.get(FIRST, "test");
  table.remove(so, false);
  so.fd = -1;
  assertEquals(errno(() => table.get(FIRST, "test")), Errno.EBADF);
  assertEquals(table.byPtr(one), undefined);
  assertEquals(table.add(three), FIRST);
  assertEquals(table.get(FIRST, "test").ptr, three);
});

Deno.test("fd table: one that lingers has no descriptor, and is found by its address", async () => {
  const { table, ptrs: [one, two] } = await tableWith(2);
  table.add(one);
  const so = table.get(FIRST, "test");
  table.remove(so, true);
  so.fd = -1;
  assertEquals(table.add(two), FIRST);
  assertStrictEquals(table.byPtr(one), so);
  assertEquals([...table.used()], [so]);
  table.lingered(so);
  assertEquals(table.byPtr(one), undefined);
});

Deno.test("fd table: those that nobody has used are taken, the lowest first", async () => {
  const { table, ptrs } = await tableWith(1500);
  for (const ptr of ptrs) table.add(ptr);
  const used = table.get(FIRST + 3, "test");
  assertEquals([...table.takeUnused()], ptrs.filter((ptr) => ptr !== used.ptr));
  assertEquals(table.open, 1);
  assertStrictEquals(table.get(FIRST + 3, "test"), used);
  assertEquals([...table.takeUnused()], []);
});

Deno.test("fd table: descriptors of a snapshot stand where they stood", async () => {
  const { table, ptrs: [one, two, three] } = await tableWith(3);
  table.put(one, 5);
  table.put(two, 5000);
  assertEquals(table.get(5000, "test").ptr, two);
  assertEquals(errno(() => table.get(2000, "test")), Errno.EBADF);
  assertEquals(table.add(three), FIRST);
  assertThrows(() => table.put(three, 4999), RangeError);
});
