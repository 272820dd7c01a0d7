/** Data through rings: long, much at once, more than there is room for. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Af, Msg, So, Sock, Sol } from "../../../assembly/abi/socket.ts";
import { Arena } from "../../../runtime/process/arena.ts";
import { CodecError, decode, encode, type Value } from "../../../runtime/process/codec.ts";
import type { StackClient } from "../../../runtime/process/client.ts";
import { AREA_BYTES } from "../../../runtime/process/ring.ts";
import { code, until, world } from "./kit.ts";

const SEED = 0x70726f63;

/** Two ends of a connection, of one program. */
async function pair({ sys }: StackClient, port = 80): Promise<[number, number]> {
  const listener = await sys.socket(Af.INET, Sock.STREAM);
  await sys.bind(listener, { port });
  await sys.listen(listener);
  const here = await sys.socket(Af.INET, Sock.STREAM);
  await sys.connect(here, { address: "127.0.0.1", port });
  const { fd } = await sys.accept(listener);
  await sys.close(listener);
  return [here, fd];
}

function pattern(length: number, from = 0): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (from + i * 7 + (i >> 8)) & 255);
}

Deno.test("arena: parts never overlap, and all come back together", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(9000), fc.boolean()), { maxLength: 200 }), (steps) => {
      const arena = new Arena(128, 64 * 1024);
      const held: [at: number, bytes: number][] = [];
      for (const [size, frees] of steps) {
        if (frees && held.length > 0) {
          const [[at, bytes]] = held.splice(size % held.length, 1);
          arena.giveBack(at, bytes);
          continue;
        }
        const at = arena.take(size + 1);
        if (at < 0) continue;
        assert(at >= 128 && at + size + 1 <= 128 + 64 * 1024);
        for (const [other, bytes] of held) assert(at + size < other || other + bytes <= at);
        held.push([at, size + 1]);
      }
      for (const [at, bytes] of held) arena.giveBack(at, bytes);
      assertEquals(arena.free, arena.total);
      assertEquals(arena.take(64 * 1024), 128);
    }),
    { seed: SEED, numRuns: 200 },
  );
});

Deno.test("codec: what is written is read, and other bytes are a value or a CodecError", () => {
  const leaf = fc.oneof(
    fc.constant(undefined),
    fc.boolean(),
    fc.double(),
    fc.string(),
    fc.uint8Array({ maxLength: 40 }),
  );
  const record = fc.dictionary(fc.string(), leaf, { maxKeys: 5, noNullPrototype: true });
  const value = fc.oneof(leaf, fc.array(fc.oneof(leaf, record), { maxLength: 5 }), record);
  const room = new Uint8Array(new SharedArrayBuffer(4096));
  fc.assert(
    fc.property(value, (given) => {
      const length = encode(given as Value, room);
      const read = decode(room.subarray(0, length));
      assertEquals(structuredClone(read), given);
    }),
    { seed: SEED, numRuns: 300 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        decode(bytes);
      } catch (error) {
        assert(error instanceof CodecError, `${error}`);
      }
    }),
    { seed: SEED, numRuns: 2000 },
  );
});

Deno.test("streams: long sends arrive whole and in order, several at once", async () => {
  await using here = await world();
  const client = await here.program();
  const { sys } = client;
  const [one, two] = await pair(client);
  const lengths = [300_000, 1, 65_536, 65_537, 0, 500_000];
  const sends = lengths.map((length, i) => sys.send(one, pattern(length, i)));
  const total = lengths.reduce((a, b) => a + b);
  const room = new Uint8Array(total);
  assertEquals(await sys.recv(two, room, Msg.WAITALL), total);
  assertEquals(await Promise.all(sends), lengths);
  let at = 0;
  for (const [i, length] of lengths.entries()) {
    assertEquals(room.subarray(at, at + length), pattern(length, i));
    at += length;
  }
  // At the end of the stream less comes than was asked for.
  await sys.send(one, pattern(70_000));
  await sys.close(one);
  assertEquals(await sys.recv(two, room, Msg.WAITALL), 70_000);
  assertEquals(await sys.recv(two, room), 0);
});

Deno.test("more calls wait than the arena has room for: all are served", async () => {
  // The smallest arena: a single receive of 64 KiB takes all that promises have.
  await using here = await world({ arenaBytes: 3 * AREA_BYTES });
  const client = await here.program();
  const { sys } = client;
  const pairs: [number, number][] = [];
  for (let i = 0; i < 12; i++) pairs.push(await pair(client, 100 + i));
  const rooms = pairs.map(() => new Uint8Array(60_000));
  const received = pairs.map(([, far], i) => sys.recv(far, rooms[i]));
  await sys.gethostname();
  // The last ones first: none of those that wait stands in the way of another.
  for (const [i, [near]] of [...pairs.entries()].reverse()) {
    assertEquals(await sys.send(near, pattern(1000, i)), 1000);
    assertEquals(await received[i], 1000);
    assertEquals(rooms[i].subarray(0, 1000), pattern(1000, i));
  }
  // Long sends that nobody receives fill the buffers and then wait; another connection works on.
  const stuck = pairs.slice(0, 6).map(([near]) => sys.send(near, new Uint8Array(1_000_000)));
  for (let i = 0; i < 20; i++) {
    assertEquals(await sys.send(pairs[7][0], pattern(5000, i)), 5000);
    const room = new Uint8Array(5000);
    assertEquals(await sys.recv(pairs[7][1], room, Msg.WAITALL), 5000);
    assertEquals(room, pattern(5000, i));
  }
  const drained = pairs.slice(0, 6).map(async ([, far]) => {
    const room = new Uint8Array(30_000);
    for (let got = 0; got < 1_000_000;) got += await sys.recv(far, room);
  });
  assertEquals(await Promise.all(stuck), new Array(6).fill(1_000_000));
  await Promise.all(drained);
});

Deno.test("more calls at once than there are slots: the others wait their turn", async () => {
  await using here = await world({ calls: 4 });
  const { sys } = await here.program();
  const fd = await sys.socket(Af.INET, Sock.DGRAM);
  await sys.bind(fd, { address: "127.0.0.1", port: 99 });
  const to = { address: "127.0.0.1", port: 99 };
  const sent = Array.from({ length: 40 }, (_, i) => sys.sendto(fd, Uint8Array.of(i), 0, to));
  assertEquals(await Promise.all(sent), new Array(40).fill(1));
  const room = new Uint8Array(4);
  for (let i = 0; i < 40; i++) {
    await sys.recv(fd, room);
    assertEquals(room[0], i);
  }
});

Deno.test("a signal ends a wait with EINTR: in the stack, and in the program's queue", async () => {
  await using here = await world({ calls: 2 });
  const client = await here.program();
  const { sys } = client;
  const [one] = await pair(client);
  const first = new AbortController();
  const second = new AbortController();
  const waiting = sys.recv(one, new Uint8Array(8), 0, { signal: first.signal });
  const queued = sys.recv(one, new Uint8Array(8), 0, { signal: second.signal });
  const reason = new Error("enough");
  second.abort(reason);
  const error = await queued.catch((error) => error);
  assertEquals([error.code, error.syscall, error.cause], ["EINTR", "recv", reason]);
  first.abort(reason);
  const other = await waiting.catch((error) => error);
  assertEquals([other.code, other.syscall, other.cause], ["EINTR", "recv", reason]);
  assertEquals(await code(sys.poll([], -1, { signal: AbortSignal.abort() })), "EINTR");
  // What there is already is received all the same.
  const fd = await sys.socket(Af.INET, Sock.DGRAM);
  await sys.bind(fd, { address: "127.0.0.1", port: 98 });
  await sys.sendto(fd, new Uint8Array(3), 0, { address: "127.0.0.1", port: 98 });
  assertEquals(await sys.recv(fd, new Uint8Array(8), 0, { signal: AbortSignal.abort() }), 3);
});

Deno.test("a long send that is interrupted answers what was sent", async () => {
  await using here = await world();
  const client = await here.program();
  const { sys } = client;
  const [one, two] = await pair(client);
  await sys.setsockopt(one, Sol.SOCKET, So.SNDBUF, 20_000);
  const stop = new AbortController();
  const sending = sys.send(one, pattern(8_000_000), 0, { signal: stop.signal });
  // Nobody receives, and the buffers hold less than all.
  const before = here.server.stats.calls;
  await until(() => here.server.stats.calls >= before + 2);
  stop.abort();
  const sent = await sending;
  assert(sent > 65_536 && sent < 8_000_000, `${sent}`);
  await sys.close(one);
  const room = new Uint8Array(sent + 1);
  assertEquals(await sys.recv(two, room, Msg.WAITALL), sent);
  assertEquals(room.subarray(0, sent), pattern(sent));
});

Deno.test("closing a descriptor ends what waits on it, and a poll looks again", async () => {
  await using here = await world();
  const [client, other] = [await here.program(), await here.program()];
  const { sys } = client;
  const [one, two] = await pair(client);
  const received = code(sys.recv(one, new Uint8Array(8)));
  const fds = [{ fd: one, events: 1 }, { fd: two, events: 1 }];
  const polled = sys.poll(fds);
  await sys.gethostname();
  const closed = sys.close(one);
  // The number in the stack is free now, and another program may get it.
  const taken = await other.sys.socket(Af.INET, Sock.DGRAM);
  await closed;
  assertEquals(await received, "EBADF");
  assert(await polled >= 1);
  assertEquals((fds[0] as { revents?: number }).revents, 0x8000);
  assertEquals(taken, 3);
});
