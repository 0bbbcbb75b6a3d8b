// What uPlot is told to draw.
import uPlot from "uplot";
import { resolve } from "./colour";
import { stacked } from "./stack";
import type { Loss, TimeData, Unit } from "./types";
import { formatTick } from "./unit";

export type Mode = "line" | "bars" | "area";

export interface Look {
  mode: Mode;
  stack: boolean;
  colours: string[];
  loss: Loss[];
  ticks: (ms: number, step: number) => string;
}

/** The units of the two axes, left and right. */
export function units(data: TimeData): [Unit, Unit | undefined] {
  const all = [...new Set(data.series.map((s) => s.unit))];
  return [all[0] ?? "count", all[1]];
}

/** uPlot's columns: times in seconds, then the series; a stack from the top down, so that each covers the next. */
export function columns(data: TimeData, stack: boolean): uPlot.AlignedData {
  const at = data.at.map((t) => t / 1000);
  const values = data.series.map((s) => s.values);
  const drawn = stack ? stacked(values).reverse() : values;
  return [at, ...drawn] as uPlot.AlignedData;
}

/** Distances of the marks of an axis: whole numbers of things, powers of two of bytes. */
function increments(unit: Unit): { incrs?: number[] } {
  const powers = Array.from({ length: 13 }, (_, i) => 10 ** i);
  if (unit === "count") return { incrs: powers.flatMap((p) => (p === 1 ? [1, 2, 5] : [p, 2 * p, 2.5 * p, 5 * p])) };
  if (unit === "bytes" || unit === "bytes/s") return { incrs: Array.from({ length: 51 }, (_, i) => 2 ** i) };
  return {};
}

/** Values between gaps, which no line shows. */
function alone(u: uPlot, series: number): number[] {
  const values = u.data[series] ?? [];
  const gap = (i: number) => values[i] === null || values[i] === undefined;
  return Array.from(values, (_, i) => i).filter((i) => !gap(i) && gap(i - 1) && gap(i + 1));
}

/** Lines that end where values do. uPlot's own go on to the next value behind a clip, past whose edge a steep one shows. */
const broken: uPlot.Series.PathBuilder = (u, series, from, to) => {
  const stroke = new Path2D();
  const ys = u.data[series] ?? [];
  const scale = u.series[series]?.scale ?? "y";
  let down = false;
  for (let i = from; i <= to; i++) {
    const [x, y] = [u.data[0][i], ys[i]];
    if (x === undefined || y === null || y === undefined) {
      down = false;
      continue;
    }
    const [left, top] = [u.valToPos(x, "x", true), u.valToPos(y, scale, true)];
    if (down) stroke.lineTo(left, top);
    else stroke.moveTo(left, top);
    down = true;
  }
  return { stroke, fill: null, clip: null };
};

function shade(loss: Loss[], colour: string): uPlot.Plugin {
  return {
    hooks: {
      drawClear: (u: uPlot) => {
        const { ctx, bbox } = u;
        ctx.save();
        ctx.beginPath();
        ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
        ctx.clip();
        ctx.fillStyle = colour;
        for (const l of loss) {
          const left = u.valToPos(l.from / 1000, "x", true);
          const right = Math.max(left + 3, u.valToPos(l.to / 1000, "x", true));
          ctx.globalAlpha = 0.22;
          ctx.fillRect(left, bbox.top, right - left, bbox.height);
          ctx.globalAlpha = 0.9;
          ctx.fillRect(left, bbox.top, right - left, 3);
        }
        ctx.restore();
      },
    },
  };
}

export function options(data: TimeData, look: Look, element: Element, width: number, height: number): uPlot.Options {
  const text = resolve("var(--chart-text)", element);
  const line = resolve("var(--chart-grid)", element);
  const [left, right] = units(data);
  const font = "11px system-ui, sans-serif";
  const n = data.series.length;
  const begin = (data.at[0] ?? 0) / 1000;
  const end = ((data.at.at(-1) ?? 0) + data.step) / 1000;
  const bars = uPlot.paths.bars?.({ size: [0.86, 80], align: 1 });
  const place = look.stack ? (i: number) => n - 1 - i : (i: number) => i;
  const axis = (unit: Unit, scale: string, side: 1 | 3): uPlot.Axis => ({
    scale,
    side,
    stroke: text,
    font,
    grid: { show: side === 3, stroke: line, width: 1 },
    ticks: { show: false },
    gap: 6,
    size: (_u, values) => Math.max(34, ...(values ?? []).map((v) => v.length * 6.4 + 12)),
    values: (_u, splits) => splits.map((v) => formatTick(v, unit)),
    ...increments(unit),
    space: 34,
  });
  const range = (_u: uPlot, _min: number | null, max: number | null): [number, number] => [0, max && max > 0 ? max * 1.06 : 1];
  return {
    width,
    height,
    padding: [8, right ? 4 : 26, 0, 0],
    legend: { show: false },
    cursor: {
      drag: { x: true, y: false, setScale: false },
      sync: { key: "wirebeat", setSeries: false, scales: ["x", null] },
      points: { show: look.mode === "line" && !look.stack, size: 7 },
      y: false,
      focus: { prox: 24 },
    },
    scales: { x: { time: true, range: [begin, end] }, y: { range }, ...(right ? { z: { range } } : {}) },
    axes: [
      {
        stroke: text,
        font,
        grid: { show: false },
        ticks: { show: true, stroke: line, width: 1, size: 4 },
        space: 76,
        values: (_u, splits) => splits.map((s) => look.ticks(s * 1000, data.step)),
        size: 26,
      },
      axis(left, "y", 3),
      ...(right ? [axis(right, "z", 1)] : []),
    ],
    series: [
      {},
      ...data.series.map((_, i): uPlot.Series => {
        const s = place(i);
        const of = data.series[s];
        const colour = resolve(look.colours[s] ?? "var(--series-rest)", element);
        const filled = look.mode !== "line";
        return {
          scale: of && of.unit === right ? "z" : "y",
          stroke: colour,
          width: look.mode === "bars" ? 0 : 1.75,
          points: look.mode === "line" ? { show: true, size: 5, width: 0, fill: colour, filter: alone } : { show: false },
          spanGaps: false,
          ...(filled ? { fill: look.mode === "bars" || look.stack ? colour : `${colour}40` } : {}),
          ...(look.mode === "bars" && bars ? { paths: bars } : filled ? {} : { paths: broken }),
        };
      }),
    ],
    plugins: [shade(look.loss, resolve("var(--series-error)", element))],
  };
}
