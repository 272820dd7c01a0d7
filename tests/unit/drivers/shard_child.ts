/** A Worker of shards_test.ts: answers every connection with its own number. */

import { createStack } from "../../../mod.ts";
import { shard } from "../../../drivers/shards.ts";

const { index, driver, data, ready } = await shard();
if (data === "fail") throw new Error("as asked for");
const stack = await createStack({
  seed: index,
  interfaces: [{ name: "eth0", driver, addresses: ["10.1.0.2/24"] }],
});
const listener = stack.listen({ port: 80 });
ready();
for await (const conn of listener) {
  await conn.write(Uint8Array.of(index));
  conn.close();
}
