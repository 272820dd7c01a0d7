/**
 * The driver loader: drivers come, go and take each other's place while the stack runs.
 *
 * @module
 */

import { Errno } from "../assembly/abi/errno.ts";
import { Iff } from "../assembly/abi/ifnet.ts";
import type { Attachment } from "./device/attach.ts";
import type { NetDriver } from "./device/driver.ts";
import { type DriverOptions, type DriverSource, findDriver } from "./device/load.ts";
import { type LinkOptions, wordsOf } from "./device/link.ts";
import type { Engine } from "./engine.ts";
import { EnginePanic, SocketError } from "./errors.ts";
import { type IfStatistics, ifStatistics } from "./socket/ioctl.ts";
import type { AttachOptions } from "./stack_options.ts";

/** How a driver is made, and its interface set up. */
export interface LoadOptions extends AttachOptions, DriverOptions {}

/** What is known of a driver and its interface. */
export interface DriverInfo {
  /** The driver's own name: `pipe`, `tap`. Empty while it is being made. */
  readonly name: string;
  /** Specifier of its module; left out for a driver that was given as an object. */
  readonly module?: string;
  /** Its interface; empty if that is not known yet. */
  readonly interface: string;
  /** `loading` until it is attached; `swapping` while another is attached in its place. */
  readonly state: "loading" | "up" | "down" | "swapping";
  /** Why the interface was taken down: what the driver said, or how it failed. */
  readonly reason?: string;
  /** How the driver that was here before failed to let go of its device. */
  readonly fault?: string;
  /** What the driver counts itself: the numbers in its `stats`. */
  readonly counters: Readonly<Record<string, number>>;
  /** What went through the interface, whatever drivers it had; left out without one. */
  readonly statistics?: IfStatistics;
}

/** What the loader asks of its stack. */
export interface DriversHost {
  /** The engine. */
  readonly engine: Engine;
  /** Its interfaces with a driver, and which of them belong to loaded protocols. */
  readonly interfaces: {
    readonly list: readonly Attachment[];
    isOfProtocol(attachment: Attachment): boolean;
    mustBeFree(driver: NetDriver): void;
  };
  /** Throws if nothing can be attached any more. */
  mustBeOpen(): void;
  /** Makes an interface. */
  attach(driver: NetDriver, options: AttachOptions & LinkOptions): Promise<Attachment>;
  /** Takes an interface away. */
  detach(name: string): Promise<void>;
}

/** A driver that is not attached yet. */
interface Loading {
  name: string;
  module: string | undefined;
  readonly interface: string;
}

/** The drivers of one stack. */
export class Drivers {
  readonly #host: DriversHost;
  readonly #loading = new Set<Loading>();

  /** For one stack. */
  constructor(host: DriversHost) {
    this.#host = host;
  }

  /**
   * Loads a driver, and makes an interface for it. A driver comes from a module, by its specifier
   * or URL or as an object; from a factory or class; or is an object itself. If anything fails,
   * nothing is left behind.
   *
   * ```ts ignore
   * await stack.drivers.load("@godwit/godwit/drivers/tap", {
   *   options: { name: "tap0" },
   *   addresses: ["10.0.0.1/24"],
   * });
   * ```
   *
   * @throws SocketError whose message names the module: ENOENT if there is none; EINVAL for what is
   * no driver, or says impossible things of its device; EIO for a fault of the driver; the error
   * number that the driver itself gives; EEXIST for a name or address in use; ENETDOWN if the stack
   * is closed; or the reason of the signal
   */
  async load(source: DriverSource, config: LoadOptions = {}): Promise<DriverInfo> {
    const call = "drivers.load";
    const { name = "", addresses, gateway, signal } = config;
    const module = moduleOf(source);
    const loading: Loading = { name: "", module, interface: name };
    this.#host.mustBeOpen();
    this.#loading.add(loading);
    try {
      const found = await this.#find(source, config, call);
      loading.name = found.driver.name;
      const options = { name: config.name, addresses, gateway, module: found.module, signal };
      const made = await this.#host.attach(found.driver, options).catch((error) => {
        throw named(found.where, call, error, signal);
      });
      return this.#info(made);
    } finally {
      this.#loading.delete(loading);
    }
  }

  /**
   * Puts another driver under an interface, while traffic flows: addresses, routes, sockets and TCP
   * connections stay. The interface takes over the MTU, the hardware address (where the new driver
   * has one) and the offloads of the new device, announces its addresses on the new wire, and comes
   * up if a fault had taken it down. The old driver serves until the new one is attached; if that
   * fails it goes on.
   *
   * @throws SocketError ENXIO if there is no such interface; EBUSY while it gets another driver, or
   * if it belongs to a loaded protocol; EINVAL for a driver of another medium, or with one peer
   * where there was a link of many; ENOBUFS without memory for larger frames; and as
   * {@link Drivers.load}
   */
  async swap(
    name: string,
    source: DriverSource,
    config: DriverOptions = {},
  ): Promise<DriverInfo> {
    const call = "drivers.swap";
    this.#host.mustBeOpen();
    const attachment = this.#known(name, call);
    const { driver, module, where } = await this.#find(source, config, call);
    const { signal } = config;
    try {
      this.#host.interfaces.mustBeFree(driver);
      await attachment.swap(driver, { module, signal });
    } catch (error) {
      throw named(`${where} for ${name}`, call, error, signal);
    }
    return this.#info(attachment);
  }

  /**
   * Takes an interface away, with its driver. The module stays in the memory of the host, which
   * forgets none; to load a changed one, give its URL another query.
   *
   * @throws SocketError ENXIO if there is no such interface, EBUSY if it belongs to a loaded
   * protocol; EIO if the driver fails to let go of its device: the interface is gone all the same
   */
  async unload(name: string): Promise<void> {
    const call = "drivers.unload";
    const { driver, module } = this.#known(name, call);
    await this.#host.detach(name).catch((error) => {
      throw named(`${module ?? `the ${driver.name} driver`} on ${name}, detach`, call, error);
    });
  }

  /** The drivers of all interfaces, also those that were attached without the loader. */
  list(): DriverInfo[] {
    const loading = [...this.#loading].map(({ name, module, interface: ifname }): DriverInfo => {
      const known = module === undefined ? {} : { module };
      return { name, ...known, interface: ifname, state: "loading", counters: {} };
    });
    return [...this.#host.interfaces.list.map((one) => this.#info(one)), ...loading];
  }

  #info(attachment: Attachment): DriverInfo {
    const { driver, module, reason, fault, swapping, index } = attachment;
    const statistics = index === 0 ? undefined : ifStatistics(this.#host.engine, index);
    const up = reason === undefined && ((statistics?.flags ?? 0) & Iff.UP) !== 0;
    return {
      name: driver.name,
      ...(module === undefined ? {} : { module }),
      interface: attachment.name,
      state: swapping ? "swapping" : up ? "up" : "down",
      ...(reason === undefined ? {} : { reason }),
      ...(fault === undefined ? {} : { fault }),
      counters: countersOf(driver),
      ...(statistics === undefined ? {} : { statistics }),
    };
  }

  #known(name: string, call: string): Attachment {
    const { interfaces } = this.#host;
    const attachment = interfaces.list.find((one) => one.name === name);
    if (attachment === undefined) {
      throw new SocketError(Errno.ENXIO, call, `there is no interface ${name} with a driver`);
    }
    if (!interfaces.isOfProtocol(attachment)) return attachment;
    throw new SocketError(Errno.EBUSY, call, `${name} belongs to a loaded protocol`);
  }

  /** The driver that is meant, unless the signal comes first. */
  async #find(source: DriverSource, config: DriverOptions, call: string) {
    const { signal } = config;
    signal?.throwIfAborted();
    const found = findDriver(source, config, call);
    if (signal === undefined) return await found;
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      return await Promise.race([found, aborted]);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }
}

function moduleOf(source: DriverSource): string | undefined {
  return typeof source === "string" || source instanceof URL ? String(source) : undefined;
}

/** The numbers that a driver counts; a driver may have none, or fail to say them. */
function countersOf(driver: NetDriver): Record<string, number> {
  const counters: Record<string, number> = {};
  try {
    const { stats } = driver as { readonly stats?: Record<string, unknown> };
    for (const [name, value] of Object.entries(stats ?? {})) {
      if (typeof value === "number") counters[name] = value;
    }
  } catch {
    // What it says of itself is no reason to stop anything.
  }
  return counters;
}

/** An error with the name of the driver. */
function named(where: string, call: string, error: unknown, signal?: AbortSignal): unknown {
  if (error instanceof EnginePanic || (signal?.aborted && error === signal.reason)) return error;
  const errno = error instanceof SocketError
    ? error.errno
    : error instanceof RangeError
    ? Errno.EINVAL
    : Errno.EIO;
  return new SocketError(errno, call, `${where}: ${wordsOf(error)}`, { cause: error });
}
