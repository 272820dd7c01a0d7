/** A ring that is written over by another thread at the very moment when it is read. */

import { assert, assertEquals } from "@std/assert";
import { Af, Sock } from "../../../assembly/abi/socket.ts";
import { endRing, Op } from "../../../runtime/process/ring.ts";
import { until, works, world } from "./kit.ts";
import { Wild } from "./wild.ts";

const RINGS = 8;
const CALLS = 32;
const OPS = [Op.SOCKET, Op.BIND, Op.SENDTO, Op.RECV, Op.RECVMSG, Op.GETSOCKOPT, Op.SETSOCKOPT];
const MORE_OPS = [Op.IOCTL, Op.POLL, Op.SELECT, Op.GETSOCKOPT_BYTES, Op.CLOSE, Op.CONNECT];
const LOCAL_OPS = [Op.SENDMSG, Op.SOCKETPAIR, Op.DUP, Op.UNLINK];

/** The next message of a Worker. */
function heard(worker: Worker): Promise<string> {
  return new Promise((resolve) => worker.onmessage = ({ data }) => resolve(data));
}

Deno.test("what changes while it is read harms neither the stack nor other programs", async () => {
  await using here = await world({ calls: CALLS, clients: RINGS + 1 });
  const good = await here.program();
  const open = () => here.stack.netstat().sockets.length;
  const before = open();
  const child = new URL("./scribbler_child.ts", import.meta.url);
  for (let seed = 1; seed <= RINGS; seed++) {
    const wild = new Wild(await here.ring());
    const release = await wild.appear();
    await wild.call(Op.SOCKET, [0, Af.INET, 0, 0, 0, Sock.DGRAM, 0]);
    const scribbler = new Worker(child, { type: "module" });
    const stop = new Int32Array(new SharedArrayBuffer(4));
    scribbler.postMessage({ handle: wild.handle, stop, seed });
    assertEquals(await heard(scribbler), "begun");
    const calls = here.server.stats.calls;
    for (let slot = 2; slot < CALLS; slot++) {
      const ops = [...OPS, ...MORE_OPS, ...LOCAL_OPS];
      wild.fill(slot, ops[(slot + seed) % ops.length], [3, 2, 9, 1, 0, 2, 0], 64 * slot, 64);
      wild.push(slot);
      if (slot % 4 === 0) await works(good);
    }
    await until(() => here.server.stats.calls > calls);
    Atomics.store(stop, 0, 1);
    assertEquals(await heard(scribbler), "ended");
    scribbler.terminate();
    endRing(wild.handle);
    await until(() => here.server.stats.clients === 1);
    await release();
    assertEquals(open(), before);
  }
  await works(good);
  const { hostile, faults, closed } = here.server.stats;
  assertEquals([hostile, closed], [0, RINGS]);
  assert(faults > 0);
});
