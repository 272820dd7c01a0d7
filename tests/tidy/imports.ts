/**
 * Who may import whom: folders in a row, and what stands left may not import what stands right.
 *
 * @module
 */

import { lineAt, parseSource, type Source } from "./source.ts";

/** One import, with the path of the file meant; a bare specifier is kept as it is. */
export interface Import {
  readonly from: string;
  readonly line: number;
  readonly target: string;
  /** True for `import type`, which leaves no trace at run time. */
  readonly typeOnly: boolean;
}

/** Left to right. */
const ASSEMBLY = [
  "abi",
  "untrusted",
  "sys",
  "bpf",
  "protocol",
  "socket",
  "wire",
  "net",
  "inet",
  "tcp",
  "kernel",
  "boot",
  "index",
];
/** Folders with a shorter list than what stands left of them. */
const ASSEMBLY_ONLY: Record<string, readonly string[]> = {
  abi: [],
  untrusted: ["abi", "untrusted"],
  sys: ["abi", "sys"],
  bpf: ["abi", "sys", "bpf"],
  wire: ["abi", "sys", "wire"],
};
/** Left to right; folders end in a slash, and those in one row must not import each other. */
const RUNTIME = [
  ["assembly/abi/"],
  ["runtime/wasm/"],
  [
    "runtime/errors.ts",
    "runtime/clock.ts",
    "runtime/layout.ts",
    "runtime/entropy.ts",
    "runtime/snapshot.ts",
  ],
  ["runtime/engine.ts"],
  ["runtime/device/"],
  ["runtime/socket/"],
  ["runtime/protocol/"],
  [
    "runtime/route.ts",
    "runtime/netstat.ts",
    "runtime/loop.ts",
    "runtime/sysctl.ts",
    "runtime/domains.ts",
  ],
  ["runtime/stack.ts"],
  ["runtime/process/"],
  ["mod.ts"],
];
/** What drivers may import beside each other. */
const DRIVERS = new RegExp(
  "^(runtime/device/driver\\.ts|runtime/errors\\.ts|assembly/abi/.*|filter/.*|" +
    "node:(dgram|worker_threads|assert/strict))$",
);

/** What filters may import beside each other. */
const FILTER = /^assembly\/abi\/bpf\.ts$/;

/** What protocols may import beside their own folder; their assembly/ imports the engine. */
const PROTOCOLS = new RegExp(
  "^(runtime/(protocol/.*|device/driver\\.ts|errors\\.ts)|assembly/abi/.*|drivers/.*)$",
);

/** What tunnels have in common. */
const TUNNELS = "protocols/tunnel/";

/** What simulations may import beside each other; nobody but tests and bench/ imports them. */
const SIM = /^(runtime\/|drivers\/|assembly\/abi\/|node:|console-table-printer$)/;

/** What commands may import beside each other. */
const COMMANDS = new RegExp(
  "^(mod\\.ts|(runtime|drivers|filter|protocols|assembly/abi)/.*|node:.*|" +
    "commander|console-table-printer)$",
);

/** Who may import commands. */
const COMMANDS_USERS = ["tests", "examples", "bench"];

/** Who may import simulations. */
const SIM_USERS = ["tests", "bench"];

/** All imports and re-exports of a source. */
export function findImports({ path, text, code }: Source): Import[] {
  const found: Import[] = [];
  for (const match of code.matchAll(/\b(?:from|import)\s*\(?\s*(["'])/g)) {
    const quote = match.index + match[0].length - 1;
    const specifier = text.slice(quote + 1, text.indexOf(match[1], quote + 1));
    const statement = code.slice(0, match.index).lastIndexOf(";") + 1;
    const head = code.slice(statement, match.index);
    found.push({
      from: path,
      line: lineAt(text, quote),
      target: resolve(path, specifier),
      typeOnly: /\b(import|export)\s+type\b[^;]*$/.test(head),
    });
  }
  return found;
}

/** Path of the file that a relative specifier names. */
function resolve(from: string, specifier: string): string {
  if (!specifier.startsWith(".")) return specifier;
  const path = new URL(specifier, "file:/" + from).pathname.slice(1);
  return /\.\w+$/.test(path) ? path : path + ".ts";
}

/** Breaches of the direction rules in one source. */
export function direction(source: Source): string[] {
  const { path } = source;
  const area = path.split("/")[0];
  return findImports(source).flatMap((imported) => {
    let why: string | undefined;
    if (area === "assembly") why = assemblyFault(path, imported.target);
    else if (area === "drivers") why = driversFault(imported.target);
    else if (area === "filter") why = filterFault(imported.target);
    else if (area === "protocols") why = protocolsFault(path, imported.target);
    else if (area === "commands") why = commandsFault(imported.target);
    else if (area === "sim") why = simFault(imported.target);
    else if (!SIM_USERS.includes(area) && imported.target.startsWith("sim/")) {
      why = "only tests and bench/ import sim/";
    } else if (imported.target.startsWith("commands/") && !COMMANDS_USERS.includes(area)) {
      why = "only tests, examples and bench import commands/";
    } else if (area === "runtime" || path === "mod.ts") why = runtimeFault(path, imported.target);
    return why ? [`${path}:${imported.line}: imports ${imported.target}: ${why}`] : [];
  });
}

function assemblyFault(from: string, target: string): string | undefined {
  if (!target.startsWith("assembly/")) return "assembly/ may not import what is outside of it";
  const [own, other] = [layer(from), layer(target)];
  if (own === "probes") return undefined;
  if (!ASSEMBLY.includes(own)) return `${own} has no place in the order ${ASSEMBLY.join(" ← ")}`;
  const allowed = ASSEMBLY_ONLY[own] ?? ASSEMBLY.slice(0, ASSEMBLY.indexOf(own) + 1);
  if (!allowed.includes(other)) return `${own} may import only ${allowed.join(", ") || "nothing"}`;
}

/** Folder below assembly/, or the name of a file that lies in assembly/ itself. */
function layer(path: string): string {
  return path.split("/")[1].replace(/(_checked)?\.ts$/, "");
}

function driversFault(target: string): string | undefined {
  if (target.startsWith("drivers/") || DRIVERS.test(target)) return undefined;
  return "drivers import runtime/device/driver.ts, runtime/errors.ts, assembly/abi, filter/, " +
    "node:dgram and each other";
}

function filterFault(target: string): string | undefined {
  if (target.startsWith("filter/") || FILTER.test(target)) return undefined;
  return "filters import assembly/abi/bpf.ts and each other";
}

function protocolsFault(from: string, target: string): string | undefined {
  const [, name, part] = from.split("/");
  if (target.startsWith(`protocols/${name}/`)) return undefined;
  if (part === "assembly") {
    if (target.startsWith("assembly/")) return undefined;
    return "a side module imports the engine's sources and its own";
  }
  if (PROTOCOLS.test(target) || target.startsWith(TUNNELS)) return undefined;
  return "protocols import runtime/protocol/, runtime/device/driver.ts, runtime/errors.ts, " +
    "assembly/abi, drivers/, protocols/tunnel/ and their own folder";
}

function commandsFault(target: string): string | undefined {
  if (target.startsWith("commands/") || COMMANDS.test(target)) return undefined;
  return "commands import mod.ts, runtime/, drivers/, filter/, protocols/, assembly/abi, " +
    "libraries and each other";
}

function simFault(target: string): string | undefined {
  if (target.startsWith("sim/") || SIM.test(target)) return undefined;
  return "simulations import runtime/, drivers/, assembly/abi and each other";
}

function runtimeFault(from: string, target: string): string | undefined {
  const own = place(from);
  const other = place(target);
  if (!own) return `${from} has no place in the order of tests/tidy/imports.ts`;
  if (!other) {
    const open = from === "mod.ts" && target.startsWith("drivers/") ||
      from === "runtime/domains.ts" && /^protocols\/[\w-]+\/mod\.ts$/.test(target);
    return open ? undefined : "that is neither runtime/ nor assembly/abi/";
  }
  if (other.row > own.row) return "it stands further right in the order";
  if (other.row === own.row && other.name !== own.name && own.name.endsWith("/")) {
    return `${own.name} and ${other.name} may not import each other`;
  }
}

/** Where a file stands; `engine_calls.ts` is a part of `engine.ts` and stands where that does. */
function place(path: string): { row: number; name: string } | undefined {
  const whole = /^runtime\/[^/]+$/.test(path) ? path.replace(/_.*(?=\.ts$)/, "") : path;
  for (const [row, names] of RUNTIME.entries()) {
    const name = names.find((n) => n === whole || n.endsWith("/") && path.startsWith(n));
    if (name) return { row, name };
  }
}

/** Cycles among imports that are not of types alone, each told once as `a → b → a`. */
export function cycles(sources: readonly Source[]): string[] {
  const graph = new Map<string, string[]>();
  for (const source of sources) {
    const targets = findImports(source).filter((i) => !i.typeOnly).map((i) => i.target);
    graph.set(source.path, targets);
  }
  const found = new Map<string, string>();
  const done = new Set<string>();
  const visit = (path: string, trail: string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) {
      const cycle = trail.slice(at);
      found.set(cycle.toSorted().join(), [...cycle, path].join(" → "));
      return;
    }
    if (done.has(path)) return;
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return [...found.values()];
}

/** For tests: the breaches in a text that is taken to lie at `path`. */
export function directionOf(path: string, text: string): string[] {
  return direction(parseSource(path, text));
}
