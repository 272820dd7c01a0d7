/**
 * A virtual machine whose network card is plugged into a stack: its firmware (iPXE) gets an address
 * by DHCP, and then by HTTP over TCP a long script, whose last line asks for a word that it knows
 * from there.
 */

import { assert, assertEquals } from "@std/assert";
import { createStack, type NetDriver } from "../../mod.ts";
import { StreamDriver } from "../../drivers/stream.ts";
import { UdpTunnel } from "../../drivers/udp_tunnel.ts";
import { AdvertisingDriver } from "./cases/advertising.ts";
import { CLIENT, serveDhcp, serveFiles, SERVER } from "./cases/boot_server.ts";
import { requirements } from "./require.ts";

const QEMU = "qemu-system-x86_64";
const SCRIPT_BYTES = 200_000;
const PATIENCE_MS = 60_000;

const { ignore, reason } = requirements({ tools: [QEMU] });

/** A driver, and what QEMU is told to plug its card in; asked when the driver is attached. */
interface Plug {
  readonly name: string;
  open(folder: string): { driver: NetDriver; netdev: () => string };
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

const PLUGS: readonly Plug[] = [
  {
    name: "-netdev stream over TCP",
    open: () => {
      const driver = new StreamDriver({ listen: { hostname: "127.0.0.1", port: 0 } });
      const at = () => `addr.type=inet,addr.host=127.0.0.1,addr.port=${port(driver.address)}`;
      return { driver, netdev: () => `stream,id=n,server=off,${at()}` };
    },
  },
  {
    name: "-netdev stream over a socket file",
    open: (folder) => {
      const path = `${folder}/card`;
      const netdev = `stream,id=n,server=off,addr.type=unix,addr.path=${path}`;
      return { driver: new StreamDriver({ listen: { path } }), netdev: () => netdev };
    },
  },
  {
    name: "-netdev dgram over UDP",
    open: () => {
      const [ours, theirs] = [freePort(), freePort()];
      const driver = new UdpTunnel({
        local: { hostname: "127.0.0.1", port: ours },
        peer: { hostname: "127.0.0.1", port: theirs },
        mtu: 1500,
      });
      const netdev = "dgram,id=n," +
        `local.type=inet,local.host=127.0.0.1,local.port=${theirs},` +
        `remote.type=inet,remote.host=127.0.0.1,remote.port=${ours}`;
      return { driver, netdev: () => netdev };
    },
  },
];

function port(address: unknown): number {
  return (address as Deno.NetAddr).port;
}

/** A script of which every line but the first and the last is a comment. */
function bootScript(word: string): string {
  let text = "#!ipxe\n";
  for (let i = 0; text.length < SCRIPT_BYTES; i++) text += `# ${i} ${"*".repeat(i % 70)}\n`;
  return `${text}imgfetch http://${SERVER}/${word}\n`;
}

/** Starts a machine without disks that boots from its card. */
function machine(netdev: string): Deno.ChildProcess {
  return new Deno.Command(QEMU, {
    args: [
      ...["-nodefaults", "-display", "none", "-m", "64", "-machine", "pc,accel=tcg"],
      ...["-boot", "n", "-device", "e1000,netdev=n", "-netdev", netdev],
    ],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
}

for (const plug of PLUGS) {
  Deno.test({
    name: `qemu: a machine boots from a stack over ${plug.name}${ignore ? ` (${reason})` : ""}`,
    ignore,
    fn: async () => {
      const folder = await Deno.makeTempDir({ prefix: "godwit_" });
      const { driver, netdev } = plug.open(folder);
      const stack = await createStack({
        interfaces: [{ driver: new AdvertisingDriver(driver), addresses: [`${SERVER}/24`] }],
      });
      const word = "curlew";
      const files = { "/boot": bootScript(word), [`/${word}`]: "it is" };
      const done = Promise.withResolvers<string>();
      const requests: number[] = [];
      const paths: string[] = [];
      const dhcp = serveDhcp(stack, `http://${SERVER}/boot`, (kind) => requests.push(kind));
      const web = serveFiles(stack.listen({ port: 80 }), files, (path) => {
        paths.push(path);
        if (path === `/${word}`) done.resolve("");
      });
      const served = Promise.allSettled([dhcp, web]);
      const qemu = machine(netdev());
      const complaints = new Response(qemu.stderr).text();
      const timer = setTimeout(() => done.resolve("it took too long"), PATIENCE_MS);
      qemu.status.then(() => done.resolve("the machine has ended"));
      const fault = await done.promise;
      clearTimeout(timer);
      const neighbors = stack.netstat().neighbors.map(({ address }) => address);
      try {
        qemu.kill();
      } catch {
        // It has ended by itself.
      }
      await qemu.status;
      const told = await complaints;
      await stack.close();
      await served;
      await Deno.remove(folder, { recursive: true });
      assertEquals([fault, paths], ["", ["/boot", `/${word}`]], `${requests} ${told}`);
      assert(requests.includes(1) && requests.includes(3), `DHCP messages: ${requests}`);
      assert(neighbors.includes(CLIENT), `neighbors: ${neighbors}`);
    },
  });
}
