import { formatValue } from "../../core/format";
import type { Row } from "../model";
import { Facts, number, Section, text, written } from "./parts";

/** What each side sent, and how the connection did. */
export function FlowView({ row }: { row: Row }) {
  return (
    <>
      <Section title="Sent" aside={text(row, "flow.final") === "true" ? "the last record" : "a record in between"}>
        <table class="sent">
          <thead>
            <tr>
              <th scope="col" />
              <th scope="col" class="num">
                Bytes
              </th>
              <th scope="col" class="num">
                Packets
              </th>
              <th scope="col" class="num">
                Bytes since it began
              </th>
              <th scope="col" class="num">
                Packets since it began
              </th>
            </tr>
          </thead>
          <tbody>
            {(["source", "destination"] as const).map((side) => (
              <tr key={side}>
                <th scope="row">{side === "source" ? "Source" : "Destination"}</th>
                {[`${side}.bytes`, `${side}.packets`, `flow.total.${side}.bytes`, `flow.total.${side}.packets`].map((f) => (
                  <td class="num" key={f}>
                    {number(row, f) === null ? "–" : written(row, f)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">Both</th>
              {["network.bytes", "network.packets", "flow.total.bytes", "flow.total.packets"].map((f) => (
                <td class="num" key={f}>
                  {number(row, f) === null ? "–" : f.endsWith("bytes") ? written(row, f) : formatValue(number(row, f), "count")}
                </td>
              ))}
            </tr>
          </tfoot>
        </table>
      </Section>
      <Section title="Connection">
        <Facts
          row={row}
          list={[
            ["network.transport", "Transport"],
            ["network.protocol", "Protocol"],
            ["flow.end_reason", "Ended by"],
            ["flow.tcp.state", "State"],
            ["flow.tcp.handshake_rtt", "Round trip"],
            ["flow.tcp.retransmits", "Sent again"],
            ["flow.tcp.out_of_order", "Out of order"],
            ["flow.tcp.lost_bytes", "Not captured"],
            ["flow.tcp.flags.source", "Flags of the source"],
            ["flow.tcp.flags.destination", "Flags of the destination"],
            ["flow.icmp_error", "ICMP errors"],
            ["flow.vlan", "VLAN"],
            ["source.mac", "Source’s MAC"],
            ["destination.mac", "Destination’s MAC"],
            ["network.community_id", "Community ID"],
            ["flow.id", "Flow"],
          ]}
        />
      </Section>
    </>
  );
}
