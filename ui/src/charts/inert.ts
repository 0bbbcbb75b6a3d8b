// Captured text as it may be shown: control and direction characters become visible, nothing is interpreted.
const LONGEST = 400;

function visible(c: string): string {
  const code = c.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return "\u2421";
  return `\\u{${code.toString(16)}}`;
}

const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

export function inert(text: string, longest = LONGEST): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}…` : text;
  return cut.replace(HIDDEN, visible);
}

/** JSON laid out, still JSON: what is not visible is escaped as JSON does it. */
export function inertJson(value: unknown): string {
  const escaped = (c: string) => (c === "\n" ? c : `\\u${(c.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`);
  return JSON.stringify(value, null, 2).replace(HIDDEN, escaped);
}
