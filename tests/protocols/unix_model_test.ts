/**
 * Calls on local sockets, chosen at random, on a stack and on a model of them: the same answers,
 * the same sockets left open, and in the end nothing is held. Now and then the stack goes on as
 * another one, made of its snapshot.
 */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Af, Sock } from "../../assembly/abi/socket.ts";
import { held, stack } from "./unix_kit.ts";
import { type Name, outcome, Pair, PATHS } from "./unix_pair.ts";

const SEED = 50_331;
const SCRIPTS = Number(Deno.env.get("UNIX_SCRIPTS") ?? 400);
const CALLS = 120;

/** How often each is called, beside the others. */
const WEIGHTS: Record<Name, number> = {
  socket: 3,
  pair: 4,
  server: 3,
  client: 4,
  bind: 2,
  listen: 2,
  connect: 5,
  accept: 5,
  send: 8,
  sendto: 3,
  pass: 6,
  recv: 5,
  take: 6,
  peek: 2,
  shutdown: 2,
  buffer: 1,
  dup: 1,
  close: 5,
  unlink: 2,
  names: 1,
  poll: 3,
  snapshot: 0.25,
};
const script = fc.array(
  fc.tuple(
    fc.oneof(
      ...Object.entries(WEIGHTS).map(([name, weight]) => ({
        arbitrary: fc.constant(name as Name),
        weight: weight * 4,
      })),
    ),
    fc.nat(999),
    fc.nat(999),
    fc.nat(999),
  ),
  { minLength: CALLS / 2, maxLength: CALLS },
);

Deno.test("unix: the same answers as the model", async () => {
  const worked = new Map<string, number>();
  const property = fc.asyncProperty(script, async (calls) => {
    const pair = new Pair(await stack({ memory: { bytes: 16 * 2 ** 20 } }), worked);
    pair.one.sys.nb.close(pair.one.sys.socket(Af.UNIX, Sock.DGRAM));
    const before = held(pair.one);
    try {
      for (const call of calls) {
        await pair.step(...call);
        pair.check();
      }
      for (const fd of pair.fds.keys()) pair.one.sys.nb.close(fd);
      for (const path of PATHS) outcome(() => pair.one.sys.unlink(path));
      assertEquals(held(pair.one), before);
    } finally {
      await pair.one.close();
    }
  });
  await fc.assert(property, { numRuns: SCRIPTS, seed: SEED, endOnFailure: true });
  const never = Object.keys(WEIGHTS).filter((name) => !worked.has(name));
  assertEquals(never, [], "never worked");
});
