/**
 * Socket options and requests on descriptors.
 *
 * @module
 */

import { Errno } from "../assembly/abi/errno.ts";
import { Sioc } from "../assembly/abi/ifnet.ts";
import { IpProto } from "../assembly/abi/proto.ts";
import { So, Sol } from "../assembly/abi/socket.ts";
import * as layout from "../runtime/wasm/layout.gen.ts";
import {
  type ConstantNames,
  IP_OPT_NAMES,
  SO_NAMES,
  TCP_OPT_NAMES,
} from "../runtime/wasm/names.gen.ts";
import type { Call, Expr } from "./ast.ts";
import { type Answer, answerOf, errorAnswer, type Starter } from "./call_t.ts";
import { Unsupported } from "./errors.ts";
import { errorQueue } from "./error_queue.ts";
import type { SocketFd } from "./fd.ts";
import { KEPT_OPTIONS, SAME_OPTIONS } from "./option_table.ts";
import { type OptionValue, placeValue, valueFault } from "./option_value.ts";
import {
  FILE_SYMBOLS,
  IP_SYMBOLS,
  LEVEL_SYMBOLS,
  SO_SYMBOLS,
  type Symbols,
  TCP_SYMBOLS,
} from "./symbols.ts";
import { snapshotInfo } from "./tcp_info.ts";
import { fieldOf, fieldsOf, isSupplied, nameOf, toNumber } from "./values.ts";
import type { World } from "./world.ts";

/** Room for values of options in the engine's memory. */
const VALUE_BYTES = 256;

/** An option as the engine knows it. */
interface Option extends OptionValue {
  readonly level: number;
  readonly name: number;
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
/** Options whose values the engine keeps in a form that scripts cannot write. */
const OTHER_FORMS = ["SO_RCVTIMEO", "SO_SNDTIMEO", "SO_TIMESTAMP", "IP_OPTIONS"];

/** The engine's option for the arguments of a call, or the name of one that it does not have. */
function optionOf(call: Call): Option | string {
  const level = LEVELS[toNumber(symbolic(call.args[1]))];
  if (!level) return `level ${nameOf(call.args[1], LEVEL_SYMBOLS)}`;
  const written = nameOf(call.args[2], level.symbols);
  const word = SAME_OPTIONS[written] ?? written;
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
  if (typeof option === "string") return setKept(fd, call, option);
  const { host } = world;
  const at = host.place(0, VALUE_BYTES);
  const length = placeValue(host, option.word, call.args[3], call.args[4], at);
  const { calls, engine } = host;
  const result = calls.so_setopt(fd.so, option.level, option.name, at, length);
  if (result === -Errno.ENOPROTOOPT) return setKept(fd, call, option.word);
  if (result >= 0) {
    if (SIZES.includes(option.word)) fd.sizes.set(option.word, host.u32(at));
    const bytes = engine.memory.slice(at, at + length);
    fd.set.set(`${option.level} ${option.name}`, { ...option, bytes });
  }
  return answerOf(result);
};

/** Options that the interpreter answers for. */
function setKept(fd: SocketFd, call: Call, word: string): Answer {
  if (word === "TCP_FUNCTION_BLK") return functionBlock(call);
  const known = KEPT_OPTIONS[word];
  if (!known) return noOption(call, word);
  const value = toNumber(call.args[3]) | 0;
  if (known.accepts && !known.accepts.includes(value)) {
    if (call.errno !== undefined) return errorAnswer("EINVAL");
    throw new Unsupported(`socket option ${word} = ${value}`);
  }
  fd.kept.set(word, value);
  if (word === "SO_TIMESTAMPING") errorQueue(fd).keyBase = fd.written;
  return { value: 0 };
}

/** FreeBSD's choice of a TCP: this stack is as good as its base stack. */
function functionBlock(call: Call): Answer {
  const name = fieldOf(fieldsOf(call.args[3]), "function_set_name");
  if (name?.kind === "string" && name.value === "freebsd") return { value: 0 };
  throw new Unsupported("socket option TCP_FUNCTION_BLK");
}

const getsockopt: Starter = (world, call) => () => {
  const fd = world.socket(toNumber(call.args[0]));
  const option = optionOf(call);
  if (typeof option === "string") return getKept(world, fd, call, option);
  const { host, config } = world;
  if (config.lenient && option.word === "SO_RCVBUF") return { value: 0 };
  const at = host.place(0, VALUE_BYTES);
  const length = host.calls.so_getopt(fd.so, option.level, option.name, at, VALUE_BYTES);
  if (length === -Errno.ENOPROTOOPT) return getKept(world, fd, call, option.word);
  if (length < 0) return answerOf(length);
  const fault = lengthFault(call.args[4], option.word, length) ??
    valueFault(world, fd, call.args[3], option, at);
  return fault === undefined ? { value: 0 } : { value: 0, fault };
};

function getKept(world: World, fd: SocketFd, call: Call, word: string): Answer {
  const got = fd.kept.get(word) ?? KEPT_OPTIONS[word]?.initial ?? derived(world, fd, word);
  if (got === undefined) return noOption(call, word);
  const fault = isSupplied(call.args[3]) || toNumber(call.args[3]) === got
    ? undefined
    : `it is ${got}`;
  return fault === undefined ? { value: 0 } : { value: 0, fault };
}

/** Options that can only be read, told by what the stack says elsewhere. */
function derived(world: World, fd: SocketFd, word: string): number | undefined {
  if (word === "SO_PROTOCOL") return fd.type === "stream" ? IpProto.TCP : IpProto.UDP;
  if (word === "SO_DOMAIN") return 2;
  if (word === "IP_MTU") return snapshotInfo(world, fd.so).get("tcpi_pmtu");
  return undefined;
}

/** In `[4]` the script says how long the value is. */
function lengthFault(expr: Expr | undefined, word: string, length: number): string | undefined {
  const open = ["TCP_CONGESTION", "TCP_INFO", "TCP_FASTOPEN_KEY"].includes(word);
  if (isSupplied(expr) || open) return undefined;
  const wanted = toNumber(expr!);
  return wanted === length ? undefined : `its length is ${length}`;
}

const ioctl: Starter = (world, call) => () => {
  const fd = world.socket(toNumber(call.args[0]));
  const request = nameOf(call.args[1], FILE_SYMBOLS);
  const { host } = world;
  const at = host.place(0, 16);
  switch (request) {
    case "FIONREAD":
    case "SIOCINQ": {
      const result = host.calls.so_ioctl(fd.so, Sioc.FIONREAD, at, 4);
      return countAnswer(result, call.args[2], host.u32(at));
    }
    case "SIOCOUTQ":
    case "FIONWRITE":
    case "SIOCOUTQNSD": {
      const cmd = request === "SIOCOUTQNSD" ? Sioc.OUTQNSD : Sioc.OUTQ;
      const result = host.calls.so_ioctl(fd.so, cmd, at, 4);
      return countAnswer(result, call.args[2], host.u32(at));
    }
    case "FIONSPACE": {
      host.calls.so_getopt(fd.so, Sol.SOCKET, So.SNDBUF, at, 4);
      const left = host.u32(at) - host.u32(fd.so + layout.Socket.snd_cc);
      return countAnswer(0, call.args[2], Math.max(left, 0));
    }
    case "SIOCATMARK": {
      const result = host.calls.so_ioctl(fd.so, Sioc.ATMARK, at, 4);
      return countAnswer(Math.min(result, 0), call.args[2], host.u32(at));
    }
    case "FIONBIO":
      fd.nonblock = toNumber(call.args[2]) !== 0;
      return { value: 0 };
  }
  throw new Unsupported(`ioctl ${request}`);
};

function countAnswer(result: number, wanted: Expr | undefined, got: number): Answer {
  if (result < 0) return answerOf(result);
  const same = isSupplied(wanted) || toNumber(wanted) === got;
  return same ? { value: 0 } : { value: 0, fault: `it gives ${got}` };
}

/** Calls of this file by name. */
export const OPTION_CALLS: Readonly<Record<string, Starter>> = { setsockopt, getsockopt, ioctl };
