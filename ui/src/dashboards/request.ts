// Panel -> body of a search. The counts behind a panel are the hits of this search: the same filters lead to
// Discover.
import { clause, type Filter } from "../core/filter";
import { isTerms, partsOf, type Dashboard, type Metric, type Panel, type Steps } from "./types";

export interface Frame {
  from: number;
  to: number;
  /** Length of a time bucket in ms. */
  step: number;
  /** Where buckets begin after multiples of the step, in ms: days begin where the browser is. */
  shift?: number;
}

type Json = { [key: string]: unknown };

/** Every filter between the page's own and a panel's events. */
export function behind(dashboard: Dashboard, panel: Panel): Filter[] {
  const own = panel.index === undefined || panel.index === dashboard.index ? dashboard.where : [];
  const out = [...own, ...(panel.where ?? [])];
  for (const field of needed(panel)) {
    if (!out.some((f) => f.field === field && !f.negate)) out.push({ field, op: "exists" });
  }
  return out;
}

/** Fields without which an event has no part in the panel. */
export function needed(panel: Panel): string[] {
  const fields = new Set<string>();
  for (const split of panel.split ?? []) if (isTerms(split)) fields.add(split.field);
  if (panel.steps) fields.add(panel.steps.field);
  const measured = panel.metrics.map((m) => m.field);
  const first = measured[0];
  if (first !== undefined && measured.every((f) => f === first)) fields.add(first);
  if (panel.chart === "map" && panel.optional) fields.add(panel.optional.field);
  return [...fields];
}

/** Edges as pairs, the last one open. */
export function steps(s: Steps): { from: number; to?: number }[] {
  const out: { from: number; to?: number }[] = [];
  for (let i = 0; i < s.edges.length; i++) {
    const from = s.edges[i];
    const to = s.edges[i + 1];
    if (from === undefined) continue;
    if (to !== undefined) out.push({ from, to });
    else if (s.open) out.push({ from });
  }
  return out;
}

export function stepFilter(s: Steps, i: number): Filter | undefined {
  const at = steps(s)[i];
  if (!at) return undefined;
  const value: { gte: number; lt?: number } = { gte: at.from };
  if (at.to !== undefined) value.lt = at.to;
  return { field: s.field, op: "range", value };
}

function measure(m: Metric): Json | undefined {
  if (m.op === "count" || m.op === "share") return undefined;
  if (m.op === "percentiles") return { percentiles: { field: m.field, percents: m.percents ?? [50, 95, 99] } };
  if (m.op === "median") return { percentiles: { field: m.field, percents: [50] } };
  return { [m.op]: { field: m.field } };
}

function measures(metrics: Metric[]): Json {
  const out: Json = {};
  metrics.forEach((m, i) => {
    const agg = measure(m);
    if (m.where) {
      const inner: Json = { filter: { bool: { filter: m.where.map((f) => clause(f)) } } };
      if (agg) inner["aggs"] = { v: agg };
      out[`m${i}`] = inner;
    } else if (agg) out[`m${i}`] = agg;
  });
  return out;
}

function withAggs(agg: Json, aggs: Json): Json {
  return Object.keys(aggs).length ? { ...agg, aggs } : agg;
}

function overTime(frame: Frame, aggs: Json): Json {
  const histogram: Json = {
    field: "@timestamp",
    fixed_interval: `${frame.step}ms`,
    min_doc_count: 0,
    extended_bounds: { min: frame.from, max: Math.max(frame.from, frame.to - 1) },
  };
  if (frame.shift) histogram["offset"] = `${frame.shift}ms`;
  return withAggs({ date_histogram: histogram }, aggs);
}

function order(metrics: Metric[]): Json {
  const m = metrics[0];
  if (!m || m.where || m.op === "count" || m.op === "share") return { _count: "desc" };
  if (m.op === "percentiles") return { [`m0.${(m.percents ?? [50, 95, 99]).at(-1) ?? 99}`]: "desc" };
  if (m.op === "median") return { "m0.50": "desc" };
  return { m0: "desc" };
}

function splits(panel: Panel, level: number, leaf: Json): Json {
  const split = panel.split?.[level];
  if (!split) return leaf;
  const inner = splits(panel, level + 1, leaf);
  const numbers = measures(panel.metrics);
  const aggs = { ...numbers, ...inner };
  if (isTerms(split)) {
    return { s: withAggs({ terms: { field: split.field, size: split.size, order: order(panel.metrics) } }, aggs) };
  }
  const filters: Json = {};
  partsOf(split).forEach((p, i) => {
    filters[`p${i}`] = { bool: { filter: p.where.map((f) => clause(f)) } };
  });
  return { s: withAggs({ filters: { filters } }, aggs) };
}

/** The aggregations of a panel. */
export function aggregations(panel: Panel, frame: Frame): Json {
  const numbers = measures(panel.metrics);
  if (panel.chart === "map" && panel.optional) {
    return { g: { geohash_grid: { field: panel.optional.field, precision: 3, size: 500 } } };
  }
  if (panel.steps) {
    const ranges = { r: withAggs({ range: { field: panel.steps.field, ranges: steps(panel.steps) } }, numbers) };
    return panel.time ? { t: overTime(frame, ranges) } : ranges;
  }
  if (panel.time) {
    const all = { t: overTime(frame, numbers) };
    return panel.split?.length ? { ...all, ...splits(panel, 0, all) } : all;
  }
  if (panel.split?.length) return splits(panel, 0, {});
  return numbers;
}

/** The body of a panel's search; `query` is made of the page's filters and the given clauses. */
export function body(dashboard: Dashboard, panel: Panel, frame: Frame, query: (extra: object[]) => object): Json {
  const out: Json = { size: 0, track_total_hits: true, query: query(behind(dashboard, panel).map((f) => clause(f))) };
  const aggs = aggregations(panel, frame);
  if (Object.keys(aggs).length) out["aggs"] = aggs;
  return out;
}

export function indexOf(dashboard: Dashboard, panel: Panel): string {
  return panel.index ?? dashboard.index;
}
