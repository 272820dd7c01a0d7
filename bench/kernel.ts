/**
 * The kernel's sockets through Deno, on the loopback interface: what this stack is compared with.
 *
 * @module
 */

/** A listener on a free port of 127.0.0.1. */
export function listenKernel(): { listener: Deno.TcpListener; port: number } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return { listener, port: listener.addr.port };
}

/** Both ends of a TCP connection over the kernel's loopback, without Nagle's algorithm. */
export async function connectKernel(): Promise<[Deno.TcpConn, Deno.TcpConn]> {
  const { listener, port } = listenKernel();
  const accepted = listener.accept();
  const left = await Deno.connect({ hostname: "127.0.0.1", port });
  const right = await accepted;
  listener.close();
  for (const conn of [left, right]) conn.setNoDelay(true);
  return [left, right];
}

/** Both ends of a connection over a socket file of the kernel. */
export async function connectKernelFile(): Promise<[Deno.Conn, Deno.Conn]> {
  const folder = await Deno.makeTempDir({ prefix: "godwit_bench_" });
  const path = `${folder}/socket`;
  using listener = Deno.listen({ transport: "unix", path });
  const accepted = listener.accept();
  const ends: [Deno.Conn, Deno.Conn] = [
    await Deno.connect({ transport: "unix", path }),
    await accepted,
  ];
  await Deno.remove(folder, { recursive: true });
  return ends;
}

/** Writes all of `data`. */
export async function writeAll(conn: Pick<Deno.Conn, "write">, data: Uint8Array): Promise<void> {
  for (let done = 0; done < data.length;) done += await conn.write(data.subarray(done));
}

/** A datagram socket on a free port of 127.0.0.1. */
export function datagramKernel(): { conn: Deno.DatagramConn; port: number } {
  if (typeof Deno.listenDatagram !== "function") {
    throw new Error("Deno hides its datagram sockets: run with --unstable-net, or the task bench");
  }
  const conn = Deno.listenDatagram({ hostname: "127.0.0.1", port: 0, transport: "udp" });
  return { conn, port: (conn.addr as Deno.NetAddr).port };
}
