/**
 * Which rows are drawn, and how.
 *
 * @module
 */

import { GROUPS } from "../groups.ts";
import type { Result } from "../row.ts";
import { figure } from "../table.ts";
import { type Chart, draw } from "./chart.ts";

/** A file of the plots. */
interface Plot {
  /** Name of the file, without its ending. */
  readonly name: string;
  /** Text for those who cannot see it. */
  readonly about: string;
  /** The chart; `undefined` if none of its rows was measured. */
  chart(results: readonly Result[]): Chart | undefined;
}

/** Results of the rows of some groups. */
function ofGroups(results: readonly Result[], groups: readonly string[]): Result[] {
  const rows = GROUPS.filter(({ name }) => groups.includes(name)).flatMap(({ rows }) => rows);
  return results.filter(({ row }) => rows.some(({ name }) => name === row));
}

/** True if what it is compared with was measured too, in the same run. */
function compared({ reference }: Result): boolean {
  return reference?.spread !== undefined;
}

/** This stack and what it is compared with, side by side. */
function sideBySide(name: string, title: string, groups: readonly string[]): Plot {
  return {
    name,
    about: title,
    chart(results) {
      const shown = ofGroups(results, groups).filter(compared);
      if (shown.length === 0) return undefined;
      return {
        title: `${title}, ${shown[0].unit}`,
        subtitle:
          "Medians; more is better. Grey: the same work through the kernel, in the same run",
        categories: shown.map(({ row }) => row),
        series: [
          { name: "Godwit", figures: shown.map(({ ours }) => ours) },
          { name: "kernel", figures: shown.map(({ reference }) => reference!.value) },
        ],
        label: figure,
      };
    },
  };
}

const ratios: Plot = {
  name: "ratios",
  about: "Godwit's figures over those of the kernel's sockets through Deno",
  chart(results) {
    const shown = results.filter(compared);
    if (shown.length === 0) return undefined;
    return {
      title: "How many times the kernel's sockets through Deno",
      subtitle: "Medians of one run; the red line is as fast as the kernel, to the right is faster",
      categories: shown.map(({ row }) => row),
      series: [{ name: "ratio", figures: shown.map(({ ratio }) => ratio) }],
      line: 1,
      label: (ratio) => ratio.toFixed(2),
    };
  },
};

const stages: Plot = {
  name: "stages",
  about: "Where the time of a full segment goes",
  chart(results) {
    const shown = ofGroups(results, ["stages"]);
    if (shown.length === 0) return undefined;
    return {
      title: "Where the time of a full segment goes, nanoseconds",
      subtitle: "Bulk over the pipe, MTU 1500, both ends together; processor time of the thread",
      categories: shown.map(({ row }) => row),
      series: [{ name: "ns", figures: shown.map(({ ours }) => ours) }],
      label: figure,
    };
  },
};

const PLOTS: readonly Plot[] = [
  ratios,
  sideBySide("bulk", "Bulk TCP", ["bulk", "tap"]),
  sideBySide("round-trips", "Round trips", ["roundtrip"]),
  sideBySide("connections", "Connections opened and closed", ["connections"]),
  sideBySide("datagrams", "UDP datagrams delivered", ["udp"]),
  stages,
];

/** A plot that was drawn. */
export interface Drawn {
  /** Name of its file. */
  readonly file: string;
  /** Text for those who cannot see it. */
  readonly about: string;
  /** The picture. */
  readonly svg: string;
}

/** Draws what there are results for. */
export function drawAll(results: readonly Result[]): Drawn[] {
  return PLOTS.flatMap(({ name, about, chart }) => {
    const drawn = chart(results);
    return drawn ? [{ file: `${name}.svg`, about, svg: draw(drawn) }] : [];
  });
}
