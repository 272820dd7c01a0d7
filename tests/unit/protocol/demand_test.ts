/** Domains that are loaded when the first socket of their family is made. */
import { assertEquals, assertThrows } from "@std/assert";
import { Errno } from "../../../assembly/abi/errno.ts";
import { Af, Sock } from "../../../assembly/abi/socket.ts";
import { readSources } from "../../../build.ts";
import { createStack, type Domains, SocketError, type Stack } from "../../../mod.ts";
import { LAYOUT_HASH } from "../../../runtime/wasm/layout.gen.ts";
import { compileSide } from "../../../tools/side.ts";
import { sideBytes } from "../../../tools/side_build.ts";
import checkedEngine from "../../engine_checked_module.js";
import { holdings } from "./net.ts";

const PATH = "tests/fixtures/side/domain.ts";
const FAMILY = 30;
const text = await Deno.readTextFile(new URL(`../../../${PATH}`, import.meta.url));
const side = await compileSide(new Map([...await readSources(), [PATH, text]]), PATH);

function domains(layout = LAYOUT_HASH): Domains {
  const wasm = new WebAssembly.Module(sideBytes("back", layout, side, ""));
  return new Map([[FAMILY, { name: "back", wasm, counters: ["sockets"] }]]);
}

async function stack(given: Domains, snapshot?: Uint8Array): Promise<Stack> {
  const memory = { bytes: 16 * 2 ** 20 };
  return await createStack({ engine: checkedEngine, memory, domains: given, snapshot });
}

/** Sends and receives on a descriptor. */
function echo({ sys }: Stack, fd: number): number[] {
  sys.nb.send(fd, Uint8Array.of(1, 2, 3));
  const buffer = new Uint8Array(10);
  return [...buffer.subarray(0, sys.nb.recv(fd, buffer))];
}

Deno.test("domain on demand: it is loaded with its first socket, and once", async () => {
  await using one = await stack(domains());
  const before = holdings(one);
  assertEquals(one.protocols.list(), []);
  const fds = [one.sys.socket(FAMILY, Sock.DGRAM), one.sys.socket(FAMILY, Sock.DGRAM)];
  assertEquals(one.protocols.list().map(({ name, kind }) => [name, kind]), [["back", "side"]]);
  assertEquals(one.protocols.list()[0].counters, { sockets: 2 });
  for (const fd of fds) assertEquals(echo(one, fd), [1, 2, 3]);
  for (const fd of fds) await one.sys.close(fd);
  await one.protocols.unload("back");
  const left = holdings(one);
  assertEquals(left, { ...before, sockets: left.sockets });
  assertEquals(echo(one, one.sys.socket(FAMILY, Sock.DGRAM)), [1, 2, 3]);
});

Deno.test("domain on demand: its sockets are in a snapshot and go on from it", async () => {
  let fd: number;
  let snapshot: Uint8Array;
  {
    await using one = await stack(domains());
    fd = one.sys.socket(FAMILY, Sock.DGRAM);
    one.sys.nb.send(fd, Uint8Array.of(9));
    snapshot = one.snapshot();
  }
  await using two = await stack(domains(), snapshot);
  const buffer = new Uint8Array(10);
  assertEquals([two.sys.nb.recv(fd, buffer), buffer[0]], [1, 9]);
  assertEquals(echo(two, fd), [1, 2, 3]);
});

for (const mib of [3, 4, 64]) {
  Deno.test(`domain on demand: a stack of ${mib} MiB has room for all of them`, async () => {
    await using one = await createStack({ engine: checkedEngine, memory: { bytes: mib << 20 } });
    const { sys } = one;
    const fds = [
      ...sys.socketpair(Af.UNIX, Sock.STREAM),
      sys.socket(Af.NDD, Sock.RAW, 3),
      sys.socket(Af.ROUTE, Sock.RAW),
    ];
    assertEquals(one.protocols.list().map(({ name }) => name), ["unix", "packet", "route"]);
    await sys.send(fds[0], Uint8Array.of(1));
    assertEquals(await sys.recv(fds[1], new Uint8Array(2)), 1);
  });
}

Deno.test("domain on demand: what cannot be loaded says why and leaves nothing", async () => {
  await using one = await stack(domains("0123"));
  const before = holdings(one);
  const socket = (family: number, type: number = Sock.DGRAM) => () => one.sys.socket(family, type);
  assertThrows(socket(FAMILY), SocketError, "back: it was compiled for structures 0123");
  assertEquals(holdings(one), before);
  assertThrows(socket(29), SocketError, "EPFNOSUPPORT");
  await using uncompiled = await stack(new Map([[FAMILY, { name: "b", wasm: new Uint8Array() }]]));
  const fault = () => uncompiled.sys.socket(FAMILY, Sock.DGRAM);
  assertEquals(assertThrows(fault, SocketError, "domain b must be").errno, Errno.EINVAL);
});
