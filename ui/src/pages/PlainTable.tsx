import { Fragment, type ComponentChildren } from "preact";

export interface Column<R> {
  name: ComponentChildren;
  /** Numbers stand right. */
  num?: boolean;
  /** Names its row. */
  heads?: boolean;
  cell: (row: R) => ComponentChildren;
  /** More classes of the cell. */
  class?: (row: R) => string;
}

interface Props<R> {
  /** What the table is called; it scrolls by itself where it is too wide. */
  label: string;
  columns: Column<R>[];
  rows: R[];
  id: (row: R) => string;
  rowClass?: (row: R) => string;
  /** A row of its own below one. */
  below?: (row: R) => ComponentChildren;
}

/** A table of names and numbers. */
export function PlainTable<R>({ label, columns, rows, id, rowClass, below }: Props<R>) {
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label={label}>
      <table class="plain-table">
        <thead>
          <tr>
            {columns.map((c, i) => (
              <th key={i} scope="col" class={c.num ? "num" : ""}>
                {c.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            const under = below?.(row);
            return (
              <Fragment key={id(row)}>
                <tr class={rowClass?.(row) ?? ""}>
                  {columns.map((c, i) => {
                    const name = [c.num ? "num" : "", c.class?.(row) ?? ""].filter(Boolean).join(" ");
                    return c.heads ? (
                      <th key={i} scope="row" class={name}>
                        {c.cell(row)}
                      </th>
                    ) : (
                      <td key={i} class={name}>
                        {c.cell(row)}
                      </td>
                    );
                  })}
                </tr>
                {under ? (
                  <tr class="open-row">
                    <td colSpan={columns.length}>{under}</td>
                  </tr>
                ) : null}
              </Fragment>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
