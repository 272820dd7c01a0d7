/**
 * A world, as it is drawn before it begins: everything that happens in it follows from its plan.
 *
 * @module
 */

import type { Medium } from "../runtime/device/driver.ts";
import type { MemoryOptions } from "../runtime/engine.ts";
import type { Profile } from "../runtime/sysctl.ts";
import type { LineSpec } from "./line.ts";

/** A stack. */
export interface NodeSpec {
  /** `h0` for hosts, `r0` for routers. */
  readonly name: string;
  /** Whether it forwards. */
  readonly router: boolean;
  /** Sizes of its tables. */
  readonly memory: MemoryOptions;
  /** Settings it begins with. */
  readonly profile: Profile;
  /** Settings that are not as the profile has them. */
  readonly sysctl: Readonly<Record<string, number | string>>;
  /** Static routes: networks behind gateways. */
  readonly routes: readonly { readonly to: string; readonly gateway: string }[];
}

/** A stack's place on a segment. */
export interface EndSpec {
  /** Place of the stack in the plan's list. */
  readonly node: number;
  /** Its address with the prefix: `10.0.0.2/24`. */
  readonly address: string;
  /** Next hop of its default route, if that is on this segment. */
  readonly gateway?: string;
  /** What it sends goes through this. */
  readonly line: LineSpec;
  /** Its driver says that it is busy when the line's queue is full. */
  readonly backpressure: boolean;
}

/** A link of two ends, or a switch with more. */
export interface SegmentSpec {
  /** What it carries. */
  readonly medium: Medium;
  /** Largest IP packet. */
  readonly mtu: number;
  /** Who is on it. */
  readonly ends: readonly EndSpec[];
}

/** How an end of a connection comes to its close. */
export type Finish =
  /** Sends all, shuts its direction down, reads to the end of the other one, closes. */
  | "orderly"
  /** Reads to the end first, then sends all and closes: the other end is half closed meanwhile. */
  | "reply"
  /** Sends all and closes at once, whatever comes from the other end. */
  | "close"
  /** Resets the connection (SO_LINGER of 0) after some bytes. */
  | "abort";

/** What a program does at one end of a connection. */
export interface SideSpec {
  /** Bytes it sends. */
  readonly bytes: number;
  /** Most bytes in one write. */
  readonly write: number;
  /** It pauses each time it has written so many bytes ... */
  readonly burst: number;
  /** ... for so long; 0 for never. */
  readonly pause_us: number;
  /** Most bytes in one read. */
  readonly read: number;
  /** It pauses after each read for so long. */
  readonly read_pause_us: number;
  /** It reads nothing before it has been open for so long. */
  readonly read_delay_us: number;
  /** How it ends. */
  readonly finish: Finish;
  /** `abort`: after so many bytes sent and received. */
  readonly abort_after: number;
  /** Socket options: level, name, value. */
  readonly options: readonly (readonly [level: number, name: number, value: number])[];
}

/** A connection. */
export interface FlowSpec {
  /** Its number, from 0. */
  readonly id: number;
  /** The host that connects. */
  readonly from: number;
  /** The host that listens. */
  readonly to: number;
  /** Port at that host. */
  readonly port: number;
  /** When it connects. */
  readonly start_us: number;
  /** True if nobody listens at the port. */
  readonly refused: boolean;
  /** What the connecting end does. */
  readonly client: SideSpec;
  /** What the accepting end does. */
  readonly server: SideSpec;
}

/** A listening socket. */
export interface ListenerSpec {
  /** The host. */
  readonly node: number;
  /** The port. */
  readonly port: number;
  /** Its backlog. */
  readonly backlog: number;
  /** It pauses for so long after each accept. */
  readonly pause_us: number;
  /** Options that accepted sockets inherit. */
  readonly options: readonly (readonly [level: number, name: number, value: number])[];
}

/** A partition: nothing gets through one end of a segment, or all. */
export interface CutSpec {
  /** Place in the plan's list. */
  readonly segment: number;
  /** The end whose frames are swallowed; all ends if left out. */
  readonly end?: number;
  /** When it begins. */
  readonly from_us: number;
  /** When it heals. */
  readonly to_us: number;
}

/** A stack is made into a snapshot, thrown away, and goes on from the snapshot. */
export interface RestoreSpec {
  /** Which. */
  readonly node: number;
  /** When. */
  readonly at_us: number;
}

/** A whole world. */
export interface WorldPlan {
  /** What it was drawn from. */
  readonly seed: number;
  /** Stacks, hosts first. */
  readonly nodes: readonly NodeSpec[];
  /** Links. */
  readonly segments: readonly SegmentSpec[];
  /** Listening sockets. */
  readonly listeners: readonly ListenerSpec[];
  /** Connections. */
  readonly flows: readonly FlowSpec[];
  /** Partitions. */
  readonly cuts: readonly CutSpec[];
  /** Stacks that go on from snapshots. */
  readonly restores: readonly RestoreSpec[];
}
