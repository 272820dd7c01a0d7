/** Stacks with settings at random, sensible or not, over a bad wire: nothing stops or leaks. */

import { assertEquals } from "@std/assert";
import { Af, Sock } from "../../assembly/abi/socket.ts";
import { SocketError, type Stack } from "../../mod.ts";
import { SYSCTLS } from "../../runtime/sysctl_table.ts";
import { createSim } from "../sim_pair.ts";
import { Random } from "./random.ts";

const WORLDS = 60;
const SEED = Number(Deno.env.get("FUZZ_SEED") ?? 20261122);
const SECOND = 1_000_000;

/** Sets a third of all settings to something that they take; answers what. */
function shuffle({ sysctl }: Stack, random: Random): string[] {
  const told: string[] = [];
  for (const { name, min, max, words, fields } of SYSCTLS) {
    if (random.below(3) > 0) continue;
    const near = () => min + random.below(Math.min(max - min, 50) + 1);
    const pick = () =>
      [min, max, near(), near(), min + random.below(max - min + 1)][random.below(5)];
    const value = words
      ? words[random.below(words.length)]
      : fields.map(pick).toSorted((a, b) => a - b).join(" ");
    try {
      sysctl.set(name, value);
      told.push(`${name}=${value}`);
    } catch (error) {
      if (!(error instanceof SocketError)) throw error; // it clashes with another setting
    }
  }
  return told;
}

/** Sends what the socket takes, reads what is there. */
function use({ sys }: Stack, fd: number, random: Random): void {
  attempt(() => sys.nb.send(fd, new Uint8Array(random.below(20_000))));
  attempt(() => sys.nb.recv(fd, new Uint8Array(random.below(20_000))));
}

/** A call that may fail as calls do. */
function attempt(call: () => unknown): void {
  try {
    call();
  } catch (error) {
    if (!(error instanceof SocketError)) throw error;
  }
}

async function world(seed: number): Promise<void> {
  const random = new Random(seed);
  const loss = random.below(20);
  await using sim = await createSim({
    seed,
    delay_us: random.below(100_000),
    loss: () => random.below(100) < loss,
  });
  const told = sim.stacks.map((stack) => shuffle(stack, random));
  const [a, b] = sim.stacks;
  try {
    const listener = b.sys.socket(Af.INET, Sock.STREAM);
    b.sys.bind(listener, { port: 80 });
    b.sys.listen(listener, 5);
    const ends: [Stack, number][] = [];
    for (let i = 0; i < 4; i++) {
      const fd = a.sys.socket(Af.INET, Sock.STREAM);
      attempt(() => a.sys.nb.connect(fd, { address: "10.0.0.2", port: 80 }));
      ends.push([a, fd]);
    }
    for (let turn = 0; turn < 60; turn++) {
      sim.advance(random.below(10) === 0 ? 20 * SECOND : random.below(200_000));
      attempt(() => ends.push([b, b.sys.nb.accept(listener).fd]));
      for (const [stack, fd] of ends) use(stack, fd, random);
      if (random.below(20) === 0) shuffle(sim.stacks[random.below(2)], random);
    }
    for (const [stack, fd] of ends) stack.sys.close(fd);
    b.sys.close(listener);
    sim.advance(100 * SECOND);
    for (const stack of sim.stacks) assertEquals(stack.engine.panic, undefined);
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw new Error(`${words}; FUZZ_SEED=${seed}; ${told[0].join(" ")} | ${told[1].join(" ")}`, {
      cause: error,
    });
  }
}

Deno.test(`fuzz: ${WORLDS} worlds with settings at random (FUZZ_SEED=${SEED})`, async () => {
  for (let i = 0; i < WORLDS; i++) await world(SEED + i);
});
