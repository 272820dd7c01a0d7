/**
 * A datagram of 64 bytes from the driver to the program, by protocols that are built in, loaded
 * into the engine's memory, written in TypeScript, or kept apart. CPU time of the process; whoever
 * sends costs nothing, since the driver has the same frame over and over.
 *
 * @module
 */

import { ManualClock } from "../../runtime/clock.ts";
import { Af, createStack, MessageBatch, Sock, type Stack } from "../../mod.ts";
import makeTypescript, { PROTOCOL } from "../../templates/protocol_typescript/mod.ts";
import udplite, { IPPROTO_UDPLITE } from "../../protocols/udplite/mod.ts";
import { cpuSeconds, processSeconds } from "../cpu_time.ts";
import { datagram, type Feeder, feeder, ipFrame, TO } from "../feeder.ts";
import { part, type Row, type Subject } from "../row.ts";
import { templateModule } from "../untrusted_module.ts";

const PORT = 7;
const UDP = 17;
const BURST = 32;
const BURSTS = 30_000;
const DATA = Array.from({ length: 64 }, (_, i) => i);

/** What a row measures. */
interface Kind {
  readonly name: string;
  readonly about: string;
  readonly protocol: number;
  readonly frame: Uint8Array;
  load?(stack: Stack): Promise<unknown>;
  /** Name of a protocol in a Worker, whose answers are waited for. */
  readonly worker?: string;
  /** How many times less is to be done. */
  readonly less?: number;
}

const KINDS: readonly Kind[] = [
  {
    name: "builtin",
    about: "UDP, which is built in",
    protocol: UDP,
    frame: datagram(UDP, PORT, DATA),
  },
  {
    name: "side",
    about: "UDP-Lite, a side module",
    protocol: IPPROTO_UDPLITE,
    frame: datagram(IPPROTO_UDPLITE, PORT, DATA, 0),
    load: (stack) => stack.protocols.load(udplite),
  },
  {
    name: "typescript",
    about: "a protocol in TypeScript",
    protocol: PROTOCOL,
    frame: ipFrame(PROTOCOL, [0, PORT, 0, 9, ...DATA]),
    load: (stack) => stack.protocols.load(makeTypescript()),
  },
  {
    name: "untrusted",
    about: "an untrusted protocol in a Worker; processor time of both threads",
    protocol: PROTOCOL,
    frame: ipFrame(PROTOCOL, [0, PORT, 0, 9, ...DATA]),
    load: async (stack) => {
      const wasm = await templateModule("ports");
      await stack.protocols.load({ name: "ports", wasm, slice_ms: 20_000 });
    },
    worker: "ports",
    less: 6,
  },
];

async function start(kind: Kind, share: number): Promise<Subject> {
  const driver = feeder(kind.frame);
  const stack = await createStack({
    clock: new ManualClock(),
    interfaces: [{ driver, addresses: [`${TO.join(".")}/24`] }],
  });
  await kind.load?.(stack);
  const fd = stack.sys.socket(Af.INET, Sock.DGRAM, kind.protocol);
  stack.sys.bind(fd, { port: PORT });
  const bursts = part(BURSTS / (kind.less ?? 1), share);
  const { worker } = kind;
  return {
    measure: () =>
      worker === undefined
        ? measure(stack, driver, fd, bursts)
        : measureWorker(stack, driver, fd, bursts, worker),
    close: () => stack.close(),
  };
}

/** Nanoseconds for each datagram. */
async function measure(stack: Stack, driver: Feeder, fd: number, bursts: number): Promise<number> {
  const room = new MessageBatch(BURST);
  const taken = await cpuSeconds(() => {
    for (let i = 0; i < bursts; i++) {
      driver.offer(BURST);
      stack.turn();
      for (let got = 0; got < BURST;) got += stack.sys.nb.recvmmsg(fd, room);
    }
  });
  return taken * 1e9 / (bursts * BURST);
}

/** The same, when the Worker has to answer to each burst. */
async function measureWorker(
  stack: Stack,
  driver: Feeder,
  fd: number,
  bursts: number,
  worker: string,
): Promise<number> {
  const room = new MessageBatch(BURST);
  const taken = await processSeconds(async () => {
    for (let i = 0; i < bursts; i++) {
      driver.offer(BURST);
      stack.turn();
      await stack.protocols.settled(worker);
      for (let got = 0; got < BURST;) got += stack.sys.nb.recvmmsg(fd, room);
    }
  });
  return taken * 1e9 / (bursts * BURST);
}

/** A row for each kind, each beside what is built in. */
export const protocolRows: readonly Row[] = KINDS.map((kind): Row => ({
  name: `protocol-${kind.name}`,
  unit: "ns",
  better: "less",
  about: `a datagram of 64 bytes to a program by ${kind.about}`,
  ours: (share) => start(kind, share),
  reference: { name: "built-in UDP", start: (share) => start(KINDS[0], share) },
}));
