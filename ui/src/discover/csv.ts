// Cells and lines of a CSV file (RFC 4180). A spreadsheet must never take a captured text for a formula.

/** A cell: quoted where needed; a text that a spreadsheet would compute gets an apostrophe before it. */
export function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  let text = typeof value === "string" ? value : Array.isArray(value) && value.every((v) => typeof v !== "object") ? value.join(", ") : JSON.stringify(value);
  if (/^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

export function line(values: unknown[]): string {
  return `${values.map(cell).join(",")}\r\n`;
}
