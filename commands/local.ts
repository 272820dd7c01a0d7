/**
 * Stacks in this process as targets of requests: one that runs, or one from a snapshot.
 *
 * @module
 */

import { IfCap, Medium } from "../assembly/abi/ifnet.ts";
import { createStack, Engine, ManualClock, type NetDriver, SeededEntropy } from "../mod.ts";
import type { ProtocolOption, Stack } from "../mod.ts";
import * as field from "../runtime/layout.ts";
import { readHeader, type SnapshotHeader } from "../runtime/snapshot.ts";
import * as layout from "../runtime/wasm/layout.gen.ts";
import type { Params, RequestContext, Target } from "./request.ts";
import { answer } from "./requests.ts";

/** A stack in this process. */
export class LocalTarget implements Target {
  /** False for a snapshot. */
  readonly live: boolean;
  readonly #stack: Stack;
  readonly #owned: boolean;

  /** Asks `stack`; one that is owned is closed with this. */
  constructor(stack: Stack, { live = true, owned = false } = {}) {
    this.#stack = stack;
    this.live = live;
    this.#owned = owned;
  }

  /** Answers. */
  ask(name: string, params: Params, context: RequestContext): AsyncIterable<unknown> {
    return answer(this.#stack, this.live, name, params, context);
  }

  /** Closes a stack that is owned. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#owned) await this.#stack.close();
  }
}

/** A device that does nothing, in place of one that the stack of a snapshot had. */
function placeholder(engine: Engine, index: number): NetDriver {
  const { Ifnet } = layout;
  const ifnet = engine.calls.if_ptr(index);
  const caps = field.getU32(engine, ifnet, Ifnet.caps);
  return {
    name: "none",
    caps: {
      mtu: field.getU32(engine, ifnet, Ifnet.mtu),
      medium: field.getU32(engine, ifnet, Ifnet.medium) === Medium.ETHERNET ? "ethernet" : "ip",
      rxChecksum: (caps & IfCap.RXCSUM) !== 0,
      txChecksum: (caps & IfCap.TXCSUM) !== 0,
      vnetHeader: (caps & IfCap.VNET_HDR) !== 0,
    },
    attach: () => {},
    start: (tx) => tx.count,
    rx: () => 0,
    detach: () => {},
  };
}

/**
 * The stack of a snapshot, to be looked at: without devices, and its clock stands still.
 *
 * @throws SnapshotError for bytes that are none, SocketError ENODEV if a protocol is not given that
 * was loaded
 */
export async function openSnapshot(
  snapshot: Uint8Array,
  protocols: readonly ProtocolOption[] = [],
): Promise<LocalTarget> {
  const header: SnapshotHeader = readHeader(snapshot);
  const engine = await Engine.create({ snapshot, entropy: new SeededEntropy("snapshot") });
  const stack = await createStack({
    snapshot,
    protocols,
    clock: new ManualClock(header.now_us),
    interfaces: header.interfaces.filter(({ loaded }) => !loaded).map(({ name, index }) => ({
      name,
      driver: placeholder(engine, index),
    })),
  });
  return new LocalTarget(stack, { live: false, owned: true });
}
