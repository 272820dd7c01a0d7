/** A stack in a Worker, for worker_test.ts: answers each message with a ring. */

import { serveSyscalls } from "../../../runtime/process/server.ts";
import { createStack } from "../../../runtime/stack.ts";

const self = globalThis as unknown as Pick<Worker, "postMessage"> & { onmessage: () => void };
const server = serveSyscalls(await createStack({ memory: { bytes: 16 * 2 ** 20 } }));
self.onmessage = async () => self.postMessage(await server.open());
self.postMessage("ready");
