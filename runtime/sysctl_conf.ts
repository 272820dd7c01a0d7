/**
 * The settings of single interfaces, `net.ipv4.conf.eth0.rp_filter`. They lie in the interface, and
 * go with it; those for all interfaces are in the table with the other settings.
 *
 * @module
 */

import { Errno } from "../assembly/abi/errno.ts";
import type { Engine } from "./engine.ts";
import { SocketError } from "./errors.ts";
import { ifIndexOf } from "./socket/ioctl.ts";
import type { SysctlRow } from "./sysctl_entry.ts";
import { SYSCTLS } from "./sysctl_table.ts";
import * as layout from "./wasm/layout.gen.ts";

const NAME = /^net\.ipv4\.conf\.(.+)\.(rp_filter|proxy_arp|send_redirects|accept_redirects)$/;

/** A setting of an interface. */
export interface ConfSysctl {
  /** What it takes, under its own name. */
  readonly row: SysctlRow;
  /** Where it lies in the engine's memory: one byte. */
  readonly at: number;
}

/**
 * The setting of an interface that has this name; `undefined` if it is a setting of all interfaces,
 * or of none. `SocketError` ENOENT if there is no such interface.
 */
export function findConf(engine: Engine, name: string): ConfSysctl | undefined {
  const [, ifname, field] = NAME.exec(name) ?? [];
  const all = SYSCTLS.find((row) => row.name === `net.ipv4.conf.all.${field}`);
  if (all === undefined || ifname === "all") return undefined;
  const offset = layout.Ifnet[field as "rp_filter"];
  return { row: { ...all, name }, at: engine.calls.if_ptr(indexOf(engine, ifname)) + offset };
}

function indexOf(engine: Engine, ifname: string): number {
  try {
    return ifIndexOf(engine, ifname);
  } catch (error) {
    if (!(error instanceof SocketError)) throw error;
    throw new SocketError(Errno.ENOENT, "sysctl", `there is no interface ${ifname}`);
  }
}
