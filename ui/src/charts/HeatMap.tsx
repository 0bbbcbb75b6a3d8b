import { useState } from "preact/hooks";
import type { Times } from "./twin";
import type { Actions, GridData } from "./types";
import { formatValue } from "./unit";
import { useWidth } from "./useSize";

interface Props {
  data: GridData;
  label: string;
  height: number;
  actions: Actions;
  times: Times;
}

const LEFT = 62;
const BOTTOM = 22;

/** Counts over time and over a scale, as shades. Arrow keys move over the cells, enter narrows to one. */
export function HeatMap({ data, label, height, actions, times }: Props) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const [at, setAt] = useState<{ x: number; y: number } | null>(null);
  const { low, rows } = used(data);
  const columns = data.at.length;
  const top = Math.max(1, ...rows.flatMap((r) => data.cells[low + r] ?? []));
  const w = Math.max(1, width - LEFT - 8) / Math.max(1, columns);
  const h = (height - BOTTOM - 6) / Math.max(1, rows.length);
  const spacing = tickSpacing(data.step, Math.max(1, Math.ceil(80 / w)));
  const rowEvery = Math.max(1, Math.ceil(14 / h));
  const yOf = (r: number) => 6 + (rows.length - 1 - r) * h;
  const choose = (x: number, y: number) => {
    const from = data.at[x];
    const pick = data.rows[low + y]?.pick;
    if (pick) actions.pick(pick);
    if (from !== undefined) actions.range(from, from + data.step);
  };
  const key = (e: KeyboardEvent) => {
    const here = at ?? { x: columns, y: 0 };
    const clamp = (v: number, n: number) => Math.max(0, Math.min(n - 1, v));
    if (e.key === "ArrowLeft") setAt({ x: clamp(here.x - 1, columns), y: here.y });
    else if (e.key === "ArrowRight") setAt({ x: clamp(here.x + 1, columns), y: here.y });
    else if (e.key === "ArrowUp") setAt({ x: clamp(here.x, columns), y: clamp(here.y + 1, rows.length) });
    else if (e.key === "ArrowDown") setAt({ x: clamp(here.x, columns), y: clamp(here.y - 1, rows.length) });
    else if (e.key === "Enter" && at) choose(at.x, at.y);
    else return;
    e.preventDefault();
    e.stopPropagation();
  };
  const words = at ? said(data, at.x, low + at.y, times) : "";
  return (
    <div class="heat">
      <div
        class="heat-plot"
        ref={ref}
        style={{ height: `${height}px` }}
        role="application"
        aria-label={`${label}. Arrow keys move over the cells, enter narrows to one.`}
        tabIndex={0}
        onKeyDown={key}
        onBlur={() => setAt(null)}
        onPointerLeave={() => setAt(null)}
      >
        {width > 0 ? (
          <svg width={width} height={height} aria-hidden="true">
            {rows.map((r) => (
              <g key={r}>
                {r % rowEvery === 0 ? (
                  <text x={LEFT - 8} y={yOf(r) + h / 2 + 3.5} text-anchor="end" class="axis-text">
                    {(data.rows[low + r]?.label.split(" – ")[0] ?? "").replace("≥ ", "")}
                  </text>
                ) : null}
                {data.at.map((t, x) => {
                  const v = data.cells[low + r]?.[x] ?? 0;
                  return (
                    <rect
                      key={t}
                      x={LEFT + x * w}
                      y={yOf(r)}
                      width={Math.max(0.5, w - (w > 4 ? 1 : 0))}
                      height={Math.max(1, h - 1)}
                      class={v ? "cell pickable" : "cell none"}
                      fill-opacity={v ? 0.12 + 0.88 * Math.sqrt(v / top) : 1}
                      onPointerEnter={() => setAt({ x, y: r })}
                      {...(v ? { onClick: () => choose(x, r) } : {})}
                    />
                  );
                })}
              </g>
            ))}
            {data.at.map((t, x) =>
              t % spacing === 0 && LEFT + x * w + 40 < width ? (
                <text key={t} x={LEFT + x * w} y={height - 6} class="axis-text">
                  {times.tick(t, data.step)}
                </text>
              ) : null,
            )}
            {at ? <rect x={LEFT + at.x * w - 0.5} y={yOf(at.y) - 0.5} width={Math.max(2, w)} height={Math.max(2, h)} class="cell-mark" /> : null}
          </svg>
        ) : null}
        {at ? (
          <div
            class="tip"
            style={LEFT + at.x * w > width / 2 ? { right: `${width - LEFT - at.x * w + 10}px` } : { left: `${LEFT + (at.x + 1) * w + 10}px` }}
            aria-hidden="true"
          >
            <div class="tip-time">{times.full(data.at[at.x] ?? 0, data.step)}</div>
            <div class="tip-row">
              <span>{data.rows[low + at.y]?.label}</span>
              <b>{formatValue(data.cells[low + at.y]?.[at.x], data.unit)}</b>
            </div>
          </div>
        ) : null}
        <span class="unseen" aria-live="polite">
          {words}
        </span>
      </div>
      <div class="heat-scale" aria-hidden="true">
        <span>1</span>
        <span class="heat-ramp" />
        <span>{formatValue(top, data.unit)} per cell</span>
      </div>
    </div>
  );
}

/** Distance of the marks of the time axis: a round time of at least so many buckets. */
function tickSpacing(step: number, buckets: number): number {
  const least = step * buckets;
  const round = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400].map((s) => s * 1000);
  return round.find((r) => r >= least && r % step === 0) ?? Math.ceil(least / 86400e3) * 86400e3;
}

/** The rows between the first and the last that has anything. */
function used(data: GridData): { low: number; rows: number[] } {
  const full = data.cells.map((r, i) => (r.some((v) => v > 0) ? i : -1)).filter((i) => i >= 0);
  const low = full[0] ?? 0;
  const high = full.at(-1) ?? 0;
  return { low, rows: Array.from({ length: high - low + 1 }, (_, i) => i) };
}

function said(data: GridData, x: number, y: number, times: Times): string {
  return `${times.full(data.at[x] ?? 0, data.step)}, ${data.rows[y]?.label ?? ""}: ${formatValue(data.cells[y]?.[x], data.unit)}`;
}
