/**
 * The requests that a stack answers.
 *
 * @module
 */

import { Iff, Sioc } from "../assembly/abi/ifnet.ts";
import { Af, Sock } from "../assembly/abi/socket.ts";
import type { IfRequest, Netstat, ProtocolInfo, RouteOptions, SocketError, Stack } from "../mod.ts";
import { parseIpv4 } from "../runtime/socket/inet_addr.ts";
import { ifIoctl } from "../runtime/socket/ioctl.ts";
import { capture } from "./capture.ts";
import { monitor } from "./monitor.ts";
import { netcat } from "./netcat.ts";
import { flag, host, needed, number, text, whole } from "./params.ts";
import { ping } from "./ping.ts";
import { type Params, type RequestContext, RequestError } from "./request.ts";
import { traceroute } from "./traceroute.ts";

/** Answers a request. */
type Answer = (
  stack: Stack,
  params: Params,
  context: RequestContext,
) => AsyncIterable<unknown> | Iterable<unknown>;

/** What a stack tells of itself. */
export interface StackReport extends Netstat {
  /** The loaded protocols and domains, with what they count. */
  readonly protocols: readonly ProtocolInfo[];
}

const HOUR_US = 3_600_000_000;
const PORTS = [1, 65_535] as const;
const NO_NUMBER = Number.NaN;

/** Requests that change nothing and do not wait: a snapshot answers them too. */
const LOOKS: Readonly<Record<string, Answer>> = {
  netstat: (stack): StackReport[] => {
    return [{ ...stack.netstat(), protocols: stack.protocols.list() }];
  },
  "route.get": (stack, params) => {
    return [stack.route.get(host(params, "destination"), text(params, "source"))];
  },
};

/** Requests to a stack that runs. */
const ACTS: Readonly<Record<string, Answer>> = {
  "route.add": (stack, params) => {
    stack.route.add(needed(params, "destination"), wayOf(params));
    return [];
  },
  "route.change": (stack, params) => {
    stack.route.change(needed(params, "destination"), wayOf(params));
    return [];
  },
  "route.delete": (stack, params) => {
    const { gateway, interface: name, metric, from } = wayOf(params);
    stack.route.del(needed(params, "destination"), { gateway, interface: name, metric, from });
    return [];
  },
  "route.monitor": (stack, _params, { signal }) => monitor(stack, { signal }),
  "arp.set": (stack, params) => {
    const addr = host(params, "address");
    const hwaddr = hwaddrOf(needed(params, "hwaddr"));
    configure(stack, Sioc.SARP, { ifname: linkOf(stack, params, addr), addr, hwaddr });
    return [];
  },
  "arp.delete": (stack, params) => {
    const addr = host(params, "address");
    const known = stack.netstat().neighbors.find((one) => one.address === addr);
    const ifname = text(params, "interface") ?? known?.interface ?? linkOf(stack, params, addr);
    configure(stack, Sioc.DARP, { ifname, addr });
    return [];
  },
  "interface.flags": (stack, params) => {
    const ifname = needed(params, "interface");
    const { flags = 0 } = ifIoctl(stack.engine, Sioc.GIFFLAGS, { ifname });
    const up = flag(params, "up");
    configure(stack, Sioc.SIFFLAGS, { ifname, flags: up ? flags | Iff.UP : flags & ~Iff.UP });
    return [];
  },
  "interface.mtu": (stack, params) => {
    const mtu = whole(params, "mtu", [68, 65_535], NO_NUMBER);
    const ifname = needed(params, "interface");
    try {
      configure(stack, Sioc.SIFMTU, { ifname, mtu });
    } catch (error) {
      if ((error as SocketError).code !== "EINVAL") throw error;
      throw new RequestError(`the device of ${ifname} takes no MTU of ${mtu} bytes`);
    }
    return [];
  },
  "interface.add": (stack, params) => {
    stack.addAddress(needed(params, "interface"), needed(params, "address"));
    return [];
  },
  "interface.remove": (stack, params) => {
    stack.removeAddress(needed(params, "interface"), needed(params, "address"));
    return [];
  },
  ping: (stack, params, { signal }) => {
    return ping(stack, host(params, "address"), {
      count: whole(params, "count", [1, 2 ** 31], Infinity),
      interval_us: number(params, "interval_us", [1000, HOUR_US], 1_000_000),
      timeout_us: number(params, "timeout_us", [1, HOUR_US], 1_000_000),
      size: whole(params, "size", [0, 65_507], 56),
      ...optional("ttl", whole(params, "ttl", [1, 255], NO_NUMBER)),
      source: text(params, "source"),
      signal,
    });
  },
  traceroute: (stack, params, { signal }) => {
    return traceroute(stack, host(params, "address"), {
      method: flag(params, "icmp") ? "icmp" : "udp",
      firstTtl: whole(params, "firstTtl", [1, 255], 1),
      maxTtl: whole(params, "maxTtl", [1, 255], 30),
      queries: whole(params, "queries", [1, 10], 3),
      wait_us: number(params, "wait_us", [1, HOUR_US], 5_000_000),
      port: whole(params, "port", PORTS, 33_434),
      size: whole(params, "size", [0, 1400], 32),
      source: text(params, "source"),
      signal,
    });
  },
  capture: (stack, params, { signal }) => {
    return capture(stack, {
      interface: text(params, "interface"),
      filter: text(params, "filter"),
      snaplen: whole(params, "snaplen", [1, 262_144], Infinity),
      onlyOurs: flag(params, "onlyOurs"),
      signal,
    });
  },
  netcat: (stack, params, { signal, input }) => {
    const listen = flag(params, "listen");
    const address = params.host === undefined && listen ? undefined : host(params, "host");
    return netcat(stack, {
      host: address,
      port: whole(params, "port", listen ? [0, 65_535] : PORTS, NO_NUMBER),
      listen,
      keep: flag(params, "keep"),
      udp: flag(params, "udp"),
      scan: flag(params, "scan"),
      ...optional("localPort", whole(params, "localPort", PORTS, NO_NUMBER)),
      ...optional("wait_us", number(params, "wait_us", [1, HOUR_US], NO_NUMBER)),
      input,
      signal,
    });
  },
};

/** A field, unless the number was not given. */
function optional(name: string, value: number): Record<string, number> {
  return Number.isNaN(value) ? {} : { [name]: value };
}

function wayOf(params: Params): RouteOptions {
  const kind = text(params, "kind");
  if (kind !== undefined && kind !== "reject" && kind !== "blackhole") {
    throw new RequestError(`a route is reject or blackhole, not ${kind}`);
  }
  return {
    gateway: text(params, "gateway"),
    interface: text(params, "interface"),
    kind,
    from: text(params, "from"),
    ...optional("metric", whole(params, "metric", [0, 2 ** 31 - 1], NO_NUMBER)),
    ...optional("mtu", whole(params, "mtu", [68, 65_535], NO_NUMBER)),
    ...optional("mss", whole(params, "mss", [1, 65_535], NO_NUMBER)),
  };
}

function hwaddrOf(value: string): Uint8Array {
  const bytes = value.split(/[:-]/);
  if (bytes.length === 6 && bytes.every((byte) => /^[\da-f]{1,2}$/i.test(byte))) {
    return Uint8Array.from(bytes, (byte) => Number.parseInt(byte, 16));
  }
  throw new RequestError(`"${value}" is no hardware address such as 02:00:00:00:00:01`);
}

/** The interface that a neighbour is behind, unless told: the one of the route to it. */
function linkOf(stack: Stack, params: Params, address: string): string {
  const told = text(params, "interface");
  if (told !== undefined) return told;
  const route = stack.route.get(address);
  if (route.gateway === "" || parseIpv4(route.gateway) === undefined) return route.interface;
  throw new RequestError(`${address} is on no network of ours`, "ENETUNREACH");
}

/** A request about an interface or a neighbour, by a socket that is there for it only. */
function configure({ sys }: Stack, cmd: number, request: IfRequest): void {
  const fd = sys.socket(Af.INET, Sock.DGRAM);
  try {
    sys.ioctl(fd, cmd, request);
  } finally {
    sys.nb.close(fd);
  }
}

/** Answers a request; `RequestError` if there is none of the name, or it needs a running stack. */
export async function* answer(
  stack: Stack,
  live: boolean,
  name: string,
  params: Params,
  context: RequestContext,
): AsyncGenerator<unknown, void> {
  const look = Object.hasOwn(LOOKS, name) ? LOOKS[name] : undefined;
  const act = Object.hasOwn(ACTS, name) ? ACTS[name] : undefined;
  if (look === undefined && act === undefined) {
    throw new RequestError(`there is no request ${JSON.stringify(name)}`, "ENOSYS");
  }
  if (look === undefined && !live) {
    throw new RequestError("a snapshot can only be looked at: this needs a stack that runs");
  }
  yield* (look ?? act!)(stack, params, context);
}
