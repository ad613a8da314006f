// hone chat: a conversation at the terminal, or over piped lines. With a chat template the whole conversation goes
// through it; without one each message is a prompt by itself, exactly as typed, for that is what such a model was made of.
import { createInterface } from 'node:readline'
import { DataError } from '#errors'
import type { Drawing } from '#sampler'
import type { Message, Prompt } from '#schema'
import type { JsonGrammar } from '#text'
import type { Command } from 'commander'
import {
  addDrawingFlags,
  drawCompletions,
  type DrawingOptions,
  JSON_SCHEMA_FLAG,
  type OpenModel,
  readDrawing,
  readGrammar,
  withModel,
} from './completions.ts'
import { DTYPE_FLAG } from './dtype.ts'
import { output } from './output.ts'

type Options = {
  model: string
  system?: string
  jsonSchema?: string
  device: string
  dtype?: string
  json?: boolean
} & DrawingOptions

export function chatCommand(program: Command): void {
  const command = program
    .command('chat')
    .description('talk to any checkpoint or Hugging Face folder')
    .requiredOption('--model <model>', 'folder, run, or base, the bundled one')
    .option('--system <text>', 'system message; needs a chat template')
    .option('--device <device>', 'cpu, or cuda:0', 'cpu')
    .option(...DTYPE_FLAG)
    .option('--json', 'one event an answer, as JSON lines on standard output')
  addDrawingFlags(command, { temperature: 0.7 })
    .option(...JSON_SCHEMA_FLAG)
    .action(chat)
}

async function chat(options: Options): Promise<void> {
  const drawing = readDrawing(options, { temperature: 0.7 })
  const grammar = readGrammar(options)
  await withModel(
    { name: options.model, device: options.device, ...(options.dtype && { dtype: options.dtype }) },
    (opened) => talk(opened, { drawing, grammar, options }),
  )
}

type Talk = { drawing: Drawing; grammar: JsonGrammar | undefined; options: Options }

async function talk(opened: OpenModel, { drawing, grammar, options }: Talk): Promise<void> {
  const out = output(options)
  const { template, folder } = opened.tokenizer
  if (options.system !== undefined && !template)
    throw new DataError('has no chat template, so --system would be ignored', { file: folder })
  const opening: Message[] = options.system === undefined ? [] : [{ role: 'system', content: options.system }]
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: process.stdin.isTTY })
  let controller = new AbortController()
  let isAnswering = false
  // Ctrl-C ends the answer; between answers it ends the conversation.
  lines.on('SIGINT', () => (isAnswering ? controller.abort() : lines.close()))
  process.stderr.write(
    `${template ? 'The conversation goes through the chat template.' : 'No chat template: each message is a prompt by itself, exactly as typed.'} End a line with \\ to go on in the next; /reset, /quit.\n`,
  )
  lines.setPrompt('> ')
  lines.prompt()
  let history = opening
  let turn = 0
  let message = ''
  for await (const line of lines) {
    message += line.endsWith('\\') ? `${line.slice(0, -1)}\n` : line
    if (line.endsWith('\\')) continue
    const said = message
    message = ''
    if (said === '/quit') break
    if (said === '/reset') history = opening
    else if (said !== '') {
      controller = new AbortController()
      isAnswering = true
      const asked: Message[] = [...history, { role: 'user', content: said }]
      const answer = await answerTo(opened, template ? asked : said, {
        drawing: { ...drawing, seed: drawing.seed + turn++ },
        grammar,
        signal: controller.signal,
        write: (text) => void (out.json || process.stdout.write(text)),
      })
      isAnswering = false
      if (answer !== undefined) {
        out.event({ event: 'answer', prompt: said, ...answer })
        out.print('')
        history = [...asked, { role: 'assistant', content: answer.completion }]
      }
    }
    lines.prompt()
  }
  lines.close()
}

/** Undefined when the message is too long or the template refuses it: that is said, and the conversation stands as before. */
async function answerTo(
  opened: OpenModel,
  prompt: Prompt,
  {
    drawing,
    grammar,
    signal,
    write,
  }: Pick<Talk, 'drawing' | 'grammar'> & { signal: AbortSignal; write: (text: string) => void },
): Promise<{ completion: string; finished: boolean } | undefined> {
  const answer = { completion: '', finished: false }
  try {
    for await (const { text, done } of drawCompletions(opened, [prompt], { drawing, grammar, signal })) {
      answer.completion += text
      answer.finished = done?.finished ?? false
      write(text)
    }
    return answer
  } catch (error) {
    if (!(error instanceof DataError)) throw error
    process.stderr.write(`${error.message}\n`)
    return undefined
  }
}
