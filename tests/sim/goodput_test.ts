/** Goodput on lossy links: docs/goodput.md is what is measured, and what is required is reached. */

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { loadEngine } from "../../sim/engine.ts";
import { measure, type Measured } from "../../sim/goodput.ts";
import { LINK_SHARE, predictedPackets, requiredBps, responseOf } from "../../sim/goodput_model.ts";
import * as table from "../../sim/goodput_table.ts";

/** Rows that are measured here: some of each kind that take little time. */
const ROWS: readonly (readonly [loss: number, rtt_ms: number, mbps: number])[] = [
  [0, 1, 100],
  [0, 20, 100],
  [0, 300, 10],
  [0.01, 20, 10],
  [0.01, 100, 100],
  [0.03, 20, 1000],
  [0.1, 100, 10],
];

const cells = table.allCells();
const written = table.readRows(await Deno.readTextFile(table.TABLE_FILE));

for (const [loss, rtt_ms, mbps] of ROWS) {
  Deno.test(`goodput: loss ${loss * 100} %, RTT ${rtt_ms} ms, ${mbps} Mbit/s`, async () => {
    const engine = await loadEngine("release");
    const row = cells.filter((cell) =>
      cell.loss === loss && cell.rtt_us === rtt_ms * 1000 && cell.rate_bps === mbps * 1e6
    );
    assertEquals(row.length, 2);
    const results: Measured[] = [];
    for (const cell of row) results.push(await measure(cell, engine));
    row.forEach((cell, i) => assertEquals(table.shortfall(cell, results[i]), ""));
    const line = table.formatRow(row, results);
    assert(written.includes(line), `not in docs/goodput.md (deno task goodput --write): ${line}`);
  });
}

Deno.test("goodput: the table has all rows, and each reaches what is required", () => {
  assertEquals(written.length, cells.length / 2);
  written.forEach((line, i) => {
    const figures = line.split("|").map((text) => Number(text));
    const [, , , , newreno, newrenoLeast, cubic, cubicLeast] = figures;
    assert(newreno >= newrenoLeast && cubic >= cubicLeast, line);
    const pair = cells.slice(2 * i, 2 * i + 2);
    const made = table.formatRow(
      pair,
      [newreno, cubic].map((mbps) => (
        { goodput_bps: mbps * 1e6, lost: 0 }
      )),
    );
    assertEquals(line, made, "losses, times, rates and requirements are those of the model");
  });
});

Deno.test("goodput: predictions come down to the formulas where repairs take no time", () => {
  for (const loss of [1e-6, 1e-7]) {
    const root = 1 / Math.sqrt(loss);
    assertAlmostEquals(responseOf("newreno", loss, 0.001) / root, Math.sqrt(3 / 4), 0.01);
    assertAlmostEquals(responseOf("cubic", loss, 1e-6) / root, Math.sqrt(3 / 2), 0.01);
  }
  // RFC 9438 5.1, equation 6: C = 0.4
  for (const [loss, rtt_s] of [[1e-6, 0.1], [1e-8, 0.01], [1e-5, 0.3]]) {
    const window = 1.054 * (rtt_s / loss) ** 0.75;
    const ratio = responseOf("cubic", loss, rtt_s) / window;
    assert(ratio > 0.9 && ratio < 1.001, `${ratio} at ${loss}, ${rtt_s} s`);
  }
});

Deno.test("goodput: the link limits, and timeouts do where losses are many", () => {
  const path = { loss: 0, rtt_us: 20_000, rate_bps: 1e8 };
  assertAlmostEquals(requiredBps(path, "cubic", 1448, 1500), LINK_SHARE * 1e8 * 1448 / 1500, 1);
  const near = requiredBps({ ...path, loss: 0.0001 }, "newreno", 1448, 1500);
  assert(near < 0.95 * predictedPackets({ ...path, loss: 0.0001 }, "newreno") * 1448 * 8);
  const few = predictedPackets({ ...path, loss: 0.029 }, "newreno");
  const many = predictedPackets({ ...path, loss: 0.03 }, "newreno");
  assert(many < few / 1.5, `${few} and ${many} packets a second`);
});
