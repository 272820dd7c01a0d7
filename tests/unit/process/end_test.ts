/** What the end of a program is for others: for its peers, for the stack, for the host. */

import { assertEquals } from "@std/assert";
import { Af, Sock } from "../../../assembly/abi/socket.ts";
import type { StackClient } from "../../../runtime/process/client.ts";
import { code, until, type World, world } from "./kit.ts";

/** A connection between two programs; the second has sent a byte that the first did not read. */
async function joined(
  { sys: near }: StackClient,
  { sys: far }: StackClient,
  port: number,
): Promise<[near: number, far: number]> {
  const address = { address: "127.0.0.1", port };
  const listener = await near.socket(Af.INET, Sock.STREAM);
  await near.bind(listener, address);
  await near.listen(listener);
  const fd = await far.socket(Af.INET, Sock.STREAM);
  await far.connect(fd, address);
  const accepted = await near.accept(listener);
  await near.close(listener);
  await far.send(fd, Uint8Array.of(1));
  return [accepted.fd, fd];
}

interface LockInfo {
  readonly name: string;
  readonly clientId?: string;
}

/** What is used of the host's locks. */
interface Locks {
  query(): Promise<{ held: LockInfo[]; pending: LockInfo[] }>;
  request<T>(name: string, held: (lock: LockInfo) => Promise<T>): Promise<T>;
}

/** Names of all locks that this thread holds or wants. */
async function locks(): Promise<string[]> {
  const { locks } = navigator as unknown as { locks: Locks };
  const { held, pending } = await locks.query();
  const all = [...held, ...pending].filter(({ name }) => name.startsWith("godwit/"));
  // tests in other threads have theirs
  const us = await locks.request(`who/${crypto.randomUUID()}`, async ({ name }) => {
    return (await locks.query()).held.find((one) => one.name === name)?.clientId;
  });
  return all.filter(({ clientId }) => clientId === us).map(({ name }) => name);
}

async function gone({ server }: World, clients: number): Promise<void> {
  await until(() => server.stats.clients === clients);
}

Deno.test("the end of a program is for its peers what that of a process is", async () => {
  await using here = await world();
  const other = await here.program();
  const room = new Uint8Array(10);
  // All was read: what it has sent comes, then the end of the stream.
  const first = await here.program();
  const [near, far] = await joined(first, other, 80);
  assertEquals(await first.sys.recv(near, room), 1);
  await first.sys.send(near, Uint8Array.of(7, 8));
  first.close();
  await gone(here, 1);
  assertEquals(await other.sys.recv(far, room), 2);
  assertEquals(await other.sys.recv(far, room), 0);
  // Something was not read: the connection is reset (RFC 1122 4.2.2.13).
  const second = await here.program();
  const [, reset] = await joined(second, other, 81);
  const waiting = code(other.sys.recv(reset, room));
  second.close();
  await gone(here, 1);
  assertEquals(await waiting, "ECONNRESET");
  assertEquals([here.server.stats.closed, here.server.stats.died], [2, 0]);
});

Deno.test("a connection that nobody has accepted goes with its listener's program", async () => {
  await using here = await world();
  const [listening, other] = [await here.program(), await here.program()];
  const address = { address: "127.0.0.1", port: 90 };
  const listener = await listening.sys.socket(Af.INET, Sock.STREAM);
  await listening.sys.bind(listener, address);
  await listening.sys.listen(listener);
  const fd = await other.sys.socket(Af.INET, Sock.STREAM);
  await other.sys.connect(fd, address);
  const waiting = code(other.sys.recv(fd, new Uint8Array(1)));
  here.server.drop(here.server.clients[0].id);
  assertEquals(await waiting, "ECONNRESET");
  await other.sys.close(fd);
  const again = await other.sys.socket(Af.INET, Sock.STREAM);
  assertEquals(await code(other.sys.connect(again, address)), "ECONNREFUSED");
});

Deno.test("programs that come and go leave nothing behind", async () => {
  await using here = await world({ arenaBytes: 1 << 18, clients: 2 });
  const before = await locks();
  for (let i = 0; i < 200; i++) {
    using program = await here.program();
    const fd = await program.sys.socket(Af.INET, Sock.DGRAM);
    const waiting = code(program.sys.recv(fd, new Uint8Array(1)));
    await program.sys.gethostname();
    program.close();
    assertEquals(await waiting, "ENETDOWN");
    await gone(here, 0);
  }
  assertEquals(here.stack.netstat().sockets, []);
  const { calls, ...rest } = here.server.stats;
  assertEquals(rest, { clients: 0, faults: 0, closed: 200, died: 0, dropped: 0, hostile: 0 });
  assertEquals(calls >= 600, true);
  for (let i = 0; i < 100 && (await locks()).length > before.length; i++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assertEquals(await locks(), before);
});
