/** Data in pieces, urgent data, files. */

import { assert, assertEquals } from "@std/assert";
import { Sioc } from "../../../assembly/abi/ifnet.ts";
import { IpProto } from "../../../assembly/abi/proto.ts";
import { Af, IpOpt, Msg, So, Sock, Sol, TcpOpt } from "../../../assembly/abi/socket.ts";
import type { RecvHeader } from "../../../runtime/socket/message.ts";
import { createSim } from "../../sim_pair.ts";
import { code, manual, pair, settle } from "./manual_stack.ts";

Deno.test("a message is gathered from pieces and scattered into others", async () => {
  await using stack = await manual();
  const { sys } = stack;
  const [from, to] = [sys.socket(Af.INET, Sock.DGRAM), sys.socket(Af.INET, Sock.DGRAM)];
  sys.bind(to, { port: 9 });
  sys.setsockopt(to, IpProto.IP, IpOpt.RECVDSTADDR, true);
  const name = { address: "127.0.0.1", port: 9 };
  const iov = [Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(3, 4, 5, 6)];
  assertEquals(sys.nb.sendmsg(from, { name, iov }), 6);
  assertEquals(await sys.sendmsg(from, { name, iov: [new Uint8Array(300).fill(7)] }), 300);
  settle(stack);
  assertEquals(sys.ioctl(to, Sioc.FIONREAD), 6);
  const [head, tail] = [new Uint8Array(1), new Uint8Array(3)];
  const header: RecvHeader = { iov: [head, tail] };
  assertEquals(sys.nb.recvmsg(to, header, Msg.PEEK), 4);
  assertEquals([[...head], [...tail]], [[1], [2, 3, 4]]);
  assertEquals([header.flags, header.length], [Msg.TRUNC, 6]);
  assertEquals(await sys.recvmsg(to, { iov: [new Uint8Array(4), new Uint8Array(4)] }), 6);
  assertEquals(sys.nb.recvmsg(to, header), 4);
  assertEquals(header.name, { ...sys.getsockname(from), address: "127.0.0.1" });
  assertEquals(header.length, 300);
  assertEquals(header.control, [
    { level: IpProto.IP, type: IpOpt.RECVDSTADDR, data: Uint8Array.of(127, 0, 0, 1) },
  ]);
  assertEquals(code(() => sys.nb.recvmsg(to, header)), "EAGAIN");
  assertEquals(
    code(() => sys.nb.sendmsg(from, { name, iov: [new Uint8Array(70_000)] })),
    "EMSGSIZE",
  );
  const control = [{ level: IpProto.IP, type: 1, data: new Uint8Array(4) }];
  assertEquals(code(() => sys.nb.sendmsg(from, { name, iov, control })), "EINVAL");
});

Deno.test("recvmsg tells when a message came in, once SO_TIMESTAMPNS is set", async () => {
  await using sim = await createSim({ delay_us: 70 });
  const [a, b] = sim.stacks;
  const [from, to] = [a.sys.socket(Af.INET, Sock.DGRAM), b.sys.socket(Af.INET, Sock.DGRAM)];
  b.sys.bind(to, { port: 9 });
  const name = { address: "10.0.0.2", port: 9 };
  const receive = async () => {
    await a.sys.sendto(from, new Uint8Array(1), 0, name);
    const header: RecvHeader = { iov: [new Uint8Array(1)] };
    await sim.run(b.sys.recvmsg(to, header));
    return header.timestamp_us;
  };
  assertEquals(await receive(), undefined);
  b.sys.setsockopt(to, Sol.SOCKET, So.TIMESTAMPNS, true);
  const sent_us = sim.clock.now_us();
  assertEquals(await receive(), sent_us + 70);
});

Deno.test("a stream is gathered and scattered too, in pieces of any size", async () => {
  await using sim = await createSim();
  const { sys } = sim.stacks[0];
  const [client, server] = pair(sim.stacks[0]);
  const iov = [70_000, 0, 3, 200_000].map((length, i) => new Uint8Array(length).fill(i + 1));
  const sending = sys.sendmsg(client, { iov });
  const got = new Uint8Array(270_003);
  assertEquals(await sim.run(sys.recv(server, got, Msg.WAITALL)), got.length);
  assertEquals(await sending, got.length);
  assertEquals([got[0], got[69_999], got[70_000], got[70_003], got[270_002]], [1, 1, 3, 4, 4]);
  await sys.send(server, Uint8Array.of(1, 2, 3));
  sim.settle();
  const header: RecvHeader = { iov: [new Uint8Array(2), new Uint8Array(2)] };
  assertEquals(sys.nb.recvmsg(client, header), 3);
  assertEquals(header.iov.map((piece) => [...piece]), [[1, 2], [3, 0]]);
});

Deno.test("urgent data: marked, taken apart, or left in line", async () => {
  await using stack = await manual();
  const { sys } = stack;
  const [client, server] = pair(stack);
  sys.setsockopt(client, IpProto.TCP, TcpOpt.NODELAY, true);
  sys.nb.send(client, Uint8Array.of(1, 2));
  sys.nb.send(client, Uint8Array.of(9), Msg.OOB);
  sys.nb.send(client, Uint8Array.of(3));
  settle(stack);
  const buffer = new Uint8Array(10);
  assertEquals(sys.ioctl(server, Sioc.ATMARK), 0);
  assertEquals(sys.nb.recv(server, buffer), 2, "a read stops at the mark");
  assertEquals(sys.ioctl(server, Sioc.ATMARK), 1);
  assertEquals(sys.nb.recv(server, buffer, Msg.OOB), 1);
  assertEquals(buffer[0], 9);
  assertEquals(code(() => sys.nb.recv(server, buffer, Msg.OOB)), "EINVAL");
  assertEquals(sys.nb.recv(server, buffer), 1);
  assertEquals([buffer[0], sys.ioctl(server, Sioc.ATMARK)], [3, 0]);
});

Deno.test("send_file sends a header, part of a file and a trailer", async () => {
  await using sim = await createSim();
  const { sys } = sim.stacks[0];
  const [client, server] = pair(sim.stacks[0]);
  const content = Uint8Array.from({ length: 200_000 }, (_, i) => i);
  let at = 0;
  const file = {
    // deno-lint-ignore require-await
    read: async (buffer: Uint8Array) => {
      const part = content.subarray(at, at + Math.min(buffer.length, 50_000));
      buffer.set(part);
      at += part.length;
      return part.length === 0 ? null : part.length;
    },
  };
  const header = Uint8Array.of(1, 2);
  const trailer = Uint8Array.of(3);
  const sending = sys.send_file(client, { header, file, file_bytes: 120_000, trailer });
  const got = new Uint8Array(120_003);
  assertEquals(await sim.run(sys.recv(server, got, Msg.WAITALL)), got.length);
  assertEquals(await sim.run(sending), got.length);
  assertEquals([got[0], got[1], got[120_002]], [1, 2, 3]);
  assert(got.subarray(2, 120_002).every((byte, i) => byte === content[i]));
  assertEquals(await sys.send_file(client, { file }), 80_000, "from where the file stands");
});

Deno.test("MSG_WAITALL fills pieces and buffers to the end, in all calls", async () => {
  await using sim = await createSim({ delay_us: 1000 });
  const [a, b] = sim.stacks;
  using listener = b.listen({ port: 80 });
  using client = await sim.run(a.connect({ hostname: "10.0.0.2", port: 80 }));
  using server = await sim.run(listener.accept());
  const parts = [Uint8Array.of(1, 2, 3, 4), Uint8Array.of(5), Uint8Array.of(6, 7, 8)];
  const send = async () => {
    for (const part of parts) {
      await client.write(part);
      sim.advance(1_000_000);
    }
  };
  const [head, tail] = [new Uint8Array(3), new Uint8Array(5)];
  const header: RecvHeader = { iov: [head, tail] };
  const gathering = b.sys.recvmsg(server.fd, header, Msg.WAITALL);
  await send();
  assertEquals(await gathering, 8);
  assertEquals([[...head], [...tail]], [[1, 2, 3], [4, 5, 6, 7, 8]]);
  const buffer = new Uint8Array(10);
  const filling = b.sys.recvfrom(server.fd, buffer, Msg.WAITALL);
  await send();
  await client.closeWrite();
  assertEquals((await sim.run(filling)).length, 8, "less at the end of the stream");
  assertEquals([...buffer], [1, 2, 3, 4, 5, 6, 7, 8, 0, 0]);
  assertEquals(await b.sys.recvmsg(server.fd, header, Msg.WAITALL), 0);
  assertEquals(await b.sys.recv(server.fd, new Uint8Array(0), Msg.WAITALL), 0);
});

Deno.test("data that is moved away or cut while its send waits is EFAULT", async () => {
  const cuts = [(data: ArrayBuffer) => data.transfer(), (data: ArrayBuffer) => data.resize(9)];
  for (const cut of cuts) {
    await using sim = await createSim({ delay_us: 1000 });
    const [a, b] = sim.stacks;
    using listener = b.listen({ port: 80 });
    using client = await sim.run(a.connect({ hostname: "10.0.0.2", port: 80 }));
    using server = await sim.run(listener.accept());
    const length = 2_000_000;
    const data = new Uint8Array(new ArrayBuffer(length, { maxByteLength: length })).fill(7);
    const sending = a.sys.send(client.fd, data);
    cut(data.buffer);
    let received = 0;
    const reading = (async () => {
      for await (const chunk of server.readable) {
        received += chunk.length;
        assert(chunk.every((byte) => byte === 7));
      }
    })();
    const sent = await sim.run(sending);
    assert(sent < length);
    assertEquals(code(() => a.sys.nb.send(client.fd, Uint8Array.of(1))), "EFAULT");
    await client.closeWrite();
    await sim.run(reading);
    assertEquals(received, sent);
  }
});
