/** Local sockets of programs in other threads, and descriptors that are handed to them. */

import { assertEquals } from "@std/assert";
import { Af, Msg, Sock } from "../../../assembly/abi/socket.ts";
import { type ControlMessage, rightsMessage, rightsOf } from "../../../mod.ts";
import { code, world } from "./kit.ts";

Deno.test("programs meet by the path of a local socket", async () => {
  await using w = await world();
  const [{ sys: one }, { sys: other }] = [await w.program(), await w.program()];
  const listener = await one.socket(Af.UNIX, Sock.STREAM);
  await one.bind(listener, { path: "\0meet" });
  await one.listen(listener);
  const fd = await other.socket(Af.UNIX, Sock.STREAM);
  await other.connect(fd, { path: "\0meet" });
  assertEquals((await other.getpeername(fd)).path, "\0meet");
  const { fd: end, address } = await one.accept(listener);
  assertEquals([address.family, address.path], [Af.UNIX, ""]);
  await other.send(fd, Uint8Array.of(1, 2));
  assertEquals(await one.recv(end, new Uint8Array(9)), 2);
  const again = await other.socket(Af.UNIX, Sock.STREAM);
  assertEquals(await code(other.bind(again, { path: "\0meet" })), "EADDRINUSE");
  assertEquals(await code(other.bind(again, { path: "x".repeat(150) })), "EINVAL");
});

Deno.test("a descriptor that comes to a program has a number of its own there", async () => {
  await using w = await world({ descriptors: 6 });
  const { sys: program } = await w.program();
  const { sys } = w.stack;
  const mine = sys.socket(Af.UNIX, Sock.DGRAM);
  const its = await program.socket(Af.UNIX, Sock.DGRAM);
  await program.bind(its, { path: "/its" });
  await sys.connect(mine, { path: "/its" });
  const udp = sys.socket(Af.INET, Sock.DGRAM);
  sys.bind(udp, { port: 9999 });
  const send = () =>
    sys.sendmsg(mine, { iov: [Uint8Array.of(1)], control: [rightsMessage([udp, udp])] });
  let cut = false;
  const receive = async () => {
    const message = { iov: [new Uint8Array(1)], control: [] as ControlMessage[], flags: 0 };
    await program.recvmsg(its, message);
    cut = (message.flags & Msg.CTRUNC) !== 0;
    return rightsOf(message.control);
  };
  await send();
  const fds = await receive();
  assertEquals([fds, cut], [[its + 1, its + 2], false]);
  assertEquals((await program.getsockname(fds[1])).port, 9999);
  // no number is left: what comes is closed again
  await send();
  const open = sys.dup(udp);
  assertEquals([await receive(), cut], [[], true]);
  assertEquals(sys.dup(udp), open + 1);
  await sys.close(udp);
  for (const fd of fds) await program.close(fd);
  assertEquals(await code(program.getsockname(fds[0])), "EBADF");
});

Deno.test("a program hands its own descriptors on, and no others", async () => {
  await using w = await world();
  const [{ sys: one }, { sys: other }] = [await w.program(), await w.program()];
  const theirs = await other.socket(Af.UNIX, Sock.DGRAM);
  await other.bind(theirs, { path: "/there" });
  const mine = await one.socket(Af.UNIX, Sock.DGRAM);
  await one.connect(mine, { path: "/there" });
  const udp = await one.socket(Af.INET, Sock.DGRAM);
  await one.bind(udp, { port: 700 });
  await one.sendmsg(mine, { iov: [Uint8Array.of(7)], control: [rightsMessage([udp])] });
  await one.close(udp);
  const message = { iov: [new Uint8Array(9)], control: [] as ControlMessage[] };
  assertEquals(await other.recvmsg(theirs, message), 1);
  const [came] = rightsOf(message.control);
  assertEquals((await other.getsockname(came)).port, 700);
  // a number that the stack knows and the program does not
  const stranger = w.stack.sys.socket(Af.INET, Sock.DGRAM);
  const sends = (fd: number) =>
    one.sendmsg(mine, { iov: [Uint8Array.of(7)], control: [rightsMessage([fd])] });
  assertEquals(await code(sends(stranger)), "EBADF");
});

Deno.test("a message that waits keeps its descriptors, whoever gets their numbers", async () => {
  await using w = await world();
  const { sys } = w.stack;
  const [a, b] = sys.socketpair(Af.UNIX, Sock.STREAM);
  const full = new Uint8Array(1 << 20);
  while (true) {
    if (sys.nb.send(a, full) < full.length) break;
  }
  const udp = sys.socket(Af.INET, Sock.DGRAM);
  sys.bind(udp, { port: 700 });
  const sent = sys.sendmsg(a, { iov: [Uint8Array.of(7)], control: [rightsMessage([udp])] });
  await sys.close(udp);
  const another = sys.socket(Af.INET, Sock.DGRAM);
  assertEquals(another, udp);
  const message = { iov: [full], control: [] as ControlMessage[] };
  while (rightsOf(message.control).length === 0) await sys.recvmsg(b, message);
  assertEquals(await sent, 1);
  const [came] = rightsOf(message.control);
  assertEquals(sys.getsockname(came).port, 700);
  await sys.close(came);
  // nobody has it any more
  sys.bind(another, { port: 700 });
});
