/**
 * Conditions on ports.
 *
 * @module
 */

import type { Id, Qualifier } from "./ast.ts";
import { and, type Cond, not, or } from "./cond.ts";
import { genDirection, type IdContext } from "./gen_context.ts";
import { ip4Carries, ip6Carries, isUnfragmented } from "./gen_proto.ts";
import { Ethertype, type Link } from "./link.ts";
import { IP_PROTOCOLS, SERVICES } from "./names.ts";
import type { Value } from "./value.ts";

const PORT_MAX = 65535;
const IP6_HEADER_BYTES = 40;
/** Offset of a port in the headers of TCP, UDP and SCTP. */
const PORT_AT = { src: 0, dst: 2 };

/** Protocols that have ports, in the order in which they are asked for. */
const WITH_PORTS = ["sctp", "tcp", "udp"] as const;
type WithPorts = typeof WITH_PORTS[number];

/** A port, and the protocol that a name for it belongs to. */
interface Port {
  readonly port: number;
  readonly protocol: WithPorts | undefined;
}

/** `port 80`, `tcp dst port http`. */
export function genPort(context: IdContext, qualifier: Qualifier, id: Id): Cond {
  const asked = protocolAsked(context, qualifier, id);
  const { port, protocol } = id.kind === "number"
    ? { port: checked(context, id, id.value), protocol: undefined }
    : named(context, id, id.text, asked);
  const is = (field: Value) => context.link.conds.eq(field, port);
  return genPorts(context.link, qualifier, asked ?? protocol, is);
}

/** `portrange 6000-6008`. */
export function genPortRange(context: IdContext, qualifier: Qualifier, id: Id): Cond {
  const asked = protocolAsked(context, qualifier, id);
  const ends = id.kind === "number" ? [id.text, id.text] : id.text.split("-");
  if (id.kind !== "number" && id.kind !== "name" || ends.length !== 2) {
    throw context.fail(id, "expected a range of ports such as 6000-6008");
  }
  const [one, other] = ends.map((end) => {
    if (!/^\d+$/.test(end)) return named(context, id, end, asked);
    return { port: checked(context, id, Number(end)), protocol: undefined };
  });
  const [low, high] = [one.port, other.port].sort((a, b) => a - b);
  const { conds } = context.link;
  const within = (field: Value) => and(conds.ge(field, low), not(conds.gt(field, high)));
  const protocol = one.protocol === other.protocol ? one.protocol : undefined;
  return genPorts(context.link, qualifier, asked ?? protocol, within);
}

function protocolAsked({ fail }: IdContext, { protocol }: Qualifier, id: Id) {
  if (protocol === undefined) return undefined;
  const found = WITH_PORTS.find((name) => name === protocol);
  if (!found) throw fail(id, `${protocol} has no ports`);
  return found;
}

function checked({ fail }: IdContext, id: Id, port: number): number {
  if (port > PORT_MAX) throw fail(id, `ports end at ${PORT_MAX}`);
  return port;
}

/** The port of a service. */
function named(context: IdContext, id: Id, name: string, asked: WithPorts | undefined): Port {
  const { services, fail } = context;
  const own = Object.hasOwn(services, name) ? services[name] : undefined;
  const found = own ?? (Object.hasOwn(SERVICES, name) ? SERVICES[name] : undefined);
  if (found === undefined) throw fail(id, "no service of this name is known");
  const [port, protocol] = typeof found === "number" ? [found] : found;
  if (asked && protocol && asked !== protocol) {
    throw fail(id, `${name} is a service of ${protocol}`);
  }
  return { port: checked(context, id, port), protocol };
}

/** Fragments have no ports, save the first of IPv4's. */
function genPorts(
  link: Link,
  { direction }: Qualifier,
  protocol: WithPorts | undefined,
  matches: (field: Value) => Cond,
): Cond {
  const protocols = protocol ? [protocol] : WITH_PORTS;
  const ip6 = protocols.map((name) =>
    and(
      ip6Carries(link, IP_PROTOCOLS[name]),
      genDirection(
        direction,
        (which) => matches(link.payload(IP6_HEADER_BYTES + PORT_AT[which], 2)),
      ),
    )
  );
  const ip4 = protocols.map((name) =>
    and(
      ip4Carries(link, IP_PROTOCOLS[name]),
      isUnfragmented(link),
      genDirection(direction, (which) => matches(link.transport(PORT_AT[which], 2))),
    )
  );
  return or(
    and(link.isType(Ethertype.IP6), or(...ip6)),
    and(link.isType(Ethertype.IP), or(...ip4)),
  );
}
