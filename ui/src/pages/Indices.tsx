import { useEffect, useState } from "preact/hooks";
import { inert } from "../charts/inert";
import { formatValue } from "../charts/unit";
import { pageTimes } from "../dashboards/times";
import { number, object } from "../dashboards/answer";
import { search } from "../core/es";
import { link } from "../core/state";
import { get } from "./call";
import { DeleteIndex } from "./DeleteIndex";
import { IndexFields } from "./IndexFields";
import { rows, SPANS, type IndexRow } from "./indices";
import { PlainTable } from "./PlainTable";
import { useStatus } from "./useStatus";
import "../charts/charts.css";
import "../dashboards/dashboards.css";
import "./pages.css";

/** What is kept: indices, their fields, how long it lasts. */
export function Indices() {
  const [list, setList] = useState<IndexRow[] | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [open, setOpen] = useState<string | null>(null);
  const [doomed, setDoomed] = useState<IndexRow | null>(null);
  const [told, setTold] = useState("");
  const [again, setAgain] = useState(0);
  const status = useStatus();
  useEffect(() => {
    const abort = new AbortController();
    Promise.all([
      get("/es/_cat/indices?format=json&bytes=b&h=index,health,docs.count,store.size", abort.signal),
      search("*", SPANS, abort.signal),
    ]).then(
      ([cat, spans]) => {
        setList(rows(cat, spans));
        setError(null);
      },
      (e: unknown) => {
        if (!abort.signal.aborted) setError(e instanceof Error ? e.message : String(e));
      },
    );
    return () => abort.abort();
  }, [again]);
  return (
    <main class="page settings" id="main">
      <header class="page-head">
        <h1>Indices</h1>
        <button type="button" class="tool framed" onClick={() => setAgain((n) => n + 1)}>
          Read again
        </button>
      </header>
      <p class="unseen" role="status">
        {told}
      </p>
      {error !== null ? (
        <div class="dash-error" role="alert">
          <strong>The indices could not be read.</strong> {error}
        </div>
      ) : null}
      <Keeping store={object(object(status.value)["store"])} list={list ?? []} />
      {list === null && error === null ? <p class="quiet">Loading …</p> : null}
      {list?.length === 0 ? (
        <section class="dash-empty">
          <h2>Nothing is kept yet</h2>
          <p>An index appears with the first event. See the Capture page for what is captured, and why something is not.</p>
          <a class="tool framed" href={link("capture")}>
            What is captured
          </a>
        </section>
      ) : null}
      {list?.length ? (
        <PlainTable
          label="Indices"
          rows={list}
          id={(r) => r.name}
          below={(r) => (open === r.name ? <div id={fieldsId(r)}><IndexFields index={r.name} /></div> : null)}
          columns={[
            { name: "Name", heads: true, cell: (r) => <Name row={r} open={open === r.name} toggle={() => setOpen(open === r.name ? null : r.name)} /> },
            { name: "Documents", num: true, cell: (r) => formatValue(r.documents, "count") },
            { name: "Size", num: true, cell: (r) => (r.bytes === 0 && r.documents ? "in memory" : formatValue(r.bytes, "bytes")) },
            { name: "Per event", num: true, cell: (r) => formatValue(r.bytes && r.documents ? r.bytes / r.documents : null, "bytes") },
            { name: "From", class: () => "when", cell: (r) => when(r.from) },
            { name: "To", class: () => "when", cell: (r) => when(r.to) },
            { name: <span class="unseen">Actions</span>, class: () => "row-tools", cell: (r) => <Tools row={r} remove={() => setDoomed(r)} /> },
          ]}
        />
      ) : null}
      {doomed ? (
        <DeleteIndex
          row={doomed}
          close={(gone) => {
            setDoomed(null);
            if (gone) {
              setTold(`${doomed.name} was deleted`);
              setOpen(null);
              setAgain((n) => n + 1);
            }
          }}
        />
      ) : null}
    </main>
  );
}

function fieldsId(row: IndexRow): string {
  return `fields-${row.name}`;
}

function when(ms: number | null): string {
  return ms === null ? "–" : pageTimes(ms, ms).full(ms, 1000);
}

function Name({ row, open, toggle }: { row: IndexRow; open: boolean; toggle: () => void }) {
  return (
    <button type="button" class="opener" aria-expanded={open} {...(open ? { "aria-controls": fieldsId(row) } : {})} onClick={toggle}>
      <span class={`dot ${row.health}`} title={`Health: ${row.health || "unknown"}`} />
      <span aria-hidden="true" class="opener-arrow">
        {open ? "▾" : "▸"}
      </span>
      <bdi>{inert(row.name)}</bdi>
    </button>
  );
}

/** The way to its events, and its end. */
function Tools({ row, remove }: { row: IndexRow; remove: () => void }) {
  return (
    <>
      {row.from !== null && row.to !== null ? (
        <a class="tool" href={link("discover", { index: row.name, time: { from: new Date(row.from).toISOString(), to: new Date(row.to + 1).toISOString() } })}>
          Events ›
        </a>
      ) : null}
      <button type="button" class="tool danger" onClick={remove} aria-label={`Delete ${row.name}`}>
        Delete
      </button>
    </>
  );
}

/** Totals and how long the room lasts. */
function Keeping({ store, list }: { store: { [key: string]: unknown }; list: IndexRow[] }) {
  const documents = list.reduce((sum, r) => sum + (r.documents ?? 0), 0);
  const bytes = number(store["bytes"]) ?? list.reduce((sum, r) => sum + (r.bytes ?? 0), 0);
  const items: [string, string, string?][] = [
    ["Documents", formatValue(documents, "count")],
    ["Size", bytes === 0 && documents ? "in memory" : formatValue(bytes, "bytes")],
  ];
  const most = number(store["max_bytes"]);
  const days = number(store["retention_days"]);
  const forecast = number(store["forecast_days"]);
  const free = number(store["disk_free"]);
  if (most !== null) items.push(["Limit", formatValue(most, "bytes"), `${formatValue(bytes / Math.max(1, most), "fraction")} used`]);
  if (days !== null) items.push(["Kept for", `${formatValue(days, "number")} days`]);
  if (forecast !== null) items.push(["Room lasts", `${formatValue(forecast, "number")} days`, "at the rate of late"]);
  if (free !== null) items.push(["Free on disk", formatValue(free, "bytes")]);
  const failing = store["failing"];
  return (
    <>
      {failing ? (
        <p class="dash-error" role="alert">
          <strong>The store cannot write.</strong> {typeof failing === "string" ? inert(failing) : "Events wait in the journal meanwhile."}
        </p>
      ) : null}
      <dl class="facts">
        {items.map(([name, value, more]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
            {more === undefined ? null : <dd class="more">{more}</dd>}
          </div>
        ))}
      </dl>
    </>
  );
}
