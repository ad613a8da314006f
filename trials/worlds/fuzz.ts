// Hostile files by mutation: each is written, judged, and counted as accepted or as refused with one DataError. What a
// format's judge says against an accepted file, and any other error, is what should not have happened.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DataError } from '#errors'
import { type Generator, generator } from '#stats'

export type FuzzCounts = {
  files: number
  accepted: number
  refused: number
  wrong: string[]
  /** Refusals by their message, names and numbers left out. */
  messages: Map<string, number>
}

/** `prepare` gets a folder of its own and answers what makes a file, and what judges one that was read. */
export function fuzzFiles({
  count,
  seed,
  name,
  prepare,
}: {
  count: number
  seed: number
  name: string
  prepare: (folder: string) => {
    make: (random: Generator) => Buffer
    /** Reads the file; undefined: all is well. */
    judge: (file: string, bytes: Buffer) => string | undefined
  }
}): FuzzCounts {
  const folder = fs.mkdtempSync(join(tmpdir(), 'hone-fuzz-'))
  const file = join(folder, name)
  const random = generator(seed)
  const counts: FuzzCounts = { files: 0, accepted: 0, refused: 0, wrong: [], messages: new Map() }
  try {
    const { make, judge } = prepare(folder)
    for (let i = 0; i < count; i++) {
      const bytes = make(random)
      fs.rmSync(file, { force: true }) // some file systems flush a file that is truncated and written again
      fs.writeFileSync(file, bytes)
      counts.files++
      try {
        const wrong = judge(file, bytes)
        counts.accepted++
        if (wrong) counts.wrong.push(`file ${i}: ${wrong}`)
      } catch (error) {
        counts.refused++
        if (!(error instanceof DataError)) counts.wrong.push(`file ${i}: ${String(error)}`)
        else tally(counts.messages, error.message.slice(file.length))
      }
    }
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
  return counts
}

/** The command line of such a trial: [COUNT] [SEED]; prints the counts and exits 1 if anything went wrong. */
export function fuzzFromCommandLine(fuzz: (o: { count: number; seed: number }) => FuzzCounts, count: number): never {
  const start = performance.now()
  const { wrong, messages, ...counts } = fuzz({
    count: Number(process.argv[2] ?? count),
    seed: Number(process.argv[3] ?? 1),
  })
  const seconds = Number(((performance.now() - start) / 1000).toFixed(1))
  for (const [message, n] of [...messages].sort((a, b) => b[1] - a[1]).slice(0, 40)) console.log(`${n}\t${message}`)
  const peakMegabytes = Math.round(process.resourceUsage().maxRSS / 1024)
  console.log({ ...counts, wrong: wrong.length, kinds: messages.size, peakMegabytes, seconds })
  for (const line of wrong.slice(0, 10)) console.log(line)
  process.exit(wrong.length === 0 ? 0 : 1)
}

function tally(messages: Map<string, number>, message: string): void {
  const kind = message.replace(/"(?:[^"\\]|\\.)*"|[\d-]+/g, '#').slice(0, 90)
  messages.set(kind, (messages.get(kind) ?? 0) + 1)
}
