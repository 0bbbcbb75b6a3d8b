// Whether a declaration is one. A mistake is found when the program is built or tested, not by its user.
import { isTerms, type Dashboard, type Panel } from "./types";

const CHARTS = ["line", "bars", "area", "percentiles", "donut", "hbars", "columns", "heatmap", "number", "table", "map"];
const OPS = ["count", "sum", "avg", "min", "max", "cardinality", "percentiles", "median", "share"];
const OVER_TIME = ["line", "bars", "area", "percentiles", "heatmap"];

function wrong(d: Dashboard, p: Panel): string | undefined {
  if (!CHARTS.includes(p.chart)) return `no chart ${p.chart}`;
  if (!p.metrics.length) return "no metric";
  const op = p.metrics.find((m) => !OPS.includes(m.op) || (m.op !== "count" && m.op !== "share" && m.field === undefined));
  if (op) return `metric ${op.label}`;
  if (OVER_TIME.includes(p.chart) !== (p.time ?? false)) return "time";
  if (p.chart === "heatmap" || p.chart === "columns" ? !p.steps : p.steps) return "steps";
  if (["donut", "hbars", "table"].includes(p.chart) && !p.split?.length) return "no split";
  if (p.split?.some((s) => !isTerms(s) && s.rest !== undefined && s.parts.some((part) => part.where.length !== 1))) return "a part of several filters beside a rest";
  if (p.chart === "map" && !p.optional) return "no field for places";
  if (d.panels.filter((o) => o.id === p.id).length > 1) return "its id is used twice";
  return undefined;
}

/** Mistakes in a declaration. */
export function mistakes(d: Dashboard): string[] {
  const out = d.version === 1 ? [] : [`${d.id}: version ${String(d.version)}`];
  for (const p of d.panels) {
    const why = wrong(d, p);
    if (why !== undefined) out.push(`${d.id}/${p.id}: ${why}`);
  }
  return out;
}

/** A declaration as it was read from JSON. */
export function checked(json: unknown): Dashboard {
  const d = json as Dashboard;
  const found = mistakes(d);
  if (found.length) throw new Error(found.join("; "));
  return d;
}
