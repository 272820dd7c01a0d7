/**
 * `sendmsg` and `recvmsg`: the message header, control messages and the error queue.
 *
 * @module
 */

import * as layout from "../runtime/wasm/layout.gen.ts";
import type { Call, Expr, Field } from "./ast.ts";
import { engineFlags, receiving, sending, socketOf, vectorLength } from "./call_data.ts";
import { type Answer, errorAnswer, type Starter } from "./call_t.ts";
import { Unsupported } from "./errors.ts";
import { errorQueue, type Notice } from "./error_queue.ts";
import type { SocketFd } from "./fd.ts";
import { readAhead } from "./call_poll.ts";
import { infoOfStat } from "./tcp_info.ts";
import { IP_SYMBOLS, LEVEL_SYMBOLS, SO_SYMBOLS, STAMPING_SYMBOLS } from "./symbols.ts";
import { fieldOf, fieldsOf, isSupplied, nameOf, numberOr, toNumber } from "./values.ts";
import type { World } from "./world.ts";

/** A control message, its data as numbers by the names that scripts have for them. */
interface Control {
  readonly level: number;
  readonly type: number;
  readonly data: number | ReadonlyMap<string, number>;
  /** The data are times: they may be off by the tolerance. */
  readonly timed?: boolean;
}

/** Times of control messages may be off by this much, as those of packets may. */
const TOLERANCE_US = 4000;
const S = STAMPING_SYMBOLS;

const sendmsg: Starter = (world, call) => {
  const fields = fieldsOf(call.args[1]);
  const fd = socketOf(world, call);
  const length = vectorLength(fieldOf(fields, "msg_iov"));
  const stamps = sentControl(fields, fd.kept.get("SO_TIMESTAMPING") ?? 0);
  return sending(world, fd, length, call.args[2], fieldOf(fields, "msg_name"), stamps);
};

/** Control messages that go out: kinds of timestamps for this send alone. */
function sentControl(fields: readonly Field[], stamps: number): number {
  for (const item of controlItems(fields)) {
    const record = fieldsOf(item);
    const level = nameOf(fieldOf(record, "cmsg_level"), LEVEL_SYMBOLS);
    const table = level === "SOL_IP" || level === "IPPROTO_IP" ? IP_SYMBOLS : SO_SYMBOLS;
    const type = nameOf(fieldOf(record, "cmsg_type"), table);
    if (type !== "SO_TIMESTAMPING") throw new Unsupported(`control messages ${type} in sendmsg`);
    stamps |= toNumber(fieldOf(record, "cmsg_data"));
  }
  return stamps;
}

function controlItems(fields: readonly Field[]): readonly Expr[] {
  const control = fieldOf(fields, "msg_control");
  if (isSupplied(control)) return [];
  return control?.kind === "list" ? control.items : [control!];
}

const recvmsg: Starter = (world, call) => {
  const fields = fieldsOf(call.args[1]);
  const fd = socketOf(world, call);
  const { names } = engineFlags(call.args[2]);
  if (names.includes("MSG_ERRQUEUE")) return () => fromErrorQueue(world, fd, call, fields);
  const length = vectorLength(fieldOf(fields, "msg_iov"));
  const attempt = receiving(world, fd, length, call.args[2]);
  return () => {
    const answer = attempt();
    if (!answer || answer.value < 0) return answer;
    const bits = world.host.u32(world.host.engine.recvInfo + layout.RecvInfo.flags);
    const wanted = fieldOf(fields, "msg_flags");
    const differs = !isSupplied(wanted) && bits !== engineFlags(wanted).bits;
    const fault = differs
      ? `msg_flags are 0x${bits.toString(16)} of the stack`
      : controlFault(fields, receivedControl(world, fd));
    return fault === undefined ? answer : { ...answer, fault };
  };
};

/** Control messages beside data: how much more there is to read. */
function receivedControl(world: World, fd: SocketFd): Control[] {
  if (!fd.kept.get("TCP_INQ")) return [];
  return [{ level: LEVEL_SYMBOLS.SOL_TCP, type: S.TCP_CM_INQ, data: readAhead(world, fd) }];
}

function fromErrorQueue(
  world: World,
  fd: SocketFd,
  call: Call,
  fields: readonly Field[],
): Answer {
  if (fd.kept.get("IP_RECVERR")) throw new Unsupported("IP_RECVERR");
  const queue = errorQueue(fd);
  queue.sample(world, fd);
  const notice = queue.notices.shift();
  if (!notice) return errorAnswer("EAGAIN");
  const room = vectorLength(fieldOf(fields, "msg_iov"));
  const got = ["MSG_ERRQUEUE", ...room < notice.length ? ["MSG_TRUNC"] : []];
  const value = Math.min(room, notice.length);
  const wanted = fieldOf(fields, "msg_flags");
  const expected = isSupplied(wanted) ? got : engineFlags(wanted).names;
  if (got.length !== expected.length || got.some((name) => !expected.includes(name))) {
    return { value, fault: `msg_flags are ${got.join("|")}` };
  }
  const fault = controlFault(fields, noticeControl(notice));
  return fault === undefined ? { value } : { value, fault: `${call.name}: ${fault}` };
}

/** What Linux tells of an entry: when, then counters, then the extended error. */
function noticeControl({ origin, errno, code, info, data, at_us, stats }: Notice): Control[] {
  const error = new Map([
    ["ee_errno", errno],
    ["ee_origin", origin],
    ["ee_type", 0],
    ["ee_code", code],
    ["ee_info", info],
    ["ee_data", data],
  ]);
  const list: Control[] = [];
  if (at_us !== undefined) {
    const time = new Map([
      ["scm_sec", Math.floor(at_us / 1e6)],
      ["scm_nsec", (at_us % 1e6) * 1000],
    ]);
    list.push({
      level: LEVEL_SYMBOLS.SOL_SOCKET,
      type: S.SCM_TIMESTAMPING,
      data: time,
      timed: true,
    });
  }
  if (stats) {
    const type = S.SCM_TIMESTAMPING_OPT_STATS;
    list.push({ level: LEVEL_SYMBOLS.SOL_SOCKET, type, data: stats });
  }
  list.push({ level: LEVEL_SYMBOLS.SOL_IP, type: IP_SYMBOLS.IP_RECVERR, data: error });
  return list;
}

/** What differs between the control messages of a script and those there are. */
function controlFault(fields: readonly Field[], got: readonly Control[]): string | undefined {
  if (fields.some(({ name, value }) => name === "msg_control" && value.kind === "ellipsis")) {
    return undefined;
  }
  const wanted = controlItems(fields);
  if (wanted.length !== got.length) return `there are ${got.length} control messages`;
  for (let i = 0; i < got.length; i++) {
    const record = fieldsOf(wanted[i]);
    const { level, type, data } = got[i];
    const same = numberOr(fieldOf(record, "cmsg_level"), level) === level &&
      numberOr(fieldOf(record, "cmsg_type"), type) === type;
    if (!same) return `control message ${i} is of level ${level}, type ${type}`;
    const fault = dataFault(fieldOf(record, "cmsg_data"), data, got[i].timed ?? false);
    if (fault) return fault;
  }
  return undefined;
}

function dataFault(
  wanted: Expr | undefined,
  data: Control["data"],
  timed: boolean,
): string | undefined {
  if (isSupplied(wanted)) return undefined;
  if (typeof data === "number") {
    return toNumber(wanted) === data ? undefined : `cmsg_data is ${data}`;
  }
  const fields = wanted?.kind === "list" ? wanted.items.flatMap(fieldsOf) : fieldsOf(wanted);
  if (timed) return timeFault(fields, data);
  for (const { name, value } of fields) {
    const got = data.get(name) ?? infoOfStat(name, data);
    if (numberOr(value, got) !== got) return `${name} is ${got}`;
  }
  return undefined;
}

/** Zero stands for any time. */
function timeFault(
  fields: readonly Field[],
  data: ReadonlyMap<string, number>,
): string | undefined {
  const us = (get: (name: string) => number) => get("scm_sec") * 1e6 + get("scm_nsec") / 1000;
  const wanted = us((name) => numberOr(fieldOf(fields, name), 0));
  const got = us((name) => data.get(name) ?? 0);
  if (wanted === 0 || Math.abs(wanted - got) <= TOLERANCE_US) return undefined;
  return `the time is ${(got / 1e6).toFixed(6)}`;
}

/** Calls of this file by name. */
export const MESSAGE_CALLS: Readonly<Record<string, Starter>> = { sendmsg, recvmsg };
