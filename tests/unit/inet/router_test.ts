/** What a router does beside sending on: redirects, proxy ARP, the reverse path filter, sharing. */

import { assertEquals } from "@std/assert";
import { Sioc } from "../../../assembly/abi/ifnet.ts";
import { Rtf } from "../../../assembly/abi/route.ts";
import { Stat } from "../../../assembly/abi/stat.ts";
import { Ifnet, NetSettings } from "../../../runtime/wasm/layout.gen.ts";
import {
  arp,
  BROADCAST,
  bytes,
  ether,
  icmp,
  ip,
  ip4,
  type Ip4Fields,
  ipText,
  readArp,
  readEther,
  readIcmp,
  readIp4,
  udp,
} from "../net/frames.ts";
import { Host, OWN, PEER, toHost } from "../net/host.ts";

const UDP = 17;
const SECOND_US = 1_000_000;
/** Hardware address of a router on the first link. */
const ROUTER = "02:00:00:00:00:03";
const ADDRESSES = ["10.0.0.1/24", "10.0.1.1/24", "10.0.2.1/24"];

/** A host with three Ethernet interfaces; on each the neighbours .2 and .3 are known. */
function router(forwarding = true): { host: Host; ports: number[] } {
  const host = new Host();
  const ports = ADDRESSES.map((address) => {
    const port = host.attach();
    assertEquals(host.address(port, address), 0);
    return port;
  });
  host.advance(10 * SECOND_US);
  ports.forEach((port, i) => {
    for (const [last, hw] of [[2, PEER], [3, ROUTER]] as const) {
      const neighbour = { op: 1 as const, sha: hw, spa: `10.0.${i}.${last}`, tpa: `10.0.${i}.1` };
      const fates = host.input(port, ether(BROADCAST, hw, 0x0806, arp(neighbour)));
      assertEquals(fates, ["ARP_ANSWERED"]);
    }
    host.output(port);
  });
  host.call.ip_forwarding(forwarding ? 1 : 0);
  return { host, ports };
}

/** Sets settings of all interfaces. */
function set(host: Host, values: Partial<Record<keyof typeof NetSettings, number>>): void {
  for (const [field, value] of Object.entries(values)) {
    const offset = NetSettings[field as keyof typeof NetSettings];
    host.view.setUint32(host.call.net_settings() + offset, value, true);
  }
}

/** Sets a setting of one interface. */
function setOne(host: Host, ifindex: number, values: Partial<Record<keyof typeof Ifnet, number>>) {
  for (const [field, value] of Object.entries(values)) {
    host.memory[host.call.if_ptr(ifindex) + Ifnet[field as keyof typeof Ifnet]] = value;
  }
}

function datagram(src: string, dst: string, sport = 9, more: Partial<Ip4Fields> = {}): Uint8Array {
  const payload = udp(src, dst, sport, 7, bytes(1, 2, 3));
  return toHost(ip4({ src, dst, proto: UDP, payload, ...more }));
}

Deno.test("redirect: a nearer router is told of, if that is switched on (RFC 1812 5.2.7.2)", () => {
  const { host, ports: [port] } = router();
  assertEquals(host.route("192.0.2.0/24", "10.0.0.3"), 0);
  const sent = (frame: Uint8Array) => {
    assertEquals(host.input(port, frame), ["IP_FORWARDED"]);
    return host.packets(port).map(readIp4);
  };
  const through = datagram("10.0.0.2", "192.0.2.9");
  assertEquals(sent(through).map(({ dst }) => dst), ["192.0.2.9"], "off unless switched on");
  set(host, { send_redirects: 1 });
  const [message, packet] = sent(through);
  assertEquals([message.src, message.dst, packet.dst], ["10.0.0.1", "10.0.0.2", "192.0.2.9"]);
  const { type, code, rest, data } = readIcmp(message.payload);
  assertEquals([type, code, ipText(rest)], [5, 1, "10.0.0.3"]);
  assertEquals(readIp4(data).dst, "192.0.2.9");
  assertEquals(host.stat(Stat.ICMP_REDIRECTS_OUT), 1);
  assertEquals(sent(datagram("10.9.0.2", "192.0.2.9")).length, 1, "the source is not on the link");
  const options = [1, 1, 1, 0];
  const chosen = datagram("10.0.0.2", "192.0.2.9", 9, { options });
  assertEquals(sent(chosen).length, 1, "options may have chosen the way");
});

Deno.test("redirect: the neighbour of a link itself is told of as well", () => {
  const { host, ports: [port] } = router();
  set(host, { send_redirects: 1 });
  assertEquals(host.input(port, datagram("10.0.0.2", "10.0.0.3")), ["IP_FORWARDED"]);
  const [message] = host.packets(port).map(readIp4);
  assertEquals(ipText(readIcmp(message.payload).rest), "10.0.0.3");
});

/** A redirect to `gateway` from `from`, about a datagram of ours to 192.0.2.9. */
function redirect(gateway: string, from: string, code = 1): Uint8Array {
  const quoted = ip4({
    src: "10.0.0.1",
    dst: "192.0.2.9",
    proto: UDP,
    payload: udp("10.0.0.1", "192.0.2.9", 5, 9, bytes(1)),
  });
  const payload = icmp(5, code, ip(gateway), quoted);
  return toHost(ip4({ src: from, dst: "10.0.0.1", proto: 1, payload }));
}

Deno.test("redirect: a host takes advice from its gateway alone (RFC 1122 3.2.2.2)", () => {
  const { host, ports: [port] } = router(false);
  assertEquals(host.route("0.0.0.0/0", "10.0.0.2"), 0);
  const gateway = () => ipText(host.lookup("192.0.2.9")!.gateway);
  const given = (frame: Uint8Array, fate = "ICMP_TYPE_UNKNOWN") => {
    assertEquals(host.input(port, frame), [fate]);
    return gateway();
  };
  assertEquals(given(redirect("10.0.0.3", "10.0.0.2")), "10.0.0.2", "off unless switched on");
  set(host, { accept_redirects: 1 });
  assertEquals(given(redirect("10.0.0.3", "10.0.0.4")), "10.0.0.2", "from another");
  assertEquals(given(redirect("10.0.1.3", "10.0.0.2")), "10.0.0.2", "to another link");
  assertEquals(given(redirect("10.0.0.1", "10.0.0.2")), "10.0.0.2", "to ourselves");
  assertEquals(given(redirect("10.0.0.255", "10.0.0.2")), "10.0.0.2", "to everybody");
  assertEquals(given(redirect("10.0.0.3", "10.0.0.2", 4)), "10.0.0.2", "no such code");
  host.call.ip_forwarding(1);
  assertEquals(given(redirect("10.0.0.3", "10.0.0.2")), "10.0.0.2", "a router does not listen");
  host.call.ip_forwarding(0);
  assertEquals(given(redirect("10.0.0.3", "10.0.0.2"), "ICMP_DELIVERED"), "10.0.0.3");
  const { flags, dst, mask } = host.lookup("192.0.2.9")!;
  assertEquals(flags, Rtf.UP | Rtf.GATEWAY | Rtf.HOST | Rtf.DYNAMIC);
  assertEquals([ipText(dst), mask], ["192.0.2.9", 0xffffffff]);
  assertEquals(ipText(host.lookup("192.0.2.8")!.gateway), "10.0.0.2", "others go as before");
  assertEquals(given(redirect("10.0.0.4", "10.0.0.3"), "ICMP_DELIVERED"), "10.0.0.4", "and on");
  assertEquals(host.unroute("192.0.2.9/32"), 0, "it can be deleted");
  assertEquals(gateway(), "10.0.0.2");
});

Deno.test("proxy ARP: a router answers for what it leads to elsewhere (RFC 1027)", () => {
  const { host, ports: [port] } = router();
  assertEquals(host.route("10.0.0.128/25", "10.0.1.2"), 0);
  const asked = (tpa: string, spa = "10.0.0.9") => {
    const frame = arp({ op: 1, sha: PEER, spa, tpa });
    const [fate] = host.input(port, ether(BROADCAST, PEER, 0x0806, frame));
    const replies = host.output(port).map((frame) => readArp(readEther(frame).payload));
    return [fate, ...replies.map(({ op, spa, sha }) => `${op} ${spa} ${sha}`)];
  };
  assertEquals(asked("10.0.0.200"), ["ARP_IGNORED"], "off unless switched on");
  set(host, { proxy_arp: 1 });
  assertEquals(asked("10.0.0.200"), ["ARP_ANSWERED", `2 10.0.0.200 ${OWN}`]);
  assertEquals(host.ioctl(Sioc.GARP, { ifindex: port, addr: ip("10.0.0.9") }), 0, "and learns");
  assertEquals(host.stat(Stat.ARP_PROXIED), 1);
  assertEquals(asked("10.0.0.3").length, 1, "not for a neighbour of this link");
  assertEquals(asked("203.0.113.1").length, 1, "not for what nothing leads to");
  assertEquals(asked("10.0.1.1").length, 1, "not for ourselves on another link");
  assertEquals(asked("10.0.1.255").length, 1, "not for a broadcast address");
  assertEquals(asked("10.0.0.200", "0.0.0.0").length, 1, "not to who probes for an address");
  assertEquals(host.route("10.0.0.192/26", "0.0.0.0", { flags: Rtf.REJECT }), 0);
  assertEquals(asked("10.0.0.200").length, 1, "not for what is refused");
  host.call.ip_forwarding(0);
  assertEquals(asked("10.0.0.130").length, 1, "not by a host");
});

Deno.test("reverse path filter: strict, loose, off (RFC 3704 2)", () => {
  const { host, ports } = router();
  assertEquals(host.route("192.0.2.0/24", "10.0.1.2"), 0);
  const fates = (src: string) =>
    ports.map((port) => host.input(port, datagram(src, "10.0.2.77"))[0]);
  const [yes, no] = ["IP_FORWARDED", "IP_SOURCE_INVALID"];
  set(host, { rp_filter: 1 });
  assertEquals(fates("192.0.2.9"), [no, yes, no], "strict");
  assertEquals(fates("203.0.113.9"), [no, no, no]);
  set(host, { rp_filter: 2 });
  assertEquals(fates("192.0.2.9"), [yes, yes, yes], "loose");
  assertEquals(fates("203.0.113.9"), [no, no, no]);
  set(host, { rp_filter: 0 });
  assertEquals(fates("203.0.113.9"), [yes, yes, yes], "off");
  assertEquals(host.stat(Stat.IP_REVERSE_PATH), 8);
});

Deno.test("reverse path filter: any of several ways to the source will do", () => {
  const { host, ports } = router();
  assertEquals(host.route("192.0.2.0/24", "10.0.0.2"), 0);
  assertEquals(host.route("192.0.2.0/24", "10.0.1.2", { metric: 9 }), 0);
  set(host, { rp_filter: 1 });
  const fates = ports.map((port) => host.input(port, datagram("192.0.2.9", "10.0.2.77"))[0]);
  assertEquals(fates, ["IP_FORWARDED", "IP_FORWARDED", "IP_SOURCE_INVALID"]);
});

Deno.test("reverse path filter: what has no source yet is asked for all the same", () => {
  const { host, ports: [port] } = router();
  set(host, { rp_filter: 1 });
  host.udp(7);
  assertEquals(host.input(port, datagram("0.0.0.0", "255.255.255.255")), ["UDP_DELIVERED"]);
});

Deno.test("a router shares flows among equal routes, and keeps fragments together", () => {
  const { host, ports } = router();
  assertEquals(host.route("192.0.2.0/24", "10.0.1.2"), 0);
  assertEquals(host.route("192.0.2.0/24", "10.0.2.2"), 0);
  const ways = (frame: Uint8Array) => {
    assertEquals(host.input(ports[0], frame), ["IP_FORWARDED"]);
    return ports.findIndex((port) => host.packets(port).length > 0);
  };
  const counts = [0, 0, 0];
  for (let sport = 1; sport <= 64; sport++) {
    const way = ways(datagram("10.0.0.2", "192.0.2.9", sport));
    counts[way] += 1;
    assertEquals(ways(datagram("10.0.0.2", "192.0.2.9", sport)), way);
  }
  assertEquals(counts[0], 0);
  assertEquals(counts[1] + counts[2], 64);
  assertEquals(Math.min(counts[1], counts[2]) > 10, true, String(counts));
  const fragments = Array.from({ length: 16 }, (_, sport) => [
    ways(datagram("10.0.0.2", "192.0.2.9", sport, { more: true })),
    ways(datagram("10.0.0.2", "192.0.2.9", sport, { offset: 16 })),
  ]).flat();
  assertEquals(new Set(fragments).size, 1, "by their addresses alone");
  const pings = Array.from({ length: 8 }, (_, i) => {
    const payload = icmp(8, 0, i);
    return ways(toHost(ip4({ src: "10.0.0.2", dst: "192.0.2.9", proto: 1, payload })));
  });
  assertEquals(new Set(pings).size, 1);
});

Deno.test("a router sends on by the source, where routes are for some sources only", () => {
  const { host, ports } = router();
  assertEquals(host.route("0.0.0.0/0", "10.0.1.2"), 0);
  const more = { from: ip("10.0.0.128"), from_mask: ip("255.255.255.128") };
  assertEquals(host.route("0.0.0.0/0", "10.0.2.2", more), 0);
  for (const [src, way] of [["10.0.0.2", 1], ["10.0.0.200", 2]] as const) {
    assertEquals(host.input(ports[0], datagram(src, "192.0.2.9")), ["IP_FORWARDED"]);
    assertEquals(host.packets(ports[way]).length, 1, src);
  }
  assertEquals(host.lookup("192.0.2.9")?.ifindex, ports[1], "for who has no address yet");
  assertEquals(host.lookup("192.0.2.9", "10.0.0.129")?.ifindex, ports[2]);
});

Deno.test("settings of one interface hold for that alone, and the higher filter wins", () => {
  const { host, ports } = router();
  const [first, second] = ports;
  assertEquals(host.route("10.0.0.128/25", "10.0.2.2"), 0);
  assertEquals(host.route("192.0.2.0/24", "10.0.0.3"), 0);
  setOne(host, first, { proxy_arp: 1, send_redirects: 1, rp_filter: 1 });
  const ask = (port: number, spa: string) => {
    const frame = arp({ op: 1, sha: PEER, spa, tpa: "10.0.0.200" });
    return host.input(port, ether(BROADCAST, PEER, 0x0806, frame))[0];
  };
  assertEquals(ask(first, "10.0.0.2"), "ARP_ANSWERED");
  assertEquals(ask(second, "10.0.1.9"), "ARP_IGNORED");
  host.output(first);
  assertEquals(host.input(first, datagram("10.0.0.2", "192.0.2.9")), ["IP_FORWARDED"]);
  assertEquals(host.packets(first).length, 2, "a redirect as well");
  const elsewhere = (port: number) => host.input(port, datagram("10.0.2.2", "192.0.2.9"))[0];
  assertEquals([elsewhere(first), elsewhere(second)], ["IP_SOURCE_INVALID", "IP_FORWARDED"]);
  set(host, { rp_filter: 2 });
  assertEquals(elsewhere(first), "IP_FORWARDED", "loose is the higher");
});
