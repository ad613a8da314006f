// The terminal as lines: standard input is what a person types, questions go to standard error, so that standard output
// stays events.
import { createInterface } from 'node:readline'
import type { Terminal } from './judging.ts'

/** Of a terminal that does not say. */
const USUAL_WIDTH = 80

export function openTerminal(): { terminal: Terminal; close: () => void } {
  const reader = createInterface({ input: process.stdin, output: process.stderr, terminal: process.stdin.isTTY })
  const lines = reader[Symbol.asyncIterator]()
  reader.on('SIGINT', () => reader.close())
  const show = (text: string) => void process.stderr.write(`${text}\n`)
  const ask = async (question: string) => {
    reader.setPrompt(question)
    reader.prompt()
    const next = await lines.next()
    return next.done ? undefined : next.value
  }
  return { terminal: { ask, show, width: process.stderr.columns || USUAL_WIDTH }, close: () => reader.close() }
}
