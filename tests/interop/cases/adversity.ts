/** TCP with the kernel over a wire that loses, repeats, reorders and damages what it carries. */

import { assertEquals } from "@std/assert";
import type { FaultOptions } from "../../../drivers/fault.ts";
import { GODWIT, KERNEL } from "../kit/addresses.ts";
import type { Case, Group } from "../kit/case.ts";
import { contentHash } from "../kit/content.ts";
import { crowd, echoAll } from "../kit/crowd.ts";
import type { Host } from "../kit/host.ts";
import { download, serveHttp, upload } from "../kit/http.ts";
import { Peer } from "../kit/kernel.ts";

const PORT = 8080;
const BYTES = 4 * 2 ** 20;
const CONNECTIONS = 50;
const SECONDS = 90;

const BAD: FaultOptions = {
  loss: 0.01,
  duplicate: 0.01,
  reorder: 0.02,
  reorder_us: 2000,
  delay_us: 1000,
  jitter_us: 500,
};

/** The kernel's end is a client in this process, so that it is an ordinary `Deno.TcpConn`. */
async function served(
  { stack }: Host,
  client: (conn: Deno.TcpConn) => Promise<string>,
): Promise<void> {
  using listener = stack.listen({ port: PORT });
  const serving = (async () => {
    using conn = await listener.accept();
    await serveHttp(conn);
  })();
  const conn = await Deno.connect({ hostname: GODWIT, port: PORT });
  assertEquals(await client(conn), contentHash(BYTES));
  conn.close();
  await serving;
}

async function serving(
  { stack }: Host,
  client: (conn: Awaited<ReturnType<Host["stack"]["connect"]>>) => Promise<string>,
): Promise<void> {
  await using _server = await Peer.start("http", String(PORT));
  using conn = await stack.connect({ hostname: KERNEL, port: PORT });
  assertEquals(await client(conn), contentHash(BYTES));
}

const cases: Case[] = [
  {
    name: "the kernel downloads from the stack",
    seconds: SECONDS,
    run: (host) => served(host, (conn) => download(conn, BYTES)),
  },
  {
    name: "the kernel uploads to the stack",
    seconds: SECONDS,
    run: (host) => served(host, (conn) => upload(conn, BYTES)),
  },
  {
    name: "the stack downloads from the kernel",
    seconds: SECONDS,
    run: (host) => serving(host, (conn) => download(conn, BYTES)),
  },
  {
    name: "the stack uploads to the kernel",
    seconds: SECONDS,
    run: (host) => serving(host, (conn) => upload(conn, BYTES)),
  },
  {
    name: `${CONNECTIONS} connections at the same time`,
    seconds: SECONDS,
    run: async ({ stack }) => {
      using listener = stack.listen({ port: 7 });
      const echoing = echoAll(listener);
      await crowd(() => Deno.connect({ hostname: GODWIT, port: 7 }), CONNECTIONS, 20_000);
      listener.close();
      await echoing;
    },
  },
];

/** The cases. */
export const group: Group = {
  name: "interop on a bad wire",
  module: import.meta.url,
  // The capture sees what the stack sends before it is damaged, so tshark must still be content.
  faults: { seed: 4711, tx: { ...BAD, corrupt: 0.005 }, rx: BAD },
  cases,
  seen: [
    { name: "SACK blocks of the stack", filter: `tcp.options.sack_le && ip.src == ${GODWIT}` },
    { name: "SACK blocks of the kernel", filter: `tcp.options.sack_le && ip.src == ${KERNEL}` },
    {
      name: "retransmissions of the stack",
      filter: `tcp.analysis.retransmission && ip.src == ${GODWIT}`,
    },
  ],
};
