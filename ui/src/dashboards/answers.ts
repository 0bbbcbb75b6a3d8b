// One request for a whole dashboard.
import type { Data } from "../charts/types";
import { number, object } from "./answer";
import { data } from "./data";
import { body, indexOf, type Frame } from "./request";
import type { Dashboard, Panel } from "./types";

export interface PanelAnswer {
  /** Events behind the panel. */
  total: number;
  data?: Data;
  error?: string;
  /** The field it is about does not exist here. */
  absent?: boolean;
}

export interface Item {
  index: string;
  body: object;
}

/** The searches of a dashboard; panels whose field does not exist are left out. */
export function items(d: Dashboard, frame: Frame, query: (extra: object[]) => object, exists: (field: string) => boolean): { panels: Panel[]; items: Item[] } {
  const panels = d.panels.filter((p) => !p.optional || exists(p.optional.field));
  return { panels, items: panels.map((p) => ({ index: indexOf(d, p), body: body(d, p, frame, query) })) };
}

/** The answer to one panel's search. */
export function read(panel: Panel, response: unknown, frame: Frame): PanelAnswer {
  const r = object(response);
  const failed = r["error"];
  if (failed !== undefined) return { total: 0, error: reason(failed) };
  const hits = object(r["hits"])["total"];
  const total = number(object(hits)["value"]) ?? number(hits) ?? 0;
  return { total, data: data(panel, r["aggregations"], total, frame) };
}

function reason(error: unknown): string {
  if (typeof error === "string") return error;
  const e = object(error);
  return String(e["reason"] ?? e["type"] ?? "the search failed");
}
