/** Path MTUs as IP knows them (RFC 1191), and what IP_MTU_DISCOVER makes of them. */

import { assertEquals } from "@std/assert";
import { Errno } from "../../../assembly/abi/errno.ts";
import { IpProto } from "../../../assembly/abi/proto.ts";
import { IpOpt, Pmtud } from "../../../assembly/abi/socket.ts";
import { arp, BROADCAST, ether, readIp4 } from "../net/frames.ts";
import { etherHost, type Host, PEER } from "../net/host.ts";

/** Lets the host know the neighbour. */
function meet(host: Host, port: number): void {
  const request = arp({ op: 1, sha: PEER, spa: "10.0.0.2", tpa: "10.0.0.1" });
  host.input(port, ether(BROADCAST, PEER, 0x0806, request));
  host.output(port);
}

Deno.test("ip: a smaller MTU learned of the path cuts smaller fragments, for ten minutes", () => {
  const { host, port } = etherHost();
  meet(host, port);
  const so = host.udp(1234);
  const count = () => {
    host.send(so, new Uint8Array(1400), "10.0.0.2", 9);
    return host.packets(port).length;
  };
  assertEquals(count(), 1);
  host.call.probe_mtu_lower(0x0a000002, 1000);
  assertEquals(count(), 2);
  host.call.probe_mtu_lower(0x0a000003, 100);
  assertEquals(count(), 2, "another destination's");
  host.advance(600_000_000);
  assertEquals(count(), 1);
});

Deno.test("ip: IP_MTU_DISCOVER says which datagrams may be cut (RFC 1191)", () => {
  const { host, port } = etherHost();
  meet(host, port);
  const so = host.udp(1234);
  const at = host.call.scratch() + 1024;
  const discover = (value: Pmtud) => {
    host.view.setInt32(at, value, true);
    assertEquals(host.call.so_setopt(so, IpProto.IP, IpOpt.MTU_DISCOVER, at, 4), 0);
  };
  /** What leaves when so many bytes are sent: whether each piece has DF, or the error. */
  const send = (length: number): boolean[] | number => {
    const n = host.send(so, new Uint8Array(length), "10.0.0.2", 9);
    return n < 0 ? n : host.packets(port).map((p) => readIp4(p).df);
  };
  host.call.probe_mtu_lower(0x0a000002, 1000);
  const [DF, CUT] = [[true], [false, false]];
  const cases: [Pmtud, ReturnType<typeof send>[]][] = [
    [Pmtud.DONT, [[false], CUT, CUT]],
    [Pmtud.WANT, [DF, CUT, CUT]],
    [Pmtud.DO, [DF, -Errno.EMSGSIZE, -Errno.EMSGSIZE]],
    [Pmtud.PROBE, [DF, DF, -Errno.EMSGSIZE]],
  ];
  for (const [value, want] of cases) {
    discover(value);
    assertEquals([972, 1400, 1600].map(send), want, `${value}`);
  }
});
