/** Handshakes that carry more: data with Fast Open (RFC 7413), a connection in a SYN cookie. */

import { assert, assertEquals } from "@std/assert";
import net from "node:net";
import { IpProto } from "../../../assembly/abi/proto.ts";
import { Af, Msg, Sock, TcpOpt } from "../../../assembly/abi/socket.ts";
import { Stat } from "../../../assembly/abi/stat.ts";
import type { TcpInfo } from "../../../runtime/socket/tcp_info.ts";
import { GODWIT, KERNEL } from "../kit/addresses.ts";
import type { Group } from "../kit/case.ts";
import { ownBytes, readToEnd } from "../kit/content.ts";
import type { Host } from "../kit/host.ts";
import { serveHttp } from "../kit/http.ts";
import { run, setSysctl } from "../kit/kernel.ts";

/** Clients and all listeners, without more ado. */
const EVERYWHERE = 0x403;
const CONTENT_BYTES = 300_000;
/** The bit of tcpi_options that says that the data of the SYN was taken. */
const SYN_DATA = 32;
const TIMES = 3;

/** The kernel's listeners take data from SYNs; the stack calls it. */
async function callsKernel({ stack, sys }: Host): Promise<void> {
  setSysctl("net.ipv4.tcp_fastopen", String(EVERYWHERE));
  stack.sysctl.set("net.ipv4.tcp_fastopen", EVERYWHERE);
  const server = net.createServer((socket) => socket.pipe(socket));
  await new Promise<void>((resolve) => server.listen(0, KERNEL, () => resolve()));
  const { port } = server.address() as net.AddressInfo;
  const taken: boolean[] = [];
  for (let i = 0; i < TIMES; i++) {
    const fd = sys.socket(Af.INET, Sock.STREAM);
    const sent = ownBytes(i, 4000);
    await sys.sendto(fd, sent, Msg.FASTOPEN, { address: KERNEL, port });
    const info = sys.getsockopt(fd, IpProto.TCP, TcpOpt.INFO) as TcpInfo;
    taken.push((info.options & SYN_DATA) !== 0);
    sys.shutdown(fd, 1);
    const stream = { read: (buffer: Uint8Array) => sys.recv(fd, buffer).then((n) => n || null) };
    assertEquals(await readToEnd(stream), sent);
    await sys.close(fd);
  }
  assertEquals(taken, [false, true, true]);
  server.close();
}

/** curl calls the stack and sends its request with the SYN. */
async function isCalledByKernel(host: Host): Promise<void> {
  const { stack } = host;
  setSysctl("net.ipv4.tcp_fastopen", String(EVERYWHERE));
  stack.sysctl.set("net.ipv4.tcp_fastopen", EVERYWHERE);
  const listener = stack.listen({ port: 0 });
  const serve = async () => {
    for (let i = 0; i < TIMES; i++) {
      using conn = await listener.accept();
      await serveHttp(conn);
    }
  };
  const served = serve();
  const url = `http://${GODWIT}:${listener.addr.port}/content/${CONTENT_BYTES}`;
  const [cookies, opened] = [Stat.TCP_FASTOPEN_COOKIES, Stat.TCP_FASTOPEN_PASSIVE].map((stat) =>
    host.counter(stat)
  );
  for (let i = 0; i < TIMES; i++) {
    await run(
      "curl",
      "--silent",
      "--show-error",
      "--fail",
      "--tcp-fastopen",
      "-o",
      "/dev/null",
      url,
    );
  }
  assertEquals(host.counter(Stat.TCP_FASTOPEN_COOKIES) - cookies, 1);
  assertEquals(host.counter(Stat.TCP_FASTOPEN_PASSIVE) - opened, TIMES - 1);
  await served;
  listener.close();
}

/** Every SYN is answered with a cookie; what the kernel asked for is agreed all the same. */
async function answersWithCookies(host: Host): Promise<void> {
  const { stack } = host;
  stack.sysctl.set("net.ipv4.tcp_syncookies", 2);
  stack.sysctl.set("net.ipv4.tcp_fastopen", 1);
  const listener = stack.listen({ port: 0 });
  const accepted = listener.accept();
  const { port } = listener.addr;
  const kernel = net.connect({ host: GODWIT, port });
  const conn = await accepted;
  const info = stack.sys.getsockopt(conn.fd, IpProto.TCP, TcpOpt.INFO) as TcpInfo;
  assertEquals(info.options & 7, 7, "timestamps, SACK and window scale");
  assert(info.snd_wscale > 0);
  const sent = ownBytes(9, CONTENT_BYTES);
  kernel.end(sent);
  assertEquals(await readToEnd(conn), sent);
  assertEquals(host.counter(Stat.TCP_SYNCOOKIES_TAKEN), 1);
  assertEquals(host.counter(Stat.TCP_SYNCOOKIES_BAD), 0);
  conn.close();
  listener.close();
  stack.sysctl.set("net.ipv4.tcp_syncookies", 1);
}

/** The cases. */
export const group: Group = {
  name: "interop handshakes",
  module: import.meta.url,
  tools: ["curl"],
  cases: [
    { name: "the stack sends data with its SYN, and the kernel takes it", run: callsKernel },
    { name: "curl sends its request with the SYN, and the stack takes it", run: isCalledByKernel },
    { name: "a connection made from a SYN cookie has all options", run: answersWithCookies },
  ],
  seen: [
    {
      name: "data in SYNs of the stack",
      filter: `tcp.flags == 2 && tcp.len > 0 && ip.src == ${GODWIT}`,
      atLeast: TIMES - 1,
    },
    {
      name: "data in SYNs of the kernel",
      filter: `tcp.flags == 2 && tcp.len > 0 && ip.src == ${KERNEL}`,
      atLeast: TIMES - 1,
    },
  ],
};
