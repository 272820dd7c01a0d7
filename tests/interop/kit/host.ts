/**
 * The two hosts of an interop run: the stack on a TAP device or another link, with every frame
 * captured, and the kernel of the namespace at the other end of it.
 *
 * @module
 */

import type { Stat } from "../../../assembly/abi/stat.ts";
import { FaultDriver, type FaultDriverOptions } from "../../../drivers/fault.ts";
import { PcapngWriter } from "../../../drivers/pcapng.ts";
import { TraceDriver } from "../../../drivers/trace.ts";
import * as field from "../../../runtime/layout.ts";
import { createStack, type Stack } from "../../../runtime/stack.ts";
import type { Syscalls } from "../../../runtime/socket/syscalls.ts";
import { DEVICE, GODWIT, KERNEL } from "./addresses.ts";
import { run, setSysctl, setSysctlIfAny } from "./kernel.ts";
import { type Link, openLink, quietenLink } from "./link.ts";

const PREFIX = 24;
/** How often something that must come true is looked at, in milliseconds. */
const LOOK_MS = 20;
/** How long it is waited for. */
const UNTIL_MS = 10_000;

/** What the cases of a run work on. */
export class Host implements AsyncDisposable {
  /** The stack under test. */
  readonly stack: Stack;
  /** A folder for files of the cases. */
  readonly folder: string;
  readonly #trace: TraceDriver;
  readonly #file: Deno.FsFile;
  readonly #mbufs: number;

  private constructor(stack: Stack, folder: string, trace: TraceDriver, file: Deno.FsFile) {
    this.stack = stack;
    this.folder = folder;
    this.#trace = trace;
    this.#file = file;
    stack.turn();
    this.#mbufs = this.mbufs;
  }

  /** Brings both hosts up; the capture goes to `capture.pcapng` in the folder. */
  static async open(
    folder: string,
    faults?: FaultDriverOptions,
    link: Link = "tap",
  ): Promise<Host> {
    // Only IPv4 is spoken here, and nothing may be sent that no case asked for.
    for (const which of ["all", "default"]) {
      setSysctlIfAny(`net.ipv6.conf.${which}.disable_ipv6`, "1");
    }
    await run("ip", "link", "set", "lo", "up");
    const file = await Deno.create(`${folder}/capture.pcapng`);
    const writer = new PcapngWriter((bytes) => {
      for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
    });
    const driver = await openLink(link);
    const trace = new TraceDriver(faults ? new FaultDriver(driver, faults) : driver, { writer });
    const stack = await createStack();
    await stack.attach(trace, { addresses: [`${GODWIT}/${PREFIX}`], gateway: KERNEL });
    await run("ip", "addr", "add", `${KERNEL}/${PREFIX}`, "dev", DEVICE);
    await run("ip", "route", "add", "224.0.0.0/4", "dev", DEVICE);
    setSysctl("net.ipv4.icmp_echo_ignore_broadcasts", "1");
    setSysctl("net.ipv4.ip_forward", "1");
    setSysctl("net.ipv4.conf.all.send_redirects", "0");
    setSysctl(`net.ipv4.conf.${DEVICE}.send_redirects`, "0");
    quietenLink(link);
    return new Host(stack, folder, trace, file);
  }

  /** System calls of the stack. */
  get sys(): Syscalls {
    return this.stack.sys;
  }

  /** Hardware address of the stack's interface, `02:00:00:00:00:01`. */
  get hwaddr(): string {
    return this.stack.netstat().interfaces.find(({ hwaddr }) => hwaddr !== "")!.hwaddr;
  }

  /** Mbufs in use. */
  get mbufs(): number {
    const { small, cluster } = this.stack.netstat().mbufs;
    return small.used + cluster.used;
  }

  /** Value of a counter of the stack. */
  counter(which: Stat): number {
    const { engine } = this.stack;
    return field.getU64(engine, engine.calls.counters(), 8 * which);
  }

  /** Waits until something holds; throws if it does not within ten seconds. */
  async until(what: string, holds: () => boolean): Promise<void> {
    const end = Date.now() + UNTIL_MS;
    while (!holds()) {
      if (Date.now() > end) throw new Error(`never came true: ${what}\n${this.stack.netstat()}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  /** Throws unless all sockets and mbufs come back that the cases have used. */
  async mustBeClean(): Promise<void> {
    const { stack } = this;
    await this.until("no socket is left", () => stack.netstat().sockets.length === 0);
    await this.until(
      `${this.#mbufs} mbufs are in use, as at the start`,
      () => this.mbufs <= this.#mbufs,
    );
    const { mbufs } = stack.netstat();
    const denied = mbufs.small.denied + mbufs.cluster.denied;
    if (denied > 0) throw new Error(`${denied} requests for an mbuf were refused`);
  }

  /** Takes the stack down and ends the capture. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stack.close();
    this.#file.close();
    if (this.#trace.failure !== undefined) throw this.#trace.failure;
  }
}
