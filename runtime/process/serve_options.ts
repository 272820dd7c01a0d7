/**
 * Options, requests and names on the stack's side. Their values are a stranger's, of any kind: what
 * is passed on has the kinds that the call takes.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { Sioc } from "../../assembly/abi/ifnet.ts";
import { SocketError } from "../errors.ts";
import type { F_GETFL, F_SETFL } from "../socket/constants.ts";
import type { IfRequest, RouteRequest } from "../socket/ioctl.ts";
import type { OptionValue } from "../socket/options.ts";
import { Arg, Name } from "./arguments.ts";
import { decode, type Value } from "./codec.ts";
import type { ServedCall } from "./served_call.ts";

/** Requests that change nothing but the program's own socket; others are for the privileged. */
const HARMLESS: ReadonlySet<number> = new Set([
  Sioc.FIONREAD,
  Sioc.FIONBIO,
  Sioc.ATMARK,
  Sioc.OUTQ,
  Sioc.OUTQNSD,
  Sioc.GIFCONF,
  Sioc.GIFFLAGS,
  Sioc.GIFADDR,
  Sioc.GIFMTU,
  Sioc.GIFHWADDR,
  Sioc.GIFSTATS,
  Sioc.GETRT,
  Sioc.GARP,
]);

/** Throws `SocketError` EPERM. */
export function mustBePrivileged({ owner }: ServedCall, syscall: string): void {
  if (!owner.privileged) throw new SocketError(Errno.EPERM, syscall);
}

/** The value of an option as a program may give it. */
function optionValue(value: Value): OptionValue {
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "string") {
    return value;
  }
  if (value instanceof Uint8Array) return value;
  if (typeof value === "object" && !Array.isArray(value)) {
    const { onoff, linger, multiaddr, interface: which } = value as Record<string, Value>;
    if (onoff !== undefined && typeof linger === "number") return { onoff: !!onoff, linger };
    const named = which === undefined || typeof which === "number" || typeof which === "string";
    if (typeof multiaddr === "string" && named) return { multiaddr, interface: which };
  }
  throw new SocketError(Errno.EINVAL, "setsockopt", "no such value");
}

/** setsockopt. */
export function setsockopt(call: ServedCall): number {
  const { owner: { sys }, area, numbers } = call;
  const fd = call.fd("setsockopt");
  sys.setsockopt(fd, numbers[Arg.OTHER], numbers[Arg.MORE], optionValue(decode(area)));
  return 0;
}

/** Every field that a request can have, and of which kind it is. */
const REQUEST_FIELDS: Readonly<
  Record<keyof (IfRequest & RouteRequest), "string" | "number" | "bytes">
> = {
  ifname: "string",
  ifindex: "number",
  i: "number",
  flags: "number",
  mtu: "number",
  addr: "string",
  mask: "string",
  broadcast: "string",
  dst: "string",
  hwaddr: "bytes",
  gateway: "string",
  mss: "number",
  from: "string",
  fromMask: "string",
  metric: "number",
  use: "number",
  src: "string",
};

/** The argument of ioctl: a number, or a record with the fields that there are. */
function requestOf(value: Value): number | IfRequest & RouteRequest {
  if (value === undefined) return 0;
  if (typeof value === "number") return value;
  const request: Record<string, Value> = {};
  if (typeof value === "object" && !Array.isArray(value) && !(value instanceof Uint8Array)) {
    for (const [key, kind] of Object.entries(REQUEST_FIELDS)) {
      const field = (value as Record<string, Value>)[key];
      if (field === undefined) continue;
      if ((field instanceof Uint8Array ? "bytes" : typeof field) !== kind) {
        throw new SocketError(Errno.EINVAL, "ioctl", `${key} is no ${kind}`);
      }
      request[key] = field;
    }
    return request as IfRequest & RouteRequest;
  }
  throw new SocketError(Errno.EINVAL, "ioctl", "no such argument");
}

/** ioctl. */
export function ioctl(call: ServedCall): number {
  const cmd = call.numbers[Arg.OTHER];
  const fd = call.fd("ioctl");
  if (!HARMLESS.has(cmd)) mustBePrivileged(call, "ioctl");
  // Of several requests one name is called; which argument each takes, it tells apart itself.
  const answer = call.owner.sys.ioctl(fd, cmd, requestOf(decode(call.area)) as IfRequest);
  return call.answerValue(answer as unknown as Value);
}

/** fcntl. */
export function fcntl(call: ServedCall): number {
  const cmd = call.numbers[Arg.OTHER] as typeof F_GETFL | typeof F_SETFL;
  return call.owner.sys.fcntl(call.fd("fcntl"), cmd, call.numbers[Arg.FLAGS]);
}

/** sethostname, setdomainname, sethostid. */
export function setname(call: ServedCall): number {
  const { owner: { sys }, numbers } = call;
  const syscall = ["sethostname", "setdomainname", "sethostid"][numbers[Arg.OTHER]] ?? "call";
  mustBePrivileged(call, syscall);
  const value = decode(call.area);
  if (numbers[Arg.OTHER] === Name.HOST && typeof value === "string") sys.sethostname(value);
  else if (numbers[Arg.OTHER] === Name.DOMAIN && typeof value === "string") {
    sys.setdomainname(value);
  } else if (numbers[Arg.OTHER] === Name.HOSTID && typeof value === "number") sys.sethostid(value);
  else throw new SocketError(Errno.EINVAL, syscall);
  return 0;
}

/** getsockopt. */
export function getsockopt(call: ServedCall): number {
  const { owner: { sys }, numbers } = call;
  const fd = call.fd("getsockopt");
  return call.answerValue(sys.getsockopt(fd, numbers[Arg.OTHER], numbers[Arg.MORE]));
}

/** The bytes of an option, at most as many as there is room for. */
export function getsockoptBytes(call: ServedCall): number {
  const { owner: { sys }, area, numbers } = call;
  const [level, option, room] = [numbers[Arg.OTHER], numbers[Arg.MORE], numbers[Arg.FLAGS]];
  const fd = call.fd("getsockopt");
  if (!(Number.isInteger(room) && room >= 0)) throw new SocketError(Errno.EFAULT, "getsockopt");
  const bytes = sys.getsockoptBytes(fd, level, option, Math.min(room, area.length));
  return call.answerValue(bytes);
}

/** gethostname, getdomainname and gethostid. */
export function getnames(call: ServedCall): number {
  const { sys } = call.owner;
  return call.answerValue([sys.gethostname(), sys.getdomainname(), sys.gethostid()]);
}
