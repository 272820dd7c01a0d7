/**
 * Filter expressions drawn at random.
 *
 * @module
 */

import fc from "fast-check";

const HOSTS = ["10.0.0.1", "10.0.0.2", "10.1.2.3", "8.8.8.8", "2001:db8::1", "fe80::1"];
const PORTS = ["22", "53", "80", "443", "40000"];

const direction = fc.constantFrom("", "", "src ", "dst ", "src and dst ", "src or dst ");
const hosts = fc.constantFrom(...HOSTS);
const ports = fc.constantFrom(...PORTS);

/** Expressions that say something by themselves. */
const ipTerms: readonly fc.Arbitrary<string>[] = [
  fc.constantFrom("ip", "ip6", "tcp", "udp", "icmp", "icmp6", "sctp", "igmp", "ah", "pim"),
  fc.tuple(direction, hosts).map(([way, host]) => `${way}host ${host}`),
  fc.tuple(direction, fc.constantFrom("net 10", "net 10.0.0.0/30", "net 2001:db8::/32"))
    .map((parts) => parts.join("")),
  fc.tuple(fc.constantFrom("", "tcp ", "udp "), direction, ports)
    .map(([protocol, way, port]) => `${protocol}${way}port ${port}`),
  fc.tuple(direction, ports, ports).map(([way, a, b]) => `${way}portrange ${a}-${b}`),
  fc.tuple(fc.constantFrom("ip ", "ip6 ", ""), fc.constantFrom(6, 17, 58, 47))
    .map(([protocol, number]) => `${protocol}proto ${number}`),
  fc.constantFrom("ip multicast", "ip6 multicast", "ip broadcast", "less 200", "greater 190"),
];

const etherTerms: readonly fc.Arbitrary<string>[] = [
  fc.constantFrom("arp", "rarp", "broadcast", "multicast", "ether proto 0x42", "vlan", "vlan 5"),
  fc.tuple(fc.constantFrom("host", "src", "dst"), fc.constantFrom(1, 2))
    .map(([way, host]) => `ether ${way} 02:00:00:00:00:0${host}`),
];

/** Arithmetic; no operand is a constant that divides by 0 or shifts too far. */
const arithmetic = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: "small", withCrossShrink: true },
    fc.constantFrom(
      "len",
      "ip[0]",
      "ip[8]",
      "ip[2:2]",
      "ip[12:4]",
      "tcp[13]",
      "udp[4:2]",
      "tcp[0:2]",
    ),
    fc.constantFrom("1", "0xf", "200", "0x45", "1000"),
    fc.tuple(tie("value"), fc.constantFrom("+", "-", "*", "&", "|"), tie("value"))
      .map(([a, operator, b]) => `(${a} ${operator} ${b})`),
    fc.tuple(tie("value"), fc.constantFrom("/ 3", "% 7", "<< 2", ">> 4", "& 0xf0", "^ 5"))
      .map(([a, rest]) => `(${a} ${rest})`),
    tie("value").map((a) => `ip[${a} & 31]`),
  ),
})).value;

const relation = fc.tuple(
  arithmetic,
  fc.constantFrom("=", "!=", "<", ">", "<=", ">="),
  arithmetic,
).map((parts) => parts.join(" "));

/** An expression; with terms about Ethernet if asked for. */
export function randomExpression(ethernet: boolean): fc.Arbitrary<string> {
  const terms = fc.oneof(...ipTerms, ...(ethernet ? etherTerms : []), relation);
  return fc.letrec<{ expr: string }>((tie) => ({
    expr: fc.oneof(
      { maxDepth: 4, depthSize: "medium" },
      terms,
      fc.tuple(tie("expr"), fc.constantFrom("and", "or"), tie("expr"))
        .map(([a, operator, b]) => `(${a}) ${operator} (${b})`),
      fc.tuple(terms, fc.constantFrom("and", "or"), terms, fc.constantFrom("and", "or"), terms)
        .map((parts) => parts.join(" ")),
      tie("expr").map((a) => `not (${a})`),
    ),
  })).expr;
}
