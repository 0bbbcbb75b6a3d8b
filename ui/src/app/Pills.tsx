import { useState } from "preact/hooks";
import { words, type Filter } from "../core/filter";
import { addFilter, changeFilter, filters, removeFilter } from "../core/state";
import { inert } from "../core/format";
import { FilterForm } from "./FilterForm";
import { Icon } from "./icons";
import { Popover } from "./Popover";

/** The filters beside the query. */
export function Pills() {
  const [open, setOpen] = useState<number | null>(null);
  const [adding, setAdding] = useState(false);
  const all = filters.value;
  return (
    <div class="pills" role="group" aria-label="Filters">
      {all.map((f, i) => (
        <Pill key={`${i} ${f.field}`} filter={f} open={open === i} toggle={() => setOpen(open === i ? null : i)} close={() => setOpen(null)} at={i} />
      ))}
      <div class="holder">
        <button type="button" class="pill-add" aria-haspopup="dialog" aria-expanded={adding} onClick={() => setAdding(!adding)}>
          <Icon name="plus" size={13} /> Add a filter
        </button>
        {adding ? (
          <Popover label="Add a filter" close={() => setAdding(false)}>
            <FilterForm
              done={(f) => {
                if (f) addFilter(f);
                setAdding(false);
              }}
            />
          </Popover>
        ) : null}
      </div>
      {all.length > 1 ? (
        <>
          <button type="button" class="pill-add" title="Include what is excluded, and the other way round" onClick={() => (filters.value = all.map((f) => ({ ...f, negate: !f.negate })))}>
            Invert all
          </button>
          <button type="button" class="pill-add" onClick={() => (filters.value = all.map((f) => ({ ...f, disabled: !all.every((g) => g.disabled) })))}>
            {all.every((f) => f.disabled) ? "Switch all on" : "Switch all off"}
          </button>
          <button type="button" class="pill-add" onClick={() => (filters.value = [])}>
            Remove all
          </button>
        </>
      ) : null}
    </div>
  );
}

interface PillProps {
  filter: Filter;
  open: boolean;
  toggle: () => void;
  close: () => void;
  at: number;
}

function Pill({ filter: f, open, toggle, close, at }: PillProps) {
  const [editing, setEditing] = useState(false);
  const w = words(f);
  const text = `${w.not ? "NOT " : ""}${w.name}${w.name ? ": " : ""}${w.value}`;
  const change = (c: Partial<Filter>) => {
    changeFilter(at, c);
    close();
  };
  return (
    <div class={`pill${f.negate ? " not" : ""}${f.disabled ? " off" : ""}`}>
      <button type="button" class="pill-text" aria-haspopup="dialog" aria-expanded={open} title={inert(text)} onClick={toggle}>
        {f.pinned ? <Icon name="pin" size={12} /> : null}
        {w.not ? <b>NOT</b> : null}
        {w.name ? <span class="pill-name">{w.name}:</span> : null}
        <bdi>{inert(w.value, 80)}</bdi>
        {f.disabled ? <span class="unseen">(switched off)</span> : null}
      </button>
      <button type="button" class="pill-x" aria-label={`Remove the filter ${inert(text, 80)}`} title="Remove" onClick={() => removeFilter(at)}>
        <Icon name="close" size={12} />
      </button>
      {open ? (
        <Popover
          label={`Filter ${inert(text, 60)}`}
          close={() => {
            setEditing(false);
            close();
          }}
        >
          {editing ? (
            <FilterForm
              start={f}
              done={(g) => {
                if (g) filters.value = filters.value.map((old, i) => (i === at ? g : old));
                setEditing(false);
                close();
              }}
            />
          ) : (
            <div class="menu">
              <button type="button" onClick={() => change({ negate: !f.negate })}>
                <Icon name={f.negate ? "plus" : "minus"} /> {f.negate ? "Include instead" : "Exclude instead"}
              </button>
              <button type="button" onClick={() => change({ disabled: !f.disabled })}>
                <Icon name="eye" /> {f.disabled ? "Switch on" : "Switch off"}
              </button>
              <button type="button" onClick={() => change({ pinned: !f.pinned })}>
                <Icon name="pin" /> {f.pinned ? "Unpin" : "Pin to all pages"}
              </button>
              <button type="button" onClick={() => setEditing(true)}>
                <Icon name="edit" /> Edit
              </button>
            </div>
          )}
        </Popover>
      ) : null}
    </div>
  );
}
