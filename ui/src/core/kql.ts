// Completion for the query bar: what may stand where the caret is.
import type { FieldInfo } from "./fields";

export type Place = "field" | "operator" | "value" | "word";

/** The place of the caret: what is expected there, and the part of the text that a choice replaces. */
export interface Context {
  place: Place;
  /** The field whose value is expected. */
  field: string;
  /** What is there already, up to the caret. */
  prefix: string;
  from: number;
  to: number;
  quoted: boolean;
}

const BREAK = /[\s:()<>"{}]/;
const JOIN = /^(and|or|not)$/i;

interface Piece {
  kind: "word" | "text" | "mark" | "space";
  text: string;
  from: number;
  to: number;
}

function pieces(query: string): Piece[] {
  const out: Piece[] = [];
  let at = 0;
  while (at < query.length) {
    const from = at;
    const c = query[at] ?? "";
    let kind: Piece["kind"] = "word";
    if (/\s/.test(c)) {
      kind = "space";
      while (at < query.length && /\s/.test(query[at] ?? "")) at++;
    } else if (c === '"') {
      kind = "text";
      at++;
      while (at < query.length && query[at] !== '"') at += query[at] === "\\" ? 2 : 1;
      at = Math.min(at + 1, query.length);
    } else if (BREAK.test(c)) {
      kind = "mark";
      at += /[<>]/.test(c) && query[at + 1] === "=" ? 2 : 1;
    } else {
      while (at < query.length && !BREAK.test(query[at] ?? "")) at += query[at] === "\\" ? 2 : 1;
      at = Math.min(at, query.length);
    }
    out.push({ kind, text: query.slice(from, at), from, to: at });
  }
  return out;
}

/** What is expected at the caret. */
export function contextAt(query: string, caret: number): Context {
  let place: Place = "field";
  let field = "";
  let word = "";
  const groups: string[] = [];
  const here = (from: number, to: number, quoted = false): Context => ({
    place,
    field: place === "value" || place === "operator" ? field : "",
    prefix: query.slice(from, caret),
    from,
    to,
    quoted,
  });
  for (const p of pieces(query)) {
    if (p.from >= caret) break;
    const inside = caret <= p.to;
    if (p.kind === "word") {
      if (place === "word" || place === "operator") {
        if (inside) return { ...here(p.from, p.to), place: "word", field: "" };
        if (JOIN.test(p.text)) place = groups.at(-1) ? "value" : "field";
        continue;
      }
      if (inside) return here(p.from, p.to);
      if (p.text.toLowerCase() === "not" && place === "field") continue;
      if (place === "field") {
        word = p.text;
        field = p.text;
        place = "operator";
      } else place = "word";
    } else if (p.kind === "text") {
      if (inside && !(caret === p.to && p.text.length > 1 && p.text.endsWith('"'))) return { ...here(p.from, p.to, true), prefix: query.slice(p.from + 1, caret) };
      place = "word";
    } else if (p.kind === "mark") {
      if (p.text === "(") {
        groups.push(place === "value" ? field : "");
      } else if (p.text === ")") {
        groups.pop();
        place = "word";
      } else if (p.text !== "{" && p.text !== "}") {
        field = word;
        place = "value";
      }
    }
    if (place === "value" && groups.at(-1)) field = groups.at(-1) ?? field;
  }
  const at = here(caret, caret);
  return at;
}

export interface Choice {
  /** What stands in the query after it was chosen. */
  insert: string;
  label: string;
  kind: Place;
  detail: string;
}

/** A value as KQL writes it; quoted where it would be read otherwise. */
export function quote(value: string): string {
  if (value !== "" && !/[\s\\():<>"*{}]/.test(value) && !JOIN.test(value)) return value;
  return `"${value.replace(/[\\"]/g, "\\$&")}"`;
}

const NUMBERS = new Set(["long", "integer", "short", "byte", "double", "float", "half_float", "scaled_float", "unsigned_long", "date", "ip"]);

/** Fields whose name holds the prefix, those that begin with it first. */
export function fieldChoices(prefix: string, fields: Iterable<FieldInfo>, most = 12): Choice[] {
  const p = prefix.toLowerCase();
  const ranked: { rank: number; f: FieldInfo }[] = [];
  for (const f of fields) {
    if (!f.searchable) continue;
    const name = f.name.toLowerCase();
    const at = name.indexOf(p);
    if (at < 0) continue;
    const rank = at === 0 ? 0 : name[at - 1] === "." ? 1 : 2;
    ranked.push({ rank, f });
  }
  ranked.sort((a, b) => a.rank - b.rank || a.f.name.length - b.f.name.length || (a.f.name < b.f.name ? -1 : 1));
  return ranked.slice(0, most).map(({ f }) => ({ insert: `${f.name} `, label: f.name, kind: "field", detail: f.type }));
}

/** Operators that suit a field. */
export function operatorChoices(field: FieldInfo | undefined, prefix: string): Choice[] {
  const all: [string, string][] = [
    [": ", "equals some value"],
    [": *", "exists in any form"],
  ];
  if (!field || NUMBERS.has(field.type)) {
    all.push([">= ", "greater than or equal to"], ["<= ", "less than or equal to"], ["> ", "greater than"], ["< ", "less than"]);
  }
  return all.filter(([o]) => o.startsWith(prefix)).map(([insert, detail]) => ({ insert, label: insert.trim(), kind: "operator", detail }));
}

export function wordChoices(prefix: string): Choice[] {
  const p = prefix.toLowerCase();
  return [
    ["and", "both"],
    ["or", "either"],
  ]
    .filter(([w]) => (w ?? "").startsWith(p))
    .map(([w, detail]) => ({ insert: `${w ?? ""} `, label: w ?? "", kind: "word", detail: detail ?? "" }));
}

/** Puts a choice in the text; answers the new text and where the caret then is. */
export function apply(query: string, at: Context, insert: string): { text: string; caret: number } {
  const after = query.slice(at.to);
  const trimmed = insert.endsWith(" ") && /^[\s:<>)]/.test(after) ? insert.slice(0, -1) : insert;
  const head = query.slice(0, at.from);
  return { text: head + trimmed + after, caret: head.length + (after.startsWith(" ") ? insert : trimmed).length };
}

/** A regular expression of Elasticsearch for values that begin with a text. */
export function startsWith(prefix: string): string {
  return `${prefix.replace(/[.?+*|{}[\]()"\\#@&<>~^$-]/g, "\\$&")}.*`;
}
