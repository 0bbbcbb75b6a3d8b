import { useState } from "preact/hooks";
import { formatValue, inert } from "../core/format";

const PART = 16_384;

/** A text that may be long: the first part, and more when it is wanted. Lines stay lines; all else that is not visible is made so. */
export function LongText({ text, class: name = "" }: { text: string; class?: string }) {
  const [parts, setParts] = useState(1);
  const end = parts * PART;
  const shown = text
    .slice(0, end)
    .split("\n")
    .map((l) => inert(l.replace(/\r$/, "").replace(/\t/g, "    "), Infinity))
    .join("\n");
  return (
    <>
      <pre class={`long ${name}`} tabIndex={0}>
        {shown}
      </pre>
      {text.length > end ? (
        <button type="button" class="link-button" onClick={() => setParts(parts * 2)}>
          Show more ({formatValue(end, "count")} of {formatValue(text.length, "count")} characters are shown)
        </button>
      ) : null}
    </>
  );
}
