/** Side modules: WebAssembly in the engine's memory, loaded and unloaded while the stack runs. */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Errno } from "../../../assembly/abi/errno.ts";
import { Af, Sock } from "../../../assembly/abi/socket.ts";
import { readSources } from "../../../build.ts";
import { SocketError, type Stack } from "../../../mod.ts";
import { LAYOUT_HASH } from "../../../runtime/wasm/layout.gen.ts";
import { compileSide, type Side, SideError } from "../../../tools/side.ts";
import { linkedText, readKernel } from "../../../tools/side_link.ts";
import { sideBytes } from "../../../tools/side_build.ts";
import { holdings, host, Net } from "./net.ts";

const PATH = "tests/fixtures/side/echo.ts";
const ECHO = 254;
const engineSources = await readSources();
const fixture = await Deno.readTextFile(new URL(`../../../${PATH}`, import.meta.url));

async function compile(text = fixture): Promise<Side> {
  return await compileSide(new Map([...engineSources, [PATH, text]]), PATH);
}

const echo = await compile();

function module(layout = LAYOUT_HASH, side = echo): WebAssembly.Module {
  return new WebAssembly.Module(sideBytes("echo", layout, side, ""));
}

/** What protocol 254 of 10.0.0.1 sends back to 10.0.0.2. */
async function ask(from: Stack, bytes: number): Promise<number> {
  const fd = from.sys.socket(Af.INET, Sock.RAW, ECHO);
  await from.sys.sendto(fd, new Uint8Array(bytes), 0, { address: "10.0.0.1" });
  const { length } = await from.sys.recvfrom(fd, new Uint8Array(2000));
  await from.sys.close(fd);
  return length - 20;
}

Deno.test("side: packets reach it without JavaScript, and its answers leave", async () => {
  await using net = await Net.create();
  const info = await net.a.protocols.load(module());
  assertEquals([info.name, info.kind, info.state], ["echo", "side", "loaded"]);
  for (const bytes of [1, 100, 1400]) assertEquals(await ask(net.b, bytes), bytes);
  assertEquals(net.a.protocols.list()[0].packets, 0);
  await net.a.protocols.unload("echo");
});

Deno.test("side: what it leaves behind is taken back, and its place is used again", async () => {
  await using net = await Net.create();
  await net.a.protocols.load(module());
  await ask(net.b, 33); // the neighbours know each other
  await net.a.protocols.unload("echo");
  const before = holdings(net.a);
  for (let round = 0; round < 3; round++) {
    await net.a.protocols.load(module(), new Uint8Array([7]));
    const { timers, types, rows, table } = holdings(net.a);
    assertEquals([timers - before.timers, types - before.types, rows - before.rows], [1, 1, 1]);
    assertEquals(table > before.table, true);
    assertEquals(await ask(net.b, 33), 33);
    await net.a.protocols.unload("echo");
    assertEquals(holdings(net.a), { ...before, sockets: holdings(net.a).sockets });
  }
});

Deno.test("side: what does not fit is refused by name and leaves nothing", async () => {
  await using net = await Net.create();
  const before = holdings(net.a);
  const { protocols } = net.a;
  const bare = new WebAssembly.Module(echo.wasm);
  const broken = sideBytes("echo", LAYOUT_HASH, { ...echo, memory_bytes: -1 }, "");
  const cases: [number, string, WebAssembly.Module, number[]?][] = [
    [Errno.EINVAL, "godwit.side", bare],
    [Errno.EINVAL, "echo: it was compiled for structures 0123", module("0123")],
    [Errno.EINVAL, "echo: -1 bytes", new WebAssembly.Module(broken)],
    [Errno.EACCES, "echo: its register refused", module(), [254]],
    [Errno.EIO, "echo: it stopped", module(), [255]],
    [Errno.EEXIST, "echo: another protocol takes packets", module(), [0, 6]],
  ];
  for (const [code, words, wasm, config] of cases) {
    const bytes = config && new Uint8Array(config);
    const error = await assertRejects(() => protocols.load(wasm, bytes), SocketError, words);
    assertEquals(error.errno, code, words);
    assertEquals(holdings(net.a), { ...before, sockets: holdings(net.a).sockets }, words);
  }
  await protocols.load(module());
  const error = await assertRejects(() => protocols.load(module()), SocketError, "already");
  assertEquals(error.errno, Errno.EEXIST);
});

Deno.test("side: it goes on from a snapshot, with its variables", async () => {
  await using net = await Net.create();
  await net.a.protocols.load(module(), new Uint8Array([1]));
  assertEquals(await ask(net.b, 50), 50);
  const snapshot = net.a.snapshot();
  await net.a.close();
  const options = {
    snapshot,
    interfaces: [{ name: "eth0", driver: net.bridge.port() }],
  };
  const missing = await assertRejects(() => host(net.bridge, "", options), SocketError, "echo");
  assertEquals(missing.errno, Errno.ENODEV);
  options.interfaces[0].driver = net.bridge.port();
  await using again = await host(net.bridge, "", { ...options, protocols: [module()] });
  assertEquals(await ask(net.b, 51), 51);
  assertEquals(again.protocols.list().map(({ name }) => name), ["echo"]);
  await again.protocols.unload("echo");
});

Deno.test("side: the compiler is told what the kernel does not offer", async () => {
  const text = fixture.replace("clock.now()", "clock.set(0), clock.now()");
  const error = await assertRejects(() => compile(text), SideError);
  assertStringIncludes(error.message, "clock");
});

Deno.test("side: files of the engine with state become imports, others are compiled in", () => {
  const kernel = readKernel('export { get as m_get, T as m_T } from "../sys/m";\n');
  assertEquals(kernel.get("assembly/sys/m.ts")?.get("T"), "m_T");
  const text = [
    "export const T: Thing = changetype<Thing>(memory.data(8, 8));",
    "const N: u32 = 3; // a number",
    "export function get(",
    "  a: u32,",
    "): u32 {",
    "  return N;",
    "}",
    "function hidden(): void {",
    "  T.a = 1;",
    "}",
    "export function other(): void {",
    "  hidden();",
    "}",
    "export function pure(): void {}",
  ].join("\n");
  assertEquals(linkedText(text, kernel.get("assembly/sys/m.ts")!).split("\n"), [
    '@external("godwit", "m_T")',
    "declare const m_T: usize;",
    "export const T: Thing = changetype<Thing>(m_T);",
    "const N: u32 = 3; // a number",
    '@external("godwit", "m_get")',
    "export declare function get(",
    "  a: u32,",
    "): u32;",
    "export function pure(): void {}",
  ]);
  const stateless = "export function f(): void {\n}";
  assertEquals(linkedText(stateless, new Map()), stateless);
});
