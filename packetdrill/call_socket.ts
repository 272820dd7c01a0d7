/**
 * The calls that make, connect and end sockets.
 *
 * @module
 */

import { Errno } from "../assembly/abi/errno.ts";
import { Af, Shut, Sock, Sol, Ss } from "../assembly/abi/socket.ts";
import * as layout from "../runtime/wasm/layout.gen.ts";
import type { Call, Expr } from "./ast.ts";
import { type Answer, answerOf, type Starter } from "./call_t.ts";
import { ScriptError, Unsupported } from "./errors.ts";
import { closePipe, type Fd, type Name, type SocketFd, socketFd } from "./fd.ts";
import { FILE_SYMBOLS, SOCKET_SYMBOLS } from "./symbols.ts";
import { fieldOf, fieldsOf, flagNames, isSupplied, nameOf, numberOr, toNumber } from "./values.ts";
import { PROTOCOL } from "./wire.ts";
import { PORT, type World } from "./world.ts";

/** SO_ERROR of the stack. */
const SO_ERROR = 0x1007;
/** O_NONBLOCK of FreeBSD. */
const BSD_NONBLOCK = 4;

/** Gives a new descriptor the number that the script calls it by. */
export function bindFd(world: World, call: Call, fd: Fd): Answer {
  const wanted = toNumber(call.result);
  let number = wanted;
  // the script expects a failure: any free number will do to tell that there was none
  if (number < 0) { for (number = 3; world.fds.has(number); number++); }
  if (world.fds.has(number)) throw new ScriptError(`there is a descriptor ${number} already`);
  world.fds.set(number, fd);
  return { value: number };
}

const socket: Starter = (world, call) => () => {
  const domain = isSupplied(call.args[0])
    ? world.config.mode === "ipv4" ? "AF_INET" : "AF_INET6"
    : nameOf(call.args[0], SOCKET_SYMBOLS).replace(/^PF_/, "AF_");
  const types = typeNames(call.args[1]);
  const nonblock = types.includes("SOCK_NONBLOCK");
  const type = types.find((name) => name !== "SOCK_NONBLOCK" && name !== "SOCK_CLOEXEC");
  if (type !== "SOCK_STREAM" && type !== "SOCK_DGRAM") throw new Unsupported(`${type} sockets`);
  if (domain !== "AF_INET" && domain !== "AF_INET6") throw new Unsupported(`${domain} sockets`);
  const protocol = numberOr(call.args[2], 0);
  if (protocol > PROTOCOL.udp || protocol === PROTOCOL.icmp) {
    throw new Unsupported(`protocol ${nameOf(call.args[2], SOCKET_SYMBOLS)}`);
  }
  const family: number = domain === "AF_INET" ? Af.INET : Af.INET6;
  const so = world.host.calls.so_create(
    family,
    type === "SOCK_STREAM" ? Sock.STREAM : Sock.DGRAM,
    protocol,
  );
  if (so < 0) {
    if (domain === "AF_INET6" && toNumber(call.result) >= 0) {
      throw new Unsupported("AF_INET6 sockets");
    }
    return answerOf(so);
  }
  const fd = socketFd(so, type === "SOCK_STREAM" ? "stream" : "dgram", family, nonblock);
  world.newSocket(fd);
  return bindFd(world, call, fd);
};

/** SOCK_STREAM|SOCK_NONBLOCK; the types are no flags, so numbers are taken as they are. */
function typeNames(expr: Expr | undefined): string[] {
  if (expr?.kind === "or") return expr.items.flatMap(typeNames);
  if (expr?.kind === "word") return [expr.name];
  const value = toNumber(expr);
  const names = value & SOCKET_SYMBOLS.SOCK_NONBLOCK ? ["SOCK_NONBLOCK"] : [];
  const type = ["", "SOCK_STREAM", "SOCK_DGRAM", "SOCK_RAW"][value & 15] ?? `type ${value & 15}`;
  return [type, ...names];
}

/** What an address argument says; `...` is what the caller supplies. */
export function nameArgument(expr: Expr | undefined, supplied: Name): Name {
  if (isSupplied(expr)) return supplied;
  if (expr?.kind === "word" || expr?.kind === "number") {
    return { ...supplied, family: nameOf(expr, SOCKET_SYMBOLS) };
  }
  const fields = fieldsOf(expr);
  const family = fieldOf(fields, "sa_family") ?? fieldOf(fields, "sin_family");
  const port = fieldOf(fields, "sin_port");
  const address = fieldOf(fields, "sin_addr");
  return {
    family: family ? nameOf(family, SOCKET_SYMBOLS) : supplied.family,
    port: numberOr(port, supplied.port),
    ip: address ? addressText(address) : supplied.ip,
  };
}

function addressText(expr: Expr | undefined): string {
  if (expr?.kind === "string") return expr.value;
  if (expr?.kind === "apply") return addressText(expr.args[0]);
  return toNumber(expr) === 0 ? "0.0.0.0" : "255.255.255.255";
}

/** Writes a name for the engine; answers where. */
export function placeName(world: World, fd: SocketFd, name: Name): number {
  const { host } = world;
  if (name.family === "AF_UNSPEC") return host.name("0.0.0.0", 0, Af.UNSPEC);
  if (name.family !== "AF_INET" && fd.family === Af.INET) {
    throw new Unsupported(`${name.family} addresses`);
  }
  return host.name(name.ip, name.port, fd.family);
}

/** The remote's address and port. */
export function remoteName(world: World): Name {
  return { ip: world.config.remoteIp, port: PORT, family: "AF_INET" };
}

const bind: Starter = (world, call) => () => {
  const fd = world.socket(toNumber(call.args[0]));
  const supplied = { ip: world.config.localIp, port: PORT, family: "AF_INET" };
  const name = nameArgument(call.args[1], supplied);
  const result = world.host.calls.so_bind(fd.so, placeName(world, fd, name));
  if (result === -Errno.EADDRNOTAVAIL && fd.kept.get("IP_FREEBIND")) {
    throw new Unsupported("IP_FREEBIND for an address of another host");
  }
  if (result >= 0) {
    fd.bound = name;
    world.boundTo(localPort(world, fd));
  }
  return answerOf(result);
};

/** The port that a socket has here; 0 if it has none. */
export function localPort(world: World, fd: SocketFd): number {
  const nam = world.host.name("0.0.0.0", 0, Af.INET, 9);
  if (world.host.calls.so_sockname(fd.so, nam) < 0) return 0;
  return world.host.engine.view.getUint16(nam + layout.SockAddr.port, true);
}

const listen: Starter = (world, call) => () => {
  const fd = world.socket(toNumber(call.args[0]));
  const result = world.host.calls.so_listen(fd.so, toNumber(call.args[1]));
  if (result >= 0) world.boundTo(localPort(world, fd));
  return answerOf(result);
};

const accept: Starter = (world, call) => () => {
  const fd = world.socket(toNumber(call.args[0]));
  const { host } = world;
  const nam = host.name("0.0.0.0", 0);
  const so = host.calls.so_accept(fd.so, nam);
  if (so === -Errno.EAGAIN && !fd.nonblock) return undefined;
  if (so < 0) return answerOf(so);
  const flags = call.name === "accept4" ? flagNames(call.args[3], SOCKET_SYMBOLS) : [];
  const remotePort = host.engine.view.getUint16(nam + layout.SockAddr.port, true);
  // BSD's accept hands the listener's mode on, Linux's does not
  const inherited = call.name === "accept" && world.config.dialect === "freebsd" && fd.nonblock;
  const nonblock = inherited || flags.includes("SOCK_NONBLOCK");
  const child = socketFd(so, "stream", fd.family, nonblock);
  for (const [name, size] of fd.sizes) child.sizes.set(name, size);
  for (const [name, value] of fd.kept) child.kept.set(name, value);
  for (const [name, option] of fd.set) child.set.set(name, option);
  child.connection = world.accepted(localPort(world, child), remotePort, so);
  return bindFd(world, call, child);
};

const connect: Starter = (world, call) => {
  let begun = false;
  return () => {
    const fd = world.socket(toNumber(call.args[0]));
    const { calls } = world.host;
    if (!begun) {
      const name = nameArgument(call.args[1], remoteName(world));
      if (name.family === "AF_UNSPEC" && fd.type === "stream") return dissolve(world, fd);
      const result = calls.so_connect(fd.so, placeName(world, fd, name));
      if (result === 0 || result === -Errno.EINPROGRESS) {
        fd.peerPort = name.port;
        underTest(world, fd);
      }
      if (result !== -Errno.EINPROGRESS || fd.nonblock) return answerOf(result);
      begun = true;
    }
    if (world.host.u32(fd.so + layout.Socket.state) & Ss.ISCONNECTING) return undefined;
    const at = world.host.place(0, 4);
    calls.so_getopt(fd.so, Sol.SOCKET, SO_ERROR, at, 4);
    return answerOf(-world.host.u32(at));
  };
};

/** A socket that has a peer, and a port of its own by now, is under test. */
export function underTest(world: World, fd: SocketFd): void {
  if (fd.connection || fd.peerPort === undefined) return;
  const port = localPort(world, fd);
  if (port !== 0) world.connecting(fd, port, fd.peerPort);
}

/**
 * Linux lets a stream socket begin anew: its connection is dropped with a reset, its options and
 * the address it was bound to stay. The stack has no such call; a new socket takes the place.
 */
function dissolve(world: World, fd: SocketFd): Answer {
  const { calls } = world.host;
  calls.so_abort(fd.so);
  const so = calls.so_create(fd.family, Sock.STREAM, 0);
  if (so < 0) return answerOf(so);
  fd.so = so;
  fd.read = 0;
  fd.written = 0;
  delete fd.connection;
  delete fd.peerPort;
  for (const { level, name, bytes } of fd.set.values()) {
    const at = world.host.place(0, 256);
    world.host.engine.memory.set(bytes, at);
    calls.so_setopt(so, level, name, at, bytes.length);
  }
  if (fd.bound) calls.so_bind(so, placeName(world, fd, fd.bound));
  return { value: 0 };
}

const close: Starter = (world, call) => () => {
  const number = toNumber(call.args[0]);
  const fd = world.fds.get(number);
  if (!fd) return answerOf(-Errno.EBADF);
  world.fds.delete(number);
  if (fd.kind === "pipe") closePipe(fd);
  if (fd.kind !== "socket") return { value: 0 };
  for (const other of world.fds.values()) {
    if (other.kind === "epoll") removeWatches(other.watches, number);
  }
  if (fd.connection?.so === fd.so) fd.connection.so = 0;
  return answerOf(world.host.calls.so_close(fd.so));
};

function removeWatches(watches: { readonly fd: number }[], number: number): void {
  const at = watches.findIndex(({ fd }) => fd === number);
  if (at >= 0) watches.splice(at, 1);
}

const shutdown: Starter = (world, call) => () => {
  const fd = world.socket(toNumber(call.args[0]));
  const how: readonly number[] = [Shut.RD, Shut.WR, Shut.RDWR];
  return answerOf(world.host.calls.so_shutdown(fd.so, how[toNumber(call.args[1])] ?? -1));
};

const fcntl: Starter = (world, call) => () => {
  const fd = world.fd(toNumber(call.args[0]));
  const command = nameOf(call.args[1], FILE_SYMBOLS);
  if (command === "F_GETFD" || command === "F_SETFD") return { value: 0 };
  if (fd.kind !== "socket") throw new Unsupported(`fcntl on a ${fd.kind}`);
  const bit = world.config.dialect === "linux" ? FILE_SYMBOLS.O_NONBLOCK : BSD_NONBLOCK;
  if (command === "F_GETFL") return { value: FILE_SYMBOLS.O_RDWR | (fd.nonblock ? bit : 0) };
  if (command !== "F_SETFL") throw new Unsupported(`fcntl ${command}`);
  const value = call.args[2];
  fd.nonblock = value?.kind === "number"
    ? (value.value & bit) !== 0
    : flagNames(value, {}).some((name) => name === "O_NONBLOCK" || name === "O_NDELAY");
  return { value: 0 };
};

/** Calls of this file by name. */
export const SOCKET_CALLS: Readonly<Record<string, Starter>> = {
  socket,
  bind,
  listen,
  accept,
  accept4: accept,
  connect,
  close,
  shutdown,
  fcntl,
};
