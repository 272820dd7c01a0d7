/** Plots of a run, and the files that it is written to. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { draw } from "../../../bench/plots/chart.ts";
import { drawAll } from "../../../bench/plots/plots.ts";
import { describeRun } from "../../../bench/plots/run.ts";
import { redraw, replacePart, writeRun } from "../../../bench/plots/write.ts";
import type { Result } from "../../../bench/row.ts";

const RESULTS: readonly Result[] = [
  {
    row: "tcp-bulk-pipe-1500",
    unit: "Gbit/s",
    better: "more",
    ours: 12.5,
    spread: 0.1,
    reference: { name: "kernel TCP, loopback", value: 25, spread: 0.2 },
    ratio: 0.5,
  },
  {
    row: "engine-size",
    unit: "KiB",
    better: "less",
    ours: 141.2,
    spread: 0,
    reference: null,
    ratio: null,
    detail: { functions: 700 },
  },
];

const MARKS = /<!-- Written by deno task bench --plots: (begin|end) -->/g;

Deno.test("plots: a chart has its words and figures, and is the same each time", () => {
  const chart = {
    title: "Some <title>",
    subtitle: "words",
    categories: ["first", "second"],
    series: [{ name: "Godwit", figures: [3, null] }, { name: "kernel", figures: [1, 2] }],
    line: 1,
    label: (figure: number) => `${figure} units`,
  };
  const svg = draw(chart);
  assert(svg.startsWith("<svg ") && svg.endsWith("</svg>\n"));
  const words = ["Some &lt;title&gt;", "first", "second", "Godwit", "kernel", "3 units", "2 units"];
  for (const word of words) assertStringIncludes(svg, word);
  assertEquals(draw(chart), svg);
});

Deno.test("plots: what was not measured is not drawn", () => {
  assertEquals(drawAll(RESULTS).map(({ file }) => file), ["ratios.svg", "bulk.svg"]);
  assertEquals(drawAll([]), []);
});

Deno.test("plots: a run is written down, and what a person wrote around it stays", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const readme = `${folder}/README.md`;
    await writeRun(folder, describeRun(RESULTS, 5));
    const first = await Deno.readTextFile(readme);
    assertStringIncludes(first, "![Bulk TCP](bulk.svg)");
    assertStringIncludes(first, "| tcp-bulk-pipe-1500 | Gbit/s | 12.5 |");
    assertStringIncludes(first, "engine-size: functions 700");
    await Deno.writeTextFile(readme, `Before.\n\n${first}\nAfter.\n`);
    await redraw(folder);
    const again = await Deno.readTextFile(readme);
    assertEquals(again, `Before.\n\n${first}\nAfter.\n`);
    assertEquals([...again.matchAll(MARKS)].length, 2);
    assertEquals(JSON.parse(await Deno.readTextFile(`${folder}/run.json`)).results, RESULTS);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("plots: without marks the written part comes last", () => {
  const text = replacePart("Words.\n", "part");
  assert(text.startsWith("Words.\n\n<!-- ") && text.includes("\n\npart\n\n"));
  assertEquals(replacePart(text, "part"), text);
});
