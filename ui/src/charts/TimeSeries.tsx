import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { colours } from "./colour";
import { inert } from "./inert";
import { Legend } from "./Legend";
import { columns, options, type Mode } from "./plot";
import { segment, stacked } from "./stack";
import { useTheme } from "./theme";
import type { Times } from "./twin";
import type { Actions, Loss, TimeData } from "./types";
import { formatValue } from "./unit";
import { useWidth } from "./useSize";

interface Props {
  data: TimeData;
  mode: Mode;
  stack: boolean;
  label: string;
  height: number;
  loss: Loss[];
  actions: Actions;
  times: Times;
}

/** Lines, areas or bars over time. Arrow keys move over the buckets, enter narrows to one. */
export function TimeSeries({ data, mode, stack, label, height, loss, actions, times }: Props) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const plot = useRef<uPlot | null>(null);
  const latest = useRef({ data, actions, stack });
  latest.current = { data, actions, stack };
  const [at, setAt] = useState<number | null>(null);
  const [inside, setInside] = useState(false);
  const theme = useTheme();
  const names = data.series.map((s) => s.label).join("\n");
  const lost = loss.map((l) => `${l.from}-${l.to}`).join();

  useEffect(() => {
    const element = ref.current;
    if (!element || width === 0) return undefined;
    // A bar stands from its bucket's start to the next; a point of a line is where it is.
    const pointed = (u: uPlot): number | null => {
      const left = u.cursor.left ?? -1;
      if (left < 0) return null;
      const now = latest.current.data;
      if (mode !== "bars") return u.cursor.idx ?? null;
      const i = Math.floor((u.posToVal(left, "x") * 1000 - (now.at[0] ?? 0)) / now.step);
      return i >= 0 && i < now.at.length ? i : null;
    };
    const look = { mode, stack, colours: colours(data.series), loss, ticks: times.tick };
    const made = new uPlot(
      {
        ...options(data, look, element, width, height),
        hooks: {
          setCursor: [(u) => setAt(pointed(u))],
          setSelect: [
            (u) => {
              if (u.select.width < 6) return;
              const from = u.posToVal(u.select.left, "x") * 1000;
              const to = u.posToVal(u.select.left + u.select.width, "x") * 1000;
              u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
              latest.current.actions.range(Math.floor(from), Math.ceil(to));
            },
          ],
        },
      },
      columns(data, stack),
      element,
    );
    plot.current = made;
    const click = (e: MouseEvent) => {
      const i = pointed(made);
      if (i === null) return;
      const box = made.over.getBoundingClientRect();
      choose(i, made.posToVal(e.clientY - box.top, "y"), made);
    };
    let down = 0;
    const press = (e: MouseEvent) => {
      down = e.clientX;
    };
    const release = (e: MouseEvent) => {
      if (Math.abs(e.clientX - down) < 4) click(e);
    };
    made.over.addEventListener("mousedown", press);
    made.over.addEventListener("click", release);
    return () => {
      made.destroy();
      plot.current = null;
    };
  }, [names, mode, stack, width, height, theme, data.at[0], data.step, data.at.length, lost]);

  useEffect(() => {
    plot.current?.setData(columns(data, stack));
  }, [data]);

  /** Narrows to a bucket, and to the series that was hit. */
  const choose = (i: number, y: number | undefined, u?: uPlot) => {
    const now = latest.current;
    const start = now.data.at[i];
    if (start === undefined) return;
    let hit = -1;
    if (y !== undefined && now.stack) {
      hit = segment(stacked(now.data.series.map((s) => s.values)), i, y);
    } else if (y !== undefined && u) {
      const near = now.data.series.map((s) => Math.abs(u.valToPos(s.values[i] ?? Infinity, "y") - u.valToPos(y, "y")));
      const best = Math.min(...near);
      if (best < 14) hit = near.indexOf(best);
    }
    const pick = now.data.series[hit]?.pick;
    if (pick) now.actions.pick(pick);
    now.actions.range(start, start + now.data.step);
  };

  const move = (i: number) => {
    const u = plot.current;
    const n = data.at.length;
    if (!u || n === 0) return;
    const next = Math.max(0, Math.min(n - 1, i));
    const left = u.valToPos(((data.at[next] ?? 0) + data.step * 0.02) / 1000, "x");
    u.setCursor({ left, top: 4 });
    setAt(next);
  };

  const key = (e: KeyboardEvent) => {
    const n = data.at.length;
    const here = at ?? (e.key === "ArrowLeft" ? n : -1);
    if (e.key === "ArrowRight") move(here + 1);
    else if (e.key === "ArrowLeft") move(here - 1);
    else if (e.key === "Home") move(0);
    else if (e.key === "End") move(n - 1);
    else if (e.key === "Enter" && at !== null) choose(at, undefined);
    else if (e.key === "Escape") setAt(null);
    else return;
    e.preventDefault();
    e.stopPropagation();
  };

  const words = at === null ? "no time chosen" : said(data, at, times);
  const cursorLeft = plot.current && at !== null ? plot.current.valToPos((data.at[at] ?? 0) / 1000, "x") + plot.current.bbox.left / devicePixelRatio : 0;
  return (
    <div class="ts">
      <div
        class="ts-plot"
        ref={ref}
        style={{ height: `${height}px` }}
        role="slider"
        tabIndex={0}
        aria-label={`${label}. Arrow keys move over time, enter narrows to one interval.`}
        aria-orientation="horizontal"
        aria-valuemin={0}
        aria-valuemax={Math.max(0, data.at.length - 1)}
        aria-valuenow={at ?? 0}
        aria-valuetext={words}
        onKeyDown={key}
        onFocus={() => setInside(true)}
        onBlur={() => {
          setInside(false);
          setAt(null);
        }}
        onPointerEnter={() => setInside(true)}
        onPointerLeave={() => setInside(false)}
      >
        {inside && at !== null ? <Tip data={data} at={at} left={cursorLeft} width={width} times={times} loss={loss} /> : null}
      </div>
      <Legend data={data} actions={actions} loss={loss} />
    </div>
  );
}

function said(data: TimeData, i: number, times: Times): string {
  const t = data.at[i];
  if (t === undefined) return "";
  return `${times.full(t, data.step)}: ${data.series.map((s) => `${inert(s.label, 60)} ${formatValue(s.values[i], s.unit)}`).join(", ")}`;
}

interface TipProps {
  data: TimeData;
  at: number;
  left: number;
  width: number;
  times: Times;
  loss: Loss[];
}

function Tip({ data, at, left, width, times, loss }: TipProps) {
  const t = data.at[at];
  if (t === undefined) return null;
  const tint = colours(data.series);
  const right = left > width / 2;
  const lost = loss.filter((l) => l.from < t + data.step && l.to > t);
  const rows = data.series.map((s, i) => ({ s, i })).filter(({ s }) => s.values[at] !== null && s.values[at] !== undefined);
  return (
    <div class="tip" style={right ? { right: `${width - left + 10}px` } : { left: `${left + 10}px` }} aria-hidden="true">
      <div class="tip-time">{times.full(t, data.step)}</div>
      {rows.map(({ s, i }) => (
        <div class="tip-row" key={s.label}>
          <span class="swatch" style={{ background: tint[i] }} />
          <bdi>{inert(s.label, 40)}</bdi>
          <b>{formatValue(s.values[at], s.unit)}</b>
        </div>
      ))}
      {rows.length === 0 ? <div class="tip-row">no value</div> : null}
      {lost.map((l) => (
        <div class="tip-loss" key={l.from}>
          {l.label}
        </div>
      ))}
    </div>
  );
}
