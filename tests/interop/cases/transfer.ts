/** 100 MiB each way and in both roles, checked by hash; and iperf3 as another program's opinion. */

import { assert, assertEquals } from "@std/assert";
import { GODWIT, KERNEL } from "../kit/addresses.ts";
import type { Case, Group } from "../kit/case.ts";
import { contentHash, pieces } from "../kit/content.ts";
import type { Host } from "../kit/host.ts";
import { download, serveHttp, upload } from "../kit/http.ts";
import { serveIperf } from "../kit/iperf.ts";
import { attempt, Peer, run } from "../kit/kernel.ts";

const PORT = 8080;
const IPERF_PORT = 5201;
/** Less than a second; a time instead would fill the disk on a fast machine. */
const IPERF_BYTES = "16M";
const SECONDS = 90;

/** Serves one HTTP connection over the stack while `client` runs. */
async function whileServing({ stack }: Host, client: () => Promise<void>): Promise<void> {
  using listener = stack.listen({ port: PORT });
  const serving = (async () => {
    using conn = await listener.accept();
    await serveHttp(conn);
  })();
  await Promise.all([client(), serving]);
}

/** Runs `client` on a connection of the stack to the kernel's HTTP server. */
async function asClient(
  { stack }: Host,
  bytes: number,
  client: (conn: Awaited<ReturnType<Host["stack"]["connect"]>>) => Promise<string>,
): Promise<void> {
  await using _server = await Peer.start("http", String(PORT));
  using conn = await stack.connect({ hostname: KERNEL, port: PORT });
  assertEquals(await client(conn), contentHash(bytes));
}

/** An iperf3 run against a server on the stack; `reverse` for its data to us. */
function iperf(name: string, ...options: string[]): Case {
  return {
    name,
    run: async ({ stack }) => {
      using listener = stack.listen({ port: IPERF_PORT });
      const args = [
        "-c",
        GODWIT,
        "-p",
        String(IPERF_PORT),
        "-n",
        IPERF_BYTES,
        "--json",
        ...options,
      ];
      const [server, { code, stdout, stderr }] = await Promise.all([
        serveIperf(listener),
        attempt("iperf3", ...args),
      ]);
      assertEquals(code, 0, stdout + stderr);
      const { end } = JSON.parse(stdout);
      assert(end.sum_sent.bytes > 0 && end.sum_received.bytes > 0, stdout);
      assert(server.bytes > 0, "the server moved no bytes");
    },
  };
}

/** Content of so many MiB each way and in both roles, and iperf3. */
export function transfers(mib: number): Case[] {
  const bytes = mib * 2 ** 20;
  return [
    {
      name: `curl downloads ${mib} MiB from the stack`,
      seconds: SECONDS,
      run: (host) =>
        whileServing(host, async () => {
          const file = `${host.folder}/download`;
          const url = `http://${GODWIT}:${PORT}/content/${bytes}`;
          await run("curl", "--silent", "--show-error", "--fail", "-o", file, url);
          const [digest] = (await run("sha256sum", file)).split(" ");
          await Deno.remove(file);
          assertEquals(digest, contentHash(bytes));
        }),
    },
    {
      name: `curl uploads ${mib} MiB to the stack`,
      seconds: SECONDS,
      run: (host) =>
        whileServing(host, async () => {
          const path = `${host.folder}/upload`;
          using file = await Deno.create(path);
          for (const piece of pieces(bytes)) {
            for (let done = 0; done < piece.length;) {
              done += file.writeSync(piece.subarray(done));
            }
          }
          const url = `http://${GODWIT}:${PORT}/upload`;
          const digest = await run("curl", "--silent", "--show-error", "--fail", "-T", path, url);
          await Deno.remove(path);
          assertEquals(digest, contentHash(bytes));
        }),
    },
    {
      name: `the stack downloads ${mib} MiB from the kernel`,
      seconds: SECONDS,
      run: (host) => asClient(host, bytes, (conn) => download(conn, bytes)),
    },
    {
      name: `the stack uploads ${mib} MiB to the kernel`,
      seconds: SECONDS,
      run: (host) => asClient(host, bytes, (conn) => upload(conn, bytes)),
    },
    iperf("iperf3 sends to the stack"),
    iperf("iperf3 receives from the stack", "--reverse"),
    iperf("iperf3 sends to and receives from the stack, four streams", "--bidir", "-P", "2"),
  ];
}

/** The cases. */
export const group: Group = {
  name: "interop transfer",
  module: import.meta.url,
  tools: ["curl", "iperf3", "sha256sum"],
  cases: transfers(100),
};
