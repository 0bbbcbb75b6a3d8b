import { inert } from "../../core/format";
import { valueAt } from "../columns";
import type { Row } from "../model";

/** What was wrong or incomplete. */
export function Notes({ row }: { row: Row }) {
  const value = valueAt(row.source, "error.message");
  const list = (Array.isArray(value) ? value : [value]).filter((v): v is string => typeof v === "string" && v !== "");
  if (list.length === 0) return null;
  return (
    <ul class="doc-notes" aria-label="Notes">
      {list.slice(0, 10).map((n, i) => (
        <li key={i}>
          <bdi>{inert(n, 600)}</bdi>
        </li>
      ))}
    </ul>
  );
}
