import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { SearchBar } from "../app/SearchBar";
import { Icon } from "../app/icons";
import { bindKey } from "../app/keys";
import { fields, loadFields } from "../core/fields";
import { online } from "../core/send";
import { breakdown, columns, doc, esQuery, index, language, live, query, sort } from "../core/state";
import { Detail } from "./Detail";
import { Empty, Failed } from "./Empty";
import { FieldList } from "./FieldList";
import { Grid } from "./Grid";
import { Histogram } from "./Histogram";
import { follow } from "./live";
import { LiveBar } from "./LiveBar";
import { ask, busy, failure, narrow, rows, total } from "./model";
import { Toolbar } from "./Toolbar";
import "../charts/charts.css";
import "./styles/index.css";

/** Events: bars over time, the fields, the list, and one event in detail. */
export function Discover() {
  const [fieldsOpen, setFieldsOpen] = useState(false);
  const ready = useFieldsOf(index.value);
  const question = JSON.stringify([esQuery(), index.value, breakdown.value, sort.value, live.value, columns.value]);
  useEffect(() => {
    if (ready) ask();
  }, [question, ready, online.value]);
  const stream = JSON.stringify([index.value, query.value, language.value]);
  useEffect(() => (live.value ? follow() : undefined), [live.value, stream, esFilters()]);
  // The page is as high as the window, and its parts scroll.
  useLayoutEffect(() => {
    document.body.classList.add("fixed");
    return () => document.body.classList.remove("fixed");
  }, []);
  useEffect(
    () =>
      bindKey("f", () => {
        setFieldsOpen(true);
        requestAnimationFrame(() => document.getElementById("field-search")?.focus());
      }),
    [],
  );
  const open = doc.value !== "";
  const nothing = !live.value && total.value === 0;
  const broken = failure.value !== null && (failure.value.query || rows.value.length === 0);
  return (
    <div class="discover-page">
      <SearchBar choose />
      <main class={`discover${open ? " split" : ""}`} id="main">
        <h1 class="unseen">Discover</h1>
        <FieldList open={fieldsOpen} close={() => setFieldsOpen(false)} />
        <section class="results" aria-label="Events" aria-busy={busy.value}>
          <Toolbar openFields={() => setFieldsOpen(!fieldsOpen)} />
          <div class={busy.value ? "progress on" : "progress"} aria-hidden="true" />
          {broken && failure.value ? (
            <Failed failure={failure.value} />
          ) : nothing ? (
            <Empty />
          ) : (
            <>
              <Histogram />
              {live.value ? <LiveBar /> : null}
              <Grid />
            </>
          )}
        </section>
        {open ? <Drawer /> : null}
      </main>
      <Announce />
    </div>
  );
}

function esFilters(): string {
  return JSON.stringify((esQuery() as { bool: { filter: unknown[] } }).bool.filter.slice(1));
}

/** Whether the fields of a pattern were looked up, well or not. */
function useFieldsOf(pattern: string): boolean {
  const [known, setKnown] = useState("");
  useEffect(() => {
    loadFields(pattern)
      .catch(() => undefined)
      .then(() => setKnown(pattern));
  }, [pattern]);
  return known === pattern || fields.value.size > 0;
}

/** The open event beside the list, or over it where there is no room. */
function Drawer() {
  const [at, id] = split(doc.value);
  const box = useRef<HTMLElement>(null);
  const move = (by: number) => {
    const i = rows.value.findIndex((r) => r.id === id);
    const next = rows.value[i + by];
    if (next) doc.value = `${next.index}/${next.id}`;
  };
  const close = () => {
    doc.value = "";
    document.getElementById("grid")?.focus();
  };
  useEffect(
    () =>
      bindKey("Escape", () => {
        close();
      }),
    [],
  );
  useEffect(() => {
    if (narrow.value) box.current?.focus();
  }, []);
  const i = rows.value.findIndex((r) => r.id === id);
  return (
    <aside class="drawer" ref={box} tabIndex={-1} aria-label="Event" onKeyDown={(e) => e.key === "Escape" && (e.stopPropagation(), close())}>
      <Detail
        index={at}
        id={id}
        tools={
          <>
            <button type="button" class="icon-button" aria-label="Previous event" title="Previous (k)" disabled={i <= 0} onClick={() => move(-1)}>
              <Icon name="sortUp" />
            </button>
            <button type="button" class="icon-button" aria-label="Next event" title="Next (j)" disabled={i < 0 || i >= rows.value.length - 1} onClick={() => move(1)}>
              <Icon name="sortDown" />
            </button>
            <button type="button" class="icon-button" aria-label="Close the event" title="Close (Esc)" onClick={close}>
              <Icon name="close" />
            </button>
          </>
        }
      />
    </aside>
  );
}

export function split(path: string): [string, string] {
  const slash = path.indexOf("/");
  return [path.slice(0, slash), path.slice(slash + 1)];
}

/** Says how many events there are when that changes, for those who do not see it. */
function Announce() {
  const n = total.value;
  return (
    <div class="unseen" role="status" aria-live="polite">
      {busy.value || live.value || n === null ? "" : `${n.toLocaleString("en-US")} events`}
    </div>
  );
}
