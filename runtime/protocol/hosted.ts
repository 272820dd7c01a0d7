/**
 * A loaded protocol in TypeScript: its rows in the protocol switch, its sockets, and its hooks,
 * each behind a guard. A hook that throws stops the protocol and nothing else.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { HostKind } from "../../assembly/abi/module.ts";
import { Prco } from "../../assembly/abi/proto.ts";
import { Af, Sock as SockType } from "../../assembly/abi/socket.ts";
import { SocketError } from "../errors.ts";
import * as field from "../layout.ts";
import { formatIpv4 } from "../socket/inet_addr.ts";
import * as layout from "../wasm/layout.gen.ts";
import { Kernel } from "./kernel.ts";
import { kernelCalls } from "./kernel_calls.ts";
import type { ControlQuote, ProtocolModule, ProtoRow } from "./module.ts";
import { guarded, request, type RequestHost } from "./requests.ts";
import type { Receiver } from "./ring.ts";
import { type Entries, ENTRY_COUNT, placeEntries } from "./shims.ts";
import type { ModuleSlot } from "./slot.ts";
import { Sock } from "./sock.ts";

const P = layout.Protosw;
const Q = layout.CtlQuote;
/** Entries of the engine that queue packets, behind those of the rows. */
const QUEUES = ["host_packet", "host_frame", "host_datagram"] as const;

/** Places of the function table that a protocol takes. */
export function placesOf(module: ProtocolModule): number {
  return QUEUES.length + ENTRY_COUNT * Math.max(1, module.rows?.length ?? 0);
}

/** A protocol in TypeScript, in its slot. */
export class Hosted {
  /** Its code. */
  readonly module: ProtocolModule;
  /** What it may ask of the stack. */
  readonly kernel: Kernel;
  /** Why it was stopped. */
  failure: string | undefined = undefined;
  /** Packets handed to it. */
  packets = 0;
  readonly #slot: ModuleSlot;
  readonly #socks = new Map<number, Sock>();
  readonly #place: number;
  readonly #places: { readonly packet: number; readonly frame: number; readonly datagram: number };

  /** Puts its functions into the table; nothing is registered yet. */
  constructor(slot: ModuleSlot, module: ProtocolModule) {
    this.#slot = slot;
    this.module = module;
    const { table } = slot.functions;
    const first = slot.first;
    const [packet, frame, datagram] = QUEUES.map((name, i) => {
      table.set(first + i, slot.engine.exports[name] as CallableFunction);
      return first + i;
    });
    this.#places = { packet, frame, datagram };
    const tick = this.#placeRow(0, module.rows?.[0]).tick;
    this.#place = slot.alloc(layout.SockAddr.size);
    this.kernel = new Kernel({
      engine: slot.engine,
      places: { frame, datagram, tick },
      receive: (kind, key, receiver) =>
        slot.ring.set(kind, key, receiver && this.#receiver("input", receiver)),
      nesting: slot.host.nesting,
      alloc: (bytes) => slot.alloc(bytes),
      now_us: () => slot.host.now_us(),
      wake: () => slot.host.wake(),
      attach: (driver, options) => slot.host.attach(driver, options),
      detach: (name) => slot.host.detach(name),
    });
  }

  /** Adds its rows. `SocketError` EEXIST if another protocol has a number of them, EINVAL. */
  register(): void {
    const calls = kernelCalls(this.#slot.engine);
    const { engine } = this.#slot;
    const family = this.module.domain?.family ?? Af.INET;
    if (this.module.domain !== undefined) {
      const result = calls.domain_addDomain(family);
      if (result < 0 && result !== -Errno.EEXIST) {
        throw new SocketError(-result, "add_domain_af", `${this.module.name}: domain ${family}`);
      }
    }
    for (const [i, row] of (this.module.rows ?? []).entries()) {
      const at = calls.domain_addRow(family, row.type, row.protocol, row.flags);
      if (at === 0) {
        const words = `${this.module.name}: another protocol of family ${family} has type ` +
          `${row.type} and number ${row.protocol}, or its flags contradict each other`;
        throw new SocketError(Errno.EEXIST, "protocols.load", words);
      }
      const places = this.#placeRow(i, row);
      if (row.usrreq !== undefined) {
        field.setU32(engine, at, P.usrreq, places.usrreq);
        field.setU32(engine, at, P.ctloutput, places.ctloutput);
      }
      for (const name of ["ctlinput", "drain", "fasttimo", "slowtimo"] as const) {
        if (row[name] !== undefined) field.setU32(engine, at, P[name], places[name]);
      }
      if (row.input !== undefined) field.setU32(engine, at, P.input, this.#places.packet);
    }
    this.listen();
  }

  /** Has packets for its rows handed to it; also after a snapshot, when the rows are there. */
  listen(): void {
    for (const row of this.module.rows ?? []) {
      if (row.input === undefined) continue;
      const receiver = this.#receiver("input", (packets) => row.input?.(packets));
      this.#slot.ring.set(HostKind.PACKET, row.protocol, receiver);
    }
  }

  /** Puts its functions into the table again; for a snapshot. */
  place(): void {
    for (const [i, row] of (this.module.rows ?? []).entries()) this.#placeRow(i, row);
  }

  /** Nothing is handed to it any more. */
  silence(): void {
    for (const row of this.module.rows ?? []) {
      if (row.input !== undefined) {
        this.#slot.ring.set(HostKind.PACKET, row.protocol, undefined);
      }
    }
  }

  /** A hook has thrown: from now on the protocol takes part in nothing. */
  fault(hook: string, error: unknown): void {
    if (this.failure !== undefined) return;
    const words = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    this.failure = `protocol ${this.module.name}, ${hook}: ${words}`;
    this.silence();
    for (const so of this.#socks.values()) so.error(Errno.EIO);
    this.#slot.host.failed();
  }

  /** Takes a turn soon. */
  wake(): void {
    this.#slot.host.wake();
  }

  #receiver(hook: string, receiver: Receiver): Receiver {
    return (packets) => {
      if (this.failure !== undefined) return;
      this.packets += packets.length;
      this.#run(hook, () => receiver(packets));
    };
  }

  /** Runs a hook that answers nothing. */
  #run(hook: string, call: () => void): void {
    if (this.failure === undefined) guarded(this, hook, call);
  }

  #placeRow(i: number, row: ProtoRow | undefined): Record<keyof Entries, number> {
    const first = this.#slot.first + QUEUES.length + i * ENTRY_COUNT;
    return placeEntries(this.#slot.functions.table, first, this.#entries(row));
  }

  #entries(row: ProtoRow | undefined): Entries {
    const host: RequestHost = {
      engine: this.#slot.engine,
      usrreq: row?.usrreq ?? {},
      sock: (ptr) => this.#sock(ptr, row?.flags ?? 0),
      forget: (ptr) => this.#forget(ptr),
      isFailed: () => this.failure !== undefined,
      fault: (hook, error) => this.fault(hook, error),
    };
    return {
      usrreq: (so, pru, m, nam, arg) => request(host, so >>> 0, pru, m >>> 0, nam >>> 0, arg),
      ctloutput: (op, so, level, name, ptr, len) =>
        this.#option(row, host.sock(so >>> 0), op, level, name, ptr >>> 0, len),
      ctlinput: (cmd, quote) =>
        this.#run("ctlinput", () => row?.ctlinput?.(cmd, this.#quote(quote >>> 0))),
      drain: () => this.#run("drain", () => row?.drain?.()),
      fasttimo: () => this.#run("fasttimo", () => row?.fasttimo?.()),
      slowtimo: () => this.#run("slowtimo", () => row?.slowtimo?.()),
      tick: (timer) => this.#run("timer", () => this.kernel.tick(timer >>> 0)),
    };
  }

  /** A socket is gone; one that has failed may be waiting for that. */
  #forget(ptr: number): void {
    this.#socks.delete(ptr);
    if (this.failure !== undefined) this.#slot.host.failed();
  }

  #sock(ptr: number, flags: number): Sock {
    let so = this.#socks.get(ptr);
    if (so === undefined) {
      const { engine } = this.#slot;
      so = new Sock(engine, ptr, flags, this.#place, (child) => this.#sock(child, flags));
      this.#socks.set(ptr, so);
    }
    return so;
  }

  #option(
    row: ProtoRow | undefined,
    so: Sock,
    op: number,
    level: number,
    name: number,
    ptr: number,
    len: number,
  ): number {
    const hook = op === Prco.GETOPT ? row?.getOption : row?.setOption;
    if (hook === undefined || row === undefined) return -Errno.ENOPROTOOPT;
    if (this.failure !== undefined) return -Errno.EIO;
    const value = this.#slot.engine.memory.subarray(ptr, ptr + len);
    const answer = guarded(this, "ctloutput", () => hook.call(row, so, level, name, value));
    return Math.min(answer, len);
  }

  #quote(at: number): ControlQuote | undefined {
    if (at === 0) return undefined;
    const { engine } = this.#slot;
    const { memory } = engine;
    const end = (offset: number, port: number) => ({
      family: Af.INET,
      address: formatIpv4(engine.view.getUint32(at + offset + 12)),
      port: field.getU16(engine, at, port),
    });
    return {
      local: end(Q.laddr_hi, Q.lport),
      peer: end(Q.faddr_hi, Q.fport),
      protocol: memory[at + Q.protocol],
      mtu: field.getU32(engine, at, Q.mtu),
    };
  }
}

/** Throws a clear error unless this is a protocol in TypeScript. */
export function checkModule(module: ProtocolModule, where: string): void {
  const wrong = (words: string) =>
    new SocketError(Errno.EINVAL, "protocols.load", `${where}: ${words}`);
  if (!/^[\w.-]{1,32}$/.test(module.name)) {
    throw wrong(`a name has 1 to 32 letters, digits, "_", "-" or ".", not ${module.name}`);
  }
  for (const hook of ["load", "unload", "snapshot", "restore"] as const) {
    if (module[hook] !== undefined && typeof module[hook] !== "function") {
      throw wrong(`its ${hook} is not a function`);
    }
  }
  if (module.rows !== undefined && !Array.isArray(module.rows)) {
    throw wrong("its rows are not an array");
  }
  for (const row of module.rows ?? []) checkRow(row, wrong);
}

const ROW_HOOKS = [
  "input",
  "ctlinput",
  "getOption",
  "setOption",
  "fasttimo",
  "slowtimo",
  "drain",
] as const;

function checkRow(row: ProtoRow, wrong: (words: string) => SocketError): void {
  const { type, protocol, flags } = row;
  if (!(Number.isInteger(type) && type >= 0 && type <= SockType.CONN_DGRAM)) {
    throw wrong(`the type of a row is a Sock constant or 0, not ${type}`);
  }
  if (!(Number.isInteger(protocol) && protocol >= 1 && protocol <= 255)) {
    throw wrong(`the protocol of a row is from 1 to 255, not ${protocol}`);
  }
  if (!(Number.isInteger(flags) && flags >= 0 && flags < 256)) {
    throw wrong(`the flags of a row are Pr constants, not ${flags}`);
  }
  if (type !== 0 && typeof row.usrreq !== "object") {
    throw wrong(`the row of protocol ${protocol} has sockets and no usrreq`);
  }
  for (const hook of ROW_HOOKS) {
    if (row[hook] !== undefined && typeof row[hook] !== "function") {
      throw wrong(`the ${hook} of protocol ${protocol} is not a function`);
    }
  }
  for (const [name, method] of Object.entries(row.usrreq ?? {})) {
    if (typeof method !== "function") throw wrong(`usrreq.${name} is not a function`);
  }
}
