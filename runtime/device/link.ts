/**
 * One driver on one interface, from its `attach` to its `detach`. Interfaces may change drivers;
 * each driver gets an Ifnet of its own, which does nothing any more once the driver is off.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { SocketError } from "../errors.ts";
import { checkCaps } from "./capability.ts";
import type { DriverCaps, Ifnet, NetDriver } from "./driver.ts";

/** How a driver is attached. */
export interface LinkOptions {
  /** Where the driver came from, for messages: the specifier of its module. */
  readonly module?: string;
  /** Ends the wait for a driver whose `attach` takes too long; it is detached when it is done. */
  readonly signal?: AbortSignal;
}

/** What was thrown, in words; whatever it is, this does not throw. */
export function wordsOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  } catch {
    return "something that cannot be printed";
  }
}

/** What a hook answered that it may not, in words. */
export function answeredWords(answer: unknown, most: number): string {
  return promiseWords(answer) ?? `answered ${String(answer)} of ${most} frames`;
}

/** The answer of a hook that says yes or no; TypeError for another. */
export function yesOrNo(answer: unknown): boolean {
  if (typeof answer === "boolean") return answer;
  throw new TypeError(promiseWords(answer) ?? `answered ${String(answer)}, not true or false`);
}

function promiseWords(answer: unknown): string | undefined {
  if (!(answer instanceof Promise)) return undefined;
  // Its failure would end the program: nobody else waits for it.
  answer.catch(() => {});
  return "answered a promise, but must not be asynchronous";
}

/** A driver and what the stack knows of it. */
export class Link implements Ifnet {
  /** The driver. */
  readonly driver: NetDriver;
  /** Where it came from; `undefined` for one that was given as an object. */
  readonly module: string | undefined;
  /** What to call it in messages. */
  readonly label: string;
  /** What it said of itself after `attach`. */
  caps: DriverCaps = { mtu: 0, medium: "ip" };
  readonly #owner: Ifnet;
  #state: "opening" | "live" | "closed" = "opening";
  #reason: string | undefined = undefined;

  private constructor(owner: Ifnet, driver: NetDriver, module: string | undefined) {
    this.#owner = owner;
    this.driver = driver;
    this.module = module;
    this.label = module === undefined
      ? `${driver.name} driver`
      : `${driver.name} driver (${module})`;
  }

  /**
   * Attaches a driver.
   *
   * @throws what its `attach` throws; RangeError for impossible capabilities; the reason of the
   * signal
   */
  static async open(owner: Ifnet, driver: NetDriver, options: LinkOptions = {}): Promise<Link> {
    const { signal } = options;
    signal?.throwIfAborted();
    const link = new Link(owner, driver, options.module);
    const opened = (async () => await driver.attach(link))();
    try {
      await (signal ? unlessAborted(opened, signal) : opened);
    } catch (error) {
      link.silence();
      // What failed needs no detach; what was not waited for is detached when it is there.
      const late = signal?.aborted && error === signal.reason;
      if (late) opened.then(() => driver.detach()).catch(() => {});
      throw error;
    }
    try {
      link.caps = checkCaps(driver);
    } catch (error) {
      await link.close().catch(() => {});
      throw error;
    }
    return link;
  }

  /** The driver serves the interface from now on. Answers why it is down, if it has said so. */
  begin(): string | undefined {
    this.#state = "live";
    return this.#reason;
  }

  /** `SocketError` EIO if the driver has taken its interface down before it began to serve it. */
  mustBeUp(): void {
    if (this.#reason === undefined) return;
    const words = `the ${this.label} has taken its interface down: ${this.#reason}`;
    throw new SocketError(Errno.EIO, "if_attach", words);
  }

  /** The driver is heard no more. */
  silence(): void {
    this.#state = "closed";
  }

  /** Closes the device. */
  async close(): Promise<void> {
    this.silence();
    await this.driver.detach();
  }

  /** Name of the interface. */
  get name(): string {
    return this.#owner.name;
  }

  /** Index of the interface. */
  get index(): number {
    return this.#owner.index;
  }

  /** Hardware address of the interface. */
  get hwaddr(): Uint8Array<ArrayBuffer> {
    return this.#owner.hwaddr;
  }

  /** The whole memory of the engine. */
  get memory(): Uint8Array<ArrayBuffer> {
    return this.#owner.memory;
  }

  /** Time of the stack's clock in microseconds. */
  now(): number {
    return this.#owner.now();
  }

  /** Frames have arrived, or sending is possible again. */
  wake(): void {
    if (this.#state !== "closed") this.#owner.wake();
  }

  /** Takes the interface down, if it is this driver's. */
  down(reason: string): void {
    if (this.#state === "live") this.#owner.down(reason);
    else if (this.#state === "opening") this.#reason ??= reason;
  }
}

/** The promise, unless the signal comes first. */
async function unlessAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  let abort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
  });
  try {
    await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
