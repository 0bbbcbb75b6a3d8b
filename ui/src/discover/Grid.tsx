import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../app/icons";
import { bindKey } from "../app/keys";
import { held, live, paused, sort } from "../core/state";
import { formatValue } from "../core/format";
import { template } from "./columns";
import { cursor, cursorRow, filterValue, move, onCell } from "./cursor";
import { GridHead } from "./GridHead";
import { GridRow } from "./GridRow";
import { atTop } from "./live";
import { askMore, more, MOST, narrow, rows, shown, total } from "./model";
import { valueAt, SUMMARY } from "./columns";

const AROUND = 8;
const HEAD = 32;

/** The events. Only rows in sight exist; their number does not matter. */
export function Grid() {
  const box = useRef<HTMLDivElement>(null);
  const [first, setFirst] = useState(0);
  const [height, setHeight] = useState(400);
  const high = narrow.value ? 36 : 28;
  const list = rows.value;
  const columns = shown.value;

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const scrolled = () => {
    const top = box.current?.scrollTop ?? 0;
    setFirst(Math.floor(top / high));
    atTop.value = top < high;
    if (top + height * 3 > rows.value.length * high) void askMore();
  };
  const firstId = list[0]?.id;
  useEffect(() => {
    if (!live.value) {
      box.current?.scrollTo({ top: 0 });
      setFirst(0);
      atTop.value = true;
    }
  }, [live.value ? "live" : firstId, sort.value]);

  const toSight = (row: number) => {
    const element = box.current;
    if (!element || row < 0) return;
    const top = row * high;
    const room = element.clientHeight - HEAD;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + high > element.scrollTop + room) element.scrollTop = top + high - room;
  };
  const step = (down: number, across: number) => toSight(move(down, across));
  useEffect(() => {
    const undo = [
      bindKey("j", () => step(1, 0)),
      bindKey("k", () => step(-1, 0)),
      bindKey("h", () => step(0, -1)),
      bindKey("l", () => step(0, 1)),
      bindKey("Enter", (e) => (e.target instanceof HTMLElement && e.target.closest("button, a, select, summary") ? false : onCell("open"))),
      bindKey("+", () => onCell("for")),
      bindKey("=", () => onCell("for")),
      bindKey("-", () => onCell("without")),
      bindKey("c", () => onCell("copy")),
      bindKey("y", () => onCell("flow")),
    ];
    return () => undo.forEach((u) => u());
  }, [high]);

  const keys: Record<string, () => void> = {
    ArrowDown: () => step(1, 0),
    ArrowUp: () => step(-1, 0),
    ArrowLeft: () => step(0, -1),
    ArrowRight: () => step(0, 1),
    PageDown: () => step(Math.max(1, Math.floor(height / high) - 2), 0),
    PageUp: () => step(-Math.max(1, Math.floor(height / high) - 2), 0),
    Home: () => step(-Infinity, 0),
    End: () => step(list.length, 0),
  };
  const from = Math.max(0, first - AROUND);
  const to = Math.min(list.length, first + Math.ceil(height / high) + AROUND);
  const at = cursor.value;
  const active = at ? cursorRow() : -1;
  useEffect(() => () => void (held.value = false), []);
  return (
    <div class="grid-frame">
      <div
        id="grid"
        ref={box}
        class={narrow.value ? "grid narrow" : "grid"}
        role="grid"
        aria-label="Events"
        aria-rowcount={(total.value ?? list.length) + 1}
        aria-colcount={columns.length}
        tabIndex={0}
        {...(active >= from && active < to && at ? { "aria-activedescendant": `cell-${active}-${at.column}` } : {})}
        onScroll={scrolled}
        onKeyDown={(e) => {
          const act = e.target === e.currentTarget && !e.ctrlKey && !e.metaKey && !e.altKey ? keys[e.key] : undefined;
          if (!act) return;
          e.preventDefault();
          act();
        }}
        onFocus={(e) => {
          if (e.target === e.currentTarget && !cursor.value && list[0]) cursor.value = { id: list[0].id, column: 0 };
        }}
        style={{ "--columns": template(columns, narrow.value), "--row": `${high}px` }}
      >
        <GridHead columns={columns} />
        <div class="grid-body" role="rowgroup" style={{ height: `${list.length * high}px` }} onPointerEnter={() => (held.value = true)} onPointerLeave={() => (held.value = false)}>
          {list.slice(from, to).map((row, i) => (
            <GridRow key={row.id} row={row} at={from + i} columns={columns} active={at?.id === row.id ? at.column : -1} top={(from + i) * high} />
          ))}
        </div>
        <End />
      </div>
      <HoverTools />
    </div>
  );
}

/** What comes after the last row that is there. */
function End() {
  const n = rows.value.length;
  let text = "";
  if (more.value) text = n >= MOST ? `${formatValue(MOST, "count")} events are listed. Narrow the time, or export all.` : "More events are read …";
  else if (live.value && n === 0) text = paused.value ? "Paused" : "Waiting for events …";
  if (text === "") return null;
  return (
    <div class="grid-end" role="row">
      <div role="gridcell">{text}</div>
    </div>
  );
}

/** Filter buttons beside the value under the pointer. */
function HoverTools() {
  const tools = useRef<HTMLDivElement>(null);
  const [on, setOn] = useState<{ id: string; column: number; top: number; right: number } | null>(null);
  useEffect(() => {
    const frame = tools.current?.parentElement;
    const grid = frame?.querySelector<HTMLElement>(".grid");
    if (!frame || !grid) return undefined;
    const over = (e: PointerEvent) => {
      if (e.pointerType === "touch" || !(e.target instanceof Element)) return;
      if (tools.current?.contains(e.target)) return;
      const cell = e.target.closest<HTMLElement>("[data-column]");
      const row = cell?.closest<HTMLElement>("[data-row]");
      if (!cell || !row) return setOn(null);
      const box = cell.getBoundingClientRect();
      const outer = frame.getBoundingClientRect();
      const right = Math.max(0, outer.right - Math.min(box.right, outer.left + grid.clientWidth));
      setOn({ id: row.dataset["row"] ?? "", column: Number(cell.dataset["column"]), top: box.top - outer.top, right });
    };
    const gone = () => setOn(null);
    frame.addEventListener("pointerover", over);
    frame.addEventListener("pointerleave", gone);
    grid.addEventListener("scroll", gone);
    return () => {
      frame.removeEventListener("pointerover", over);
      frame.removeEventListener("pointerleave", gone);
      grid.removeEventListener("scroll", gone);
    };
  }, []);
  const row = on ? rows.value.find((r) => r.id === on.id) : undefined;
  const field = on ? shown.value[on.column] : undefined;
  const value = row && field ? valueAt(row.source, field) : undefined;
  const show = on && field && field !== SUMMARY && row;
  return (
    <div ref={tools} class="hover-tools" hidden={!show} style={on ? { top: `${on.top}px`, right: `${on.right}px` } : {}}>
      <button type="button" tabIndex={-1} aria-label="Filter for this value" title="Filter for this value (+)" onClick={() => field && filterValue(field, value, false)}>
        <Icon name="plus" size={13} />
      </button>
      <button type="button" tabIndex={-1} aria-label="Filter out this value" title="Filter out this value (−)" onClick={() => field && filterValue(field, value, true)}>
        <Icon name="minus" size={13} />
      </button>
    </div>
  );
}
