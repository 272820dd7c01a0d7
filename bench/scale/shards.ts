/**
 * One address served by one, two or more stacks in Workers: connections and bytes a second. The
 * client and the device are in the main thread, which does as much as all the others together.
 *
 * ```
 *   deno run -A bench/scale/shards.ts [--shards 2] [--json]
 * ```
 *
 * @module
 */

import { Table } from "console-table-printer";
import { pipe } from "../../drivers/pipe.ts";
import { shards } from "../../drivers/shards.ts";
import { createStack, type Stack } from "../../mod.ts";

const CHILD = new URL("./shard_child.ts", import.meta.url);
const SERVER = { hostname: "10.1.0.2", port: 80 };
const AT_ONCE = 32;
const CONNECTIONS = 4000;
const BULK_BYTES = 512 * 2 ** 20;
const BULK_CONNECTIONS = 8;
const WRITE_BYTES = 2 ** 18;
const MTU = 1500;

/** What so many stacks did. */
interface Figures {
  readonly shards: number;
  /** Connections opened, closed by the client, and closed by the server. */
  readonly connections_per_s: number;
  /** Data to the server over several connections. */
  readonly Gbit_per_s: number;
}

async function connections(client: Stack): Promise<number> {
  let left = CONNECTIONS;
  const begin = performance.now();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    const buffer = new Uint8Array(1);
    while (left-- > 0) {
      const conn = await client.connect(SERVER);
      await conn.closeWrite();
      await conn.read(buffer);
      conn.close();
    }
  }));
  return CONNECTIONS * 1000 / (performance.now() - begin);
}

async function bulk(client: Stack): Promise<number> {
  const data = new Uint8Array(WRITE_BYTES);
  const each = BULK_BYTES / BULK_CONNECTIONS;
  const begin = performance.now();
  await Promise.all(Array.from({ length: BULK_CONNECTIONS }, async () => {
    const conn = await client.connect(SERVER);
    for (let sent = 0; sent < each; sent += WRITE_BYTES) await conn.write(data);
    await conn.closeWrite();
    await conn.read(new Uint8Array(1));
    conn.close();
  }));
  return BULK_BYTES * 8 / 1e6 / (performance.now() - begin);
}

/** Measures with so many stacks. */
export async function measure(count: number): Promise<Figures> {
  const [device, end] = pipe({ mtu: MTU });
  await using _all = await shards(device, { count, module: CHILD });
  await using client = await createStack({
    interfaces: [{ driver: end, name: "eth0", addresses: ["10.1.0.1/24"] }],
  });
  const connections_per_s = Math.round(await connections(client));
  const Gbit_per_s = Math.round(await bulk(client) * 100) / 100;
  return { shards: count, connections_per_s, Gbit_per_s };
}

if (import.meta.main) {
  const at = Deno.args.indexOf("--shards");
  const most = at < 0 ? 2 : Number(Deno.args[at + 1]);
  const found: Figures[] = [];
  for (let count = 1; count <= most; count *= 2) found.push(await measure(count));
  if (Deno.args.includes("--json")) console.log(JSON.stringify(found));
  else new Table({ rows: found }).printTable();
  Deno.exit();
}
