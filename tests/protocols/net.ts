/** Stacks on a virtual wire for tests of tunnels, and what is sent through these. */
import { assertEquals } from "@std/assert";
import type { Stack } from "../../mod.ts";
import type { ProtocolModule } from "../../runtime/protocol/public.ts";
import { ownBytes, readToEnd, writeAll } from "../interop/kit/content.ts";
import { holdings } from "../unit/protocol/net.ts";
import type { Sim } from "../sim_pair.ts";
import type { WireFrame } from "../sim_wire.ts";

/** Loads a protocol into one stack of a simulation and answers it. */
export async function load<P extends ProtocolModule>(sim: Sim, stack: Stack, p: P): Promise<P> {
  await sim.run(stack.protocols.load(p));
  return p;
}

/** Sends `bytes` over TCP to an address of another stack, and the same back; checks both. */
export async function transfer(
  sim: Sim,
  from: Stack,
  to: Stack,
  hostname: string,
  bytes: number,
): Promise<void> {
  const content = ownBytes(7, bytes);
  using listener = to.listen({ port: 9000 });
  const serving = (async () => {
    using conn = await listener.accept();
    const got = await readToEnd(conn);
    await writeAll(conn, got);
    await conn.closeWrite();
    await readToEnd(conn);
  })();
  const asking = (async () => {
    using conn = await from.connect({ hostname, port: 9000 });
    const answer = readToEnd(conn);
    await writeAll(conn, content);
    await conn.closeWrite();
    return await answer;
  })();
  const [answer] = await sim.run(Promise.all([asking, serving]));
  assertEquals(answer.length, content.length);
  assertEquals(answer.every((byte, i) => byte === content[i]), true);
}

/** Frames of the wire that are IPv4 with a protocol number. */
export function ipFrames(frames: readonly WireFrame[], protocol: number): DataView[] {
  return frames.map(({ bytes }) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length))
    .filter((view) => view.getUint16(12) === 0x0800 && view.getUint8(23) === protocol);
}

/** What a stack holds, without what changes with its neighbours and the table of sockets. */
export function held(stack: Stack): Record<string, number> {
  const { sockets: _sockets, mbufs: _mbufs, ...rest } = holdings(stack);
  return rest;
}

/** Mbufs in use. */
export function mbufsOf(stack: Stack): number {
  return holdings(stack).mbufs;
}
