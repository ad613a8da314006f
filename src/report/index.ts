// report.html: what one turn of the loop did, as one file for people; of a workspace, its technical figures side by side.
// Reads a Report (see schema), or rows of figures, and knows nothing else.
export { renderReport } from './page.ts'
export type { TechnicalRow } from './technical.ts'
export { renderTechnical, type Technical } from './technical-page.ts'
