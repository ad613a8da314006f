// Chat templates by @huggingface/jinja, in one child process a run: 64 MB of heap, 2 s a render, killed and started anew
// when a template exceeds them. A template is data from outside and may loop for ever or fill the memory.
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { DataError } from '#errors'
import type { Message } from '#schema'

/** `variables`: what templates expect beside the messages, such as bos_token. `file` is named in errors. */
export type ChatTemplate = { text: string; file: string; variables: Record<string, string> }

/** A template may refuse a row (roles that do not alternate, say): that concerns the row and not the template. */
export type Rendered = { text: string } | { refusal: string }

const HEAP_MB = 64
const LIMIT_MS = 2000
/** The child ends its own loop at the limit; only if it cannot is it killed from here. */
const GRACE_MS = 1000
/** Characters; the longest known template has 30 thousand. */
const LONGEST_TEMPLATE = 1_000_000

/** Text of the messages by the template. A refusal of the template, or a broken, endless or greedy one, is a DataError. */
export async function renderChat(
  template: ChatTemplate,
  messages: readonly Message[],
  o: { addGenerationPrompt: boolean },
): Promise<string> {
  const rendered = await tryRender(template, messages, o)
  if ('text' in rendered) return rendered.text
  throw new DataError(`the chat template refuses these messages: ${rendered.refusal}`, { file: template.file })
}

/** As renderChat, with a refusal as a value. */
export async function tryRender(
  template: ChatTemplate,
  messages: readonly Message[],
  { addGenerationPrompt }: { addGenerationPrompt: boolean },
): Promise<Rendered> {
  const { file, text, variables } = template
  if (text.length > LONGEST_TEMPLATE)
    throw new DataError(`expected a chat template of at most ${LONGEST_TEMPLATE} characters, got ${text.length}`, {
      file,
    })
  const answer = await inTurn(() =>
    ask({
      template: text,
      limitMs: LIMIT_MS,
      variables: { ...variables, messages, add_generation_prompt: addGenerationPrompt },
    }),
  )
  if ('text' in answer) return answer
  if (answer.problem === 'render') return { refusal: answer.message }
  if (answer.problem === 'syntax')
    throw new DataError(`the chat template cannot be parsed: ${answer.message}`, { file })
  if (answer.problem === 'timeout')
    throw new DataError(`the chat template did not end within ${LIMIT_MS / 1000} s; use another template`, { file })
  throw new DataError(`the chat template needs more than ${HEAP_MB} MB of memory; use another template`, { file })
}

/** Ends the child; the next render starts another. It also ends by itself with this process. */
export function closeTemplates(): void {
  child?.process.kill('SIGKILL')
  child = undefined
}

type Answer = { text: string } | { problem: 'timeout' | 'syntax' | 'render' | 'memory'; message: string }
type Job = { template: string; variables: Record<string, unknown>; limitMs: number }
type Child = { process: ChildProcess; isReady: Promise<void> }

let child: Child | undefined
let last: Promise<unknown> = Promise.resolve()

/** One render at a time, in the order asked. */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const result = last.then(work)
  last = result.catch(() => undefined)
  return result
}

async function ask(job: Job): Promise<Answer> {
  child ??= start()
  const { process, isReady } = child
  process.ref()
  process.channel?.ref()
  try {
    await isReady
    return await exchange(process, job)
  } finally {
    // An idle child must not keep this process from ending.
    process.unref()
    process.channel?.unref()
  }
}

function start(): Child {
  const process = fork(join(import.meta.dirname, 'render-child.mjs'), {
    execArgv: [`--max-old-space-size=${HEAP_MB}`],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: {},
  })
  const isReady = new Promise<void>((resolve, reject) => {
    process.once('message', () => resolve())
    process.once('error', reject)
    process.once('exit', () => reject(new Error('the process for chat templates did not start')))
  })
  isReady.catch(() => undefined) // told by whoever awaits it
  process.once('exit', () => {
    if (child?.process === process) child = undefined
  })
  return { process, isReady }
}

function exchange(process: ChildProcess, job: Job): Promise<Answer> {
  return new Promise((resolve) => {
    const settle = (answer: Answer) => {
      clearTimeout(timer)
      process.off('message', onMessage)
      process.off('exit', onExit)
      resolve(answer)
    }
    const onMessage = (message: unknown) => settle(message as Answer)
    const onExit = () => settle({ problem: 'memory', message: '' })
    const timer = setTimeout(() => {
      process.kill('SIGKILL')
      settle({ problem: 'timeout', message: '' })
    }, job.limitMs + GRACE_MS)
    process.on('message', onMessage)
    process.on('exit', onExit)
    process.send(job)
  })
}
