import type { Filter } from "../core/filter";

/** What a number counts; decides how it is written. */
export type Unit =
  | "count"
  | "bytes"
  | "bytes/s"
  | "ns"
  | "ms"
  | "fraction"
  | "percent"
  | "number"
  | "per second";

/** Filters that lead to the events behind one value. */
export type Pick = Filter[];

export interface Series {
  label: string;
  unit: Unit;
  values: (number | null)[];
  /** Narrows the page to this series; absent when it stands for no single value. */
  pick?: Pick;
  /** What is left when the largest values are shown one by one. */
  rest?: boolean;
}

/** Values over time; `at` are the starts of the buckets in ms. */
export interface TimeData {
  kind: "time";
  at: number[];
  step: number;
  series: Series[];
}

export interface Part {
  label: string;
  value: number;
  pick?: Pick;
  rest?: boolean;
}

/** One value for each of a list of things, perhaps divided in parts. */
export interface SliceData {
  kind: "slices";
  name: string;
  unit: Unit;
  slices: (Part & { parts?: Part[] })[];
  /** The slices are steps of a scale and stay in this order. */
  scale?: boolean;
}

/** Counts over time (columns) and over the steps of a scale (rows, smallest first). */
export interface GridData {
  kind: "grid";
  at: number[];
  step: number;
  rows: { label: string; pick?: Pick }[];
  cells: number[][];
  unit: Unit;
}

export interface Cell {
  /** Of `value`, when it is not the column's. */
  unit?: Unit;
  text?: string;
  value?: number | null;
  pick?: Pick;
}

export interface TableData {
  kind: "table";
  columns: { label: string; unit?: Unit }[];
  rows: Cell[][];
  /** How many further values there are that the table does not show, in events. */
  rest?: number;
}

export interface Figure {
  label: string;
  value: number | null;
  unit: Unit;
  pick?: Pick;
}

export interface FigureData {
  kind: "figures";
  figures: Figure[];
}

/** Places on the map. */
export interface PlaceData {
  kind: "places";
  places: { lat: number; lon: number; value: number; label: string; pick?: Pick }[];
}

export type Data = TimeData | SliceData | GridData | TableData | FigureData | PlaceData;

/** A time in which packets were lost, in ms. */
export interface Loss {
  from: number;
  to: number;
  /** How many, and the counters that say so. */
  lost: number;
  name: string;
  /** The same in words. */
  label: string;
}

/** What a chart can ask of its page. */
export interface Actions {
  pick(filters: Pick, negate?: boolean): void;
  range(from: number, to: number): void;
}
