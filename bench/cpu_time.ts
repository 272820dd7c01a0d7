/**
 * Time that a piece of work takes: by the clock on the wall, and of the processor.
 *
 * @module
 */

import process from "node:process";

/** Linux counts what each thread has run, in nanoseconds; proc(5), /proc/pid/schedstat. */
const SCHEDSTAT = "/proc/thread-self/schedstat";
/** Of shorter work the kernel may not have seen anything, or much more than there was. */
const TOLD_S_MIN = 0.05;

/** Seconds that `work` takes by the clock on the wall. */
export async function seconds(work: () => Promise<unknown> | void): Promise<number> {
  const begin = performance.now();
  await work();
  return (performance.now() - begin) / 1000;
}

/**
 * Seconds for which `work` keeps the processor busy. On Linux those of this thread, so that neither
 * other programs nor V8's own threads count; elsewhere those of the process.
 *
 * The kernel brings the figure up to date when it looks at the thread, every few milliseconds:
 * `work` should take some hundred of them. Of less than that the clock on the wall tells more.
 */
export async function cpuSeconds(work: () => Promise<unknown> | void): Promise<number> {
  let busy_s = 0;
  const whole_s = await seconds(async () => {
    const begin = cpuNow_s();
    await work();
    busy_s = cpuNow_s() - begin;
  });
  return whole_s < TOLD_S_MIN ? whole_s : busy_s;
}

function cpuNow_s(): number {
  if (Deno.build.os === "linux") {
    try {
      return Number(Deno.readTextFileSync(SCHEDSTAT).split(" ")[0]) / 1e9;
    } catch (error) {
      // A kernel without scheduler statistics has no such file.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Seconds for which `work` keeps processors busy, with all threads of this process. */
export async function processSeconds(work: () => Promise<unknown> | void): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
