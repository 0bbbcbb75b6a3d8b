// What the protocols' views have in common.
import type { ComponentChildren } from "preact";
import { fields } from "../../core/fields";
import { show } from "../../core/format";
import { valueAt } from "../columns";
import { Value } from "../DocTable";
import type { Row } from "../model";

export function text(row: Row, field: string): string {
  const value = valueAt(row.source, field);
  return typeof value === "string" ? value : value === undefined || value === null ? "" : Array.isArray(value) ? value.join(", ") : String(value);
}

/** A value as it is shown, with its unit. */
export function written(row: Row, field: string): string {
  const info = fields.value.get(field);
  return show(field, info?.type, valueAt(row.source, field), info?.unit);
}

export function number(row: Row, field: string): number | null {
  const value = valueAt(row.source, field);
  return typeof value === "number" ? value : null;
}

export function Section({ title, aside, children }: { title: string; aside?: ComponentChildren; children: ComponentChildren }) {
  return (
    <section class="part">
      <h3>
        {title}
        {aside ? <span class="part-aside">{aside}</span> : null}
      </h3>
      {children}
    </section>
  );
}

/** Fields with their values, each with its filters; what the event has not is left out. */
export function Facts({ row, list }: { row: Row; list: [field: string, name: string][] }) {
  const there = list.filter(([f]) => valueAt(row.source, f) !== undefined);
  if (there.length === 0) return null;
  return (
    <dl class="pairs">
      {there.map(([field, name]) => {
        const value = valueAt(row.source, field);
        return (
          <div key={field} class="pair">
            <dt title={field}>{name}</dt>
            <dd>
              {(Array.isArray(value) ? value.slice(0, 50) : [value]).map((v, i) => (
                <Value key={i} field={field} value={v} />
              ))}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
