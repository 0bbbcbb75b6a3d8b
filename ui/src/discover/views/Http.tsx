import { useState } from "preact/hooks";
import { formatValue, inert } from "../../core/format";
import { valueAt } from "../columns";
import { Value } from "../DocTable";
import { codeTone } from "../GridRow";
import { LongText } from "../LongText";
import type { Row } from "../model";
import { laidOut } from "../texts";
import { number, text, written } from "./parts";

/** Request beside response: line, headers, body. */
export function Http({ row }: { row: Row }) {
  const code = number(row, "http.response.status_code");
  const target = text(row, "url.original") || text(row, "url.path");
  return (
    <div class="halves">
      <section class="half">
        <h3>Request</h3>
        <p class="first-line mono">
          <b>{inert(text(row, "http.request.method"), 40)}</b> <bdi>{inert(target, 4000)}</bdi> {text(row, "http.version") ? <span class="quiet-text">HTTP/{text(row, "http.version")}</span> : null}
        </p>
        <p class="sizes">{size(row, "request")}</p>
        <Headers row={row} side="request" />
        <BodyText row={row} side="request" />
      </section>
      <section class="half">
        <h3>Response</h3>
        {code === null ? (
          <p class="first-line none">no response was seen</p>
        ) : (
          <p class="first-line mono">
            <b class={`tone ${codeTone(code)}`}>{code}</b> <bdi>{inert(text(row, "http.response.status_phrase"), 200)}</bdi>
          </p>
        )}
        <p class="sizes">{size(row, "response")}</p>
        {code === null ? null : <Headers row={row} side="response" />}
        <BodyText row={row} side="response" />
      </section>
    </div>
  );
}

function size(row: Row, side: string): string {
  const whole = written(row, `http.${side}.bytes`);
  const body = written(row, `http.${side}.body.bytes`);
  const type = text(row, `http.${side}.mime_type`);
  const exact = number(row, `http.${side}.body.bytes`) ?? 0;
  return [whole, body ? `body ${body}${exact >= 1024 ? ` (${formatValue(exact, "count")} bytes)` : ""}` : "", inert(type, 80)].filter(Boolean).join(" · ");
}

const FIRST = 40;

function Headers({ row, side }: { row: Row; side: "request" | "response" }) {
  const field = `http.${side}.headers`;
  const value = valueAt(row.source, field);
  const [most, setMost] = useState(FIRST);
  const list = typeof value === "object" && value !== null ? Object.entries(value) : [];
  if (list.length === 0) return <p class="sizes">Headers are not kept.</p>;
  return (
    <>
      <dl class="pairs headers">
        {list.slice(0, most).map(([name, v]) => (
          <div class="pair" key={name}>
            <dt title={name}>{inert(name, 80)}</dt>
            <dd>
              {(Array.isArray(v) ? v : [v]).map((one, i) => (
                <Value key={i} field={`${field}.${name}`} value={one} text={typeof one === "string" && one.length <= 400 ? inert(one) : String(one)} />
              ))}
            </dd>
          </div>
        ))}
      </dl>
      {list.length > most ? (
        <button type="button" class="link-button" onClick={() => setMost(most * 5)}>
          {list.length - most} more headers
        </button>
      ) : null}
    </>
  );
}

/** The body; JSON is laid out. */
function BodyText({ row, side }: { row: Row; side: "request" | "response" }) {
  const body = text(row, `http.${side}.body.content`);
  if (body === "") return null;
  return (
    <div class="body-text">
      <h4>Body</h4>
      <LongText text={laidOut(body)} />
    </div>
  );
}
