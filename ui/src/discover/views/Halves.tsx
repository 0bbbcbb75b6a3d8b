import { LongText } from "../LongText";
import type { Row } from "../model";
import { Facts, text } from "./parts";

/** A protocol without a view of its own: request and response as text, and the fields that all have. */
export function Halves({ row }: { row: Row }) {
  const request = text(row, "request") || text(row, "query");
  const response = text(row, "response");
  return (
    <>
      <div class="halves">
        <section class="half">
          <h3>Request</h3>
          {request ? <LongText text={request} /> : <p class="sizes">not kept</p>}
        </section>
        <section class="half">
          <h3>Response</h3>
          {response ? <LongText text={response} /> : <p class="sizes">not kept</p>}
        </section>
      </div>
      <Facts
        row={row}
        list={[
          ["method", "Method"],
          ["resource", "Resource"],
          ["path", "Path"],
          ["status", "Status"],
          ["event.outcome", "Outcome"],
        ]}
      />
    </>
  );
}
