/** How the benchmark measures, on rows that measure nothing. */

import { assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { measureRow } from "../../../bench/measure.ts";
import { part, type Row, type Subject } from "../../../bench/row.ts";
import { median, spread } from "../../../bench/statistics.ts";

function subject(figures: number[], trail: string[], name: string): Subject {
  return {
    measure: () => {
      trail.push(name);
      return Promise.resolve(figures.shift()!);
    },
    close: () => void trail.push(`${name} closed`),
  };
}

function row(ours: () => Promise<Subject>, theirs: () => Promise<Subject>): Row {
  return {
    name: "row",
    unit: "1/s",
    about: "",
    ours,
    reference: { name: "reference", start: theirs },
  };
}

Deno.test("bench: medians and spreads", () => {
  assertEquals(median([3, 1, 2]), 2);
  assertEquals(median([4, 1, 3, 2]), 2.5);
  assertAlmostEquals(spread([9, 10, 12]), 0.3);
  assertEquals(spread([0, 0, 7]), 0);
});

Deno.test("bench: a share of the work is at least one piece of it", () => {
  assertEquals([part(1000, 1), part(1000, 1 / 4), part(1000, 1 / 5000)], [1000, 250, 1]);
});

Deno.test("bench: warm-ups do not count, both sides take turns, everything is closed", async () => {
  const trail: string[] = [];
  const told: number[] = [];
  const result = await measureRow(
    row(
      () => Promise.resolve(subject([1000, 10, 20, 30], trail, "ours")),
      () => Promise.resolve(subject([1000, 4, 5, 6], trail, "theirs")),
    ),
    { warmups: 1, warmup_ms: 0, repeats: 3, share: 1 },
    (done, all) => told.push(done, all),
  );
  assertEquals(result, {
    row: "row",
    unit: "1/s",
    better: "more",
    ours: 20,
    spread: 1,
    reference: { name: "reference", value: 5, spread: 0.4 },
    ratio: 4,
  });
  assertEquals(
    trail.join(),
    [
      ["ours", "theirs"],
      ["ours", "theirs", "theirs", "ours", "ours", "theirs"],
      ["ours closed", "theirs closed"],
    ].flat().join(),
  );
  assertEquals(told, [0, 8, 1, 8, 2, 8, 3, 8, 4, 8, 5, 8, 6, 8, 7, 8]);
});

Deno.test("bench: a row that fails closes what was opened", async () => {
  const trail: string[] = [];
  await assertRejects(
    () =>
      measureRow(
        row(
          () => Promise.resolve(subject([1], trail, "ours")),
          () => Promise.reject(new Error("no reference")),
        ),
        { warmups: 1, warmup_ms: 0, repeats: 1, share: 1 },
        () => {},
      ),
    Error,
    "no reference",
  );
  assertEquals(trail, ["ours closed"]);
});

Deno.test("bench: less can be better, a reference known, a result exact", async () => {
  const trail: string[] = [];
  const told: number[] = [];
  const ours = () => Promise.resolve(subject([4], trail, "ours"));
  const common: Row = { name: "row", unit: "ms", better: "less", about: "", ours, exact: true };
  const plan = { warmups: 3, warmup_ms: 0, repeats: 5, share: 1 };
  const result = await measureRow(
    { ...common, reference: { name: "target", value: 6 } },
    plan,
    (done, all) => told.push(done, all),
  );
  assertEquals(result.reference, { name: "target", value: 6 });
  assertEquals([result.ours, result.spread, result.ratio], [4, 0, 1.5]);
  assertEquals(told, [0, 1]);
  const alone = await measureRow(common, plan, () => {});
  assertEquals([alone.reference, alone.ratio], [null, null]);
});

Deno.test("bench: subjects are told their share, and what they saw comes along", async () => {
  const shares: number[] = [];
  const ours = (share: number) => {
    shares.push(share);
    return Promise.resolve({ ...subject([1], [], "ours"), detail: () => ({ mbufs: 3 }) });
  };
  const row = { name: "row", unit: "1/s", about: "", ours };
  const result = await measureRow(
    row,
    { warmups: 0, warmup_ms: 0, repeats: 1, share: 0.5 },
    () => {},
  );
  assertEquals([shares, result.detail], [[0.5], { mbufs: 3 }]);
});
