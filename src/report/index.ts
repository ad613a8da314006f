// report.html: what one turn of the loop did, as one file for people. Reads a Report (see schema) and knows nothing else.
export { renderReport } from './page.ts'
