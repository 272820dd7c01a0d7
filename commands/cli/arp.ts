/**
 * `arp`: shows and changes the neighbours of a stack.
 *
 * @module
 */

import type { Netstat } from "../../mod.ts";
import { type CommandDefinition, jsonLine, UsageError } from "./command.ts";

/** The definition. */
export const arp: CommandDefinition = {
  name: "arp",
  about: "Shows the neighbours of a stack, and sets or deletes one.",
  snapshot: true,
  examples: [
    ["-a", "all neighbours"],
    ["10.0.0.2", "one of them"],
    ["-s 10.0.0.2 02:00:00:00:00:02", "sets one that is never asked for"],
    ["-d 10.0.0.2", "forgets one"],
    ["-d -a", "forgets all of them"],
  ],
  define: (command) =>
    command
      .argument("[address]", "of the neighbour")
      .argument("[hwaddr]", "its hardware address")
      .option("-a", "all of them")
      .option("-d", "forget it")
      .option("-s", "set it")
      .option("-n", "addresses are numbers (they always are)")
      .option("-i, --interface <name>", "on this interface only"),
  run: async (run) => {
    const [address, hwaddr] = run.args;
    const { a: all, d: forget, s: set, interface: name } = run.options;
    if (set) {
      if (hwaddr === undefined || forget) throw new UsageError("-s takes ADDRESS HWADDR");
      await run.one("arp.set", { address, hwaddr, interface: name });
      return 0;
    }
    if (hwaddr !== undefined) throw new UsageError("two addresses go with -s only");
    if (forget && address !== undefined) {
      await run.one("arp.delete", { address, interface: name });
      return 0;
    }
    if (forget && !all) throw new UsageError("-d takes ADDRESS, or -a");
    const { neighbors } = await run.one<Netstat>("netstat");
    const shown = neighbors.filter((one) =>
      (address === undefined || one.address === address) &&
      (name === undefined || one.interface === name)
    );
    for (const one of shown) {
      if (forget) await run.one("arp.delete", { address: one.address, interface: one.interface });
      else if (run.json) run.out(jsonLine(one));
      else {
        const at = one.hwaddr === "" ? "(incomplete)" : one.hwaddr;
        run.out(`? (${one.address}) at ${at} on ${one.interface} ${one.state}\n`);
      }
    }
    if (address === undefined || shown.length > 0) return 0;
    run.err(`arp: ${address}: no entry\n`);
    return 1;
  },
};
