import type { Row } from "../model";
import { valueAt } from "../columns";
import { Facts, Section, text } from "./parts";
import { inert } from "../../core/format";
import { link, time } from "../../core/state";

/** Request and answer; of an error, the packet that it is about. */
export function Icmp({ row }: { row: Row }) {
  const quoted = text(row, "icmp.quoted.community_id");
  return (
    <>
      <div class="halves">
        <Half row={row} side="request" title="Request" none="no request was seen" />
        <Half row={row} side="response" title="Answer" none="no answer was seen" />
      </div>
      <Facts
        row={row}
        list={[
          ["icmp.id", "Id"],
          ["icmp.sequence", "Sequence"],
          ["icmp.version", "Version"],
          ["icmp.gateway", "Better first hop"],
          ["icmp.mtu", "Largest packet"],
          ["icmp.target", "Address in question"],
          ["icmp.pointer", "Where in the packet"],
        ]}
      />
      {valueAt(row.source, "icmp.quoted") !== undefined ? (
        <Section
          title="The packet it is about"
          aside={quoted ? <a href={link("discover", { time: time.value, filters: [{ field: "network.community_id", op: "is", value: quoted }] })}>its flow</a> : null}
        >
          <Facts
            row={row}
            list={[
              ["icmp.quoted.transport", "Transport"],
              ["icmp.quoted.source.ip", "Source"],
              ["icmp.quoted.source.port", "Port"],
              ["icmp.quoted.destination.ip", "Destination"],
              ["icmp.quoted.destination.port", "Port"],
            ]}
          />
        </Section>
      ) : null}
    </>
  );
}

function Half({ row, side, title, none }: { row: Row; side: string; title: string; none: string }) {
  const message = text(row, `icmp.${side}.message`);
  return (
    <section class="half">
      <h3>{title}</h3>
      {message || text(row, `icmp.${side}.type`) ? (
        <p class="first-line">
          <b>{inert(message, 100)}</b>{" "}
          <span class="quiet-text">
            type {text(row, `icmp.${side}.type`)}, code {text(row, `icmp.${side}.code`)}
          </span>
        </p>
      ) : (
        <p class="first-line none">{none}</p>
      )}
    </section>
  );
}
