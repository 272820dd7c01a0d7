/** The driver loader: what it takes, what it refuses and in which words, and what it isolates. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import * as nullModule from "../../../drivers/null.ts";
import { NullDriver } from "../../../drivers/null.ts";
import { pipe } from "../../../drivers/pipe.ts";
import type { DriverCaps, FrameBatch, Ifnet, NetDriver } from "../../../runtime/device/driver.ts";
import type { DriverSource } from "../../../runtime/device/load.ts";
import { SocketError } from "../../../runtime/errors.ts";
import type { Stack } from "../../../runtime/stack.ts";
import type { LoadOptions } from "../../../runtime/stack_drivers.ts";
import { manual, settle } from "./manual_stack.ts";

const NULL_URL = new URL("../../../drivers/null.ts", import.meta.url);

const MISSING = new URL("./no_such_driver.ts", import.meta.url);

/** A module of its own, from its text. */
function moduleOf(text: string): string {
  return `data:text/javascript,${encodeURIComponent(text)}`;
}

const WORKING = `({
  name: "stranger", caps: { mtu: 1400, medium: "ethernet" }, stats: { seen: 0, note: "x" },
  attach() {}, start(tx) { this.stats.seen += tx.count; return tx.count; }, rx() { return 0; },
  detach() {},
})`;

/** A driver that does nothing, but for what is overridden. */
class Idle implements NetDriver {
  readonly name: string = "idle";
  caps: DriverCaps = { mtu: 1500, medium: "ethernet" };
  ifp: Ifnet | undefined = undefined;
  detached = 0;
  attach(ifp: Ifnet): void | Promise<void> {
    this.ifp = ifp;
  }
  start(tx: FrameBatch): number {
    return tx.count;
  }
  rx(_free: FrameBatch): number {
    return 0;
  }
  detach(): void | Promise<void> {
    this.detached++;
  }
}

/** What a load says when it fails; nothing may be left then. */
async function refusal(
  stack: Stack,
  source: unknown,
  config?: LoadOptions,
): Promise<[code: string, message: string]> {
  const load = () => stack.drivers.load(source as DriverSource, config);
  const error = await assertRejects(load, SocketError);
  assertEquals(error.syscall, "drivers.load");
  assertEquals([stack.interfaces.length, stack.drivers.list()], [0, []]);
  return [error.code, error.message];
}

Deno.test("drivers: every kind of source is taken", async () => {
  await using stack = await manual();
  class Named extends NullDriver {}
  const sources: [string, DriverSource, LoadOptions][] = [
    ["URL", NULL_URL, { options: { mtu: 1300 } }],
    ["specifier", NULL_URL.href, {}],
    ["package", "@godwit/godwit/drivers/null", {}],
    ["export by name", NULL_URL.href, { factory: "NullDriver" }],
    ["default export", moduleOf(`export default () => ${WORKING}`), {}],
    ["driver export", moduleOf(`export const driver = async () => ${WORKING}`), {}],
    ["exported object", moduleOf(`export default ${WORKING}`), {}],
    ["module object", nullModule, { options: { mtu: 1200 } }],
    ["class", Named, {}],
    ["factory", (options: { mtu: number }) => new NullDriver(options), { options: { mtu: 999 } }],
    ["asynchronous factory", () => Promise.resolve(new NullDriver()), {}],
    ["driver", new NullDriver({ mtu: 800 }), {}],
  ];
  for (const [i, [kind, source, config]] of sources.entries()) {
    const info = await stack.drivers.load(source, { name: `if${i}`, ...config });
    assertEquals([kind, info.interface, info.state], [kind, `if${i}`, "up"]);
  }
  const list = stack.drivers.list();
  assertEquals(list.map((one) => one.statistics?.mtu), [
    ...[1300, 1500, 1500, 1500, 1400, 1400, 1400, 1200, 1500, 999, 1500, 800],
  ]);
  assertEquals(list.map((one) => one.name), [
    ...["null", "null", "null", "null", "stranger", "stranger", "stranger", "null"],
    ...["null", "null", "null", "null"],
  ]);
  assertEquals(list.map((one) => one.module !== undefined), [
    ...new Array(7).fill(true),
    ...new Array(5).fill(false),
  ]);
  for (const { interface: name } of list) await stack.drivers.unload(name);
  assertEquals(stack.drivers.list(), []);
});

Deno.test("drivers: an interface is set up as asked, and its driver counts", async () => {
  await using stack = await manual();
  const source = moduleOf(`export default () => ${WORKING}`);
  const config = { addresses: ["10.0.0.1/24"], gateway: "10.0.0.254" };
  const info = await stack.drivers.load(source, config);
  assertEquals([info.interface, info.module], ["stranger0", source]);
  settle(stack);
  const [now] = stack.drivers.list();
  assertEquals(now.counters, { seen: 1 }, "its address is probed, and only numbers are told");
  assertEquals([now.statistics?.opackets, now.state], [1, "up"]);
  assertEquals([...stack.route].some(({ gateway }) => gateway === "10.0.0.254"), true);
});

Deno.test("drivers: what is no driver is refused by name, and nothing is left", async () => {
  await using stack = await manual();
  const near = (text: string) => moduleOf(text).slice(0, 40);
  const cases: [source: unknown, code: string, words: string[], LoadOptions?][] = [
    [MISSING, "ENOENT", ["runtime/no_such_driver.ts cannot be imported"]],
    [moduleOf("export const a = ;"), "EINVAL", [near("export const a = ;"), "SyntaxError"]],
    [moduleOf("throw new Error('boo')"), "EINVAL", ["cannot be imported", "Error: boo"]],
    ["./driver.ts", "EINVAL", [`give import.meta.resolve("./driver.ts")`]],
    [
      moduleOf("export const a = 1, b = 2"),
      "EINVAL",
      [near("export"), `no default export and no export "driver"; it exports a, b`],
    ],
    [moduleOf(""), "EINVAL", ["it exports nothing"]],
    [NULL_URL, "EINVAL", ["null.ts", `no export "nothing"`], { factory: "nothing" }],
    [
      moduleOf("export default () => { throw new TypeError('no wire') }"),
      "EIO",
      [`export "default": making the driver failed: TypeError: no wire`],
    ],
    [moduleOf("export default () => {}"), "EINVAL", [`made no driver: it is undefined`]],
    [moduleOf("export default 7"), "EINVAL", [`is no driver: it is 7`]],
    [
      moduleOf("export default () => ({ name: 'x', start() {}, detach: 1, poll: true })"),
      "EINVAL",
      ["it has no caps, it has no attach(), it has no rx(), it has no detach(), its poll is no"],
    ],
    [{ attach() {} }, "EINVAL", ["the object given is no driver: it has no name"]],
    [{ name: "y", attach() {} }, "EINVAL", ["the driver y is no driver"]],
    [null, "EINVAL", ["is no driver: it is null"]],
    [
      {
        get name() {
          throw new Error("hidden");
        },
      },
      "EINVAL",
      ["threw Error: hidden"],
    ],
    [() => new NullDriver({ mtu: 1 }), "EIO", ["RangeError", "mtu"]],
    [new NullDriver(), "EINVAL", ["the driver null", "1 to 15 visible"], { name: "a b" }],
    [new NullDriver(), "EINVAL", ["the driver null"], { addresses: ["nowhere"] }],
  ];
  for (const [source, code, words, config] of cases) {
    const [got, message] = await refusal(stack, source, config);
    for (const part of words) assertStringIncludes(message, part);
    assertEquals([got, message], [code, message]);
  }
});

Deno.test("drivers: impossible capabilities are refused, and the device is closed", async () => {
  await using stack = await manual();
  const cases: [unknown, string][] = [
    [undefined, "has no caps"],
    [{ mtu: 67, medium: "ip" }, "has an MTU of 67"],
    [{ mtu: 65536, medium: "ip" }, "has an MTU of 65536"],
    [{ mtu: "1500", medium: "ip" }, "has an MTU of 1500"],
    [{ mtu: 1500, medium: "wifi" }, `carries "wifi"`],
    [{ mtu: 1500, medium: "ethernet", vnetHeader: 1 }, "caps.vnetHeader 1, not true or false"],
    [{ mtu: 1500, medium: "ethernet", hwaddr: "02:00:00:00:00:01" }, "no Uint8Array"],
    [{ mtu: 1500, medium: "ethernet", hwaddr: new Uint8Array(5) }, "of 5 bytes"],
    [{ mtu: 1500, medium: "ethernet", hwaddr: new Uint8Array(6) }, "of zeros"],
    [{ mtu: 1500, medium: "ethernet", hwaddr: Uint8Array.of(1, 2, 3, 4, 5, 6) }, "group address"],
  ];
  for (const [caps, words] of cases) {
    const driver = Object.assign(new Idle(), { caps });
    const [code, message] = await refusal(stack, driver);
    assertStringIncludes(message, words);
    assertEquals([code, driver.detached], ["EINVAL", 1]);
  }
});

Deno.test("drivers: a failing attach names the module and keeps the error number", async () => {
  await using stack = await manual();
  const driver = new Idle();
  driver.attach = () => Promise.reject(new Error("the cable is out"));
  const factory = () => driver;
  assertEquals(await refusal(stack, factory), [
    "EIO",
    "drivers.load: EIO: the factory factory: Error: the cable is out",
  ]);
  driver.attach = () => {
    throw new SocketError(1, "open", "ask root");
  };
  const [code, message] = await refusal(stack, driver);
  assertEquals(code, "EPERM");
  assertStringIncludes(message, "the driver idle: PermissionDenied: open: EPERM: ask root");
  assertEquals(driver.detached, 0);
});

Deno.test("drivers: one driver has one interface, whatever it says itself", async () => {
  await using stack = await manual();
  const driver = new Idle();
  await stack.drivers.load(driver);
  await stack.drivers.load(new Idle());
  const again = [
    () => stack.drivers.load(driver),
    () => stack.drivers.swap("idle0", driver),
    () => stack.drivers.swap("idle1", driver),
  ];
  for (const call of again) {
    const error = await assertRejects(call, SocketError);
    assertEquals([error.code, driver.detached], ["EBUSY", 0]);
    assertStringIncludes(error.message, "the idle driver is already attached to idle0");
  }
  await stack.drivers.unload("idle0");
  await stack.drivers.swap("idle1", driver);
  assertEquals(driver.detached, 1);
});

Deno.test("drivers: a wait for a driver can be ended, and a late driver is let go of", async () => {
  await using stack = await manual();
  const slow = new Idle();
  const { promise, resolve } = Promise.withResolvers<void>();
  slow.attach = () => promise;
  const control = new AbortController();
  const load = () => stack.drivers.load(slow, { name: "eth0", signal: control.signal });
  const refused = assertRejects(load, Error, "too slow");
  await new Promise((done) => setTimeout(done));
  assertEquals(stack.drivers.list(), [
    { name: "idle", interface: "eth0", state: "loading", counters: {} },
  ]);
  control.abort(new Error("too slow"));
  await refused;
  assertEquals([stack.drivers.list(), slow.detached], [[], 0]);
  resolve();
  await new Promise((done) => setTimeout(done));
  assertEquals(slow.detached, 1);
  slow.attach = () => {};
  await stack.drivers.load(slow, { name: "eth0" });
  const never = () => new Promise<NetDriver>(() => {});
  const signal = AbortSignal.abort(new Error("not at all"));
  await assertRejects(() => stack.drivers.load(never, { signal }), Error, "not at all");
  const second = new AbortController();
  const waiting = assertRejects(() => stack.drivers.load(never, { signal: second.signal }), Error);
  second.abort();
  await waiting;
});

Deno.test("drivers: a module that throws in a hook takes its interface down, by name", async () => {
  const hooks: [string, (driver: Idle) => void, string][] = [
    ["rx", (driver) => driver.rx = () => fail("bad frame"), "rx: Error: bad frame"],
    ["rx", (driver) => driver.rx = () => -1, "rx: answered -1 of 64 frames"],
    ["start", (driver) => driver.start = () => fail(Symbol("odd")), "start: Symbol(odd)"],
    ["start", (driver) => driver.start = () => fail(unprintable), "start: something that cannot"],
    ["start", (driver) => driver.start = () => 1.5, "start: answered 1.5 of 1 frames"],
    ["start", (driver) => driver.start = promising, "start: answered a promise, but must not"],
    ["rx", (driver) => driver.rx = promising, "rx: answered a promise, but must not"],
  ];
  for (const [hook, spoil, words] of hooks) {
    await using stack = await manual();
    const driver = new Idle();
    const source = moduleOf(`export default (driver) => driver; // ${hook}`);
    await stack.drivers.load(source, { options: driver, addresses: ["10.0.0.1/24"] });
    await stack.drivers.load(new NullDriver(), { addresses: ["10.1.0.1/24"] });
    spoil(driver);
    settle(stack);
    const [info, good] = stack.drivers.list();
    assertEquals([info.state, good.state], ["down", "up"]);
    assertStringIncludes(info.reason!, `idle driver (${source}), ${words}`);
    assertEquals(stack.netstat().interfaces.map(({ down }) => down !== undefined), [
      ...[false, true, false],
    ]);
    assertEquals(driver.detached, 0);
    await stack.drivers.unload("idle0");
    assertEquals(driver.detached, 1);
  }
});

Deno.test("drivers: poll and watch are asked for yes or no, and may fail", async () => {
  for (const hook of ["poll", "watch"] as const) {
    await using stack = await manual();
    const driver: Idle & Partial<NetDriver> = new Idle();
    const answers: unknown[] = [true, "yes", promising];
    const words = [
      "",
      `${hook}: TypeError: answered yes`,
      `${hook}: TypeError: answered a promise`,
    ];
    for (const [i, answer] of answers.entries()) {
      driver[hook] = (() => answer instanceof Function ? answer() : answer) as () => boolean;
      await stack.drivers.load(driver, { name: "eth0" });
      const [attachment] = stack.interfaces;
      assertEquals(hook === "poll" ? attachment.poll(0) : attachment.watch(), i === 0);
      assertStringIncludes(attachment.reason ?? "", words[i]);
      await stack.drivers.unload("eth0");
    }
  }
});

Deno.test("drivers: a failing detach is told, and the interface is gone all the same", async () => {
  await using stack = await manual();
  const driver = new Idle();
  driver.detach = () => fail("stuck");
  const source = moduleOf("export default (driver) => driver");
  await stack.drivers.load(source, { name: "eth0", options: driver });
  const error = await assertRejects(() => stack.drivers.unload("eth0"), SocketError);
  assertEquals(error.code, "EIO");
  assertEquals(error.message, `drivers.unload: EIO: ${source} on eth0, detach: Error: stuck`);
  assertEquals([stack.drivers.list(), stack.netstat().interfaces.length], [[], 1]);
  const gone = await assertRejects(() => stack.drivers.unload("eth0"), SocketError);
  assertEquals(gone.code, "ENXIO");
  await stack.drivers.load(new Idle(), { name: "eth0" });
});

Deno.test("drivers: those that were attached by hand are listed too", async () => {
  await using stack = await manual();
  const [end] = pipe();
  await stack.attach(end, { name: "eth0" });
  const [info] = stack.drivers.list();
  assertEquals([info.name, info.interface, "module" in info], ["pipe", "eth0", false]);
  assertEquals(info.counters.txFrames, 0);
  const odd = Object.defineProperty(new Idle(), "stats", { get: () => fail("none") });
  assertEquals((await stack.drivers.load(odd)).counters, {});
});

Deno.test("drivers: nothing is loaded into a stack that is closed", async () => {
  const stack = await manual();
  await stack.close();
  const error = await assertRejects(() => stack.drivers.load(new NullDriver()), SocketError);
  assertEquals(error.code, "ENETDOWN");
  assert(error.message.includes("the stack is closed"));
});

const unprintable = {
  toString() {
    throw new Error("no words");
  },
};

function fail(what: unknown): never {
  throw typeof what === "string" ? new Error(what) : what;
}

/** What an author makes of a hook by mistake. */
function promising(): number {
  return Promise.reject(new Error("nobody waits for this")) as unknown as number;
}
