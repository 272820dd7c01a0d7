/**
 * What goes along with messages of local sockets: descriptors (SCM_RIGHTS) and credentials.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { Af, LocalLimit, LocalOpt, Msg, Scm, Sol } from "../../assembly/abi/socket.ts";
import { SocketError } from "../errors.ts";
import * as field from "../layout.ts";
import * as layout from "../wasm/layout.gen.ts";
import { takeName } from "./calls.ts";
import {
  type ControlMessage,
  readRecvInfo,
  type RecvHeader,
  type SendHeader,
  tryRecvIov,
  trySendIov,
} from "./message.ts";
import { getOptionBytes } from "./options.ts";
import type { So } from "./so.ts";
import { releaseFd } from "./so_wait.ts";

const { LocalInfo: L } = layout;
/** Process, user and group. */
const CREDS_BYTES = 12;

/** Control data that passes descriptors on: who receives it gets new ones for the same sockets. */
export function rightsMessage(fds: readonly number[]): ControlMessage {
  const data = new Uint8Array(4 * fds.length);
  const view = new DataView(data.buffer);
  fds.forEach((fd, i) => view.setInt32(4 * i, fd, true));
  return { level: Sol.SOCKET, type: Scm.RIGHTS, data };
}

/** Descriptors that control data has brought. */
export function rightsOf(control: readonly ControlMessage[] = []): number[] {
  return control.flatMap(({ level, type, data }) => {
    if (level !== Sol.SOCKET || type !== Scm.RIGHTS) return [];
    const view = new DataView(data.buffer, data.byteOffset, data.length);
    return Array.from({ length: data.length >> 2 }, (_, i) => view.getInt32(4 * i, true));
  });
}

/**
 * Control data that states whom a message is sent for: the socket's own credentials, or any if its
 * own user is 0.
 */
export function credsMessage(pid: number, uid: number, gid: number): ControlMessage {
  const data = new Uint8Array(Int32Array.of(pid, uid, gid).buffer);
  return { level: Sol.SOCKET, type: Scm.CREDS, data };
}

/** EPERM for credentials that are not the socket's own, unless its user is 0. */
function checkCreds(so: So, data: Uint8Array): void {
  const own = getOptionBytes(so, Sol.LOCAL, LocalOpt.CRED, CREDS_BYTES);
  if (own.subarray(4, 8).every((byte) => byte === 0)) return;
  if (own.some((byte, i) => byte !== data[i])) {
    throw new SocketError(Errno.EPERM, "sendmsg", "only user 0 sends for others");
  }
}

/** Credentials that control data states, undefined for none. */
function credsOf(control: readonly ControlMessage[]): Uint8Array | undefined {
  return control.findLast(({ type }) => type === Scm.CREDS)?.data;
}

/** Throws `SocketError`: EINVAL for control data that the socket cannot send, EPERM. */
export function checkControl(so: So, { control = [] }: SendHeader): void {
  const refuse = (words: string) => new SocketError(Errno.EINVAL, "sendmsg", words);
  let count = 0;
  for (const { level, type, data } of control) {
    if (so.family !== Af.UNIX) throw refuse("only local sockets send control data");
    if (level === Sol.SOCKET && type === Scm.CREDS) {
      if (data.length !== CREDS_BYTES) throw refuse("credentials have 12 bytes");
      checkCreds(so, data);
      continue;
    }
    if (level !== Sol.SOCKET || type !== Scm.RIGHTS) {
      throw refuse("only descriptors and credentials are sent along");
    }
    if (data.length % 4 !== 0) throw refuse("a descriptor has four bytes");
    count += data.length / 4;
  }
  if (count > LocalLimit.RIGHTS) throw refuse(`at most ${LocalLimit.RIGHTS} descriptors go along`);
}

/** Sends pieces; descriptors go with the first byte. */
export function trySendMsg(
  so: So,
  message: SendHeader,
  done: number,
  flags: number,
  nam: number,
): number {
  const { iov, control = [] } = message;
  const fds = done === 0 ? rightsOf(control) : [];
  const creds = credsOf(control);
  if (fds.length === 0 && creds === undefined) return trySendIov(so, iov, done, flags, nam);
  const { engine, table } = so.layer;
  const info = engine.localInfo;
  for (const [i, fd] of fds.entries()) {
    const { ptr } = table.get(fd, "sendmsg");
    field.setU32(engine, info, L.size + 4 * i, ptr);
  }
  field.setU32(engine, info, L.count, fds.length);
  if (creds !== undefined) {
    engine.memory.set(creds, info + L.pid);
    field.setU32(engine, info, L.creds, 1);
  }
  try {
    return trySendIov(so, iov, done, flags, nam);
  } finally {
    field.setU32(engine, info, L.count, 0);
    field.setU32(engine, info, L.creds, 0);
  }
}

/** Control data other than descriptors. */
function others({ control = [] }: SendHeader): ControlMessage[] {
  return control.filter(({ type }) => type !== Scm.RIGHTS);
}

/**
 * Keeps the descriptors of a message that waits: their numbers could become others' meanwhile.
 * Calls `send` with the message as it is to be sent then. They are gone already if the `first` try
 * has sent something. `SocketError` EMFILE.
 */
export async function withRights<T>(
  { layer }: So,
  message: SendHeader,
  first: number,
  send: (message: SendHeader) => Promise<T>,
): Promise<T> {
  const { table } = layer;
  const held: number[] = [];
  const keep = (fd: number) => {
    const { ptr } = table.get(fd, "sendmsg");
    table.reserve("sendmsg");
    const kept = table.alias(ptr);
    table.ofCalls.add(kept);
    held.push(kept);
    return kept;
  };
  try {
    const fds = first > 0 ? [] : rightsOf(message.control).map(keep);
    return await send(
      fds.length === 0
        ? message
        : { ...message, control: [...others(message), rightsMessage(fds)] },
    );
  } finally {
    for (const fd of held) {
      table.ofCalls.delete(fd);
      releaseFd(layer, fd, "sendmsg");
    }
  }
}

/** Receives into pieces from `done` on, and fills in the rest of the header. */
export function tryRecvMsg(
  so: So,
  message: RecvHeader,
  done: number,
  flags: number,
  nam: number,
): number {
  const { engine } = so.layer;
  const local = so.family === Af.UNIX;
  if (local) takeRights(so, true);
  const got = tryRecvIov(so, message.iov, done, flags, nam);
  if (got >= 0) {
    const before = done > 0 ? message.control ?? [] : [];
    message.name = takeName(so);
    readRecvInfo(engine, message);
    if (local) message.control!.push(...before, ...brought(so, message));
  }
  if (local) takeRights(so, false);
  return got;
}

/** Says whether what comes along is wanted, and for how many there are descriptors. */
function takeRights({ layer: { engine, table } }: So, wanted: boolean): void {
  const info = engine.localInfo;
  field.setU32(engine, info, L.wanted, wanted ? 1 + Math.min(table.left, LocalLimit.RIGHTS) : 0);
  field.setU32(engine, info, L.cut, 0);
  field.setU32(engine, info, L.count, 0);
  field.setU32(engine, info, L.creds, 0);
}

/** What came along, with descriptors for it. */
function brought(so: So, message: RecvHeader): ControlMessage[] {
  const { engine } = so.layer;
  const info = engine.localInfo;
  const found: ControlMessage[] = [];
  if (field.getU32(engine, info, L.creds) !== 0) {
    const data = engine.memory.slice(info + L.pid, info + L.pid + 12);
    found.push({ level: Sol.SOCKET, type: Scm.CREDS, data });
  }
  const count = field.getU32(engine, info, L.count);
  const sockets = Array.from(
    { length: count },
    (_, i) => field.getU32(engine, info, L.size + 4 * i),
  );
  const fds = sockets.map((ptr) => adopt(so, ptr));
  if (field.getU32(engine, info, L.cut) !== 0) message.flags = (message.flags ?? 0) | Msg.CTRUNC;
  if (fds.length > 0) found.push(rightsMessage(fds));
  return found;
}

/** A descriptor for a socket that came. */
function adopt({ layer: { engine, table } }: So, ptr: number): number {
  const open = field.getU32(engine, ptr, layout.Socket.fd) !== LocalLimit.GIVEN;
  return open ? table.alias(ptr) : table.add(ptr);
}
