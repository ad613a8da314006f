// Demonstrations by the million, as a customer service writes them: some hundred bytes each, one in twenty nearly another.
import fs from 'node:fs'
import { generator } from '#stats'

const WORDS =
  'order parcel refund invoice late broken green lamp shelf please help today yesterday account number card address change cancel never always Tuesday customer desk answer question delivery window return label warranty receipt chair table kettle mirror'.split(
    ' ',
  )
const ROWS_AT_ONCE = 2000

/** Answers the bytes written. */
export function writeRowsFile(path: string, rows: number, seed = 1): number {
  const random = generator(seed)
  const sentence = (words: number): string =>
    Array.from({ length: words }, () =>
      random.uniform() < 0.2 ? String(random.int(10_000)) : WORDS[random.int(WORDS.length)]!,
    ).join(' ')
  const fd = fs.openSync(path, 'w')
  let bytes = 0
  let held: { prompt: string; completion: string }[] = []
  for (let from = 0; from < rows; from += ROWS_AT_ONCE) {
    const now = Array.from({ length: Math.min(ROWS_AT_ONCE, rows - from) }, (_, i) => {
      const of = random.uniform() < 0.05 ? held[random.int(held.length || 1)] : undefined
      const row = of
        ? { prompt: of.prompt, completion: `${of.completion} Thanks.` }
        : { prompt: sentence(18), completion: `${sentence(22)}.` }
      return { group: `customer-${(from + i) % 50_000}`, ...row }
    })
    held = now
    bytes += fs.writeSync(fd, now.map((row) => `${JSON.stringify(row)}\n`).join(''))
  }
  fs.closeSync(fd)
  return bytes
}
