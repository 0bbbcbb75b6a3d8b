import type { Filter } from "../core/filter";
import type { Unit } from "../charts/types";

export type ChartKind =
  | "line"
  | "bars"
  | "area"
  | "percentiles"
  | "donut"
  | "hbars"
  | "columns"
  | "heatmap"
  | "number"
  | "table"
  | "map";

export type Operation = "count" | "sum" | "avg" | "min" | "max" | "cardinality" | "percentiles" | "median" | "share";

export interface Metric {
  op: Operation;
  label: string;
  field?: string;
  /** Of `percentiles`. */
  percents?: number[];
  /** Only the events that match; `share` is their part of all. */
  where?: Filter[];
  unit?: Unit;
  /** Divided by the seconds of the bucket. */
  rate?: boolean;
}

export interface Terms {
  field: string;
  size: number;
  label: string;
}

export interface Parts {
  label: string;
  /** What they are; with a `rest`, each by one filter. */
  parts: { label: string; where: Filter[] }[];
  /** Name of what is in none of them. */
  rest?: string;
}

export type Split = Terms | Parts;

/** Steps of a scale: `edges` n+1 for n steps, the last one may be open. */
export interface Steps {
  field: string;
  label: string;
  edges: number[];
  open?: boolean;
}

export interface Panel {
  id: string;
  title: string;
  /** What it shows and how to read it, in one sentence. */
  about?: string;
  chart: ChartKind;
  /** Of twelve. */
  width: 2 | 3 | 4 | 5 | 6 | 7 | 8 | 12;
  height?: "low" | "high";
  index?: string;
  where?: Filter[];
  metrics: Metric[];
  /** Over time. */
  time?: boolean;
  steps?: Steps;
  split?: Split[];
  /** Lines or bars on top of each other. */
  stacked?: boolean;
  /** Where there is no event nothing was measured: a gap, not zero. */
  gaps?: boolean;
  /** A field that only exists with further data; without it the panel says `absent`. */
  optional?: { field: string; absent: string };
  /** What to say when there are no events. */
  empty?: string;
}

export interface Dashboard {
  version: 1;
  id: string;
  title: string;
  about: string;
  tags: string[];
  index: string;
  /** Filters of every panel. */
  where: Filter[];
  /** Columns that Discover shows for its events. */
  columns?: string[];
  /** What to do when there are no events at all. */
  empty: string;
  panels: Panel[];
}

export function isTerms(split: Split): split is Terms {
  return "field" in split;
}

/** The parts of a split, and what is in none of them: each of their filters turned round. */
export function partsOf(split: Parts): Parts["parts"] {
  if (split.rest === undefined) return split.parts;
  const none = split.parts.flatMap((p) => p.where.map((f): Filter => ({ ...f, negate: !f.negate })));
  return [...split.parts, { label: split.rest, where: none }];
}
