import type { ComponentChildren } from "preact";
import { inert } from "../charts/inert";
import type { Unit } from "../charts/types";
import { formatDuration, formatValue } from "../charts/unit";
import { number, type Json } from "../dashboards/answer";
import { pageTimes } from "../dashboards/times";
import { Meter } from "./Meter";
import { NextSteps } from "./NextSteps";
import { PlainTable } from "./PlainTable";
import { health, silent, type CaptureHealth, type Sheet } from "./status";
import { useStatus } from "./useStatus";
import "../charts/charts.css";
import "../dashboards/dashboards.css";
import "./pages.css";

/** How capture does: what comes in, what is lost, what is not understood, and why. */
export function Capture() {
  const status = useStatus();
  const h = health(status.value);
  return (
    <main class="page settings" id="main">
      <header class="page-head">
        <h1>Capture</h1>
        <p class="quiet">{state(h, status.error)}</p>
      </header>
      {status.error !== null ? (
        <div class="dash-error" role="alert">
          <strong>The state of the capture could not be read.</strong> {status.error}
          {h.known ? " What is shown is the last that was read." : ""}
        </div>
      ) : null}
      {!h.known && status.error === null ? <p class="quiet">Loading …</p> : null}
      {silent(h) ? <NextSteps health={h} /> : null}
      {h.notes.length ? (
        <ul class="notes" aria-label="Notes">
          {h.notes.map((n) => (
            <li key={n.text} class={`note ${n.level === "error" || n.level === "warning" || n.level === "warn" ? n.level : "info"}`}>
              <b>{n.level === "info" ? "Note" : n.level === "error" ? "Error" : "Warning"}</b> <bdi>{inert(n.text, 1000)}</bdi>
            </li>
          ))}
        </ul>
      ) : null}
      <Rates h={h} />
      {h.devices.length ? <Devices h={h} /> : null}
      {h.known ? <Losses h={h} /> : null}
      {h.shards.rows.length ? (
        <Section title="Shards" about="Threads that decode, each with its own share of the flows.">
          <SheetTable sheet={h.shards} label="Shards" />
        </Section>
      ) : null}
      {h.parsers.rows.length ? (
        <Section title="Parsers" about="What each protocol made of its bytes.">
          <SheetTable sheet={h.parsers} label="Parsers" />
        </Section>
      ) : null}
      {h.undecoded.length ? <Undecoded h={h} /> : null}
      {h.readers.length || h.journal.bytes !== null ? <Journal h={h} /> : null}
    </main>
  );
}

function state(h: CaptureHealth, error: string | null): string {
  if (!h.known) return error === null ? "" : "unknown";
  const parts = [h.mode === "read" ? "From capture files" : h.running === null ? "" : h.running ? "Capturing" : "Not capturing"];
  if (h.started !== null) parts.push(`since ${pageTimes(h.started, h.started).full(h.started, 1000)}`);
  if (h.version !== null) parts.push(`wirebeat ${h.version}`);
  return parts.filter(Boolean).join(" · ");
}

function Section({ title, about, children }: { title: string; about?: string; children: ComponentChildren }) {
  const id = `section-${title.toLowerCase().replace(/\W+/g, "-")}`;
  return (
    <section class="box" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {about === undefined ? null : <p class="quiet">{about}</p>}
      {children}
    </section>
  );
}

function Rates({ h }: { h: CaptureHealth }) {
  const items: [string, string][] = [];
  if (h.rates.packets !== null) items.push(["Packets", formatValue(h.rates.packets, "per second")]);
  if (h.rates.bytes !== null) items.push(["Traffic", formatValue(h.rates.bytes, "bytes/s")]);
  if (h.rates.events !== null) items.push(["Events", formatValue(h.rates.events, "per second")]);
  const { used, budget, process } = h.memory;
  if (!items.length && used === null) return null;
  return (
    <dl class="facts">
      {items.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
      {used !== null ? (
        <div>
          <dt>Memory</dt>
          <dd>{formatValue(process ?? used, "bytes")}</dd>
          {budget !== null ? (
            <dd class="more">
              <Meter value={used} most={budget} label="Memory of flows against its budget" /> flows hold {formatValue(used, "bytes")} of {formatValue(budget, "bytes")}
            </dd>
          ) : null}
        </div>
      ) : null}
    </dl>
  );
}

function bits(v: number | null): string {
  if (v === null) return "–";
  if (v >= 1e9) return `${formatValue(v / 1e9, "number")} Gbit/s`;
  if (v >= 1e6) return `${formatValue(v / 1e6, "number")} Mbit/s`;
  if (v >= 1e3) return `${formatValue(v / 1e3, "number")} kbit/s`;
  return `${formatValue(v, "number")} bit/s`;
}

function Devices({ h }: { h: CaptureHealth }) {
  const sorted = [...h.devices].sort((a, b) => Number(b.captured ?? true) - Number(a.captured ?? true));
  return (
    <Section title="Interfaces" about="What is captured, and why the others are not. The numbers are the kernel’s, of all packets of an interface, those of these pages too.">
      <PlainTable
        label="Interfaces, table"
        rows={sorted}
        id={(d) => d.name}
        rowClass={(d) => (d.captured === false ? "off" : "")}
        columns={[
          { name: "Interface", heads: true, class: () => "mono", cell: (d) => <bdi>{inert(d.name)}</bdi> },
          { name: "Kind", cell: (d) => inert(d.kind ?? "") },
          {
            name: "Captured",
            cell: (d) => (
              <>
                {d.captured === undefined ? "" : <span class={d.captured ? "yes" : "no"}>{d.captured ? "yes" : "no"}</span>}
                {d.why !== undefined ? <span class="why"> {inert(d.why)}</span> : null}
              </>
            ),
          },
          { name: "Packets", num: true, cell: (d) => formatValue(d.packets, "count") },
          { name: "Bytes", num: true, cell: (d) => formatValue(d.bytes, "bytes") },
          { name: "Packets a second", num: true, cell: (d) => formatValue(d.packetsPerSecond, "per second") },
          { name: "Traffic", num: true, cell: (d) => bits(d.bitsPerSecond) },
        ]}
      />
    </Section>
  );
}

function Losses({ h }: { h: CaptureHealth }) {
  const lost = h.loss.filter((l) => l.value > 0).sort((a, b) => b.value - a.value);
  const none = h.loss.filter((l) => l.value === 0);
  if (!h.loss.length) return null;
  return (
    <Section title="Losses" about="Every place where something can be lost has a counter. Since the start.">
      {lost.length ? (
        <PlainTable
          label="Losses, table"
          rows={lost}
          id={(l) => l.name}
          columns={[
            { name: "Counter", heads: true, class: () => "mono", cell: (l) => inert(l.name) },
            { name: "Lost", num: true, class: () => "bad", cell: (l) => formatValue(l.value, "count") },
            { name: "What it means", cell: (l) => inert(l.meaning ?? "") },
          ]}
        />
      ) : (
        <p class="good">Nothing was lost.</p>
      )}
      {none.length ? (
        <details>
          <summary>
            {none.length} {none.length === 1 ? "counter stands" : "counters stand"} at zero
          </summary>
          <dl class="meanings">
            {none.map((l) => (
              <div key={l.name}>
                <dt class="mono">{inert(l.name)}</dt>
                <dd>{inert(l.meaning ?? "")}</dd>
              </div>
            ))}
          </dl>
        </details>
      ) : null}
    </Section>
  );
}

function unitFor(column: string): Unit {
  if (/bytes|memory/.test(column)) return "bytes";
  return /_per_s$|rate/.test(column) ? "per second" : "count";
}

function shown(row: Json, column: string): string {
  const v = row[column];
  const n = number(v);
  if (n !== null) return column === "id" ? String(n) : /_ns$/.test(column) ? formatDuration(n) : formatValue(n, unitFor(column));
  return v === undefined || v === null ? "–" : typeof v === "boolean" ? (v ? "yes" : "no") : inert(String(v));
}

function SheetTable({ sheet, label }: { sheet: Sheet; label: string }) {
  const numeric = (c: string) => sheet.rows.some((r) => typeof r[c] === "number") && c !== "id";
  return (
    <PlainTable
      label={`${label}, table`}
      rows={sheet.rows.map((row, i) => ({ row, i }))}
      id={({ i }) => String(i)}
      columns={sheet.columns.map((c) => ({ name: words(c), num: numeric(c), cell: ({ row }: { row: Json }) => shown(row, c) }))}
    />
  );
}

function words(column: string): string {
  const text = inert(column.replaceAll("_", " "), 60);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function Undecoded({ h }: { h: CaptureHealth }) {
  const sorted = [...h.undecoded].sort((a, b) => (b.bytes ?? 0) - (a.bytes ?? 0));
  return (
    <Section title="Flows that are not decoded" about="The protocol is guessed from the first bytes. Their flow records are kept all the same.">
      <PlainTable
        label="Flows that are not decoded, table"
        rows={sorted}
        id={(u) => `${u.protocol} ${u.why ?? ""}`}
        columns={[
          { name: "Protocol", heads: true, cell: (u) => inert(u.protocol) },
          { name: "Flows", num: true, cell: (u) => formatValue(u.flows, "count") },
          { name: "Bytes", num: true, cell: (u) => formatValue(u.bytes, "bytes") },
          { name: "Why", cell: (u) => inert(u.why ?? "") },
        ]}
      />
    </Section>
  );
}

function Journal({ h }: { h: CaptureHealth }) {
  const { bytes, quota } = h.journal;
  return (
    <Section title="Journal" about="Events wait here until every reader has taken them.">
      {bytes !== null ? (
        <p class="journal-room">
          {formatValue(bytes, "bytes")}
          {quota !== null ? (
            <>
              {" "}
              of {formatValue(quota, "bytes")} <Meter value={bytes} most={quota} label="Journal against its quota" />
            </>
          ) : null}
        </p>
      ) : null}
      {h.readers.length ? (
        <PlainTable
          label="Readers of the journal, table"
          rows={h.readers}
          id={(r) => r.name}
          columns={[
            { name: "Reader", heads: true, cell: (r) => inert(r.name) },
            { name: "Events behind", num: true, cell: (r) => formatValue(r.lagEvents, "count") },
            { name: "Bytes behind", num: true, cell: (r) => formatValue(r.lagBytes, "bytes") },
            { name: "Lost to the quota", num: true, class: (r) => (r.lost ? "bad" : ""), cell: (r) => formatValue(r.lost, "count") },
          ]}
        />
      ) : null}
    </Section>
  );
}
