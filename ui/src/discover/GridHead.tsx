import { memo } from "preact/compat";
import { useState } from "preact/hooks";
import { Icon } from "../app/icons";
import { Popover } from "../app/Popover";
import { columns as chosen, sort } from "../core/state";
import { offset } from "../core/time";
import { bounds } from "../core/state";
import { fields } from "../core/fields";
import { isAmount, setWidth, SUMMARY, titles, widthOf, NARROWEST, widths } from "./columns";
import { moveColumn, sortBy, toggleColumn } from "./cursor";
import { narrow, shown } from "./model";

/** Names of the columns: click to sort, drag to move, the edge to resize, a menu for all of it. */
export const GridHead = memo(function GridHead({ columns }: { columns: string[] }) {
  const names = titles(columns);
  const [over, setOver] = useState(-1);
  const drop = (e: DragEvent, to: number) => {
    e.preventDefault();
    setOver(-1);
    const column = e.dataTransfer?.getData("text/x-column") ?? "";
    const from = columns.indexOf(column);
    if (from >= 0 && from !== to) moveColumn(column, to - from);
  };
  return (
    <div class="grid-head" role="rowgroup">
      <div class="row head" role="row" aria-rowindex={1}>
        {columns.map((c, i) => (
          <Head key={c} column={c} name={names[i] ?? c} at={i} over={over === i} setOver={setOver} drop={drop} />
        ))}
      </div>
    </div>
  );
});

interface HeadProps {
  column: string;
  name: string;
  at: number;
  over: boolean;
  setOver: (i: number) => void;
  drop: (e: DragEvent, to: number) => void;
}

function Head({ column, name, at, over, setOver, drop }: HeadProps) {
  const [open, setOpen] = useState(false);
  const info = fields.value.get(column);
  const sortable = column !== SUMMARY && info?.type !== "text" && info?.type !== "flattened";
  const on = sort.value.field === column;
  const order = on ? (sort.value.order === "asc" ? "ascending" : "descending") : "none";
  const close = () => setOpen(false);
  const last = at === shown.value.length - 1;
  const act = (what: () => void) => () => {
    what();
    close();
  };
  const key = (e: KeyboardEvent) => {
    if (e.key === "[") moveColumn(column, -1);
    else if (e.key === "]") moveColumn(column, 1);
    else return;
    e.preventDefault();
    e.stopPropagation();
    requestAnimationFrame(() => document.getElementById(`head-${column}`)?.focus());
  };
  return (
    <div
      class={`cell head-cell${isAmount(column) ? " amount" : ""}${over ? " over" : ""}`}
      role="columnheader"
      aria-colindex={at + 1}
      {...(sortable ? { "aria-sort": order } : {})}
      draggable={!narrow.value}
      onDragStart={(e) => {
        e.dataTransfer?.setData("text/x-column", column);
        if (e.dataTransfer) e.dataTransfer.effectAllowed = "move";
      }}
      onDragOver={(e) => {
        if (!e.dataTransfer?.types.includes("text/x-column")) return;
        e.preventDefault();
        setOver(at);
      }}
      onDragLeave={() => setOver(-1)}
      onDrop={(e) => drop(e, at)}
    >
      <button type="button" id={`head-${column}`} class="head-name" disabled={!sortable} title={`${column}${sortable ? `\nSort (${info?.type ?? "unknown type"})` : ""}`} onClick={() => sortBy(column)} onKeyDown={key}>
        <span>{name}</span>
        {column === "@timestamp" && !narrow.value ? <small>{offset(bounds().to)}</small> : null}
        {on ? <Icon name={sort.value.order === "asc" ? "sortUp" : "sortDown"} size={12} /> : null}
      </button>
      {narrow.value ? null : (
        <>
          <button type="button" class="head-menu" aria-label={`Column ${name}`} aria-haspopup="dialog" aria-expanded={open} onClick={() => setOpen(!open)}>
            <Icon name="more" size={13} />
          </button>
          <Edge column={column} />
        </>
      )}
      {open ? (
        <Popover label={`Column ${name}`} side={at > 2 ? "right" : "left"} close={close}>
          <div class="menu">
            {sortable ? (
              <>
                <button type="button" onClick={act(() => (sort.value = { field: column, order: "asc" }))}>
                  <Icon name="sortUp" /> Sort upwards
                </button>
                <button type="button" onClick={act(() => (sort.value = { field: column, order: "desc" }))}>
                  <Icon name="sortDown" /> Sort downwards
                </button>
              </>
            ) : null}
            <button type="button" disabled={at === 0} onClick={act(() => moveColumn(column, -1))}>
              <Icon name="left" /> Move to the left
            </button>
            <button type="button" disabled={last} onClick={act(() => moveColumn(column, 1))}>
              <Icon name="right" /> Move to the right
            </button>
            <button type="button" onClick={() => setWidth(column, widthOf(column) + 40)}>
              <Icon name="plus" /> Wider
            </button>
            <button type="button" disabled={widthOf(column) <= NARROWEST} onClick={() => setWidth(column, widthOf(column) - 40)}>
              <Icon name="minus" /> Narrower
            </button>
            {widths.value[column] === undefined ? null : (
              <button type="button" onClick={act(() => setWidth(column, null))}>
                <Icon name="refresh" /> Its usual width
              </button>
            )}
            <button type="button" disabled={shown.value.length < 2} onClick={act(() => toggleColumn(column))}>
              <Icon name="close" /> Remove the column
            </button>
            {chosen.value.length ? (
              <button type="button" onClick={act(() => (chosen.value = []))}>
                <Icon name="fields" /> Columns that suit the events
              </button>
            ) : null}
          </div>
        </Popover>
      ) : null}
    </div>
  );
}

/** The right edge of a column's name, to be dragged. */
function Edge({ column }: { column: string }) {
  const begin = (e: PointerEvent) => {
    e.preventDefault();
    e.stopPropagation();
    const edge = e.currentTarget as HTMLElement;
    const cell = edge.parentElement;
    if (!cell) return;
    const start = e.clientX;
    const width = cell.getBoundingClientRect().width;
    edge.setPointerCapture(e.pointerId);
    const drag = (m: PointerEvent) => setWidth(column, width + m.clientX - start);
    const end = () => {
      edge.removeEventListener("pointermove", drag);
      edge.removeEventListener("pointerup", end);
      edge.removeEventListener("pointercancel", end);
    };
    edge.addEventListener("pointermove", drag);
    edge.addEventListener("pointerup", end);
    edge.addEventListener("pointercancel", end);
  };
  return <span class="edge" aria-hidden="true" onPointerDown={begin} onDblClick={() => setWidth(column, null)} draggable onDragStart={(e) => (e.preventDefault(), e.stopPropagation())} />;
}
