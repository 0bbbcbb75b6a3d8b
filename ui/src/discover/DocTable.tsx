import { useMemo, useState } from "preact/hooks";
import { Icon } from "../app/icons";
import { copy } from "../app/toast";
import { fields } from "../core/fields";
import { exact, inert, show, unitOf } from "../core/format";
import { addFilter } from "../core/state";
import { filterValue, toggleColumn } from "./cursor";
import { flatten, type Entry } from "./flat";
import { LongText } from "./LongText";
import { shown, type Row } from "./model";

const FIRST = 150;
const LONG = 400;
const VALUES = 50;

/** All fields of an event, each value with its filters. */
export function DocTable({ row }: { row: Row }) {
  const [words, setWords] = useState("");
  const [most, setMost] = useState(FIRST);
  const all = useMemo(() => flatten(row.source), [row.id]);
  const wanted = words.toLowerCase();
  const found = wanted ? all.filter((e) => e.field.toLowerCase().includes(wanted) || e.values.some((v) => exact(v).toLowerCase().includes(wanted))) : all;
  return (
    <div class="doc-table">
      <input class="input" type="search" placeholder={`Search in ${all.length} fields`} aria-label="Search in the fields of the event" value={words} spellcheck={false} onInput={(e) => setWords(e.currentTarget.value)} />
      <dl>
        {found.slice(0, most).map((e) => (
          <FieldRow key={e.field} entry={e} />
        ))}
      </dl>
      {found.length > most ? (
        <button type="button" class="link-button" onClick={() => setMost(most * 4)}>
          Show more ({most} of {found.length} fields are shown)
        </button>
      ) : null}
      {found.length === 0 ? <p class="menu-note">Nothing is called like that.</p> : null}
    </div>
  );
}

function FieldRow({ entry }: { entry: Entry }) {
  const [every, setEvery] = useState(false);
  const column = shown.value.includes(entry.field);
  const values = every ? entry.values : entry.values.slice(0, VALUES);
  return (
    <div class="doc-row">
      <dt title={entry.field}>
        <span>{inert(entry.field, 120)}</span>
        <span class="doc-tools">
          <button type="button" class="icon-button small" aria-label={`Filter: ${entry.field} exists`} title="Filter: the field exists" onClick={() => addFilter({ field: entry.field, op: "exists" })}>
            <span aria-hidden="true">∃</span>
          </button>
          <button type="button" class="icon-button small" aria-label={`${column ? "Remove" : "Add"} the column ${entry.field}`} title={column ? "Remove the column" : "Add as a column"} onClick={() => toggleColumn(entry.field)}>
            <Icon name="fields" size={13} />
          </button>
        </span>
      </dt>
      <dd>
        {values.map((v, i) => (
          <Value key={i} field={entry.field} value={v} />
        ))}
        {entry.values.length > values.length ? (
          <button type="button" class="link-button" onClick={() => setEvery(true)}>
            {entry.values.length - values.length} more values
          </button>
        ) : null}
      </dd>
    </div>
  );
}

/** A value with buttons to filter for it, without it, and to copy it. */
export function Value({ field, value, text }: { field: string; value: unknown; text?: string }) {
  const info = fields.value.get(field);
  const written = text ?? show(field, info?.type, value, info?.unit, LONG);
  const long = typeof value === "string" && value.length > LONG;
  const raw = typeof value === "number" && unitOf(field, info?.unit) !== "none" ? String(value) : "";
  const plain = typeof value !== "object" || value === null;
  return (
    <div class="value">
      {long ? (
        <LongText text={value} />
      ) : (
        <span class={typeof value === "number" ? "value-text number" : "value-text"} title={typeof value === "string" && info?.type === "date" ? value : ""}>
          <bdi>{written === "" ? (value === "" ? "(empty)" : "–") : written}</bdi>
          {raw && raw !== written ? <small> {raw}</small> : null}
        </span>
      )}
      <span class="value-tools">
        {plain && !long ? (
          <>
            <button type="button" class="icon-button small" aria-label={`Filter for ${field}: ${written}`} title="Filter for this value" onClick={() => filterValue(field, value, false)}>
              <Icon name="plus" size={13} />
            </button>
            <button type="button" class="icon-button small" aria-label={`Filter out ${field}: ${written}`} title="Filter out this value" onClick={() => filterValue(field, value, true)}>
              <Icon name="minus" size={13} />
            </button>
          </>
        ) : null}
        <button type="button" class="icon-button small" aria-label={`Copy ${field}`} title="Copy the value" onClick={() => void copy(exact(value), "Value")}>
          <Icon name="copy" size={13} />
        </button>
      </span>
    </div>
  );
}
