import { useEffect } from "preact/hooks";
import { loadFields } from "../core/fields";
import { link } from "../core/state";
import { Detail } from "./Detail";
import "../charts/charts.css";
import "./styles/index.css";

/** One event on a page of its own. */
export function DocPage({ index, id }: { index: string; id: string }) {
  useEffect(() => void loadFields(index).catch(() => undefined), [index]);
  return (
    <main class="doc-page" id="main">
      <p class="crumbs">
        <a href={link("discover", { index: index.replace(/\d{4}\.\d{2}\.\d{2}$/, "*") })}>Discover</a> / {index} / <span class="mono">{id}</span>
      </p>
      <Detail index={index} id={id} />
    </main>
  );
}
