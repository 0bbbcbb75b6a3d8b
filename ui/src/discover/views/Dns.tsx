import { inert } from "../../core/format";
import { valueAt } from "../columns";
import { Value } from "../DocTable";
import type { Row } from "../model";
import { Facts, Section, text } from "./parts";

const MOST = 100;

/** Question and answers. */
export function Dns({ row }: { row: Row }) {
  const code = text(row, "dns.type") === "query" ? "" : text(row, "dns.response_code");
  return (
    <>
      <Section title="Question" aside={text(row, "dns.op_code")}>
        <p class="first-line mono">
          <b>{inert(text(row, "dns.question.type"), 30)}</b> <bdi>{inert(text(row, "dns.question.name"), 300) || "–"}</bdi> <span class="quiet-text">{inert(text(row, "dns.question.class"), 20)}</span>
        </p>
      </Section>
      <Section title="Answer" aside={code ? <span class={`tone ${code === "NOERROR" ? "ok" : "warn"}`}>{inert(code, 40)}</span> : "no answer was seen"}>
        <Records row={row} field="dns.answers" title="Answers" />
        <Records row={row} field="dns.authorities" title="Authorities" />
        <Records row={row} field="dns.additionals" title="Additional" />
        <Facts
          row={row}
          list={[
            ["dns.resolved_ip", "Addresses"],
            ["dns.header_flags", "Flags"],
            ["dns.answers_count", "Answers"],
            ["dns.authorities_count", "Authorities"],
            ["dns.additionals_count", "Additional"],
            ["dns.question.registered_domain", "Registered domain"],
            ["dns.question.subdomain", "Below it"],
            ["dns.id", "Number"],
          ]}
        />
      </Section>
    </>
  );
}

interface Rr {
  name?: unknown;
  type?: unknown;
  ttl?: unknown;
  data?: unknown;
}

function Records({ row, field, title }: { row: Row; field: string; title: string }) {
  const value = valueAt(row.source, field);
  const list = (Array.isArray(value) ? value : value === undefined ? [] : [value]) as Rr[];
  if (list.length === 0) return null;
  const one = (v: unknown) => inert(v === undefined || v === null ? "" : String(v), 400);
  return (
    <div class="records" tabIndex={0} role="region" aria-label={title}>
      <table>
        <caption>{title}</caption>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Type</th>
            <th scope="col" class="num">
              TTL
            </th>
            <th scope="col">Data</th>
          </tr>
        </thead>
        <tbody>
          {list.slice(0, MOST).map((r, i) => (
            <tr key={i}>
              <td>
                <bdi>{one(r.name)}</bdi>
              </td>
              <td>{one(r.type)}</td>
              <td class="num">{r.ttl === undefined ? "" : `${one(r.ttl)} s`}</td>
              <td>
                <Value field={`${field}.data`} value={r.data} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {list.length > MOST ? <p class="sizes">{list.length - MOST} more; the table and the JSON have all</p> : null}
    </div>
  );
}
