/** Stacks on one bridge for tests of loaded protocols. */
import { Bridge } from "../../../drivers/bridge.ts";
import { createStack, type Stack, type StackOptions } from "../../../mod.ts";
import checkedEngine from "../../engine_checked_module.js";

/** Two hosts, 10.0.0.1 and 10.0.0.2. */
export class Net implements AsyncDisposable {
  /** Between them. */
  readonly bridge: Bridge;
  /** The hosts. */
  readonly a: Stack;
  readonly b: Stack;

  private constructor(bridge: Bridge, a: Stack, b: Stack) {
    this.bridge = bridge;
    this.a = a;
    this.b = b;
  }

  /** Makes them, with these options. */
  static async create(options: StackOptions = {}): Promise<Net> {
    const bridge = new Bridge();
    const a = await host(bridge, "10.0.0.1", options);
    return new Net(bridge, a, await host(bridge, "10.0.0.2", options));
  }

  /** Closes them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.a.close();
    await this.b.close();
  }
}

/** One host on a bridge. */
export async function host(
  bridge: Bridge,
  address: string,
  options: StackOptions = {},
): Promise<Stack> {
  return await createStack({
    engine: checkedEngine,
    memory: { bytes: 16 * 2 ** 20 },
    interfaces: [{ name: "eth0", driver: bridge.port(), addresses: [`${address}/24`] }],
    ...options,
  });
}

/** What a stack holds that a protocol could leave behind. */
export function holdings(stack: Stack): Record<string, number> {
  const { calls, view, scratch } = stack.engine;
  calls.pool_stats(scratch);
  const mbufs = view.getUint32(scratch, true) + view.getUint32(scratch + 16, true);
  const { timers, rows, types, domains } = probes(stack);
  const sockets = Array.from({ length: calls.so_limit() }, (_, i) => calls.so_at(i)).length;
  return {
    mbufs,
    timers,
    rows,
    types,
    domains,
    sockets,
    table: stack.protocols.table_entries,
  };
}

function probes(stack: Stack) {
  const calls = stack.engine.calls as unknown as Record<string, () => number>;
  return {
    timers: calls.probe_timer_count(),
    rows: calls.probe_rows(),
    types: calls.probe_types(),
    domains: calls.probe_domains(),
  };
}
