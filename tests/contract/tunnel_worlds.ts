/**
 * The drivers whose device is a socket of the host, each with a world for the contract cases: the
 * far end is a driver of the same kind, over the loopback interface or socket files.
 */

import type { Ifnet, NetDriver } from "../../runtime/device/driver.ts";
import { StreamDriver, type StreamOptions } from "../../drivers/stream.ts";
import { type TunnelAddress, UdpTunnel, type UdpTunnelOptions } from "../../drivers/udp_tunnel.ts";
import { WebSocketDriver } from "../../drivers/websocket.ts";
import { type DriverUnderTest, makeFrame, type World } from "../../drivers/contract/world.ts";
import { FakeIfnet, FarEnd, VirtualClock } from "../../drivers/contract/fake_ifnet.ts";

const ROOM = 16_384;
/** Frames sent at once: what the host's smallest queue takes. */
const BURST = 8;
/** How long nothing may happen until nothing more is taken to come. */
const PATIENCE_MS = 40;
const LOOPBACK = "127.0.0.1";

/** An interface that can be waited on. */
class WaitingIfnet extends FakeIfnet {
  /** Called with each wake-up. */
  awake: () => void = () => {};

  override wake(): void {
    super.wake();
    this.awake();
  }

  override down(reason: string): void {
    super.down(reason);
    this.awake();
  }
}

/** Waits until one of the interfaces is woken, or patience ends. */
async function settle(interfaces: readonly WaitingIfnet[]): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  await new Promise<void>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS);
    for (const ifp of interfaces) ifp.awake = resolve;
  });
  clearTimeout(timer);
}

/** Two drivers that can reach each other, and what the case may do to them. */
interface Joint {
  readonly near: NetDriver;
  readonly far: NetDriver;
  /** True if the far driver may be attached only when the near one is. */
  readonly nearFirst?: boolean;
  /** True once frames can go both ways. */
  ready?(): boolean;
  unplug?(): void | Promise<void>;
  close?(): void | Promise<void>;
}

/** Attaches the far end where the near one is. */
function afterwards(near: NetDriver, then: () => Promise<void>): NetDriver {
  const attach = near.attach.bind(near);
  near.attach = async (ifp: Ifnet) => {
    await attach(ifp);
    await then();
  };
  return near;
}

async function world(joint: Joint, arrivals: readonly Uint8Array[]): Promise<World> {
  const clock = new VirtualClock();
  const ifp = new WaitingIfnet("near", clock);
  const farIfp = new WaitingIfnet("far", clock, 2);
  const { near, far, ready = () => true } = joint;
  const both = [ifp, farIfp];
  const join = async (): Promise<void> => {
    if (joint.nearFirst) await far.attach(farIfp);
    for (let i = 0; i < 100 && !ready(); i++) await settle(both);
  };
  if (!joint.nearFirst) await far.attach(farIfp);
  const end = new FarEnd(far, farIfp, ROOM);
  return {
    driver: afterwards(near, join),
    ifp,
    arrive: async () => {
      for (let at = 0; at < arrivals.length;) {
        const taken = far.start(farIfp.txBatch(arrivals.slice(at, at + BURST)));
        at += taken;
        await settle(both);
      }
    },
    gone: () => end.receive(),
    settle: () => settle(both),
    unplug: joint.unplug,
    close: async () => {
      await far.detach();
      await joint.close?.();
    },
  };
}

function tunnel(
  name: string,
  join: () => Joint | Promise<Joint>,
  more: Partial<DriverUnderTest> = {},
): DriverUnderTest {
  const open = async (arrivals: readonly Uint8Array[]) => await world(await join(), arrivals);
  return { name, carries: true, arrives: true, wakes: true, ...more, open };
}

function freePort(hostname: string): number {
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
  const { port } = socket.addr as Deno.NetAddr;
  socket.close();
  return port;
}

/** True if this machine has a loopback address of IPv6. */
function hasIpv6(): boolean {
  try {
    Deno.listenDatagram({ transport: "udp", hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    console.log("tunnels over IPv6 are not tested: this machine has no ::1");
    return false;
  }
}

function udp(options: Partial<UdpTunnelOptions>, hostname = LOOPBACK): Joint {
  const one: TunnelAddress = { hostname, port: freePort(hostname) };
  const other: TunnelAddress = { hostname, port: freePort(hostname) };
  return {
    near: new UdpTunnel({ ...options, local: one, peer: other }),
    far: new UdpTunnel({ ...options, local: other, peer: one }),
  };
}

async function udpFiles(): Promise<Joint> {
  const folder = await Deno.makeTempDir({ prefix: "godwit_" });
  const [one, other] = ["one", "other"].map((name) => ({ path: `${folder}/${name}` }));
  return {
    near: new UdpTunnel({ local: one, peer: other }),
    far: new UdpTunnel({ local: other, peer: one }),
    nearFirst: true,
    close: () => Deno.remove(folder, { recursive: true }),
  };
}

/** A server for one WebSocket, and the socket at each end. */
async function webSockets(): Promise<{ client: WebSocket; server: WebSocket; end(): unknown }> {
  const { promise, resolve } = Promise.withResolvers<WebSocket>();
  const http = Deno.serve({ hostname: LOOPBACK, port: 0, onListen: () => {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    resolve(socket);
    return response;
  });
  const client = new WebSocket(`ws://${LOOPBACK}:${http.addr.port}/`);
  const server = await promise;
  return { client, server, end: () => http.shutdown() };
}

async function webSocketServerSide(): Promise<Joint> {
  const { client, server, end } = await webSockets();
  const near = new WebSocketDriver(server, { queue: 100 });
  const far = new WebSocketDriver(client);
  return {
    near,
    far,
    ready: () => near.connected && far.connected,
    unplug: () => client.close(4000, "gone"),
    close: async () => void await end(),
  };
}

/** The near end is a client that connects by itself. */
function webSocketClient(): Joint {
  let server: WebSocketDriver | undefined;
  let accepted: WebSocket | undefined;
  let farIfp: Ifnet | undefined;
  const http = Deno.serve({ hostname: LOOPBACK, port: 0, onListen: () => {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    accepted = socket;
    server = new WebSocketDriver(socket);
    if (farIfp) server.attach(farIfp);
    return response;
  });
  const near = new WebSocketDriver(`ws://${LOOPBACK}:${http.addr.port}/`);
  const far: NetDriver = {
    name: "far",
    caps: near.caps,
    attach: (ifp) => void (farIfp = ifp),
    start: (tx) => server!.start(tx),
    rx: (free) => server!.rx(free),
    detach: async () => await server?.detach(),
  };
  return {
    near,
    far,
    ready: () => server?.connected === true,
    unplug: () => accepted!.close(),
    close: () => http.shutdown(),
  };
}

async function streamFiles(side: "listen" | "connect", options?: StreamOptions): Promise<Joint> {
  const folder = await Deno.makeTempDir({ prefix: "godwit_" });
  const at = { path: `${folder}/stream` };
  const near = new StreamDriver(side === "listen" ? { listen: at } : { connect: at }, options);
  const far = new StreamDriver(side === "listen" ? { connect: at } : { listen: at }, options);
  return {
    near,
    far,
    nearFirst: side === "listen",
    ready: () => near.connected && far.connected,
    unplug: async () => {
      // Who leaves without a word was no peer.
      const ifp = new FakeIfnet("far", new VirtualClock());
      far.start(ifp.txBatch([makeFrame("ethernet", 60, 1)]));
      while (far.stats.txFrames === 0) await new Promise((resolve) => setTimeout(resolve));
      await far.detach();
    },
    close: () => Deno.remove(folder, { recursive: true }),
  };
}

/** Both ends of a TCP connection, handed in. */
async function streamConns(options?: StreamOptions): Promise<Joint> {
  const listener = Deno.listen({ hostname: LOOPBACK, port: 0 });
  const accepting = listener.accept();
  const conn = await Deno.connect({ hostname: LOOPBACK, port: listener.addr.port });
  const accepted = await accepting;
  listener.close();
  const far = new StreamDriver({ conn: accepted }, options);
  const near = new StreamDriver({ conn }, options);
  return { near, far, ready: () => near.connected, unplug: () => far.detach() };
}

/** Every driver over a socket. */
export const TUNNELS: readonly DriverUnderTest[] = [
  tunnel("udp", () => udp({ queue: 100, api: "deno" }), { keeps: 100 }),
  tunnel("udp by node:dgram", () => udp({ queue: 100, api: "node" }), { keeps: 100 }),
  ...(hasIpv6() ? [tunnel("udp, IP packets over IPv6", () => udp({ medium: "ip" }, "::1"))] : []),
  tunnel("udp over socket files", udpFiles),
  tunnel("websocket, server side", webSocketServerSide, { keeps: 100, unplugs: true }),
  tunnel("websocket, client", webSocketClient, { unplugs: true }),
  tunnel("stream, listening", () => streamFiles("listen"), { unplugs: true }),
  tunnel("stream, connecting", () => streamFiles("connect"), { unplugs: true }),
  tunnel("stream, IP packets over TCP", () => streamConns({ medium: "ip" }), { unplugs: true }),
  tunnel("stream, large frames", () => streamConns({ mtu: 9000 }), { unplugs: true }),
];
