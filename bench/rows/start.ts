/**
 * What comes before the first packet: how large the engine is, and how long it takes to be ready.
 *
 * @module
 */

import { createStack, Engine, type Stack, SystemEntropy } from "../../mod.ts";
import { seconds } from "../cpu_time.ts";
import type { Row, Subject } from "../row.ts";

const ENGINE = new URL("../../runtime/wasm/engine.wasm", import.meta.url);
const GZIP_KIB_TARGET = 64;
const START_MS_TARGET = 5;

/** Answers the same figure each time. */
function known(figure: number): Subject {
  return { measure: () => Promise.resolve(figure), close() {} };
}

/** Milliseconds of something that is done once a run. */
function milliseconds(work: () => Promise<void>): Subject {
  return { measure: async () => await seconds(work) * 1000, close() {} };
}

async function gzipBytes(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
  const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return (await new Response(packed).bytes()).length;
}

/** Size of the engine. */
export const sizeRows: readonly Row[] = [
  {
    name: "engine-size",
    unit: "KiB",
    better: "less",
    about: "the engine's module",
    exact: true,
    ours: async () => known((await Deno.stat(ENGINE)).size / 1024),
  },
  {
    name: "engine-size-gzip",
    unit: "KiB",
    better: "less",
    about: "the same, compressed with gzip",
    exact: true,
    ours: async () => known(await gzipBytes(await Deno.readFile(ENGINE)) / 1024),
    reference: { name: "target", value: GZIP_KIB_TARGET },
  },
];

/** Time until there is a stack. */
export const startRows: readonly Row[] = [
  {
    name: "start-compile",
    unit: "ms",
    better: "less",
    about: "compile the engine's module",
    ours: async () => {
      const bytes = await Deno.readFile(ENGINE);
      // One byte more in a custom section each time: V8 knows modules again that it has compiled.
      let n = 0;
      return milliseconds(async () => {
        await WebAssembly.compile(new Uint8Array([...bytes, 0, 6, 1, 0x6e, ...word(n++)]));
      });
    },
  },
  {
    name: "start-boot",
    unit: "ms",
    better: "less",
    about: "instantiate the compiled engine and boot it, with the default memory",
    ours: async () => {
      const engine = await WebAssembly.compile(await Deno.readFile(ENGINE));
      return milliseconds(async () => {
        await Engine.create({ engine, entropy: new SystemEntropy() });
      });
    },
  },
  {
    name: "start-stack",
    unit: "ms",
    better: "less",
    about: "a whole stack from the compiled engine, ready to connect",
    ours: () =>
      Promise.resolve({
        async measure() {
          let stack: Stack | undefined;
          const time_s = await seconds(async () => {
            stack = await createStack();
          });
          await stack!.close();
          return time_s * 1000;
        },
        close() {},
      }),
    reference: { name: "target", value: START_MS_TARGET },
  },
];

function word(n: number): number[] {
  return [n & 255, n >> 8 & 255, n >> 16 & 255, n >>> 24];
}
