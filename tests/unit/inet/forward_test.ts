/** Forwarding: which packets for other hosts go on, and what their senders hear. */

import { assertEquals } from "@std/assert";
import { Iff, Medium } from "../../../assembly/abi/ifnet.ts";
import { Stat } from "../../../assembly/abi/stat.ts";
import { bytes, ip4, type Ip4Fields, readIcmp, readIp4, u32, udp } from "../net/frames.ts";
import { etherHost, Host } from "../net/host.ts";

const UDP = 17;

/** A datagram from 10.0.0.2 to port 7. */
function packet(more: Partial<Ip4Fields> = {}): Uint8Array {
  const [src, dst] = [more.src ?? "10.0.0.2", more.dst ?? "10.0.0.1"];
  return ip4({ src, dst, proto: UDP, payload: udp(src, dst, 9, 7, bytes(1, 2, 3)), ...more });
}

Deno.test("ip: packets for others are sent on only if forwarding is on", () => {
  const host = new Host();
  const left = host.attach({ medium: Medium.IP, flags: Iff.POINTOPOINT });
  const right = host.attach({ medium: Medium.IP, flags: Iff.POINTOPOINT, mtu: 576 });
  host.address(left, "10.0.0.1/24");
  host.address(right, "10.0.1.1/24");
  const through = (more: Partial<Ip4Fields> = {}) => packet({ dst: "10.0.1.9", ...more });
  assertEquals(host.input(left, through()), ["IP_NOT_OURS"]);
  host.call.ip_forwarding(1);
  assertEquals(host.input(left, through({ ttl: 9, tos: 0xbb })), ["IP_FORWARDED"]);
  const [sent] = host.output(right).map(readIp4);
  assertEquals([sent.src, sent.dst, sent.ttl], ["10.0.0.2", "10.0.1.9", 8]);
  assertEquals(sent.tos, 0xbb, "a router that is not congested leaves the ECN field (RFC 3168 5)");
  const error = (more: Partial<Ip4Fields>, fate: string) => {
    assertEquals(host.input(left, through(more)), [fate]);
    return host.output(left).map((p) => readIcmp(readIp4(p).payload));
  };
  const about = ({ type, code, rest }: { type: number; code: number; rest: number }) =>
    [type, code, rest] as const;
  assertEquals(error({ ttl: 1 }, "IP_TTL_EXCEEDED").map(about), [[11, 0, 0]]);
  assertEquals(error({ dst: "192.0.2.1" }, "IP_NO_ROUTE").map(about), [[3, 0, 0]]);
  const large = new Uint8Array(1000);
  assertEquals(error({ payload: large, df: true }, "IP_MUST_FRAGMENT").map(about), [[3, 4, 576]]);
  assertEquals(error({ payload: large, tos: 3 }, "IP_FORWARDED"), []);
  const pieces = host.output(right);
  assertEquals(pieces.map((p) => p.length), [20 + 552, 20 + 448]);
  assertEquals(pieces.map((p) => readIp4(p).tos), [3, 3], "fragments keep a mark (RFC 3168 5.3)");
  assertEquals(error({ dst: "240.0.0.1" }, "IP_NOT_OURS"), []);
  assertEquals(error({ dst: "169.254.0.9" }, "IP_NOT_OURS"), [], "link-local (RFC 3927 7)");
  assertEquals(error({ src: "169.254.0.9" }, "IP_NOT_OURS"), []);
  assertEquals(error({ dst: "10.0.0.1", payload: bytes(1) }, "UDP_SHORT"), []);
  assertEquals(host.stat(Stat.IP_FORWARDED), 2);
});

Deno.test("ip: a directed broadcast is not sent on (RFC 2644)", () => {
  const { host, port } = etherHost();
  const left = host.attach({ medium: Medium.IP, flags: Iff.POINTOPOINT });
  host.address(left, "10.0.7.1/24");
  host.call.ip_forwarding(1);
  const through = packet({ src: "10.0.7.2", dst: "10.0.0.255" });
  assertEquals(host.input(left, through), ["IP_NOT_OURS"]);
  assertEquals([...host.output(left), ...host.output(port)], []);
});

Deno.test("ip: a next hop that does not answer a forwarder is host unreachable", () => {
  const { host, port } = etherHost();
  const left = host.attach({ medium: Medium.IP, flags: Iff.POINTOPOINT });
  host.address(left, "10.0.7.1/24");
  host.call.ip_forwarding(1);
  const through = packet({ src: "10.0.7.2", dst: "10.0.0.77" });
  assertEquals(host.input(left, through), ["IP_FORWARDED"]);
  host.advance(4_000_000);
  assertEquals(host.output(port).length, 3);
  const [error] = host.output(left).map(readIp4);
  assertEquals([error.src, error.dst], ["10.0.7.1", "10.0.7.2"]);
  const { type, code, data } = readIcmp(error.payload);
  assertEquals([type, code], [3, 1]);
  assertEquals(readIp4(data).dst, "10.0.0.77");
  assertEquals([...data.subarray(12, 16)], u32(0x0a000702));
});
