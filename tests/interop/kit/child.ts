/**
 * Runs the cases of one group: `child.ts MODULE FOLDER`. To be started as root in a network
 * namespace of its own, which vanishes with it. Reports go to standard output; when standard input
 * ends, whoever wanted them is gone.
 */

import { CASE_SECONDS, type Group } from "./case.ts";
import { type CaseReport, CLEAN, REPORT_MARK, SETUP } from "./report.ts";
import { Host } from "./host.ts";
import { killAll } from "./kernel.ts";

const [module, folder] = Deno.args;

function report(name: string, failure?: unknown): void {
  const error = failure === undefined
    ? ""
    : failure instanceof Error
    ? failure.stack ?? failure.message
    : String(failure);
  const one: CaseReport = { name, error };
  console.log(REPORT_MARK + JSON.stringify(one));
}

/** Waits for `work`, but no longer than `seconds`. */
async function within(seconds: number, work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`took more than ${seconds} s`)), seconds * 1000);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

async function attempt(name: string, seconds: number, work: () => Promise<void>): Promise<void> {
  try {
    await within(seconds, work());
    report(name);
  } catch (error) {
    report(name, error);
  }
}

function exit(code: number): never {
  killAll();
  Deno.exit(code);
}

async function exitWithParent(): Promise<void> {
  const buffer = new Uint8Array(16);
  while (await Deno.stdin.read(buffer) !== null);
  exit(3);
}

async function runGroup(group: Group): Promise<void> {
  await using host = await Host.open(folder, group.faults, group.link);
  for (const one of group.cases) {
    await attempt(one.name, one.seconds ?? CASE_SECONDS, () => one.run(host));
  }
  await attempt(CLEAN, 2 * CASE_SECONDS, () => host.mustBeClean());
}

exitWithParent();
const { group } = await import(module) as { group: Group };
// A rejection that nobody waits for belongs to a case that has ended already: it must not end all.
globalThis.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  console.log(event.reason);
});
try {
  await runGroup(group);
  exit(0);
} catch (error) {
  report(SETUP, error);
  exit(1);
}
