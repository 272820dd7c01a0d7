/**
 * `route`: shows and changes the routing table, and tells what happens to it.
 *
 * @module
 */

import type { Netstat, Route } from "../../mod.ts";
import { type Message, Rtm } from "../../protocols/route/mod.ts";
import type { MonitorLoss } from "../monitor.ts";
import { type CommandDefinition, jsonLine, type Run, UsageError, whole } from "./command.ts";
import { showRoutes } from "./netstat.ts";
import { interfaceFlags, maskBits, routeFlags } from "./text.ts";

const VERBS = ["print", "get", "add", "delete", "change", "monitor"];

/** The definition. */
export const route: CommandDefinition = {
  name: "route",
  about: "Shows the routing table of a stack, changes it, or tells what happens to it.",
  snapshot: true,
  examples: [
    ["print", "the table"],
    ["get 8.8.8.8", "the route that packets there take"],
    ["add default 10.0.0.1", "the default route"],
    ["add 10.8.0.0/16 10.0.0.2 --mtu 1400", "a network with a smaller MTU"],
    ["add 192.0.2.0/24 --blackhole --interface lo0", "drops what is sent there"],
    ["change default 10.0.0.254", "another next hop"],
    ["delete 10.8.0.0/16", ""],
    ["monitor", "what happens to routes and interfaces, until Ctrl-C"],
  ],
  rewrite: (args) =>
    args.filter((arg) => !["-net", "-host", "-inet"].includes(arg))
      .map((arg) => arg === "-netmask" ? "--netmask" : arg),
  define: (command) =>
    command
      .argument("[verb]", VERBS.join(", "), "print")
      .argument("[destination]", "a network, an address, or default")
      .argument("[gateway]", "the next hop")
      .option("-n", "addresses are numbers (they always are)")
      .option("--netmask <mask>", "of the destination, such as 255.255.0.0")
      .option("--interface <name>", "leads out of this interface")
      .option("--metric <n>", "lower is better", whole(0, 2 ** 31 - 1))
      .option("--mtu <bytes>", "largest packet along it", whole(68, 65_535))
      .option("--mss <bytes>", "largest TCP segment to ask for", whole(1, 65_535))
      .option("--from <network>", "only for packets from there")
      .option("--reject", "answer with an error what would take it")
      .option("--blackhole", "drop what would take it"),
  run: async (run) => {
    const [verb = "print", network, gateway] = run.args;
    if (verb === "print" || verb === "show") {
      showRoutes(await run.one<Netstat>("netstat"), run);
      return 0;
    }
    if (verb === "monitor") return await follow(run);
    if (!VERBS.includes(verb)) throw new UsageError(`"${verb}" is not ${VERBS.join(", ")}`);
    if (network === undefined) throw new UsageError(`${verb} needs a destination`);
    const { netmask, from } = run.options;
    const destination = netmask === undefined ? network : `${network}/${maskBits(String(netmask))}`;
    if (verb === "get") {
      const params = { destination, source: from };
      describe(destination, await run.one<Route>("route.get", params), run);
      return 0;
    }
    const way = wayOf(run, destination, gateway);
    if (verb === "add" && gateway === undefined && way.interface === undefined) {
      throw new UsageError("add needs a gateway or --interface");
    }
    await run.one(`route.${verb}`, way);
    if (run.json) run.out(jsonLine({ verb, destination, ...gateway && { gateway } }));
    else {run.out(
        `${verb} ${kindOf(destination)} ${destination}${gateway ? `: gateway ${gateway}` : ""}\n`,
      );}
    return 0;
  },
};

/** What the destination is: a network, or one host. */
function kindOf(destination: string): "host" | "net" {
  const [, bits = "32"] = destination.split("/");
  return destination !== "default" && bits === "32" ? "host" : "net";
}

function wayOf({ options }: Run, destination: string, gateway: string | undefined) {
  const { interface: name, metric, mtu, mss, from, reject, blackhole } = options;
  if (reject && blackhole) throw new UsageError("--reject and --blackhole exclude each other");
  const kind = reject ? "reject" : blackhole ? "blackhole" : undefined;
  return { destination, gateway, interface: name, metric, mtu, mss, from, kind };
}

function describe(address: string, it: Route, run: Run): void {
  if (run.json) return run.out(jsonLine(it));
  const fields: [string, string | number][] = [
    ["route to", address],
    ["destination", it.destination],
    ...(it.gateway === "" ? [] : [["gateway", it.gateway] as [string, string]]),
    ["interface", it.interface],
    ["source", it.source],
    ["flags", routeFlags(it.flags)],
    ["metric", it.metric],
    ["mtu", it.mtu],
    ["use", it.use],
  ];
  for (const [name, value] of fields) run.out(`${name.padStart(12)}: ${value}\n`);
}

async function follow(run: Run): Promise<number> {
  for await (const message of run.ask<Message | MonitorLoss>("route.monitor")) {
    run.out(run.json ? jsonLine(message) : `${monitorLine(message)}\n`);
  }
  return 0;
}

/** Names of what happens to routes. */
const NAMES: Readonly<Record<number, string>> = {
  [Rtm.ADD]: "RTM_ADD",
  [Rtm.DELETE]: "RTM_DELETE",
  [Rtm.CHANGE]: "RTM_CHANGE",
  [Rtm.GET]: "RTM_GET",
  [Rtm.LOSING]: "RTM_LOSING",
  [Rtm.REDIRECT]: "RTM_REDIRECT",
  [Rtm.MISS]: "RTM_MISS",
  [Rtm.LOCK]: "RTM_LOCK",
};

/** A message as a line. */
export function monitorLine(message: Message | MonitorLoss): string {
  switch (message.kind) {
    case "lost":
      return "messages were lost: they came faster than they were taken";
    case "interface": {
      const { interface: link, index, flags, mtu } = message;
      return `RTM_IFINFO ${link?.name || `#${index}`} flags ${interfaceFlags(flags)} mtu ${mtu}`;
    }
    case "address": {
      const verb = message.type === Rtm.NEWADDR ? "RTM_NEWADDR" : "RTM_DELADDR";
      return `${verb} ${message.interface?.name || `#${message.index}`} ${message.address}`;
    }
    case "route": {
      const { type, destination, gateway, flags, errno, mtu, metric } = message;
      const hop = typeof gateway === "object" ? gateway.name || `#${gateway.index}` : gateway;
      const parts = [`${NAMES[type] ?? `RTM_${type}`} ${destination ?? "?"}`];
      if (hop !== undefined) parts.push(`gateway ${hop}`);
      parts.push(`flags ${routeFlags(flags) || "-"}`);
      if (mtu !== 0) parts.push(`mtu ${mtu}`);
      if (metric !== 0) parts.push(`metric ${metric}`);
      if (errno !== 0) parts.push(`error ${errno}`);
      return parts.join(" ");
    }
  }
}
