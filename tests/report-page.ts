// What the page of any report promises, asked of the page itself, in a browser. As text, since the DOM's types are not
// those of this program.

/** Columns in which no row says anything; those of the numbers behind a chart aside. */
export const EMPTY_COLUMNS = String.raw`[...document.querySelectorAll('table')].flatMap((table) => {
  const rows = [...table.tBodies[0].rows]
  const says = (column) => rows.some((row) => !/^[\s\u2013]*$/.test(row.cells[column].textContent))
  return table.closest('.numbers') ? [] : [...table.tHead.rows[0].cells].flatMap((head, i) => (says(i) ? [] : [head.textContent]))
})`

/** Figures that draw an interval without any width. */
export const POINT_INTERVALS = `[...document.querySelectorAll('figure')].flatMap((figure) =>
  [...figure.querySelectorAll('.whisker')].some(({ x1, x2, y1, y2 }) => x1.baseVal.value === x2.baseVal.value && y1.baseVal.value === y2.baseVal.value)
    ? [figure.querySelector('h3').textContent]
    : [],
)`
