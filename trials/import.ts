// The corpus of hostile files, uploaded to a real `hone serve` as the browser does it: each is accepted with the right number
// of rows, or refused with line and field; nothing is imported by halves; the server's memory stays bounded, also when all of
// it and a million rows went through one process.
// npm run trials -- import [rows 1000000]
import fs from 'node:fs'
import http from 'node:http'
import { join } from 'node:path'
import { bigCases, type Expected, smallCases } from '../src/data/hostile-corpus.test-data.ts'
import { writeRowsFile } from './worlds/many-rows.ts'
import {
  makeEmptyWorkspace,
  must,
  type Reply,
  type Serving,
  setUpBy,
  startServing,
  type Visitor,
} from './worlds/visitors.ts'

const MOST_PEAK_MEGABYTES = 512
const [rows = '1000000'] = process.argv.slice(2)
const workspace = makeEmptyWorkspace('hone-import-')
const files = join(workspace, 'files')
fs.mkdirSync(files)
const serving = await startServing(workspace)
const lead = await setUpBy(serving)
const failures: string[] = []
const before = peakMegabytes(serving)
try {
  const cases = [
    ...smallCases().map(({ content, ...rest }) => ({
      ...rest,
      write: (path: string) => fs.writeFileSync(path, content),
    })),
    ...bigCases(),
  ]
  let accepted = 0
  for (const [i, { file, kind, write, expected }] of cases.entries()) {
    const path = join(files, 'upload')
    write(path)
    const name = `n${i}`
    const query = `kind=${kind}&file=${encodeURIComponent(file)}`
    const reply = await upload(lead, `/api/projects/desk/datasets/${name}?${query}`, path)
    fs.rmSync(path)
    const problem = complaint(expected, reply)
    if (problem !== undefined) failures.push(`${file}: ${problem}`)
    const { datasets } = (await must(lead, 'GET /api/projects/desk/datasets')) as { datasets: { name: string }[] }
    const isThere = datasets.some((dataset) => dataset.name === name)
    if (isThere !== (typeof expected === 'number')) failures.push(`${file}: ${isThere ? 'is' : 'is not'} there`)
    accepted += Number(isThere)
  }
  const peak = peakMegabytes(serving)
  console.log(
    `${cases.length} files, ${accepted} accepted, ${cases.length - accepted} refused; peak memory of the server ${peak.toFixed(0)} MiB (${before.toFixed(0)} before)`,
  )
  if (Number(rows) > 0) {
    const path = join(files, 'many.jsonl')
    const bytes = writeRowsFile(path, Number(rows))
    const began = performance.now()
    const reply = await upload(lead, '/api/projects/desk/datasets/many?kind=demonstrations&file=many.jsonl', path)
    const seconds = (performance.now() - began) / 1000
    if ((reply.json as { rows?: number }).rows !== Number(rows)) failures.push(`${rows} rows: ${reply.text}`)
    console.log(
      `${rows} rows, ${(bytes / 1e6).toFixed(0)} MB: imported in ${seconds.toFixed(1)} s; peak memory ${peakMegabytes(serving).toFixed(0)} MiB`,
    )
  }
  if (peakMegabytes(serving) > MOST_PEAK_MEGABYTES) failures.push(`peak memory beyond ${MOST_PEAK_MEGABYTES} MiB`)
  const hidden = fs.readdirSync(workspace, { recursive: true, encoding: 'utf8' }).filter(isLeftover)
  if (hidden.length > 0) failures.push(`left lying about: ${hidden.join(', ')}`)
} finally {
  lead.close()
  await serving.stop()
  if (serving.said() !== '') failures.push(`the server told of defects: ${serving.said()}`)
  fs.rmSync(workspace, { recursive: true, force: true })
}
for (const failure of failures) console.log(`FAILED ${failure}`)
process.exit(failures.length > 0 ? 1 : 0)

/** What is wrong with the answer, or undefined. */
function complaint(expected: Expected, { status, json, text }: Reply): string | undefined {
  if (typeof expected === 'number') {
    const { rows: count } = json as { rows?: number }
    return status === 200 && count === expected ? undefined : `expected ${expected} rows, got ${status} ${text}`
  }
  const { message } = (json as { error: { message: string } }).error
  const [, place = '', words = ''] = /^(\d+(?::\d+)?)? ?(.*)$/s.exec(expected)!
  const isThere = place === '' || new RegExp(`^[^:]+:${place}(?!\\d)`).test(message)
  return status === 422 && isThere && message.includes(words) && !message.includes(workspace)
    ? undefined
    : `expected ${expected}, got ${status} ${message}`
}

/** The largest it ever was. */
function peakMegabytes({ process: server }: Serving): number {
  return Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync(`/proc/${server.pid}/status`, 'utf8'))![1]) / 1024
}

function isLeftover(path: string): boolean {
  return !path.startsWith('postgres') && /(^|\/)\.(upload|.*writing)-/.test(path)
}

/** Streamed, so that this process holds no file whole either. */
function upload(who: Visitor, path: string, file: string): Promise<Reply> {
  const { hostname, port, origin } = new URL(serving.url)
  const headers = {
    origin,
    'sec-fetch-site': 'same-origin',
    cookie: who.cookie()!,
    'content-type': 'application/octet-stream',
    'content-length': fs.statSync(file).size,
  }
  return new Promise((done, fail) => {
    const request = http.request({ hostname, port, path, method: 'POST', headers, agent: false }, (response) => {
      const pieces: Buffer[] = []
      response.on('data', (piece: Buffer) => pieces.push(piece))
      response.on('end', () => {
        const text = Buffer.concat(pieces).toString()
        done({ status: response.statusCode!, json: JSON.parse(text) as unknown, text })
      })
    })
    request.on('error', fail)
    fs.createReadStream(file).pipe(request)
  })
}
