import { useMemo, useState } from "preact/hooks";
import { Icon } from "../app/icons";
import { fields, type FieldInfo } from "../core/fields";
import { columns } from "../core/state";
import { toggleColumn } from "./cursor";
import { shown } from "./model";
import { TopValues } from "./TopValues";

const SIGN: Record<string, [string, string]> = {
  keyword: ["k", "keyword"],
  text: ["t", "text"],
  ip: ["ip", "address"],
  date: ["d", "date"],
  boolean: ["b", "boolean"],
  flattened: ["{}", "object"],
  conflict: ["?", "several types"],
};

const KINDS = ["keyword", "number", "ip", "date", "boolean", "text", "object"];

function kindOf(type: string): string {
  if (type === "flattened") return "object";
  return SIGN[type] ? type : "number";
}

const POPULAR = new Set([
  "type", "status", "source.ip", "destination.ip", "destination.port", "network.protocol", "network.transport", "http.request.method", "http.response.status_code", "url.path", "url.domain",
  "dns.question.name", "dns.response_code", "method", "event.duration", "network.bytes", "host.name", "metricset.name",
]);

const MOST = 400;

/** The fields that the indices hold: search, type, top values, columns. */
export function FieldList({ open, close }: { open: boolean; close: () => void }) {
  const [words, setWords] = useState("");
  const [kind, setKind] = useState("");
  const [expanded, setExpanded] = useState("");
  const all = fields.value;
  const chosen = shown.value;
  const found = useMemo(() => {
    const parts = words.toLowerCase().split(/\s+/).filter(Boolean);
    return [...all.values()].filter((f) => !f.path && (kind === "" || kindOf(f.type) === kind) && parts.every((p) => f.name.toLowerCase().includes(p)));
  }, [all, words, kind]);
  const item = (f: FieldInfo) => (
    <Field key={f.name} field={f} open={expanded === f.name} toggle={() => setExpanded(expanded === f.name ? "" : f.name)} column={chosen.includes(f.name)} />
  );
  const searching = words !== "" || kind !== "";
  const selected = columns.value.length ? found.filter((f) => columns.value.includes(f.name)) : [];
  const popular = searching ? [] : found.filter((f) => POPULAR.has(f.name) && !selected.includes(f));
  const rest = found.filter((f) => !selected.includes(f) && !popular.includes(f));
  return (
    <aside class={open ? "fields open" : "fields"} aria-label="Fields">
      <div class="fields-head">
        <input
          id="field-search"
          class="input"
          type="search"
          placeholder="Search fields"
          aria-label="Search fields"
          value={words}
          spellcheck={false}
          onInput={(e) => setWords(e.currentTarget.value)}
          onKeyDown={(e) => {
            if (e.key !== "Escape") return;
            setWords("");
            e.currentTarget.blur();
            close();
          }}
        />
        <select class="input" aria-label="Type of field" value={kind} onChange={(e) => setKind(e.currentTarget.value)}>
          <option value="">all</option>
          {KINDS.map((k) => (
            <option key={k} value={k}>
              {k}
            </option>
          ))}
        </select>
        <button type="button" class="icon-button fields-close" aria-label="Close the fields" onClick={close}>
          <Icon name="close" />
        </button>
      </div>
      <div class="fields-scroll">
        {selected.length ? <Group title="Columns" list={selected} item={item} /> : null}
        {popular.length ? <Group title="Often used" list={popular} item={item} /> : null}
        <Group title={searching ? `Found (${rest.length})` : `All (${rest.length})`} list={rest.slice(0, MOST)} item={item} />
        {rest.length > MOST ? <p class="menu-note">{rest.length - MOST} more; search for them</p> : null}
        {found.length === 0 ? <p class="menu-note">{all.size === 0 ? "No fields yet: there are no events." : "No field is called like that."}</p> : null}
      </div>
    </aside>
  );
}

function Group({ title, list, item }: { title: string; list: FieldInfo[]; item: (f: FieldInfo) => preact.JSX.Element }) {
  if (list.length === 0) return null;
  return (
    <section>
      <h2>{title}</h2>
      <ul>{list.map(item)}</ul>
    </section>
  );
}

function Field({ field, open, toggle, column }: { field: FieldInfo; open: boolean; toggle: () => void; column: boolean }) {
  const [sign, name] = SIGN[field.type] ?? ["#", field.type];
  return (
    <li class={open ? "field open" : "field"}>
      <div class="field-line">
        <button type="button" class="field-name" aria-expanded={open} title={`${field.name} (${field.type})`} onClick={toggle}>
          <span class={`sign ${kindOf(field.type)}`} aria-hidden="true">
            {sign}
          </span>
          <span class="unseen">{name}</span>
          <span class="field-text">{field.name}</span>
        </button>
        <button
          type="button"
          class={column ? "icon-button small on" : "icon-button small"}
          aria-label={column ? `Remove the column ${field.name}` : `Add the column ${field.name}`}
          title={column ? "Remove the column" : "Add as a column"}
          onClick={() => toggleColumn(field.name)}
        >
          <Icon name={column ? "minus" : "plus"} size={14} />
        </button>
      </div>
      {open ? <TopValues field={field} /> : null}
    </li>
  );
}
