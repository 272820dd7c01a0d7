/** A program whose untrusted protocol loops forever: is its thread gone afterwards? */
import { createStack } from "../../../mod.ts";
import { Do, puppet } from "./puppet.ts";

const TASKS = "/proc/self/task";

/** Threads of this process that are Workers, as the kernel sees them. */
function workers(): number {
  return [...Deno.readDirSync(TASKS)].filter(({ name }) => {
    try {
      return Deno.readTextFileSync(`${TASKS}/${name}/comm`).startsWith("worker");
    } catch {
      return false; // it has just ended
    }
  }).length;
}

/** Looks again and again, for ten seconds at most. */
async function until(holds: () => boolean): Promise<boolean> {
  for (let looks = 0; !holds() && looks < 1000; looks++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return holds();
}

await using stack = await createStack();
const one = puppet({}, { slice_ms: 2000 });
const loading = stack.protocols.load(one, new Uint8Array([Do.SPIN])).catch(() => {});
const ran = await until(() => workers() === 1);
await loading;
const gone = await until(() => workers() === 0);
console.log(ran ? "it ran," : "it never ran,", gone ? "it is gone" : "it is there still");
