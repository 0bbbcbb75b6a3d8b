import { memo } from "preact/compat";
import { doc } from "../core/state";
import { stampFull, clock, stamp } from "../core/time";
import { exact, inert } from "../core/format";
import { kindColour } from "../core/palette";
import { cellText, isAmount, kindOf, summary, SUMMARY, valueAt } from "./columns";
import { cursor, path } from "./cursor";
import { narrow, type Row } from "./model";

interface Props {
  row: Row;
  at: number;
  columns: string[];
  /** The column of the chosen cell, -1 when it is in another row. */
  active: number;
  top: number;
}

/** One event in the list. */
export const GridRow = memo(function GridRow({ row, at, columns, active, top }: Props) {
  const open = doc.value === path(row);
  const click = (e: MouseEvent) => {
    if (getSelection()?.toString()) return;
    const cell = e.target instanceof Element ? e.target.closest<HTMLElement>("[data-column]") : null;
    cursor.value = { id: row.id, column: Number(cell?.dataset["column"] ?? 0) };
    doc.value = open ? "" : path(row);
  };
  return (
    <div
      class={`row${active >= 0 ? " active" : ""}${open ? " open" : ""}`}
      role="row"
      aria-rowindex={at + 2}
      aria-selected={open}
      data-row={row.id}
      style={{ top: `${top}px` }}
      onClick={click}
    >
      {columns.map((c, i) => (
        <div key={c} id={`cell-${at}-${i}`} class={`cell${isAmount(c) ? " amount" : ""}${active === i ? " chosen" : ""}`} role="gridcell" aria-colindex={i + 1} data-column={i} title={title(row, c)}>
          <Cell row={row} column={c} />
        </div>
      ))}
    </div>
  );
});

function title(row: Row, column: string): string {
  const value = valueAt(row.source, column);
  if (column === SUMMARY) return summary(row);
  if (value === undefined || value === null) return "";
  if (column === "@timestamp" && typeof value === "string") return `${stampFull(Date.parse(value))}\n${value}`;
  return inert(exact(value), 600);
}

const TONES: Record<string, string> = { OK: "ok", Error: "error", success: "ok", failure: "error", NOERROR: "ok" };

function Cell({ row, column }: { row: Row; column: string }) {
  if (column === "@timestamp") {
    const value = valueAt(row.source, column);
    const ms = typeof value === "string" ? Date.parse(value) : Number(value);
    return <time class="mono">{narrow.value ? clock(ms) : stamp(ms)}</time>;
  }
  const text = cellText(row, column);
  if (column === "type" && text) return <Kind kind={text} />;
  if (column === SUMMARY) {
    return (
      <bdi class="summary">
        {narrow.value ? <Kind kind={kindOf(row)} /> : null}
        {text}
      </bdi>
    );
  }
  if (text === "") return <span class="none">–</span>;
  const tone = column === "http.response.status_code" ? codeTone(Number(text)) : (TONES[text] ?? (column === "dns.response_code" ? "warn" : ""));
  if (tone && /status|outcome|response_code/.test(column)) {
    return (
      <span class={`tone ${tone}`}>
        <bdi>{text}</bdi>
      </span>
    );
  }
  return <bdi>{text}</bdi>;
}

export function codeTone(code: number): string {
  if (code >= 500) return "error";
  if (code >= 400) return "warn";
  return code >= 200 && code < 300 ? "ok" : "plain";
}

export function Kind({ kind }: { kind: string }) {
  if (!kind) return null;
  return (
    <span class="kind">
      <span class="kind-dot" style={{ background: kindColour(kind) }} aria-hidden="true" />
      {inert(kind, 20)}
    </span>
  );
}
