/**
 * Parts of TCP that a stack may have or not. A script whose packets need one that is not there is
 * unsupported, rather than failed at the first packet that lacks it.
 *
 * @module
 */

import { SETTINGS_READ } from "../runtime/wasm/settings.gen.ts";
import type { Packet } from "./ast.ts";
import { Unsupported } from "./errors.ts";
import { ACK, AE, CWR, ECE, SYN } from "./flags.ts";

/** A feature that the stack has is one whose setting the engine reads. */
function has(setting: string): boolean {
  return SETTINGS_READ.has(setting);
}

/** What options belong to that the stack never sends. */
const FOREIGN_OPTIONS: Readonly<Record<number, string>> = {
  19: "TCP MD5 signatures",
  172: "Accurate ECN",
  174: "Accurate ECN",
  254: "experimental TCP options",
};

/** Throws `Unsupported` for a packet that a stack without the feature could never be asked for. */
export function mustBeThere({ outbound, ip, body }: Packet): void {
  if (body.kind !== "tcp") return;
  const fastOpen = body.options !== "any" &&
    body.options.some(({ kind }) => kind === "FO" || kind === "FOEXP");
  const withData = (body.flags & (SYN | ACK)) === SYN && body.length > 0;
  if (fastOpen && (outbound || withData) && !has("fastopen")) throw new Unsupported("Fast Open");
  if (!outbound) return;
  const marked = ip.ecn !== undefined && ip.ecn !== "noecn";
  if ((body.flags & (ECE | CWR) || marked) && !has("ecn")) throw new Unsupported("ECN");
  if (body.flags & AE) throw new Unsupported("Accurate ECN");
  for (const option of body.options === "any" ? [] : body.options) {
    if (option.kind === "raw") throw new Unsupported(FOREIGN_OPTIONS[option.code] ?? "TCP options");
  }
}
