import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type TunnelAddress, UdpTunnel } from "../../../drivers/udp_tunnel.ts";
import { SocketError } from "../../../runtime/errors.ts";
import { makeFrame } from "../../../drivers/contract/world.ts";
import { FakeIfnet, VirtualClock } from "../../../drivers/contract/fake_ifnet.ts";
import { abandonFile } from "./abandoned_file.ts";

const LOOPBACK = "127.0.0.1";

function socket(): { conn: Deno.DatagramConn; port: number } {
  const conn = Deno.listenDatagram({ transport: "udp", hostname: LOOPBACK, port: 0 });
  return { conn, port: (conn.addr as Deno.NetAddr).port };
}

function portOf(tunnel: UdpTunnel): Deno.NetAddr {
  const { hostname, port } = tunnel.address as { hostname: string; port: number };
  return { transport: "udp", hostname, port };
}

/** Waits for what must come. */
async function until(happened: () => boolean): Promise<void> {
  while (!happened()) await new Promise((resolve) => setTimeout(resolve, 1));
}

Deno.test("udp: the MTU is what fits 1500 bytes of the path, unless told", () => {
  const mtu = (hostname: string, medium?: "ip") =>
    new UdpTunnel({ peer: { hostname, port: 9 }, medium }).caps.mtu;
  assertEquals(mtu("192.0.2.1"), 1500 - 20 - 8 - 14);
  assertEquals(mtu("192.0.2.1", "ip"), 1500 - 20 - 8);
  assertEquals(mtu("2001:db8::1"), 1500 - 40 - 8 - 14);
  assertEquals(mtu("2001:db8::1", "ip"), 1500 - 40 - 8);
  const files = { local: { path: "/a" }, peer: { path: "/b" } };
  assertEquals(new UdpTunnel(files).caps.mtu, 1500);
  assertEquals(new UdpTunnel({ ...files, mtu: 9000 }).caps.mtu, 9000);
});

Deno.test("udp: one datagram is one frame, as for QEMU's -netdev dgram", async () => {
  const { conn, port } = socket();
  const tunnel = new UdpTunnel({ peer: { hostname: LOOPBACK, port } });
  const ifp = new FakeIfnet("eth0", new VirtualClock());
  await tunnel.attach(ifp);
  const frames = [60, 61, 1472].map((length, i) => makeFrame("ethernet", length, i));
  assertEquals(tunnel.start(ifp.txBatch(frames)), 3);
  const to = { ...portOf(tunnel), hostname: LOOPBACK };
  for (const frame of frames) {
    const [bytes] = await conn.receive();
    assertEquals(new Uint8Array(bytes), frame);
    await conn.send(frame, to);
  }
  const got: Uint8Array[] = [];
  while (got.length < 3) {
    await until(() => ifp.wakes > 0);
    ifp.wakes = 0;
    const free = ifp.freeBatch(4, 2048);
    got.push(...ifp.filled(free, tunnel.rx(free)));
  }
  assertEquals(got, frames);
  await tunnel.detach();
  conn.close();
});

for (const api of ["deno", "node"] as const) {
  Deno.test(`udp (${api}): drops what others than the peer send, and counts it`, async () => {
    const [friend, stranger] = [socket(), socket()];
    const tunnel = new UdpTunnel({
      local: { hostname: LOOPBACK, port: 0 },
      peer: { hostname: LOOPBACK, port: friend.port },
      api,
    });
    const ifp = new FakeIfnet("eth0", new VirtualClock());
    await tunnel.attach(ifp);
    const to = portOf(tunnel);
    await stranger.conn.send(makeFrame("ethernet", 60, 1), to);
    await stranger.conn.send(makeFrame("ethernet", 60, 2), to);
    await friend.conn.send(makeFrame("ethernet", 60, 3), to);
    await until(() => ifp.wakes > 0 && tunnel.stats.rxStrangers === 2);
    const free = ifp.freeBatch(4, 2048);
    assertEquals(ifp.filled(free, tunnel.rx(free)), [makeFrame("ethernet", 60, 3)]);
    assertEquals(tunnel.stats.rxDropped, 2);
    await tunnel.detach();
    friend.conn.close();
    stranger.conn.close();
  });

  Deno.test(`udp (${api}): learns its peer if told to, and keeps to it`, async () => {
    const [first, second] = [socket(), socket()];
    const tunnel = new UdpTunnel({
      local: { hostname: LOOPBACK, port: 0 },
      learnPeer: true,
      api,
    });
    const ifp = new FakeIfnet("eth0", new VirtualClock());
    await tunnel.attach(ifp);
    assertEquals(tunnel.start(ifp.txBatch([makeFrame("ethernet", 60, 0)])), 1);
    assertEquals(tunnel.stats.txNoPeer, 1);
    await first.conn.send(makeFrame("ethernet", 60, 1), portOf(tunnel));
    await until(() => tunnel.peer !== undefined);
    assertEquals(tunnel.peer, { hostname: LOOPBACK, port: first.port });
    await second.conn.send(makeFrame("ethernet", 60, 2), portOf(tunnel));
    await until(() => tunnel.stats.rxStrangers === 1);
    assertEquals(tunnel.start(ifp.txBatch([makeFrame("ethernet", 60, 4)])), 1);
    assertEquals(new Uint8Array((await first.conn.receive())[0]), makeFrame("ethernet", 60, 4));
    tunnel.forgetPeer();
    await second.conn.send(makeFrame("ethernet", 60, 5), portOf(tunnel));
    await until(() => tunnel.peer !== undefined);
    assertEquals(tunnel.peer, { hostname: LOOPBACK, port: second.port });
    await tunnel.detach();
    assertEquals(tunnel.peer, undefined);
    first.conn.close();
    second.conn.close();
  });
}

Deno.test("udp: refuses datagrams that are no frame: empty ones, and longer than any", async () => {
  const { conn, port } = socket();
  const tunnel = new UdpTunnel({ peer: { hostname: LOOPBACK, port } });
  const ifp = new FakeIfnet("eth0", new VirtualClock());
  await tunnel.attach(ifp);
  const to = { ...portOf(tunnel), hostname: LOOPBACK };
  // A peer that does not know of the tunnel's MTU may send what an Ethernet carries.
  for (const length of [0, 1514, 1515, 9000]) await conn.send(new Uint8Array(length), to);
  await until(() => ifp.wakes > 0 && tunnel.stats.rxInvalid === 3);
  const free = ifp.freeBatch(4, 2048);
  assertEquals(ifp.filled(free, tunnel.rx(free)), [new Uint8Array(1514)]);
  assertEquals([tunnel.stats.rxDropped, ifp.downs], [3, []]);
  await tunnel.detach();
  conn.close();
});

Deno.test("udp: counts what the host refuses to send", async () => {
  const folder = await Deno.makeTempDir({ prefix: "godwit_" });
  const [local, peer] = [{ path: `${folder}/here` }, { path: `${folder}/nobody` }];
  const tunnel = new UdpTunnel({ local, peer });
  const ifp = new FakeIfnet("eth0", new VirtualClock());
  await tunnel.attach(ifp);
  assertEquals(tunnel.start(ifp.txBatch([new Uint8Array(60), new Uint8Array(61)])), 2);
  await until(() => tunnel.stats.txRefused === 2);
  assertEquals([tunnel.stats.txDropped, tunnel.stats.txFrames], [2, 0]);
  await tunnel.detach();
  assertEquals([...Deno.readDirSync(folder)], [], "a socket file was left behind");
  await Deno.remove(folder);
});

Deno.test("udp: says what is wrong with what it is given", async () => {
  const peer: TunnelAddress = { hostname: LOOPBACK, port: 9 };
  assertThrows(() => new UdpTunnel({}), RangeError, "either a peer or learnPeer");
  assertThrows(() => new UdpTunnel({ peer, learnPeer: true }), RangeError, "either a peer");
  for (const hostname of ["localhost", "300.1.1.1", "", "::zz"]) {
    assertThrows(() => new UdpTunnel({ peer: { hostname, port: 9 } }), RangeError, "is a name");
  }
  assertThrows(() => new UdpTunnel({ peer: { hostname: LOOPBACK, port: 0 } }), RangeError, "port");
  assertThrows(() => new UdpTunnel({ peer, local: { path: "/a" } }), RangeError, "at both ends");
  const { conn, port } = socket();
  const taken = new UdpTunnel({ peer, local: { hostname: LOOPBACK, port } });
  const ifp = new FakeIfnet("eth0", new VirtualClock());
  const error = await assertRejects(() => taken.attach(ifp), SocketError);
  assertEquals([error.code, error.syscall], ["EADDRINUSE", "bind"]);
  assert(error.message.includes(`${LOOPBACK}:${port}`), error.message);
  conn.close();
  await taken.attach(ifp);
  await taken.detach();
});

Deno.test("udp: socket files that nobody uses any more are removed, others are not", async () => {
  const folder = await Deno.makeTempDir({ prefix: "godwit_" });
  const [local, peer] = [{ path: `${folder}/here` }, { path: `${folder}/there` }];
  for (const end of ["", ".tx"]) await abandonFile(local.path + end, "unixpacket");
  const ifp = new FakeIfnet("eth0", new VirtualClock());
  const tunnel = new UdpTunnel({ local, peer });
  await tunnel.attach(ifp);
  const other = new UdpTunnel({ local, peer });
  const error = await assertRejects(
    async () => await other.attach(new FakeIfnet("eth1", new VirtualClock())),
    SocketError,
  );
  assertEquals(error.code, "EADDRINUSE");
  assertEquals([...Deno.readDirSync(folder)].length, 2);
  assertEquals([tunnel.stats.rxInvalid, ifp.downs], [0, []]);
  await tunnel.detach();
  assertEquals([...Deno.readDirSync(folder)], []);
  await Deno.remove(folder, { recursive: true });
});
