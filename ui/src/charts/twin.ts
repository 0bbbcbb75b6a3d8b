// The table that says the same as a chart.
import { inert } from "./inert";
import type { Cell, Data, TableData } from "./types";

export type TimeText = (ms: number, step: number) => string;

/** How times are written: short at an axis, with day and offset elsewhere. */
export interface Times {
  tick: TimeText;
  full: TimeText;
}

export function twin(data: Data, time: TimeText): TableData {
  switch (data.kind) {
    case "table":
      return data;
    case "time":
      return {
        kind: "table",
        columns: [{ label: "Time" }, ...data.series.map((s) => ({ label: inert(s.label, 80), unit: s.unit }))],
        rows: data.at.map((t, i) => [
          { text: time(t, data.step) },
          ...data.series.map((s): Cell => cell(s.values[i] ?? null, s.pick)),
        ]),
      };
    case "slices": {
      const parts = data.slices.some((s) => s.parts?.length);
      const rows = parts
        ? data.slices.flatMap((s) =>
            (s.parts ?? [{ label: "all", value: s.value }]).map((p): Cell[] => [
              keyed(s.label, s.pick),
              keyed(p.label, p.pick),
              cell(p.value, p.pick),
            ]),
          )
        : data.slices.map((s): Cell[] => [keyed(s.label, s.pick), cell(s.value, s.pick)]);
      const columns = [{ label: data.name }, ...(parts ? [{ label: "Part" }] : []), { label: "Value", unit: data.unit }];
      return { kind: "table", columns, rows };
    }
    case "grid":
      return {
        kind: "table",
        columns: [{ label: "Time" }, ...data.rows.map((r) => ({ label: r.label, unit: data.unit }))],
        rows: data.at.map((t, x) => [
          { text: time(t, data.step) },
          ...data.rows.map((r, y): Cell => cell(data.cells[y]?.[x] ?? 0, r.pick)),
        ]),
      };
    case "figures":
      return {
        kind: "table",
        columns: [{ label: "Figure" }, { label: "Value" }],
        rows: data.figures.map((f) => [keyed(f.label, f.pick), { value: f.value, unit: f.unit }]),
      };
    case "places":
      return {
        kind: "table",
        columns: [{ label: "Latitude, longitude" }, { label: "Events", unit: "count" }],
        rows: data.places.map((p) => [keyed(p.label, p.pick), cell(p.value, p.pick)]),
      };
  }
}

function keyed(text: string, pick?: Cell["pick"]): Cell {
  return pick ? { text, pick } : { text };
}

function cell(value: number | null, pick?: Cell["pick"]): Cell {
  return pick ? { value, pick } : { value };
}

/** Whether there is nothing to draw. */
export function isEmpty(data: Data): boolean {
  switch (data.kind) {
    case "time":
      return !data.series.some((s) => s.values.some((v) => v !== null));
    case "slices":
      return !data.slices.some((s) => s.value > 0);
    case "grid":
      return !data.cells.some((r) => r.some((v) => v > 0));
    case "table":
      return data.rows.length === 0;
    case "figures":
      return data.figures.length === 0;
    case "places":
      return data.places.length === 0;
  }
}
