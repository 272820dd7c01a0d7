/**
 * The drivers that live in one process, each with a world for the contract cases.
 */

import type { NetDriver } from "../../runtime/device/driver.ts";
import { Bridge } from "../../drivers/bridge.ts";
import { Linktype, openCapture, PcapngWriter } from "../../drivers/capture.ts";
import { CaptureWire } from "../../drivers/capture_wire.ts";
import { FaultDriver } from "../../drivers/fault.ts";
import { NullDriver } from "../../drivers/null.ts";
import { pipe, type PipeOptions } from "../../drivers/pipe.ts";
import { Rss, RssPort } from "../../drivers/rss.ts";
import { TraceDriver } from "../../drivers/trace.ts";
import type { DriverUnderTest, World } from "../../drivers/contract/world.ts";
import { FakeIfnet, FarEnd, VirtualClock } from "../../drivers/contract/fake_ifnet.ts";

const ROOM = 16_384;
/** One of these steps is longer than any delay that a driver is given here. */
const SETTLE_US = 50_000;

/** A world of two drivers joined to each other; only the far one is attached. */
async function joined(
  near: NetDriver,
  far: NetDriver,
  clock: VirtualClock,
  arrivals: readonly Uint8Array[],
): Promise<World> {
  const farIfp = new FakeIfnet("far", clock, 2);
  await far.attach(farIfp);
  const end = new FarEnd(far, farIfp, ROOM);
  return {
    driver: near,
    ifp: new FakeIfnet("near", clock),
    arrive: () => end.send(arrivals),
    gone: () => end.receive(),
    settle: () => clock.advance(SETTLE_US),
    close: async () => await far.detach(),
  };
}

function pipeWorld(
  name: string,
  options: PipeOptions,
  wrap: (end: NetDriver, clock: VirtualClock) => NetDriver,
  holds = options.queue ?? 128,
): DriverUnderTest {
  return {
    name,
    carries: true,
    arrives: true,
    wakes: true,
    holds,
    open: (arrivals) => {
      const clock = new VirtualClock();
      const [near, far] = pipe(options);
      return joined(wrap(near, clock), far, clock, arrivals);
    },
  };
}

const bridge: DriverUnderTest = {
  name: "bridge",
  carries: true,
  arrives: true,
  wakes: true,
  open: async (arrivals) => {
    const clock = new VirtualClock();
    const bridge = new Bridge();
    const world = await joined(bridge.port(), bridge.port(), clock, arrivals);
    // A third port, so that the frames are really flooded.
    const third = bridge.port();
    await third.attach(new FakeIfnet("third", clock, 3));
    return world;
  },
};

/** One of three stacks that share the end of a pipe: the one that all these frames are for. */
function rssWorld(name: string, options: PipeOptions, queue: number): DriverUnderTest {
  return {
    name,
    carries: true,
    arrives: true,
    wakes: true,
    holds: queue,
    open: async (arrivals) => {
      const clock = new VirtualClock();
      const [near, far] = pipe(options);
      const rss = await Rss.open(near, { shards: 3, queue, seed: 1 });
      const world = await joined(new RssPort(rss.handle(0)), far, clock, arrivals);
      return {
        ...world,
        settle: async () => {
          clock.advance(SETTLE_US);
          for (let i = 0; i < 4; i++) await new Promise((done) => setTimeout(done, 0));
        },
        close: async () => {
          await rss.close();
          await world.close();
        },
      };
    },
  };
}

const nothing: DriverUnderTest = {
  name: "null",
  carries: false,
  arrives: false,
  wakes: false,
  open: () => {
    const clock = new VirtualClock();
    return {
      driver: new NullDriver(),
      ifp: new FakeIfnet("near", clock),
      arrive: () => {},
      gone: () => [],
      settle: () => clock.advance(SETTLE_US),
      close: () => {},
    };
  },
};

/** Bytes of a pcapng file with these frames, one every 10 ms. */
function captureOf(
  frames: readonly Uint8Array[],
  linktype: number,
): Uint8Array<ArrayBuffer> {
  const file = new MemoryFile();
  const writer = new PcapngWriter(file.sink);
  writer.addInterface({ name: "test", linktype });
  frames.forEach((data, i) => writer.write({ timestamp_us: 5e6 + i * 10_000, data }));
  writer.close();
  return file.take();
}

/** Collects what a capture writer writes. */
class MemoryFile {
  #pieces: Uint8Array<ArrayBuffer>[] = [];
  readonly sink = (bytes: Uint8Array<ArrayBuffer>): void => void this.#pieces.push(bytes);

  take(): Uint8Array<ArrayBuffer> {
    const whole = new Uint8Array(this.#pieces.reduce((sum, piece) => sum + piece.length, 0));
    let at = 0;
    for (const piece of this.#pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }
}

function captureWorld(name: string, pacing: "none" | "original" | number): DriverUnderTest {
  return {
    name,
    carries: true,
    arrives: true,
    wakes: true,
    open: (arrivals) => {
      const clock = new VirtualClock();
      const file = new MemoryFile();
      const record = new PcapngWriter(file.sink);
      const driver = new CaptureWire(openCapture(captureOf(arrivals, Linktype.ETHERNET)), {
        pacing,
        record,
        schedule: clock.schedule,
      });
      let seen = 0;
      return {
        driver,
        ifp: new FakeIfnet("near", clock),
        arrive: () => {},
        gone: () => {
          record.flush();
          const frames = [...openCapture(file.take())].map((frame) => new Uint8Array(frame.data));
          const fresh = frames.slice(seen);
          seen = frames.length;
          return fresh.filter((frame) => frame.length <= 1514);
        },
        settle: () => clock.advance(SETTLE_US),
        close: () => record.close(),
      };
    },
  };
}

/** Every driver that needs nothing of the host. */
export const IN_PROCESS_DRIVERS: readonly DriverUnderTest[] = [
  pipeWorld("pipe", {}, (end) => end),
  pipeWorld("pipe, IP packets", { medium: "ip" }, (end) => end),
  pipeWorld("pipe, short queue and jumbo frames", { mtu: 9000, queue: 100 }, (end) => end),
  bridge,
  rssWorld("rss", {}, 128),
  rssWorld("rss, jumbo frames", { mtu: 9000 }, 256),
  nothing,
  captureWorld("capture wire", "none"),
  captureWorld("capture wire with pacing", "original"),
  captureWorld("capture wire, twice as fast", 2),
  pipeWorld("trace over pipe", {}, (end) => new TraceDriver(end, { onFrame: () => {} })),
  pipeWorld(
    "fault over pipe, without faults",
    { queue: 100 },
    (end, clock) => new FaultDriver(end, { limit: 64, schedule: clock.schedule }),
    100 + 64,
  ),
  pipeWorld(
    "fault over pipe, with delay and jitter",
    { queue: 400 },
    (end, clock) => {
      const slow = { delay_us: 3000, jitter_us: 2000 };
      return new FaultDriver(end, { limit: 128, schedule: clock.schedule, tx: slow, rx: slow });
    },
    128,
  ),
  pipeWorld(
    "trace over fault over pipe",
    {},
    (end, clock) => new TraceDriver(new FaultDriver(end, { schedule: clock.schedule }), {}),
    1024 + 128,
  ),
];
