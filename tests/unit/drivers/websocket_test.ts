import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { WebSocketDriver } from "../../../drivers/websocket.ts";
import { SocketError } from "../../../runtime/errors.ts";
import { makeFrame } from "../../../drivers/contract/world.ts";
import { FakeIfnet, VirtualClock } from "../../../drivers/contract/fake_ifnet.ts";

const LOOPBACK = "127.0.0.1";

/** A server that hands its sockets out, one after the other. */
class Server {
  readonly sockets: WebSocket[] = [];
  refuse = false;
  readonly #http: Deno.HttpServer<Deno.NetAddr>;

  constructor(port = 0) {
    this.#http = Deno.serve({ hostname: LOOPBACK, port, onListen: () => {} }, (request) => {
      if (this.refuse) return new Response("no", { status: 503 });
      const { socket, response } = Deno.upgradeWebSocket(request);
      socket.binaryType = "arraybuffer";
      this.sockets.push(socket);
      return response;
    });
  }

  get url(): string {
    return `ws://${LOOPBACK}:${this.#http.addr.port}/`;
  }

  async socket(n: number): Promise<WebSocket> {
    await until(() => this.sockets[n]?.readyState === WebSocket.OPEN);
    return this.sockets[n];
  }

  close(): Promise<void> {
    return this.#http.shutdown();
  }
}

async function until(happened: () => boolean): Promise<void> {
  while (!happened()) await new Promise((resolve) => setTimeout(resolve, 1));
}

Deno.test("websocket: one binary message is one frame", async () => {
  const server = new Server();
  const driver = new WebSocketDriver(server.url);
  const ifp = new FakeIfnet("eth0", new VirtualClock());
  await driver.attach(ifp);
  const socket = await server.socket(0);
  const messages: Uint8Array[] = [];
  socket.onmessage = ({ data }) => messages.push(new Uint8Array(data));
  const frames = [60, 1, 1514].map((length, i) => makeFrame("ethernet", length, i));
  assertEquals(driver.start(ifp.txBatch(frames)), 3);
  ifp.memory.fill(0);
  await until(() => messages.length === 3);
  assertEquals(messages, frames);
  await driver.detach();
  await server.close();
});

Deno.test("websocket: refuses text, empty and oversized messages, and counts them", async () => {
  const server = new Server();
  const driver = new WebSocketDriver(server.url);
  const ifp = new FakeIfnet("eth0", new VirtualClock());
  await driver.attach(ifp);
  const socket = await server.socket(0);
  socket.send("text");
  socket.send(new Uint8Array(0));
  socket.send(new Uint8Array(1515));
  socket.send(new Uint8Array(3_000_000));
  socket.send(new Blob([new Uint8Array(60)]));
  await until(() => driver.stats.rxInvalid === 4 && ifp.wakes > 1);
  const free = ifp.freeBatch(4, 2048);
  assertEquals(ifp.filled(free, driver.rx(free)), [new Uint8Array(60)]);
  assertEquals([driver.stats.rxDropped, ifp.downs], [4, []]);
  await driver.detach();
  await server.close();
});

/** A socket whose queue the test sets. */
class PlayedSocket extends EventTarget {
  readyState: number = WebSocket.CONNECTING;
  bufferedAmount = 0;
  binaryType = "";
  onmessage: unknown = null;
  readonly sent: number[] = [];

  send(bytes: Uint8Array): void {
    this.sent.push(bytes.length);
    this.bufferedAmount += bytes.length;
  }

  open(): void {
    this.readyState = WebSocket.OPEN;
    this.dispatchEvent(new Event("open"));
  }

  close(): void {
    this.readyState = WebSocket.CLOSED;
    this.dispatchEvent(new CloseEvent("close", { code: 1000 }));
  }
}

Deno.test("websocket: busy while opening and while the socket's queue is full", async () => {
  const clock = new VirtualClock();
  const ifp = new FakeIfnet("eth0", clock);
  const socket = new PlayedSocket();
  const driver = new WebSocketDriver(socket as unknown as WebSocket, {
    queueBytes: 1000,
    schedule: clock.schedule,
  });
  await driver.attach(ifp);
  const frames = Array.from({ length: 20 }, () => new Uint8Array(100));
  assertEquals(driver.start(ifp.txBatch(frames)), 0);
  socket.open();
  assertEquals(driver.start(ifp.txBatch(frames)), 10);
  assertEquals([driver.stats.txBusy, clock.pending], [2, 1]);
  const { wakes } = ifp;
  clock.advance(5000);
  assertEquals(ifp.wakes, wakes, "woken while the queue was full");
  socket.bufferedAmount = 501;
  clock.advance(2000);
  assertEquals(ifp.wakes, wakes, "woken for little room");
  socket.bufferedAmount = 500;
  clock.advance(2000);
  assertEquals(ifp.wakes, wakes + 1);
  assertEquals(clock.pending, 0);
  assertEquals(driver.start(ifp.txBatch(frames.slice(10))), 5);
  assertEquals(socket.sent.length, 15);
  await driver.detach();
  assertEquals(clock.pending, 0);
});

Deno.test("websocket: tells why the socket was closed", async () => {
  const server = new Server();
  const driver = new WebSocketDriver(server.url);
  const ifp = new FakeIfnet("eth0", new VirtualClock());
  await driver.attach(ifp);
  (await server.socket(0)).close(4321, "the cable was cut");
  await until(() => ifp.downs.length > 0);
  assertEquals(ifp.downs, ["the WebSocket was closed (4321: the cable was cut)"]);
  await driver.detach();
  await server.close();
});

Deno.test("websocket: comes back by itself if told to, waiting longer each time", async () => {
  const server = new Server();
  const clock = new VirtualClock();
  const ifp = new FakeIfnet("eth0", clock);
  const driver = new WebSocketDriver(server.url, {
    reconnect: { first_ms: 100, random: () => 1 },
    schedule: clock.schedule,
  });
  await driver.attach(ifp);
  const first = await server.socket(0);
  server.refuse = true;
  first.close();
  const waits: number[] = [];
  for (let i = 0; i < 3; i++) {
    // A socket that is being closed has a timer of its own, which goes away with it.
    await until(() => !driver.connected && clock.pending === 1 && first.readyState === 3);
    waits.push((clock.nextDue_us - clock.now_us) / 1000);
    assertEquals(driver.start(ifp.txBatch([new Uint8Array(60)])), 1);
    if (i === 2) server.refuse = false;
    clock.advance(clock.nextDue_us - clock.now_us);
    await until(() => clock.pending === 0 || driver.connected);
    if (i < 2) await until(() => clock.pending === 1);
  }
  await until(() => driver.connected);
  assertEquals(waits, [100, 200, 400]);
  assertEquals([driver.stats.txNoPeer, driver.stats.reconnects, ifp.downs], [3, 1, []]);
  await driver.detach();
  assertEquals(clock.pending, 0);
  await server.close();
});

Deno.test("websocket: can be detached while a server does not answer", async () => {
  const server = new Server();
  const { port } = new URL(server.url);
  const clock = new VirtualClock();
  const ifp = new FakeIfnet("eth0", clock);
  const driver = new WebSocketDriver(server.url, {
    reconnect: { first_ms: 100 },
    schedule: clock.schedule,
  });
  await driver.attach(ifp);
  (await server.socket(0)).close();
  await until(() => !driver.connected && clock.pending === 1 && server.sockets[0].readyState === 3);
  await server.close();
  // In its place one that takes the connection and says nothing.
  const mute = Deno.listen({ hostname: LOOPBACK, port: Number(port) });
  const accepting = mute.accept();
  clock.advance(100_000);
  const conn = await accepting;
  await driver.detach();
  assertEquals([driver.stats.reconnects, ifp.downs, clock.pending], [0, [], 0]);
  conn.close();
  mute.close();
});

Deno.test("websocket: says what is wrong with what it is given", async () => {
  for (const url of ["", "frames", "ftp://192.0.2.1/"]) {
    assertThrows(() => new WebSocketDriver(url), RangeError, "is no URL of a WebSocket");
  }
  const socket = new PlayedSocket();
  const given = socket as unknown as WebSocket;
  assertThrows(() => new WebSocketDriver(given, { reconnect: true }), RangeError, "come back");
  socket.close();
  const ifp = new FakeIfnet("eth0", new VirtualClock());
  const closed = new WebSocketDriver(given);
  assertEquals((await assertRejects(() => closed.attach(ifp), SocketError)).code, "ENOTCONN");
  const server = new Server();
  server.refuse = true;
  const refused = new WebSocketDriver(server.url);
  const error = await assertRejects(() => refused.attach(ifp), SocketError);
  assertEquals([error.code, error.syscall], ["ECONNREFUSED", "connect"]);
  assert(error.message.includes(server.url), error.message);
  await server.close();
});
