/**
 * The values of socket options: as scripts write them, and as the engine keeps them.
 *
 * @module
 */

import { Sol } from "../assembly/abi/socket.ts";
import type { Expr } from "./ast.ts";
import { ScriptError, Unsupported } from "./errors.ts";
import type { SocketFd } from "./fd.ts";
import type { Host } from "./host.ts";
import { CONGESTION_NAMES } from "./settings.ts";
import {
  errnoOf,
  fieldOf,
  fieldsOf,
  isSupplied,
  numberIn,
  stackErrno,
  toNumber,
} from "./values.ts";
import type { World } from "./world.ts";

/** What matters of an option for its value. */
export interface OptionValue {
  /** The script's word. */
  readonly word: string;
  readonly level: number;
  readonly name: number;
}

/** Writes a value that a script sets to `at`; answers its length. */
export function placeValue(
  host: Host,
  word: string,
  value: Expr | undefined,
  length: Expr | undefined,
  at: number,
): number {
  const { view, memory } = host.engine;
  const int = (number: number) => view.setInt32(at, number, true);
  if (word === "SO_LINGER") {
    const fields = fieldsOf(value);
    int(numberIn(fields, "onoff", 0));
    view.setInt32(at + 4, numberIn(fields, "linger", 1), true);
    return 8;
  }
  if (word === "TCP_CONGESTION") {
    int(congestionNumber(value));
    return 4;
  }
  if (word === "TCP_FASTOPEN_KEY") {
    const bytes = keyBytes(value);
    memory.set(bytes, at);
    return bytes.length;
  }
  // {enable=1, psk=...} in the FreeBSD dialect
  if (word === "TCP_FASTOPEN" && value?.kind === "record") {
    int(numberIn(fieldsOf(value), "enable", 0));
    return 4;
  }
  int(toNumber(value) | 0);
  return isSupplied(length) ? 4 : Math.min(Math.max(toNumber(length), 0), 4);
}

function congestionNumber(expr: Expr | undefined): number {
  const inner = expr?.kind === "list" && expr.items.length === 1 ? expr.items[0] : expr;
  if (inner?.kind !== "string") throw new ScriptError("TCP_CONGESTION takes a name");
  const number = CONGESTION_NAMES[inner.value.replace(/\0+$/, "")];
  if (number === undefined) throw new Unsupported(`congestion control ${inner.value}`);
  return number;
}

/** A Fast Open key: a string, each character a byte. */
function keyBytes(expr: Expr | undefined): Uint8Array {
  if (expr?.kind !== "string") throw new ScriptError("TCP_FASTOPEN_KEY takes a string");
  return Uint8Array.from(expr.value, (char) => char.charCodeAt(0) & 255);
}

/** What differs between a value that a script expects and the one at `at`. */
export function valueFault(
  world: World,
  fd: SocketFd,
  value: Expr | undefined,
  option: OptionValue,
  at: number,
): string | undefined {
  const { view } = world.host.engine;
  const open = isSupplied(value) || (value?.kind === "list" && isSupplied(value.items[0]));
  if (open) return undefined;
  const got = view.getInt32(at, true);
  switch (option.word) {
    case "TCP_INFO":
      throw new Unsupported("TCP_INFO by getsockopt");
    case "SO_ERROR": {
      const name = stackErrno(got);
      return name === errnoOf(value) ? undefined : `SO_ERROR is ${name}`;
    }
    case "SO_LINGER":
      return lingerFault(value, got, view.getInt32(at + 4, true));
    case "TCP_CONGESTION":
      return congestionNumber(value) === got ? undefined : `it is algorithm ${got}`;
    case "TCP_FASTOPEN_KEY": {
      const wanted = keyBytes(value);
      const same = wanted.every((byte, i) => view.getUint8(at + i) === byte);
      return same ? undefined : "it is another key";
    }
  }
  return numberFault(world, fd, value, option, got);
}

function lingerFault(value: Expr | undefined, onoff: number, linger: number): string | undefined {
  const fields = fieldsOf(value);
  const differs = (name: string, place: number, got: number) => {
    const wanted = fieldOf(fields, name) ?? fields[place]?.value;
    return !isSupplied(wanted) && toNumber(wanted) !== got;
  };
  // BSD answers any number but 0 for "on"
  const on = differs("onoff", 0, onoff) && differs("onoff", 0, onoff ? 1 : 0) &&
    differs("onoff", 0, onoff ? 0x80 : 0);
  if (!on && !differs("linger", 1, linger)) return undefined;
  return `it is {onoff=${onoff}, linger=${linger}}`;
}

function numberFault(
  world: World,
  fd: SocketFd,
  value: Expr | undefined,
  option: OptionValue,
  got: number,
): string | undefined {
  const linux = world.config.dialect === "linux";
  // Linux doubles what was set, for its own bookkeeping; receive buffers are halved when set here
  const doubled = fd.sizes.get(option.word) === got || option.word === "SO_RCVBUF";
  if (linux && doubled && (option.word === "SO_SNDBUF" || option.word === "SO_RCVBUF")) got *= 2;
  const wanted = toNumber(value);
  const flag = isFlag(option, wanted) && wanted !== 0 && got !== 0;
  return flag || wanted >>> 0 === got >>> 0 ? undefined : `it is ${got}`;
}

/** Flags of SOL_SOCKET: BSD answers any number but 0 for "on", scripts say 1 or the flag. */
function isFlag({ level, name }: OptionValue, wanted: number): boolean {
  return level === Sol.SOCKET && name < 0x1000 && (wanted === 1 || wanted === name);
}
