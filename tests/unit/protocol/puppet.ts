/** An untrusted protocol that does as it is told, built from tests/fixtures/untrusted/. */
import { readSources } from "../../../build.ts";
import type { UntrustedModule } from "../../../runtime/protocol/public.ts";
import { compileUntrusted } from "../../../tools/untrusted_build.ts";
import { customSection } from "../../../tools/side_build.ts";

/** Type of the frames that it takes. */
export const TYPE = 0x88b5;
/** What it does for the first byte of its configuration or of a frame. */
export const Do = {
  SPIN: 1,
  TRAP: 2,
  FLOOD: 3,
  NO_RECORD: 4,
  NO_KIND: 5,
  TOO_LONG: 6,
  REFUSE: 7,
  WRONG_TYPE: 8,
  FRAMES: 9,
  GROW: 10,
  WRONG_SOURCE: 11,
  STATE: 12,
  TELL_STATE: 13,
  CUT_SHORT: 14,
  WRONG_SOCKETS: 15,
  TELL_LENGTH: 16,
} as const;

const PATH = "tests/fixtures/untrusted/puppet.ts";
const ROOT = new URL("../../../", import.meta.url);
const engineSources = await readSources();

/** The manifest, changed by `given`. */
export function manifest(given: Record<string, unknown> = {}): string {
  return JSON.stringify({ abi: 1, name: "puppet", ethertypes: [TYPE], protocols: [253], ...given });
}

/** A module compiled from a text, without a manifest. */
export async function compile(
  text: string,
  memory_bytes?: number,
): Promise<Uint8Array<ArrayBuffer>> {
  return await compileUntrusted(new Map([...engineSources, [PATH, text]]), PATH, { memory_bytes });
}

const built = await compile(await Deno.readTextFile(new URL(PATH, ROOT)));

/** A module with a manifest. */
export function module(
  given: Record<string, unknown> | string = {},
  wasm: Uint8Array = built,
): WebAssembly.Module {
  const text = typeof given === "string" ? given : manifest(given);
  return new WebAssembly.Module(
    new Uint8Array([...wasm, ...customSection("godwit.protocol", text)]),
  );
}

/** What it reports: letters and numbers. */
export interface Puppet extends UntrustedModule {
  readonly said: string[];
}

/** The protocol. */
export function puppet(
  given: Record<string, unknown> | string = {},
  more: Partial<UntrustedModule> = {},
): Puppet {
  const said: string[] = [];
  return {
    name: "puppet",
    wasm: module(given),
    report(bytes) {
      const view = new DataView(bytes.buffer);
      said.push(String.fromCharCode(bytes[0]) + view.getUint32(4, true));
    },
    slice_ms: 20_000, // the machine may be busy
    ...more,
    said,
  };
}
