/** A stack on a clock moved by hand, with a device that is a list: for tests of what goes in and
 * out. */
import type { FrameBatch, NetDriver } from "../../../runtime/device/driver.ts";
import { createStack, ManualClock, type Stack, type StackOptions } from "../../../mod.ts";
import checkedEngine from "../../engine_checked_module.js";

/** Address of its interface. */
export const HWADDR = [2, 0, 0, 0, 0, 1];
const PEER = [2, 0, 0, 0, 0, 9];

/** A stack and what its device has seen. */
export class Station implements AsyncDisposable {
  /** Its clock. */
  readonly clock: ManualClock;
  /** Frames that it has sent. */
  readonly sent: Uint8Array[] = [];
  /** The stack. */
  readonly stack: Stack;
  readonly #waiting: Uint8Array[];

  private constructor(stack: Stack, clock: ManualClock, waiting: Uint8Array[], sent: Uint8Array[]) {
    this.stack = stack;
    this.clock = clock;
    this.#waiting = waiting;
    this.sent = sent;
  }

  /** Makes one: 10.0.0.1 on eth0, unless a snapshot says otherwise. */
  static async create(
    options: StackOptions = {},
    medium: "ethernet" | "ip" = "ethernet",
  ): Promise<Station> {
    const clock = new ManualClock(1_000_000);
    const waiting: Uint8Array[] = [];
    const sent: Uint8Array[] = [];
    const driver = list(waiting, sent, medium);
    const addresses = options.snapshot === undefined ? { addresses: ["10.0.0.1/24"] } : {};
    const stack = await createStack({
      clock,
      seed: 1,
      engine: checkedEngine,
      memory: { bytes: 16 * 2 ** 20 },
      interfaces: [{ name: "eth0", driver, ...addresses }],
      ...options,
    });
    const station = new Station(stack, clock, waiting, sent);
    await station.step();
    sent.length = 0;
    return station;
  }

  /** A frame comes in, of a type and with these bytes, for this station. */
  give(type: number, data: ArrayLike<number>, to: readonly number[] = HWADDR): void {
    this.#waiting.push(
      new Uint8Array([...to, ...PEER, type >> 8, type & 255, ...Array.from(data)]),
    );
  }

  /** Bytes come in as they are. */
  giveRaw(bytes: ArrayLike<number>): void {
    this.#waiting.push(Uint8Array.from(Array.from(bytes)));
  }

  /** Time passes, and everything that is to be done is done, in all Workers too. */
  async step(advance_us = 0): Promise<void> {
    this.clock.advance(advance_us);
    this.turns();
    for (const { name } of this.stack.protocols.list()) await this.stack.protocols.settled(name);
    this.turns();
  }

  /** Turns until there is nothing to do. */
  turns(): void {
    const { stack, clock } = this;
    for (let i = 0; i < 1000; i++) {
      const due = stack.nextDeadline() <= clock.now_us();
      if (stack.turn() === 0 && !stack.wanted && !due && this.#waiting.length === 0) return;
    }
    throw new Error("it does not come to rest");
  }

  /** Frames of a type that were sent; their bytes behind the link header. */
  frames(type: number): Uint8Array[] {
    return this.sent.filter((frame) =>
      frame[12] << 8 === (type & 0xff00) && frame[13] === (type & 255)
    )
      .map((frame) => frame.subarray(14));
  }

  /** Takes eth0 away, and gives its device to another interface. */
  async exchange(name: string): Promise<void> {
    await this.stack.detach("eth0");
    await this.stack.attach(list(this.#waiting, this.sent, "ethernet"), { name });
  }

  /** Closes the stack. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stack.close();
  }
}

function list(
  waiting: Uint8Array[],
  sent: Uint8Array[],
  medium: "ethernet" | "ip",
): NetDriver {
  return {
    name: "list",
    caps: { mtu: 1500, medium, ...(medium === "ip" ? {} : { hwaddr: new Uint8Array(HWADDR) }) },
    attach() {},
    detach() {},
    start(tx: FrameBatch) {
      for (let i = 0; i < tx.count; i++) sent.push(tx.view(i).slice());
      return tx.count;
    },
    rx(free: FrameBatch) {
      const n = Math.min(waiting.length, free.count);
      for (let i = 0; i < n; i++) {
        const frame = waiting.shift()!;
        free.memory.set(frame, free.address(i));
        free.setLength(i, frame.length);
      }
      return n;
    },
  };
}
