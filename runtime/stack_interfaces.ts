/**
 * The interfaces of a stack: drivers that were attached, and those that a snapshot says there were.
 *
 * @module
 */

import { Errno } from "../assembly/abi/errno.ts";
import { type AttachHost, Attachment } from "./device/attach.ts";
import type { NetDriver } from "./device/driver.ts";
import type { LinkOptions } from "./device/link.ts";
import { freeName } from "./device/naming.ts";
import { SocketError } from "./errors.ts";
import type { SnapshotHeader } from "./snapshot.ts";
import type { AttachOptions, InterfaceOptions } from "./stack_options.ts";

type Saved = SnapshotHeader["interfaces"][number];

/** Interfaces with a driver. */
export class Interfaces {
  /** All of them, in the order they were attached. */
  readonly list: Attachment[] = [];
  readonly #host: AttachHost;
  /** Names of interfaces whose driver is opening its device. */
  readonly #opening = new Set<{ readonly name: string }>();
  /** Those whose drivers are loaded protocols. */
  readonly #ofProtocols = new WeakSet<Attachment>();
  /** Those of a snapshot that wait for the protocol which drives them. */
  readonly #waiting = new Map<string, Saved>();

  /** None yet. */
  constructor(host: AttachHost) {
    this.#host = host;
  }

  /** Binds a driver to a new interface; it gets a free name unless told. */
  async attach(driver: NetDriver, options: AttachOptions & LinkOptions): Promise<Attachment> {
    this.mustBeFree(driver);
    const name = options.name ?? freeName(driver.name, [...this.list, ...this.#opening]);
    const opening = { name };
    this.#opening.add(opening);
    const attachment = await Attachment.attach(this.#host, driver, name, undefined, options)
      .finally(() => this.#opening.delete(opening));
    this.list.push(attachment);
    return attachment;
  }

  /** `SocketError` EBUSY for a driver that one of the interfaces has already. */
  mustBeFree(driver: NetDriver): void {
    const holder = this.list.find((attachment) => attachment.driver === driver);
    if (holder === undefined) return;
    const words = `the ${driver.name} driver is already attached to ${holder.name}`;
    throw new SocketError(Errno.EBUSY, "if_attach", words);
  }

  /** Takes an interface away and closes its device. `SocketError` ENXIO. */
  async detach(name: string): Promise<void> {
    const at = this.list.findIndex((attachment) => attachment.name === name);
    if (at < 0) throw new SocketError(Errno.ENXIO, "if_detach", `no interface ${name}`);
    await this.list.splice(at, 1)[0].detach();
  }

  /** Takes all of them away; throws the first error when all are done. */
  async detachAll(): Promise<void> {
    const all = this.list.splice(0);
    const ends = await Promise.allSettled(all.map((attachment) => attachment.detach()));
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }

  /** What a snapshot says of them. */
  save(): Saved[] {
    return this.list.map((one) => ({
      name: one.name,
      index: one.index,
      ...(this.#ofProtocols.has(one) ? { loaded: true } : {}),
    }));
  }

  /**
   * Binds drivers to the interfaces of a snapshot, but for those of loaded protocols.
   *
   * @throws SocketError ENXIO for one that is given and not there, ENODEV for one without a driver
   */
  async resume(saved: readonly Saved[], given: readonly InterfaceOptions[]): Promise<void> {
    for (const { name } of given) {
      if (saved.some((known) => known.name === name)) continue;
      throw new SocketError(Errno.ENXIO, "restore", `the snapshot has no interface ${name}`);
    }
    for (const one of saved) {
      if (one.loaded) {
        this.#waiting.set(one.name, one);
        continue;
      }
      const driver = given.find(({ name }) => name === one.name)?.driver;
      if (driver === undefined) {
        throw new SocketError(Errno.ENODEV, "restore", `interface ${one.name} needs a driver`);
      }
      this.list.push(await Attachment.attach(this.#host, driver, one.name, one.index));
    }
  }

  /** Binds a loaded protocol to its interface of a snapshot; undefined if there is none. */
  async resumeLoaded(driver: NetDriver, name: string | undefined): Promise<Attachment | undefined> {
    const saved = this.#waiting.get(name ?? "");
    if (saved === undefined) return undefined;
    this.#waiting.delete(saved.name);
    const made = await Attachment.attach(this.#host, driver, saved.name, saved.index);
    this.list.push(made);
    return this.ofProtocol(made);
  }

  /** True for an interface of a loaded protocol. */
  isOfProtocol(attachment: Attachment): boolean {
    return this.#ofProtocols.has(attachment);
  }

  /** Notes that an interface belongs to a loaded protocol. */
  ofProtocol(attachment: Attachment): Attachment {
    this.#ofProtocols.add(attachment);
    return attachment;
  }
}
