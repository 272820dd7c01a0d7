/** What waits to be sent: MSG_MORE, messages of several pieces, TCP_NOTSENT_LOWAT. */

import { assert, assertEquals } from "@std/assert";
import { Sioc } from "../../../assembly/abi/ifnet.ts";
import { IpProto } from "../../../assembly/abi/proto.ts";
import { Af, Msg, Sock, TcpOpt } from "../../../assembly/abi/socket.ts";
import { type PollFd, POLLOUT } from "../../../runtime/socket/select.ts";
import type { Stack } from "../../../runtime/stack.ts";
import { createSim, type Sim } from "../../sim_pair.ts";

/** Descriptors of a client on the first stack and of its connection on the second. */
async function connected(sim: Sim): Promise<{ client: number; server: number }> {
  const [a, b] = sim.stacks;
  const listener = b.sys.socket(Af.INET, Sock.STREAM);
  b.sys.bind(listener, { port: 80 });
  b.sys.listen(listener);
  const client = a.sys.socket(Af.INET, Sock.STREAM);
  await sim.run(a.sys.connect(client, { address: "10.0.0.2", port: 80 }));
  const { fd } = await sim.run(b.sys.accept(listener));
  return { client, server: fd };
}

/** Data packets that a stack has sent so far on its first interface. */
function packets(stack: Stack): number {
  return stack.netstat().interfaces.find(({ name }) => name === "eth0")!.opackets;
}

Deno.test("MSG_MORE, and pieces of one message, share segments", async () => {
  await using sim = await createSim();
  const [a, b] = sim.stacks;
  const { client, server } = await connected(sim);
  a.sys.setsockopt(client, IpProto.TCP, TcpOpt.NODELAY, true);
  sim.settle();
  const before = packets(a);
  await a.sys.send(client, new Uint8Array(10), Msg.MORE);
  assertEquals(a.sys.ioctl(client, Sioc.OUTQNSD), 10);
  await a.sys.send(client, new Uint8Array(20));
  assertEquals(a.sys.ioctl(client, Sioc.OUTQNSD), 0);
  const iov = [1, 2, 3].map((length) => new Uint8Array(length));
  await a.sys.sendmsg(client, { iov });
  sim.settle();
  assertEquals(packets(a) - before, 2);
  assertEquals(b.sys.ioctl(server, Sioc.FIONREAD), 36);
});

Deno.test("TCP_NOTSENT_LOWAT: writes that wait, and poll, go by what is not sent", async () => {
  await using sim = await createSim({ delay_us: 10_000 });
  const [a, b] = sim.stacks;
  const { client, server } = await connected(sim);
  a.sys.setsockopt(client, IpProto.TCP, TcpOpt.NOTSENT_LOWAT, 4000);
  const data = new Uint8Array(400_000).fill(7);
  const sending = a.sys.send(client, data);
  assert(a.sys.ioctl(client, Sioc.OUTQNSD) < 70_000, "a chunk at most");
  const entry: PollFd = { fd: client, events: POLLOUT };
  assertEquals(a.sys.nb.poll([entry]), 0);
  const got = new Uint8Array(data.length);
  assertEquals(await sim.run(b.sys.recv(server, got, Msg.WAITALL)), data.length);
  assertEquals(await sim.run(sending), data.length);
  assert(got.every((byte) => byte === 7));
  assertEquals(a.sys.nb.poll([entry]), 1);
});

Deno.test("MSG_EOR ends a record at the end of the call, not of each piece", async () => {
  await using sim = await createSim({ delay_us: 10_000 });
  const [a] = sim.stacks;
  const { client } = await connected(sim);
  sim.settle();
  const before = packets(a);
  await a.sys.send(client, new Uint8Array(1)); // until it is acknowledged, short segments wait
  const message = (...lengths: number[]) => ({ iov: lengths.map((n) => new Uint8Array(n)) });
  await a.sys.sendmsg(client, message(1, 2), Msg.EOR);
  assertEquals(a.sys.ioctl(client, Sioc.OUTQNSD), 3);
  await a.sys.sendmsg(client, message(4, 5), Msg.EOR);
  assertEquals(a.sys.ioctl(client, Sioc.OUTQNSD), 9);
  await a.sys.send(client, new Uint8Array(10));
  assertEquals(a.sys.ioctl(client, Sioc.OUTQNSD), 10);
  sim.settle();
  assertEquals(packets(a) - before, 3); // the first byte and two records
});
