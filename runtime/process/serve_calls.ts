/**
 * What each call does on the stack's side. Arguments are a stranger's: whatever they are, a call
 * answers a result or an error.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { Af, Msg, Scm, So as Opt, Sock, Sol } from "../../assembly/abi/socket.ts";
import { SocketError } from "../errors.ts";
import { F_GETFL, O_NONBLOCK } from "../socket/constants.ts";
import type { ControlMessage, RecvHeader, SendHeader } from "../socket/message.ts";
import type { Received } from "../socket/nonblocking.ts";
import { rightsMessage, rightsOf } from "../socket/rights.ts";
import type { SockAddrInit } from "../socket/sockaddr.ts";
import { Arg, Until } from "./arguments.ts";
import { decode } from "./codec.ts";
import { AGAIN, Op } from "./ring.ts";
import {
  fcntl,
  getnames,
  getsockopt,
  getsockoptBytes,
  ioctl,
  mustBePrivileged,
  setname,
  setsockopt,
} from "./serve_options.ts";
import { servePoll, serveSelect } from "./serve_poll.ts";
import type { Handler, ServedCall } from "./served_call.ts";

const nothing = (): number => 0;

function name(call: ServedCall, syscall: string): SockAddrInit {
  const given = call.name;
  if (given === undefined) throw new SocketError(Errno.EFAULT, syscall, "no address");
  return given;
}

/** What `make` makes, under a number of the program's own. */
function numbered({ owner: { fds } }: ServedCall, syscall: string, make: () => number): number {
  fds.promise(syscall);
  let fd: number;
  try {
    fd = make();
  } catch (error) {
    fds.renounce();
    throw error;
  }
  return fds.add(fd);
}

function socket(call: ServedCall): number {
  const { owner: { sys }, numbers } = call;
  const type = numbers[Arg.OTHER];
  // Whole packets and frames are everybody's, of whatever type the socket is.
  const sees = type === Sock.RAW || numbers[Arg.FAMILY] === Af.NDD;
  if (sees) mustBePrivileged(call, "socket");
  return numbered(call, "socket", () => sys.socket(numbers[Arg.FAMILY], type, numbers[Arg.MORE]));
}

function socketpair(call: ServedCall): number {
  const { owner: { sys, fds }, numbers } = call;
  let other = -1;
  fds.promise("socketpair"); // for the other
  try {
    const one = numbered(call, "socketpair", () => {
      const made = sys.socketpair(numbers[Arg.FAMILY], numbers[Arg.OTHER], numbers[Arg.MORE]);
      other = made[1];
      return made[0];
    });
    return call.answerValue([one, fds.add(other)]);
  } catch (error) {
    if (other < 0) fds.renounce();
    throw error;
  }
}

function unlink(call: ServedCall): number {
  const { path } = name(call, "unlink");
  if (path === undefined) throw new SocketError(Errno.EFAULT, "unlink", "no path");
  call.owner.sys.unlink(path);
  return 0;
}

async function accept(call: ServedCall): Promise<number> {
  const { owner } = call;
  const listener = call.fd("accept");
  owner.fds.promise("accept");
  try {
    const { fd, address } = await owner.sys.accept(listener, call.options);
    if (owner.dropped) {
      owner.sys.nb.close(fd);
      throw new SocketError(Errno.EBADF, "accept");
    }
    call.answerName(address);
    return owner.fds.add(fd);
  } catch (error) {
    owner.fds.renounce();
    throw error;
  }
}

/** True if a call that must not hold its part of the arena may wait otherwise. */
function mayWait({ tries, numbers, owner }: ServedCall, fd: number): boolean {
  if (!tries || (numbers[Arg.FLAGS] & Msg.DONTWAIT) !== 0) return false;
  return (owner.sys.fcntl(fd, F_GETFL) & O_NONBLOCK) === 0;
}

/** What `now` answers; AGAIN if it would wait, and what `later` answers if mbufs are missing. */
function tried(now: () => number, later: () => Promise<number>): number | Promise<number> {
  try {
    return now();
  } catch (error) {
    if (error instanceof SocketError && error.errno === Errno.EAGAIN) return AGAIN;
    // A stream waits for mbufs, and there is no event that says when there are some again.
    if (error instanceof SocketError && error.errno === Errno.ENOBUFS) return later();
    throw error;
  }
}

/** A message that was cut in parts is no message any more. */
function checkWhole(call: ServedCall, fd: number, length: number, syscall: string): void {
  const { numbers, owner } = call;
  if (numbers[Arg.MORE] <= length) return;
  if (owner.sys.getsockopt(fd, Sol.SOCKET, Opt.TYPE) === Sock.STREAM) return;
  throw new SocketError(Errno.EMSGSIZE, syscall);
}

function send(call: ServedCall): number | Promise<number> {
  const { owner: { sys }, area } = call;
  const fd = call.fd("send");
  const flags = call.numbers[Arg.FLAGS];
  checkWhole(call, fd, area.length, "send");
  const whole = () => sys.send(fd, area, flags, call.options);
  return mayWait(call, fd) ? tried(() => sys.nb.send(fd, area, flags), whole) : whole();
}

function sendto(call: ServedCall): number | Promise<number> {
  const { owner: { sys }, area } = call;
  const fd = call.fd("sendto");
  const flags = call.numbers[Arg.FLAGS];
  checkWhole(call, fd, area.length, "sendto");
  const { name } = call;
  const whole = () => sys.sendto(fd, area, flags, name, call.options);
  return mayWait(call, fd) ? tried(() => sys.nb.sendto(fd, area, flags, name), whole) : whole();
}

/** What a program sends along: its descriptors are others' numbers in the stack. */
function control({ owner: { fds } }: ServedCall, bytes: Uint8Array): ControlMessage[] {
  const given = decode(bytes);
  if (!Array.isArray(given)) throw new SocketError(Errno.EINVAL, "sendmsg", "no control data");
  return given.map(({ level, type, data }: Partial<ControlMessage>) => {
    if (level === undefined || type === undefined || !(data instanceof Uint8Array)) {
      throw new SocketError(Errno.EINVAL, "sendmsg", "no control data");
    }
    if (level !== Sol.SOCKET || type !== Scm.RIGHTS || data.length % 4 !== 0) {
      return { level, type, data }; // the stack says what is wrong
    }
    return rightsMessage(rightsOf([{ level, type, data }]).map((fd) => fds.get(fd, "sendmsg")));
  });
}

function sendmsg(call: ServedCall): number | Promise<number> {
  const { owner: { sys }, area, numbers, name } = call;
  const fd = call.fd("sendmsg");
  const flags = numbers[Arg.FLAGS];
  const length = numbers[Arg.OTHER];
  if (!(Number.isInteger(length) && length >= 0 && length < area.length)) {
    throw new SocketError(Errno.EFAULT, "sendmsg");
  }
  checkWhole(call, fd, length, "sendmsg");
  const iov = [area.subarray(0, length)];
  const message: SendHeader = { iov, name, control: control(call, area.subarray(length)) };
  const whole = () => sys.sendmsg(fd, message, flags, call.options);
  return mayWait(call, fd) ? tried(() => sys.nb.sendmsg(fd, message, flags), whole) : whole();
}

function recv(call: ServedCall): number | Promise<number> {
  const { owner: { sys }, area } = call;
  const fd = call.fd("recv");
  const flags = call.numbers[Arg.FLAGS];
  const whole = () => sys.recv(fd, area, flags, call.options);
  return mayWait(call, fd) ? tried(() => sys.nb.recv(fd, area, flags), whole) : whole();
}

function recvfrom(call: ServedCall): number | Promise<number> {
  const { owner: { sys }, area } = call;
  const fd = call.fd("recvfrom");
  const flags = call.numbers[Arg.FLAGS];
  const answer = ({ length, from }: Received): number => {
    call.answerName(from);
    return length;
  };
  const whole = () => sys.recvfrom(fd, area, flags, call.options).then(answer);
  if (!mayWait(call, fd)) return whole();
  return tried(() => answer(sys.nb.recvfrom(fd, area, flags)), whole);
}

/** Descriptors that came are the program's under numbers of its own, as long as it has any. */
function ownFds({ owner: { sys, fds } }: ServedCall, { level, type, data }: ControlMessage) {
  if (level !== Sol.SOCKET || type !== Scm.RIGHTS) return { level, type, data };
  const own = rightsOf([{ level, type, data }]).flatMap((fd) => {
    try {
      fds.promise("recvmsg");
      return [fds.add(fd)];
    } catch {
      sys.close(fd).catch(() => {}); // it has no number left
      return [];
    }
  });
  const { data: bytes } = rightsMessage(own);
  return { level, type, data: bytes };
}

function recvmsg(call: ServedCall): number | Promise<number> {
  const { owner: { sys }, area } = call;
  const fd = call.fd("recvmsg");
  const flags = call.numbers[Arg.FLAGS];
  const room = call.numbers[Arg.MORE];
  if (!(Number.isInteger(room) && room >= 0 && room < area.length)) {
    throw new SocketError(Errno.EFAULT, "recvmsg");
  }
  const header: RecvHeader = { iov: [area.subarray(0, room)] };
  const answer = (got: number): number => {
    const { flags, length, control = [], timestamp_us } = header;
    const own = control.map((one) => ownFds(call, one));
    const cut = own.some(({ data }, i) => data.length < control[i].data.length);
    const info = {
      flags: cut ? (flags ?? 0) | Msg.CTRUNC : flags,
      length,
      control: own,
      timestamp_us,
    };
    call.area = area.subarray(room);
    call.answerValue(info);
    call.answerName(header.name);
    return got;
  };
  const whole = () => sys.recvmsg(fd, header, flags, call.options).then(answer);
  if (!mayWait(call, fd)) return whole();
  return tried(() => answer(sys.nb.recvmsg(fd, header, flags)), whole);
}

function close(call: ServedCall): Promise<number> {
  const { owner } = call;
  const fd = owner.fds.remove(call.numbers[Arg.FD], "close");
  for (const waiting of owner.rechecks) waiting.recheck();
  return owner.sys.close(fd).then(nothing);
}

/** Waits until a receive or send would not: as long as its timeout lets it. */
async function awaitReady(call: ServedCall): Promise<number> {
  const { owner: { sys }, numbers } = call;
  const reads = numbers[Arg.OTHER] === Until.READ;
  const syscall = reads ? "recv" : "send";
  const fd = call.fd(syscall);
  const limit = reads ? Opt.RCVTIMEO : Opt.SNDTIMEO;
  const timeout_us: number = sys.getsockopt(fd, Sol.SOCKET, limit);
  const sets = reads ? { read: [fd] } : { write: [fd] };
  try {
    const { count } = await sys.select(
      sets,
      timeout_us === 0 ? Infinity : timeout_us,
      call.options,
    );
    if (count > 0) return 0;
  } catch (error) {
    if (!(error instanceof SocketError)) throw error;
    throw new SocketError(error.errno, syscall);
  }
  throw new SocketError(Errno.EAGAIN, syscall);
}

/** The calls by number. */
export const HANDLERS: readonly (Handler | undefined)[] = table({
  [Op.HELLO]: nothing,
  [Op.SOCKET]: socket,
  [Op.BIND]: (call) => {
    call.owner.sys.bind(call.fd("bind"), name(call, "bind"));
    return 0;
  },
  [Op.LISTEN]: (call) => {
    call.owner.sys.listen(call.fd("listen"), call.numbers[Arg.OTHER]);
    return 0;
  },
  [Op.ACCEPT]: accept,
  [Op.CONNECT]: (call) => {
    const fd = call.fd("connect");
    return call.owner.sys.connect(fd, name(call, "connect"), call.options).then(nothing);
  },
  [Op.SEND]: send,
  [Op.SENDTO]: sendto,
  [Op.RECV]: recv,
  [Op.RECVFROM]: recvfrom,
  [Op.RECVMSG]: recvmsg,
  [Op.SHUTDOWN]: (call) => {
    call.owner.sys.shutdown(call.fd("shutdown"), call.numbers[Arg.OTHER]);
    return 0;
  },
  [Op.CLOSE]: close,
  [Op.GETSOCKNAME]: (call) => {
    call.answerName(call.owner.sys.getsockname(call.fd("getsockname")));
    return 0;
  },
  [Op.GETPEERNAME]: (call) => {
    call.answerName(call.owner.sys.getpeername(call.fd("getpeername")));
    return 0;
  },
  [Op.GETSOCKOPT]: getsockopt,
  [Op.GETSOCKOPT_BYTES]: getsockoptBytes,
  [Op.SETSOCKOPT]: setsockopt,
  [Op.IOCTL]: ioctl,
  [Op.FCNTL]: fcntl,
  [Op.POLL]: servePoll,
  [Op.SELECT]: serveSelect,
  [Op.AWAIT]: awaitReady,
  [Op.GETNAMES]: getnames,
  [Op.SETNAME]: setname,
  [Op.SENDMSG]: sendmsg,
  [Op.SOCKETPAIR]: socketpair,
  [Op.DUP]: (call) => {
    const fd = call.fd("dup");
    return numbered(call, "dup", () => call.owner.sys.dup(fd));
  },
  [Op.UNLINK]: unlink,
});

function table(handlers: Readonly<Record<number, Handler>>): (Handler | undefined)[] {
  const list: (Handler | undefined)[] = [];
  for (const [op, handler] of Object.entries(handlers)) list[Number(op)] = handler;
  return list;
}
