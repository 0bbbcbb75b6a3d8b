// Answer of a panel's search -> what its chart shows.
import type { Filter } from "../core/filter";
import type { Cell, Data, Part, Series, TableData, Unit } from "../charts/types";
import { buckets, count, key, named, number, object, percentile, value, type Json } from "./answer";
import { place } from "./geohash";
import { stepFilter, steps, type Frame } from "./request";
import { isTerms, partsOf, type Metric, type Panel, type Split, type Steps } from "./types";
import { formatValue } from "../charts/unit";

export function unitOf(m: Metric): Unit {
  if (m.unit) return m.unit;
  if (m.op === "share") return "fraction";
  return m.op === "count" || m.op === "cardinality" ? "count" : "number";
}

function labelOf(m: Metric, percent?: number): string {
  return percent === undefined ? m.label : `${m.label} p${percent}`;
}

/** A metric's value in a bucket; several for percentiles. */
function read(m: Metric, i: number, bucket: Json, seconds: number): (number | null)[] {
  let here: unknown = bucket[`m${i}`];
  let docs = count(bucket);
  if (m.where) {
    const inner = object(here);
    docs = count(inner);
    here = inner["v"];
  }
  if (m.op === "share") return [count(bucket) ? docs / count(bucket) : null];
  if (m.op === "count") return [m.rate ? docs / seconds : docs];
  if (m.op === "percentiles") return (m.percents ?? [50, 95, 99]).map((p) => percentile(here, p));
  if (m.op === "median") return [percentile(here, 50)];
  const v = number(object(here)["value"]);
  if (v === null) return [null];
  return [m.rate ? v / seconds : v];
}

function labels(m: Metric): string[] {
  return m.op === "percentiles" ? (m.percents ?? [50, 95, 99]).map((p) => labelOf(m, p)) : [labelOf(m)];
}

interface Branch {
  label: string;
  pick: Filter[];
  bucket: Json;
}

/** The buckets of one split. */
function branches(split: Split, agg: unknown): Branch[] {
  if (isTerms(split)) {
    return buckets(agg).map((b) => ({
      label: key(b),
      pick: [{ field: split.field, op: "is", value: value(b) }],
      bucket: b,
    }));
  }
  return partsOf(split).map((p, i) => ({ label: p.label, pick: p.where, bucket: named(agg, `p${i}`) }));
}

/** Filters for what a list of values leaves out. */
function without(split: Split | undefined, shown: Branch[]): Filter[] {
  if (!split || !isTerms(split)) return [];
  const values = shown.map((b) => b.pick[0]?.value);
  return values.length ? [{ field: split.field, op: "one_of", value: values, negate: true }] : [];
}

function others(agg: unknown): number {
  return number(object(agg)["sum_other_doc_count"]) ?? 0;
}

export function data(panel: Panel, aggs: unknown, total: number, frame: Frame): Data {
  const top: Json = { ...object(aggs), doc_count: total };
  if (panel.chart === "map") return places(top);
  if (panel.steps) return panel.time ? grid(panel.steps, top, frame) : scale(panel.steps, panel, top, frame);
  if (panel.time) return series(panel, top, frame);
  if (panel.chart === "table") return table(panel, top);
  if (panel.chart === "number") return figures(panel, top, frame);
  return slices(panel, top);
}

function seriesOf(panel: Panel, list: Json[], frame: Frame, prefix?: string, pick?: Filter[]): Series[] {
  const out: Series[] = [];
  const seconds = frame.step / 1000;
  const metrics = panel.metrics;
  metrics.forEach((m, i) => {
    const rows = list.map((b) => (panel.gaps && count(b) === 0 ? [] : read(m, i, b, seconds)));
    labels(m).forEach((label, k) => {
      const s: Series = {
        label: prefix === undefined ? label : metrics.length > 1 ? `${prefix}: ${label}` : prefix,
        unit: unitOf(m),
        values: rows.map((r) => r[k] ?? null),
      };
      const filters = [...(pick ?? []), ...(m.where ?? [])];
      if (filters.length) s.pick = filters;
      out.push(s);
    });
  });
  return out;
}

function series(panel: Panel, top: Json, frame: Frame): Data {
  const list = buckets(top["t"]);
  const at = list.map((b) => number(b["key"]) ?? 0);
  const first = panel.split?.[0];
  if (!first) return { kind: "time", at, step: frame.step, series: seriesOf(panel, list, frame) };
  const out: Series[] = [];
  const walk = (split: Split, level: number, bucket: Json, prefix: string[], pick: Filter[]) => {
    for (const b of branches(split, bucket["s"])) {
      const names = [...prefix, b.label];
      const filters = [...pick, ...b.pick];
      const next = panel.split?.[level + 1];
      if (next) walk(next, level + 1, b.bucket, names, filters);
      else out.push(...aligned(panel, b.bucket, at, frame, names.join(" · "), filters));
    }
  };
  walk(first, 0, top, [], []);
  const counts = panel.metrics.length === 1 && panel.metrics[0]?.op === "count" && !panel.metrics[0].where;
  const rest = panel.split?.length === 1 ? without(first, branches(first, top["s"])) : [];
  if (counts) addRest(out, seriesOf(panel, list, frame)[0], rest);
  return { kind: "time", at, step: frame.step, series: out };
}

/** A branch's buckets in the places of the whole histogram. */
function aligned(panel: Panel, bucket: Json, at: number[], frame: Frame, name: string, pick: Filter[]): Series[] {
  const byTime = new Map<number, Json>();
  for (const b of buckets(bucket["t"])) byTime.set(number(b["key"]) ?? 0, b);
  return seriesOf(panel, at.map((t) => byTime.get(t) ?? {}), frame, name, pick);
}

/** What the shown series leave of all events, so that the sum is the panel's number. */
function addRest(shown: Series[], all: Series | undefined, pick: Filter[]): void {
  if (!all) return;
  let any = false;
  const values = all.values.map((v, i) => {
    const left = (v ?? 0) - shown.reduce((sum, s) => sum + (s.values[i] ?? 0), 0);
    if (left > 1e-9) any = true;
    return Math.max(0, left);
  });
  if (any) shown.push({ label: "Others", unit: all.unit, values, rest: true, ...(pick.length ? { pick } : {}) });
}

export function stepLabel(s: Steps, i: number, unit: Unit): string {
  const at = steps(s)[i];
  if (!at) return "";
  const from = formatValue(at.from, unit);
  return at.to === undefined ? `≥ ${from}` : `${from} – ${formatValue(at.to, unit)}`;
}

function pickOf(s: Steps, i: number): Filter[] {
  const f = stepFilter(s, i);
  return f ? [f] : [];
}

function grid(s: Steps, top: Json, frame: Frame): Data {
  const list = buckets(top["t"]);
  const rows = steps(s).map((_, i) => ({ label: stepLabel(s, i, "ns"), pick: pickOf(s, i) }));
  const cells = rows.map(() => list.map(() => 0));
  list.forEach((b, x) => {
    buckets(b["r"]).forEach((r, y) => {
      const row = cells[y];
      if (row) row[x] = count(r);
    });
  });
  return { kind: "grid", at: list.map((b) => number(b["key"]) ?? 0), step: frame.step, rows, cells, unit: "count" };
}

function scale(s: Steps, panel: Panel, top: Json, frame: Frame): Data {
  const metric = panel.metrics[0];
  const unit = metric ? unitOf(metric) : "count";
  const list = buckets(top["r"]).map((b, i) => ({
    label: stepLabel(s, i, "ns"),
    value: metric ? (read(metric, 0, b, frame.step / 1000)[0] ?? 0) : count(b),
    pick: pickOf(s, i),
  }));
  // Empty ends of the scale say nothing.
  const used = list.map((v, i) => (v.value ? i : -1)).filter((i) => i >= 0);
  const low = used[0] ?? 0;
  const high = used.at(-1) ?? -1;
  return { kind: "slices", name: s.label, unit, slices: list.slice(low, high + 1), scale: true };
}

function figures(panel: Panel, top: Json, frame: Frame): Data {
  const seconds = Math.max(1, (frame.to - frame.from) / 1000);
  const split = panel.split?.[0];
  const out = split
    ? branches(split, top["s"]).map((b) => {
        const m = panel.metrics[0];
        return { label: b.label, value: m ? (read(m, 0, b.bucket, seconds)[0] ?? null) : null, unit: m ? unitOf(m) : ("count" as Unit), pick: b.pick };
      })
    : panel.metrics.flatMap((m, i) => {
        const values = read(m, i, top, seconds);
        return labels(m).map((label, k) => ({
          label,
          value: values[k] ?? null,
          unit: unitOf(m),
          ...(m.where ? { pick: m.where } : {}),
        }));
      });
  return { kind: "figures", figures: out };
}

function slices(panel: Panel, top: Json): Data {
  const metric = panel.metrics[0];
  const first = panel.split?.[0];
  if (!metric || !first) return { kind: "slices", name: "", unit: "count", slices: [] };
  const counts = metric.op === "count" && !metric.where;
  const list: (Part & { parts?: Part[] })[] = branches(first, top["s"]).map((b) => {
    const out: Part & { parts?: Part[] } = { label: b.label, value: read(metric, 0, b.bucket, 1)[0] ?? 0, pick: b.pick };
    const second = panel.split?.[1];
    if (second) {
      const parts: Part[] = branches(second, b.bucket["s"]).map((p) => ({
        label: p.label,
        value: read(metric, 0, p.bucket, 1)[0] ?? 0,
        pick: [...b.pick, ...p.pick],
      }));
      const rest = others(b.bucket["s"]);
      if (counts && rest > 0) {
        const left = without(second, branches(second, b.bucket["s"]));
        parts.push({ label: "Others", value: rest, rest: true, pick: [...b.pick, ...left] });
      }
      out.parts = parts;
    } else if (panel.metrics.length > 1) {
      out.parts = panel.metrics.map((m, i) => ({ label: m.label, value: read(m, i, b.bucket, 1)[0] ?? 0, pick: b.pick }));
      out.value = out.parts.reduce((sum, p) => sum + p.value, 0);
    }
    return out;
  });
  const rest = others(top["s"]);
  if (counts && rest > 0) {
    list.push({ label: "Others", value: rest, rest: true, pick: without(first, branches(first, top["s"])) });
  }
  return { kind: "slices", name: first.label, unit: unitOf(metric), slices: list };
}

function table(panel: Panel, top: Json): TableData {
  const split = panel.split ?? [];
  const columns: TableData["columns"] = split.map((s) => ({ label: s.label }));
  for (const m of panel.metrics) for (const label of labels(m)) columns.push({ label, unit: unitOf(m) });
  const rows: Cell[][] = [];
  const walk = (level: number, bucket: Json, keys: Cell[], pick: Filter[]) => {
    const here = split[level];
    if (!here) {
      const cells = [...keys];
      panel.metrics.forEach((m, i) => {
        for (const v of read(m, i, bucket, 1)) cells.push({ value: v, ...(m.where ? { pick: [...pick, ...m.where] } : {}) });
      });
      rows.push(cells);
      return;
    }
    for (const b of branches(here, bucket["s"])) {
      walk(level + 1, b.bucket, [...keys, { text: b.label, pick: b.pick }], [...pick, ...b.pick]);
    }
  };
  walk(0, top, [], []);
  const out: TableData = { kind: "table", columns, rows };
  const rest = others(top["s"]);
  if (rest > 0) out.rest = rest;
  return out;
}

/** Cells of the map; no pill exists for a box of the map, so a place only shows its number. */
function places(top: Json): Data {
  return {
    kind: "places",
    places: buckets(top["g"]).flatMap((b) => {
      const p = place(key(b));
      return p ? [{ ...p, value: count(b), label: `${p.lat.toFixed(1)}°, ${p.lon.toFixed(1)}°` }] : [];
    }),
  };
}
