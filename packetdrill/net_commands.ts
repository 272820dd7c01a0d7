/**
 * Commands of scripts that change the network around the stack: routes, queues, what is remembered
 * of destinations.
 *
 * @module
 */

import { Unsupported } from "./errors.ts";
import { setSysctl } from "./settings.ts";
import type { World } from "./world.ts";

/** `tc qdisc`: a queue of no places drops everything, and `fq` paces. */
export function queueDiscipline(world: World, words: readonly string[]): void {
  const text = words.join(" ");
  const fair = /\bfq\b/.test(text);
  const plain = /\b(pfifo(_fast)?|bfifo|noqueue|fq_codel)\b/.test(text);
  if (!fair && !plain && !/\bqdisc (del|delete)\b/.test(text)) {
    throw new Unsupported(`the command ${text}`);
  }
  world.host.dropping = /\blimit 0\b/.test(text);
  setSysctl(world.host, "net.godwit.tcp_pacing", fair ? "1" : "0");
}

/** `ip route`, `ip link`, `ip tcp_metrics`. */
export function netCommand(world: World, words: readonly string[]): void {
  const text = words.join(" ");
  if (words.includes("-6")) return; // nothing here goes by IPv6
  if (/\btcp_metrics (flush|delete|del)\b/.test(text)) {
    world.host.calls.tcp_metrics_flush();
    return;
  }
  if (/\broute (change|replace|add)\b/.test(text)) return routeMetrics(world, words);
  const mtu = /\bmtu (\d+)\b/.exec(text)?.[1];
  if (/\blink set\b/.test(text) && mtu !== undefined) return world.host.setMtu(Number(mtu));
  if (/\blink set\b.*\bup\b/.test(text) || /\broute flush cache\b/.test(text)) return;
  throw new Unsupported(`the command ${text}`);
}

/** Words in front of the metrics of a route, and how many words follow them. */
const PLACES: Readonly<Record<string, number>> = {
  ip: 0,
  "-4": 0,
  route: 0,
  change: 0,
  replace: 0,
  add: 0,
  via: 1,
  dev: 1,
  src: 1,
  proto: 1,
  scope: 1,
  table: 1,
  metric: 1,
  onlink: 0,
  quickack: 1,
};

/** There is one way out, so metrics of a route are metrics of all. */
function routeMetrics(world: World, words: readonly string[]): void {
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    if (word in PLACES) {
      i += PLACES[word];
      continue;
    }
    if (word === "default" || /^\d+\.\d+\.\d+\.\d+(\/\d+)?$/.test(word)) continue;
    if (words[i + 1] === "lock") i++;
    const value = Number(words[++i]);
    if (!Number.isInteger(value)) throw new Unsupported(`the command ${words.join(" ")}`);
    setMetric(world, word, value);
  }
}

function setMetric(world: World, name: string, value: number): void {
  switch (name) {
    case "mtu":
      return world.host.setMtu(value);
    case "advmss":
      if (world.host.changeRoute("mss", value)) return;
      break;
    case "initcwnd":
      return setSysctl(world.host, "net.godwit.tcp_initial_cwnd", String(value));
    case "initrwnd":
      return; // how the first window is chosen; what it is follows from the buffer
  }
  throw new Unsupported(`the route metric ${name}`);
}
