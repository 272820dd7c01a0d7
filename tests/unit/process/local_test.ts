/** Local sockets of programs in other threads, and descriptors that are handed to them. */

import { assertEquals } from "@std/assert";
import { Af, Sock } from "../../../assembly/abi/socket.ts";
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
  const receive = async () => {
    const message = { iov: [new Uint8Array(1)], control: [] as ControlMessage[] };
    await program.recvmsg(its, message);
    return rightsOf(message.control);
  };
  await send();
  const fds = await receive();
  assertEquals(fds, [its + 1, its + 2]);
  assertEquals((await program.getsockname(fds[1])).port, 9999);
  // no number is left: what comes is closed again
  await send();
  const open = sys.dup(udp);
  assertEquals(await receive(), []);
  assertEquals(sys.dup(udp), open + 1);
  await sys.close(udp);
  for (const fd of fds) await program.close(fd);
  assertEquals(await code(program.getsockname(fds[0])), "EBADF");
  assertEquals(
    await code(program.sendmsg(its, { iov: [], control: [rightsMessage([3])] })),
    "EINVAL",
  );
});
