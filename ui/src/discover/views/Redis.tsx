import { inert } from "../../core/format";
import { LongText } from "../LongText";
import type { Row } from "../model";
import { Facts, Section, text } from "./parts";
import { laidOut, words } from "../texts";

/** Command with its arguments, and the reply. */
export function Redis({ row }: { row: Row }) {
  const line = text(row, "query") || text(row, "request");
  const [command = text(row, "method"), ...args] = words(line);
  const error = text(row, "redis.error");
  const reply = text(row, "redis.return_value") || text(row, "response");
  return (
    <div class="halves">
      <section class="half">
        <h3>Command</h3>
        <p class="first-line mono">
          <b>{inert(command.toUpperCase(), 60)}</b> {text(row, "resource") ? <bdi>{inert(text(row, "resource"), 300)}</bdi> : null}
        </p>
        {args.length ? (
          <ol class="args mono">
            {args.slice(0, 100).map((a, i) => (
              <li key={i}>
                <bdi>{inert(a, 400)}</bdi>
              </li>
            ))}
          </ol>
        ) : (
          <p class="sizes">no arguments</p>
        )}
        {args.length > 100 ? <p class="sizes">{args.length - 100} more</p> : null}
      </section>
      <section class="half">
        <h3>Reply</h3>
        {error ? (
          <>
            <p class="first-line">
              <span class="tone error">Error</span>
            </p>
            <LongText text={error} />
          </>
        ) : reply ? (
          <LongText text={laidOut(reply)} />
        ) : (
          <p class="sizes">{text(row, "event.end") && text(row, "status") === "OK" ? "an empty reply" : "no reply was seen"}</p>
        )}
      </section>
      <Section title="More">
        <Facts
          row={row}
          list={[
            ["status", "Status"],
            ["event.action", "Action"],
            ["redis.attributes", "Attributes"],
            ["network.bytes", "Bytes"],
          ]}
        />
      </Section>
    </div>
  );
}
