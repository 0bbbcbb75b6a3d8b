import { useState } from "preact/hooks";
import { exact } from "../core/format";
import { fields } from "../core/fields";
import type { Filter } from "../core/filter";

type Op = "is" | "one_of" | "exists" | "range";

const OPS: [Op, boolean, string][] = [
  ["is", false, "is"],
  ["is", true, "is not"],
  ["one_of", false, "is one of"],
  ["one_of", true, "is not one of"],
  ["exists", false, "exists"],
  ["exists", true, "does not exist"],
  ["range", false, "is between"],
  ["range", true, "is not between"],
];

const NUMERIC = new Set(["long", "integer", "short", "byte", "double", "float", "half_float", "unsigned_long"]);

function typed(text: string, type: string | undefined): unknown {
  const t = text.trim();
  if (type === "boolean") return t === "true";
  if (type !== undefined && NUMERIC.has(type) && t !== "" && Number.isFinite(Number(t))) return Number(t);
  return t;
}

function written(f: Filter | undefined): { value: string; from: string; to: string } {
  if (!f) return { value: "", from: "", to: "" };
  if (f.op === "range") {
    const r = (f.value ?? {}) as Record<string, unknown>;
    const one = (v: unknown) => (v === undefined ? "" : exact(v));
    return { value: "", from: one(r["gte"] ?? r["gt"]), to: one(r["lte"] ?? r["lt"]) };
  }
  if (f.value === undefined) return { value: "", from: "", to: "" };
  return { value: Array.isArray(f.value) ? f.value.map(exact).join(", ") : exact(f.value), from: "", to: "" };
}

/** A filter put together by field, operator and value. */
export function FilterForm({ start, done }: { start?: Filter; done: (f: Filter | null) => void }) {
  const [field, setField] = useState(start?.field ?? "");
  const [op, setOp] = useState(Math.max(0, OPS.findIndex(([o, not]) => o === start?.op && not === (start?.negate ?? false))));
  const [text, setText] = useState(written(start));
  const [label, setLabel] = useState(start?.label ?? "");
  const [kind, negate] = OPS[op] ?? ["is", false];
  const type = fields.value.get(field)?.type;
  const complete = field.trim() !== "" && (kind === "exists" || (kind === "range" ? text.from !== "" || text.to !== "" : text.value.trim() !== ""));
  const submit = (e: Event) => {
    e.preventDefault();
    if (!complete) return;
    const f: Filter = { field: field.trim(), op: kind };
    if (kind === "is") f.value = typed(text.value, type);
    if (kind === "one_of") f.value = text.value.split(",").map((v) => typed(v, type));
    if (kind === "range") {
      const range: Record<string, unknown> = {};
      if (text.from !== "") range["gte"] = typed(text.from, type);
      if (text.to !== "") range["lte"] = typed(text.to, type);
      f.value = range;
    }
    if (negate) f.negate = true;
    if (start?.pinned) f.pinned = true;
    if (label.trim()) f.label = label.trim();
    done(f);
  };
  const input = (name: string, value: string, set: (v: string) => void, hint: string) => (
    <label>
      <span>{name}</span>
      <input class="input mono" value={value} placeholder={hint} spellcheck={false} onInput={(e) => set(e.currentTarget.value)} />
    </label>
  );
  return (
    <form class="form filter-form" onSubmit={submit}>
      <label>
        <span>Field</span>
        <input class="input mono" list="filter-fields" value={field} spellcheck={false} autocomplete="off" onInput={(e) => setField(e.currentTarget.value)} />
        <datalist id="filter-fields">
          {[...fields.value.keys()].map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      </label>
      <label>
        <span>Operator</span>
        <select class="input" value={String(op)} onChange={(e) => setOp(Number(e.currentTarget.value))}>
          {OPS.map(([, , name], i) => (
            <option key={name} value={String(i)}>
              {name}
            </option>
          ))}
        </select>
      </label>
      {kind === "is" ? input("Value", text.value, (value) => setText({ ...text, value }), type ?? "") : null}
      {kind === "one_of" ? input("Values", text.value, (value) => setText({ ...text, value }), "a, b, c") : null}
      {kind === "range" ? input("From", text.from, (from) => setText({ ...text, from }), "≥") : null}
      {kind === "range" ? input("To", text.to, (to) => setText({ ...text, to }), "≤") : null}
      {input("Label", label, setLabel, "shown instead, if you like")}
      <div class="form-tools">
        <button type="button" class="button" onClick={() => done(null)}>
          Cancel
        </button>
        <button type="submit" class="button main" disabled={!complete}>
          {start ? "Change" : "Add"}
        </button>
      </div>
    </form>
  );
}
