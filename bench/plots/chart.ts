/**
 * Bar charts as SVG.
 *
 * @module
 */

import * as echarts from "echarts";

/** Bars of one colour. */
export interface Series {
  /** Name in the legend. */
  readonly name: string;
  /** One figure for each category; nothing where there is none. */
  readonly figures: readonly (number | null)[];
}

/** A chart of horizontal bars. */
export interface Chart {
  /** What is shown. */
  readonly title: string;
  /** How it is to be read. */
  readonly subtitle: string;
  /** What the bars are of, from top to bottom. */
  readonly categories: readonly string[];
  /** The bars. */
  readonly series: readonly Series[];
  /** A line across all bars, where that has a meaning. */
  readonly line?: number;
  /** Text for a figure. */
  readonly label: (figure: number) => string;
}

const WIDTH = 860;
const COLOURS = ["#1f6feb", "#b8bec7"];
const TOP = 92;
/** Room for the names of rows; how wide text will be is not known here. */
const LEFT = 250;
const BOTTOM = 34;
const BAR = 15;
const GAP = 12;

/** Draws a chart. The same chart gives the same bytes. */
export function draw(chart: Chart): string {
  const row = BAR * chart.series.length + GAP;
  const height = TOP + row * chart.categories.length + BOTTOM;
  const canvas = echarts.init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height });
  try {
    canvas.setOption(optionsOf(chart));
    return withoutClasses(canvas.renderToSVGString()) + "\n";
  } finally {
    canvas.dispose();
  }
}

function optionsOf({ title, subtitle, categories, series, line, label }: Chart) {
  return {
    animation: false,
    backgroundColor: "#ffffff",
    color: COLOURS,
    title: { text: title, subtext: subtitle, left: 12, top: 6, textStyle: { fontSize: 16 } },
    legend: series.length > 1 ? { top: 62, left: LEFT, itemHeight: 10, itemGap: 24 } : undefined,
    grid: { left: LEFT, right: 90, top: TOP, bottom: BOTTOM },
    xAxis: { type: "value" as const, min: 0, splitNumber: 6 },
    yAxis: {
      type: "category" as const,
      data: [...categories],
      inverse: true,
      axisTick: { show: false },
    },
    series: series.map(({ name, figures }, i) => ({
      name,
      type: "bar" as const,
      data: [...figures],
      barWidth: BAR,
      barGap: "0%",
      label: {
        show: true,
        position: "right" as const,
        formatter: ({ value }: { value?: unknown }) =>
          typeof value === "number" ? label(value) : "",
      },
      markLine: i > 0 || line === undefined ? undefined : {
        symbol: "none",
        silent: true,
        lineStyle: { color: "#d1242f", type: "solid" as const },
        label: { show: false },
        data: [{ xAxis: line }],
      },
    })),
  };
}

/** Class names are counted on from chart to chart, and serve a cursor that a picture has not. */
function withoutClasses(svg: string): string {
  return svg.replace(/ class="[^"]*"/g, "").replace(/<style[^]*?<\/style>\n?/g, "");
}
