/**
 * Socket options and requests on descriptors.
 *
 * @module
 */

import { Errno } from "../assembly/abi/errno.ts";
import { Sioc } from "../assembly/abi/ifnet.ts";
import { IpProto } from "../assembly/abi/proto.ts";
import { Sol } from "../assembly/abi/socket.ts";
import * as layout from "../runtime/wasm/layout.gen.ts";
import {
  type ConstantNames,
  IP_OPT_NAMES,
  SO_NAMES,
  TCP_OPT_NAMES,
} from "../runtime/wasm/names.gen.ts";
import type { Call, Expr } from "./ast.ts";
import { type Answer, answerOf, errorAnswer, type Starter } from "./call_t.ts";
import { ScriptError, Unsupported } from "./errors.ts";
import type { SocketFd } from "./fd.ts";
import { CONGESTION_NAMES } from "./settings.ts";
import {
  FILE_SYMBOLS,
  IP_SYMBOLS,
  LEVEL_SYMBOLS,
  SO_SYMBOLS,
  type Symbols,
  TCP_SYMBOLS,
} from "./symbols.ts";
import { errnoOf, fieldsOf, isSupplied, nameOf, numberIn, stackErrno, toNumber } from "./values.ts";
import type { World } from "./world.ts";

/** An option as the engine knows it. */
interface Option {
  readonly level: number;
  readonly name: number;
  /** The script's word. */
  readonly word: string;
}

/** A level: its number, the script's symbols, the engine's names and what they lack in front. */
interface Level {
  readonly level: number;
  readonly symbols: Symbols;
  readonly names: ConstantNames;
  readonly prefix: string;
}

const LEVELS: Readonly<Record<number, Level>> = {
  1: { level: Sol.SOCKET, symbols: SO_SYMBOLS, names: SO_NAMES, prefix: "SO_" },
  0: { level: IpProto.IP, symbols: IP_SYMBOLS, names: IP_OPT_NAMES, prefix: "IP_" },
  6: { level: IpProto.TCP, symbols: TCP_SYMBOLS, names: TCP_OPT_NAMES, prefix: "TCP_" },
};

/** Buffer sizes, which Linux answers doubled. */
const SIZES = ["SO_SNDBUF", "SO_RCVBUF"];
/** Options whose numbers the engine keeps in other units or forms. */
const OTHER_FORMS = ["SO_RCVTIMEO", "SO_SNDTIMEO", "SO_TIMESTAMP", "TCP_FASTOPEN_KEY"];

/** The engine's option for the arguments of a call; undefined if it has none such. */
function optionOf(call: Call): Option | string {
  const level = LEVELS[toNumber(symbolic(call.args[1]))];
  if (!level) return `level ${nameOf(call.args[1], LEVEL_SYMBOLS)}`;
  const word = nameOf(call.args[2], level.symbols);
  const entry = Object.entries(level.names).find(([, { name }]) => level.prefix + name === word);
  if (!entry || OTHER_FORMS.includes(word)) return word;
  return { level: level.level, name: Number(entry[0]), word };
}

/** A level may be written as any of its symbols. */
function symbolic(expr: Expr | undefined): Expr | undefined {
  if (expr?.kind !== "word") return expr;
  const value = LEVEL_SYMBOLS[expr.name];
  return value === undefined ? expr : { kind: "number", value };
}

/** The stack has no such option: that is what the script expects, or it cannot be run. */
function noOption(call: Call, word: string): Answer {
  if (call.errno === "ENOPROTOOPT") return errorAnswer("ENOPROTOOPT");
  throw new Unsupported(`socket option ${word}`);
}

const setsockopt: Starter = (world, call) => () => {
  const fd = world.socket(toNumber(call.args[0]));
  const option = optionOf(call);
  if (typeof option === "string") return noOption(call, option);
  const at = world.host.place(0, 256);
  const length = placeValue(world, call, option, at);
  const { calls } = world.host;
  const result = calls.so_setopt(fd.so, option.level, option.name, at, length);
  if (result === -Errno.ENOPROTOOPT) return noOption(call, option.word);
  if (result >= 0 && SIZES.includes(option.word)) {
    fd.sizes.set(option.word, world.host.u32(at));
  }
  return answerOf(result);
};

/** Writes the value to set; answers its length. */
function placeValue(world: World, call: Call, option: Option, at: number): number {
  const { view } = world.host.engine;
  const value = call.args[3];
  if (option.word === "SO_LINGER") {
    const fields = fieldsOf(value);
    view.setInt32(at, numberIn(fields, "onoff", 0), true);
    view.setInt32(at + 4, numberIn(fields, "linger", 1), true);
    return 8;
  }
  if (option.word === "TCP_CONGESTION") {
    view.setInt32(at, congestionNumber(value), true);
    return 4;
  }
  view.setInt32(at, toNumber(value) | 0, true);
  const length = call.args[4];
  return isSupplied(length) ? 4 : Math.min(toNumber(length), 4);
}

function congestionNumber(expr: Expr | undefined): number {
  const inner = expr?.kind === "list" && expr.items.length === 1 ? expr.items[0] : expr;
  if (inner?.kind !== "string") throw new ScriptError("TCP_CONGESTION takes a name");
  const number = CONGESTION_NAMES[inner.value];
  if (number === undefined) throw new Unsupported(`congestion control ${inner.value}`);
  return number;
}

const getsockopt: Starter = (world, call) => () => {
  const fd = world.socket(toNumber(call.args[0]));
  const option = optionOf(call);
  if (typeof option === "string") return noOption(call, option);
  const { host, config } = world;
  if (config.lenient && option.word === "SO_RCVBUF") return { value: 0 };
  const at = host.place(0, 256);
  const length = host.calls.so_getopt(fd.so, option.level, option.name, at, 256);
  if (length === -Errno.ENOPROTOOPT) return noOption(call, option.word);
  if (length < 0) return answerOf(length);
  const lengthFault = wrongLength(call.args[4], option.word, length);
  return { value: 0, fault: lengthFault ?? wrongValue(world, fd, call, option, at) };
};

/** In `[4]` the script says how long the value is. */
function wrongLength(expr: Expr | undefined, word: string, length: number): string | undefined {
  if (isSupplied(expr) || word === "TCP_CONGESTION" || word === "TCP_INFO") return undefined;
  const wanted = toNumber(expr!);
  return wanted === length ? undefined : `its length is ${length}`;
}

function wrongValue(
  world: World,
  fd: SocketFd,
  call: Call,
  option: Option,
  at: number,
): string | undefined {
  const { view } = world.host.engine;
  const value = call.args[3];
  const open = isSupplied(value) || (value.kind === "list" && isSupplied(value.items[0]));
  if (open) return undefined;
  if (option.word === "TCP_INFO") throw new Unsupported("TCP_INFO by getsockopt");
  let got = view.getInt32(at, true);
  if (option.word === "SO_ERROR") {
    const name = stackErrno(got);
    return name === errnoOf(value) ? undefined : `SO_ERROR is ${name}`;
  }
  if (option.word === "SO_LINGER") {
    const fields = fieldsOf(value);
    const seconds = view.getInt32(at + 4, true);
    const same = numberIn(fields, "onoff", 0) === got &&
      numberIn(fields, "linger", 1) === seconds;
    return same ? undefined : `it is {onoff=${got}, linger=${seconds}}`;
  }
  if (option.word === "TCP_CONGESTION") {
    return congestionNumber(value) === got ? undefined : `it is algorithm ${got}`;
  }
  const doubled = world.config.dialect === "linux" && fd.sizes.has(option.word);
  if (doubled && fd.sizes.get(option.word) === got) got *= 2;
  const wanted = toNumber(value);
  const flag = isFlag(option, wanted) && wanted !== 0 && got !== 0;
  return flag || wanted >>> 0 === got >>> 0 ? undefined : `it is ${got}`;
}

/** Flags of SOL_SOCKET: BSD answers any number but 0 for "on", scripts say 1 or the flag. */
function isFlag({ level, name }: Option, wanted: number): boolean {
  return level === Sol.SOCKET && name < 0x1000 && (wanted === 1 || wanted === name);
}

const ioctl: Starter = (world, call) => () => {
  const fd = world.socket(toNumber(call.args[0]));
  const request = nameOf(call.args[1], FILE_SYMBOLS);
  const { host } = world;
  const at = host.place(0, 16);
  if (request === "FIONREAD" || request === "SIOCINQ") {
    const result = host.calls.so_ioctl(fd.so, Sioc.FIONREAD, at, 4);
    return countAnswer(result, call.args[2], host.u32(at));
  }
  if (request === "SIOCOUTQ") {
    return countAnswer(0, call.args[2], host.u32(fd.so + layout.Socket.snd_cc));
  }
  if (request === "FIONBIO") {
    fd.nonblock = toNumber(call.args[2]) !== 0;
    return { value: 0 };
  }
  throw new Unsupported(`ioctl ${request}`);
};

function countAnswer(result: number, wanted: Expr, got: number): Answer {
  if (result < 0) return answerOf(result);
  const same = isSupplied(wanted) || toNumber(wanted) === got;
  return same ? { value: 0 } : { value: 0, fault: `it gives ${got}` };
}

/** Calls of this file by name. */
export const OPTION_CALLS: Readonly<Record<string, Starter>> = { setsockopt, getsockopt, ioctl };
