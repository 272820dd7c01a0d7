/**
 * A loaded protocol, and how a side module becomes one.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { SocketError } from "../errors.ts";
import type { Hosted } from "./hosted.ts";
import type { ProtocolInfo, SideModule } from "./module.ts";
import type { Found, FoundSide } from "./resolve.ts";
import { readSideHeader, Side } from "./side.ts";
import type { ModuleSlot } from "./slot.ts";
import type { Untrusted } from "./untrusted.ts";

/** A protocol in its slot. */
export interface Loaded {
  readonly name: string;
  readonly kind: ProtocolInfo["kind"];
  readonly slot: ModuleSlot;
  readonly side?: Side;
  readonly counters?: readonly string[];
  readonly hosted?: Hosted;
  readonly untrusted?: Untrusted;
}

/** Places a side module in its slot and has it register. */
export function placeSide(found: FoundSide, slot: ModuleSlot): Loaded {
  const { name, wasm, config, counters } = found;
  const header = readSideHeader(wasm, name);
  slot.takePlaces(Math.max(1, header.table_entries));
  const side = new Side(slot, wasm, header, name);
  side.register(config, name);
  return { name, kind: "side", slot, side, counters };
}

/** The same protocol as an untrusted one, which is told whom to tell of its end; if it is one. */
export function boundTo(hosted: Hosted, found: Found): Untrusted | undefined {
  if (found.kind !== "untrusted") return undefined;
  found.module.bind(hosted);
  return found.module;
}

/** A domain for `demand`, which must not wait for anything. */
export function compiled({ name, wasm, counters = [] }: SideModule): FoundSide {
  if (wasm instanceof WebAssembly.Module) {
    return { kind: "side", name, wasm, config: new Uint8Array(), counters };
  }
  const words = `domain ${name} must be a compiled WebAssembly.Module`;
  throw new SocketError(Errno.EINVAL, "protocols.demand", words);
}

/** An error of a module's own, with its name. */
export function named(name: string, error: unknown): unknown {
  if (error instanceof SocketError) return error;
  const words = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const text = `protocol ${name}, load: ${words}`;
  return new SocketError(Errno.EIO, "protocols.load", text, { cause: error });
}
