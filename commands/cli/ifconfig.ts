/**
 * `ifconfig`: shows interfaces and sets them up.
 *
 * @module
 */

import type { InterfaceReport, Netstat } from "../../mod.ts";
import { maskOf, parsePrefix } from "../../runtime/socket/inet_addr.ts";
import { type CommandDefinition, jsonLine, type Run, UsageError } from "./command.ts";
import { interfaceFlags, maskBits, strong } from "./text.ts";

/** The definition. */
export const ifconfig: CommandDefinition = {
  name: "ifconfig",
  about: "Shows the interfaces of a stack, or sets one up.",
  snapshot: true,
  examples: [
    ["", "all interfaces"],
    ["eth0", "one of them"],
    ["eth0 10.0.0.5/24", "gives it one more address"],
    ["eth0 10.0.0.5 delete", "takes an address away"],
    ["eth0 mtu 1400", "sets its MTU"],
    ["eth0 down", "takes it out of service"],
  ],
  rewrite: (args) => args.map((arg) => arg === "-alias" ? "delete" : arg),
  define: (command) =>
    command
      .argument("[interface]", "which one; all unless told")
      .argument("[orders...]", "up, down, mtu BYTES, [inet] ADDRESS/BITS [add|alias|delete]")
      .option("-a", "all interfaces (as without a name)"),
  run: async (run) => {
    const [name, ...orders] = run.args;
    const changes = readOrders(orders);
    if (changes.length === 0) return await show(run, name);
    for (const { request, params } of changes) {
      await run.one(request, { interface: name, ...params });
    }
    return 0;
  },
};

interface Change {
  readonly request: string;
  readonly params: Record<string, unknown>;
}

function readOrders(orders: readonly string[]): Change[] {
  const changes: Change[] = [];
  const queue = [...orders];
  for (let word; (word = queue.shift()) !== undefined;) {
    if (word === "up" || word === "down") {
      changes.push({ request: "interface.flags", params: { up: word === "up" } });
    } else if (word === "mtu") {
      const bytes = queue.shift() ?? "";
      if (!/^\d{1,5}$/.test(bytes)) throw new UsageError(`mtu takes bytes, not "${bytes}"`);
      changes.push({ request: "interface.mtu", params: { mtu: Number(bytes) } });
    } else if (word === "delete" && queue.length > 0) {
      // BSD takes the word on either side of the address
      changes.push(readAddress(queue.shift()!, ["delete"]));
    } else if (word !== "inet") {
      changes.push(readAddress(word, queue));
    }
  }
  return changes;
}

function readAddress(word: string, queue: string[]): Change {
  const prefix = parsePrefix(word);
  if (prefix === undefined) throw new UsageError(`"${word}" is no order and no address`);
  let address = word;
  if (queue[0] === "netmask") {
    queue.shift();
    address = `${word}/${maskBits(queue.shift() ?? "")}`;
  }
  const verb = ["add", "alias", "delete", "remove"].includes(queue[0]) ? queue.shift() : "add";
  if (verb === "delete" || verb === "remove") {
    return { request: "interface.remove", params: { address: address.split("/")[0] } };
  }
  return { request: "interface.add", params: { address } };
}

async function show(run: Run, name: string | undefined): Promise<number> {
  const { interfaces } = await run.one<Netstat>("netstat");
  const shown = interfaces.filter((one) => name === undefined || one.name === name);
  if (shown.length === 0) {
    run.err(`ifconfig: interface ${name} does not exist\n`);
    return 1;
  }
  for (const one of shown) run.out(run.json ? jsonLine(one) : describe(one, run.colour));
  return 0;
}

function describe(it: InterfaceReport, colour: boolean): string {
  const lines = [
    `${strong(`${it.name}:`, colour)} flags=${interfaceFlags(it.flags)} mtu ${it.mtu}`,
  ];
  for (const address of it.addresses) {
    const [inet, bits] = address.split("/");
    const mask = (maskOf(Number(bits)) >>> 0).toString(16).padStart(8, "0");
    lines.push(`inet ${inet} netmask 0x${mask}`);
  }
  if (it.hwaddr !== "") lines.push(`ether ${it.hwaddr}`);
  lines.push(
    `driver ${it.driver}${it.down === undefined ? "" : ` (down: ${it.down})`}`,
    `RX packets ${it.ipackets} bytes ${it.ibytes} errors ${it.ierrors} dropped ${it.idrops} ` +
      `multicast ${it.imcasts}`,
    `TX packets ${it.opackets} bytes ${it.obytes} errors ${it.oerrors} dropped ${it.odrops} ` +
      `queued ${it.queued}`,
  );
  return lines.join("\n\t") + "\n";
}
