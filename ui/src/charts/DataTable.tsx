import { useState } from "preact/hooks";
import { inert } from "./inert";
import type { Actions, Cell, TableData } from "./types";
import { formatValue } from "./unit";

function compare(a: Cell | undefined, b: Cell | undefined): number {
  if (a?.text !== undefined || b?.text !== undefined) {
    return (a?.text ?? "").localeCompare(b?.text ?? "", undefined, { numeric: true });
  }
  return (a?.value ?? -Infinity) - (b?.value ?? -Infinity);
}

interface Props {
  data: TableData;
  label: string;
  actions: Actions;
}

/** A table whose columns sort and whose values filter the page. */
export function DataTable({ data, label, actions }: Props) {
  const [sort, setSort] = useState<{ column: number; down: boolean } | null>(null);
  const rows = sort
    ? [...data.rows].sort((a, b) => compare(a[sort.column], b[sort.column]) * (sort.down ? -1 : 1))
    : data.rows;
  const turn = (column: number) =>
    setSort((s) => (s?.column !== column ? { column, down: true } : s.down ? { column, down: false } : null));
  return (
    <div class="dt-scroll" tabIndex={0} role="region" aria-label={`${label}, table`}>
      <table class="dt">
        <thead>
          <tr>
            {data.columns.map((c, i) => (
              <th
                key={i}
                scope="col"
                class={c.unit ? "num" : ""}
                aria-sort={sort?.column === i ? (sort.down ? "descending" : "ascending") : "none"}
              >
                <button type="button" onClick={() => turn(i)} title={`Sort by ${c.label}`}>
                  <span>{c.label}</span>
                  {sort?.column === i ? <span aria-hidden="true">{sort.down ? "↓" : "↑"}</span> : null}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, y) => (
            <tr key={y}>
              {row.map((c, x) => (
                <CellView key={x} cell={c} column={data.columns[x]} actions={actions} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {data.rest ? (
        <p class="dt-rest">{formatValue(data.rest, "count")} further events belong to values that are not listed.</p>
      ) : null}
    </div>
  );
}

function CellView({ cell, column, actions }: { cell: Cell; column: TableData["columns"][number] | undefined; actions: Actions }) {
  const text = cell.text !== undefined ? inert(cell.text) : formatValue(cell.value, cell.unit ?? column?.unit ?? "number");
  const shown = text === "" ? "(empty)" : text;
  const numeric = cell.text === undefined;
  const pick = cell.pick;
  if (!pick?.length) return <td class={numeric ? "num" : "key"}>{numeric ? shown : <bdi>{shown}</bdi>}</td>;
  const name = column?.label ?? "";
  return (
    <td class={numeric ? "num" : "key"}>
      <span class="dt-cell">
        <button type="button" class="dt-value" title={`Filter for ${shown}`} aria-label={`${name} ${shown}: filter for it`} onClick={() => actions.pick(pick)}>
          <bdi>{shown}</bdi>
        </button>
        {pick.length === 1 && !numeric ? (
          <button type="button" class="dt-out" title={`Filter out ${shown}`} aria-label={`${name} ${shown}: filter it out`} onClick={() => actions.pick(pick, true)}>
            −
          </button>
        ) : null}
      </span>
    </td>
  );
}
