import { useEffect, useRef, useState } from "preact/hooks";
import { fault } from "../core/es";
import { fields } from "../core/fields";
import { formatValue, inert } from "../core/format";
import { apply, contextAt, fieldChoices, operatorChoices, quote, wordChoices, type Choice, type Context } from "../core/kql";
import { index, language as languageOf, query as queryOf, tick } from "../core/state";
import type { Language } from "../core/url";
import { valuesOf } from "../core/values";
import { Icon } from "./icons";
import { bindKey } from "./keys";

interface Offer {
  at: Context;
  choices: Choice[];
}

/** The query: completion of fields, operators and values, and errors that point at the character. */
export function QueryInput({ value, language }: { value: string; language: Language }) {
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(value);
  const [offer, setOffer] = useState<Offer | null>(null);
  const [active, setActive] = useState(-1);
  const asked = useRef<AbortController | null>(null);
  useEffect(() => setText(value), [value]);
  useEffect(
    () =>
      bindKey("/", () => {
        input.current?.focus();
        input.current?.select();
      }),
    [],
  );

  const suggest = () => {
    const element = input.current;
    asked.current?.abort();
    if (!element || language !== "kuery") return setOffer(null);
    const at = contextAt(element.value, element.selectionStart ?? element.value.length);
    const field = fields.value.get(at.field);
    setActive(-1);
    if (at.place === "field") {
      const choices = fieldChoices(at.prefix, fields.value.values());
      if (choices.length === 1 && choices[0]?.label === at.prefix) return setOffer({ at: { ...at, from: at.to, prefix: "" }, choices: operatorChoices(field, "") });
      return setOffer({ at, choices: at.prefix && "not".startsWith(at.prefix.toLowerCase()) ? [...choices, NOT] : choices });
    }
    if (at.place === "operator") return setOffer({ at, choices: operatorChoices(field, at.prefix) });
    if (at.place === "word") return setOffer({ at, choices: wordChoices(at.prefix) });
    if (!field) return setOffer(null);
    const abort = new AbortController();
    asked.current = abort;
    valuesOf(index.value, field, at.prefix.replace(/\\(.)/g, "$1"), abort.signal).then(
      (values) => {
        if (abort.signal.aborted) return;
        const choices = values.map((v): Choice => ({ insert: `${quote(v.key)} `, label: v.key, kind: "value", detail: formatValue(v.count, "count") }));
        setOffer(choices.length ? { at, choices } : null);
      },
      () => undefined,
    );
  };

  const take = (i: number) => {
    const choice = offer?.choices[i];
    const element = input.current;
    if (!offer || !choice || !element) return;
    const next = apply(text, offer.at, choice.insert);
    setText(next.text);
    element.value = next.text;
    element.focus();
    element.setSelectionRange(next.caret, next.caret);
    suggest();
  };

  const commit = () => {
    asked.current?.abort();
    setOffer(null);
    const clean = text.trim();
    if (clean === queryOf.value) tick.value++;
    else queryOf.value = clean;
  };

  const key = (e: KeyboardEvent) => {
    const n = offer?.choices.length ?? 0;
    if (e.key === "ArrowDown" && n) setActive((active + 1) % n);
    else if (e.key === "ArrowUp" && n) setActive((active <= 0 ? n : active) - 1);
    else if (e.key === "ArrowDown") suggest();
    else if (e.key === "Enter") active >= 0 ? take(active) : commit();
    else if (e.key === "Tab" && active >= 0 && !e.shiftKey) take(active);
    else if (e.key === "Escape" && n) setOffer(null);
    else if (e.key === "Escape") input.current?.blur();
    else return;
    e.preventDefault();
    e.stopPropagation();
  };

  const wrong = fault.value;
  const open = offer !== null && offer.choices.length > 0;
  return (
    <div class={wrong ? "query wrong" : "query"}>
      <span class="query-sign">
        <Icon name="search" />
      </span>
      <input
        ref={input}
        id="query"
        class="query-input"
        type="text"
        role="combobox"
        aria-label={language === "kuery" ? "Query (KQL)" : "Query (Lucene)"}
        aria-expanded={open}
        aria-controls="query-choices"
        aria-autocomplete="list"
        {...(active >= 0 ? { "aria-activedescendant": `choice-${active}` } : {})}
        {...(wrong ? { "aria-invalid": true, "aria-describedby": "query-fault" } : {})}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        placeholder={language === "kuery" ? "Search, e.g. status: Error and type: http" : "Search with Lucene, e.g. status:Error AND type:http"}
        value={text}
        onInput={(e) => {
          setText(e.currentTarget.value);
          suggest();
        }}
        onClick={suggest}
        onFocus={suggest}
        onKeyDown={key}
        onBlur={() => {
          setOffer(null);
          asked.current?.abort();
        }}
      />
      {text ? (
        <button
          type="button"
          class="icon-button small"
          aria-label="Clear the query"
          onClick={() => {
            setText("");
            queryOf.value = "";
            input.current?.focus();
          }}
        >
          <Icon name="close" size={14} />
        </button>
      ) : null}
      <button
        type="button"
        class="language"
        title={language === "kuery" ? "The query is KQL; change to Lucene" : "The query is Lucene; change to KQL"}
        aria-label={`Query language: ${language === "kuery" ? "KQL" : "Lucene"}; change`}
        onClick={() => (languageOf.value = language === "kuery" ? "lucene" : "kuery")}
      >
        {language === "kuery" ? "KQL" : "Lucene"}
      </button>
      <ul id="query-choices" class="choices" role="listbox" aria-label="Completions" hidden={!open}>
        {offer?.choices.map((c, i) => (
          <li
            key={c.label}
            id={`choice-${i}`}
            role="option"
            aria-selected={i === active}
            onPointerDown={(e) => {
              e.preventDefault();
              take(i);
            }}
          >
            <span class={`choice-kind ${c.kind}`} aria-hidden="true">
              {SIGN[c.kind]}
            </span>
            <bdi class="choice-label" title={c.label}>
              {inert(c.label, 120)}
            </bdi>
            <span class="choice-detail">{c.detail}</span>
          </li>
        ))}
      </ul>
      {wrong && !open ? <Fault text={value} at={wrong.offset} reason={wrong.reason} show={() => input.current} /> : null}
    </div>
  );
}

const NOT: Choice = { insert: "not ", label: "not", kind: "word", detail: "the contrary" };
const SIGN = { field: "f", operator: "=", value: "v", word: "&" };

/** What is wrong with the query, and where. */
function Fault({ text, at, reason, show }: { text: string; at: number | undefined; reason: string; show: () => HTMLInputElement | null }) {
  const point = () => {
    const element = show();
    if (!element || at === undefined) return;
    element.focus();
    element.setSelectionRange(at, Math.min(text.length, at + 1));
  };
  return (
    <div class="fault" id="query-fault" role="alert">
      <p>
        <b>The query cannot be read{at === undefined ? "" : ` at character ${at + 1}`}.</b> {inert(reason, 300)}
      </p>
      {at === undefined ? null : (
        <button type="button" class="fault-text" onClick={point} title="Go to this character">
          <bdi>{inert(text.slice(Math.max(0, at - 60), at), 200)}</bdi>
          <mark>{at < text.length ? inert(text.slice(at, at + 1), 20) : " "}</mark>
          <bdi>{inert(text.slice(at + 1, at + 60), 200)}</bdi>
        </button>
      )}
    </div>
  );
}
