/** A Worker of shards.ts: accepts connections and closes them, or reads what they send. */

import { createStack } from "../../mod.ts";
import { shard } from "../../drivers/shards.ts";

const BUFFER_BYTES = 65536;

const { driver, ready } = await shard();
const stack = await createStack({
  interfaces: [{ driver, name: "eth0", addresses: ["10.1.0.2/24"] }],
});
const listener = stack.listen({ port: 80 });
ready();
for await (const conn of listener) {
  const buffer = new Uint8Array(BUFFER_BYTES);
  (async () => {
    while (await conn.read(buffer).catch(() => null) !== null);
    conn.close();
  })();
}
