// A demonstration as tokens, and which of them are completions. Strings are joined as they are; messages go through the
// chat template, and each assistant turn's text is found by rendering what comes before it. Prompt and completion are
// encoded apart, exactly as generation meets them, so training never sees a token across the seam.
import { DataError } from '#errors'
import type { Message, Prompt } from '#schema'
import { type ChatTemplate, type Rendered, renderChat, tryRender } from './template.ts'
import type { Tokenizer } from './tokenizer.ts'

/** `isScored`: 1 = a token of a completion or the end-of-sequence after it. `reason`: why the row gives no sequence, in words for its author. */
export type TokenizedRow = { tokens: Int32Array; isScored: Uint8Array } | { reason: string }

/** A prompt, and its completion; or a conversation whose every assistant turn is a completion. */
export type Dialogue = { prompt: Prompt; completion: string } | { messages: readonly Message[] }

/** The tokens of a prompt, ready for a completion to follow. A template's refusal is a DataError. */
export async function tokenizePrompt(tokenizer: Tokenizer, prompt: Prompt): Promise<Int32Array> {
  if (typeof prompt === 'string') return tokenizer.encodePrompt(prompt)
  return tokenizer.encode(await renderChat(templateOf(tokenizer), prompt, { addGenerationPrompt: true }))
}

/** Tokens and marks of a row. Longer than `maxTokens`, or refused by the template: a reason. A broken template is a DataError. */
export async function tokenizeDemonstration(
  tokenizer: Tokenizer,
  row: Dialogue,
  { maxTokens = Infinity }: { maxTokens?: number } = {},
): Promise<TokenizedRow> {
  const segments = await segmentsOf(tokenizer, row)
  if ('reason' in segments) return segments
  const { parts } = segments
  const tokens = Int32Array.from(parts.flatMap((part) => Array.from(part.tokens)))
  if (tokens.length > maxTokens)
    return { reason: `has ${tokens.length} tokens, more than the ${maxTokens} allowed; shorten it or raise the limit` }
  const isScored = Uint8Array.from(parts.flatMap((part) => new Array<number>(part.tokens.length).fill(part.isScored)))
  return { tokens, isScored }
}

type Part = { tokens: Int32Array; isScored: 0 | 1 }
type Segments = { parts: Part[] } | { reason: string }

async function segmentsOf(tokenizer: Tokenizer, row: Dialogue): Promise<Segments> {
  if ('messages' in row) return conversationParts(tokenizer, row.messages, row.messages.findIndex(isAssistant))
  const { prompt, completion } = row
  if (typeof prompt === 'string')
    return {
      parts: [
        { tokens: tokenizer.encodePrompt(prompt), isScored: 0 },
        { tokens: withEnd(tokenizer, tokenizer.encode(completion)), isScored: 1 },
      ],
    }
  const messages: Message[] = [...prompt, { role: 'assistant', content: completion }]
  return conversationParts(tokenizer, messages, prompt.length)
}

/** Assistant turns from index `first` on are scored; what follows the last of them is dropped, for nothing learns from it. */
async function conversationParts(tokenizer: Tokenizer, messages: readonly Message[], first: number): Promise<Segments> {
  if (first < 0) return { reason: 'has no assistant turn, so there is nothing to learn from' }
  const template = templateOf(tokenizer)
  const last = messages.findLastIndex(isAssistant)
  const whole = await tryRender(template, messages.slice(0, last + 1), { addGenerationPrompt: false })
  if ('refusal' in whole) return refused(whole)
  const parts: Part[] = []
  let done = 0
  for (let turn = first; turn <= last; turn++) {
    if (!isAssistant(messages[turn]!)) continue
    const before = await tryRender(template, messages.slice(0, turn), { addGenerationPrompt: true })
    const after =
      turn === last ? whole : await tryRender(template, messages.slice(0, turn + 1), { addGenerationPrompt: false })
    const span = completionSpan(whole.text, before, after)
    if ('reason' in span) return span
    const completion = tokenizer.encode(whole.text.slice(span.start, span.end))
    const end = completion.findIndex((id) => tokenizer.eosIds.includes(id))
    parts.push({ tokens: tokenizer.encode(whole.text.slice(done, span.start)), isScored: 0 })
    if (end >= 0) {
      parts.push({ tokens: completion.subarray(0, end + 1), isScored: 1 })
      parts.push({ tokens: completion.subarray(end + 1), isScored: 0 }) // such as the newline that templates add
    } else if (turn === last) parts.push({ tokens: withEnd(tokenizer, completion), isScored: 1 })
    else parts.push({ tokens: completion, isScored: 1 })
    done = span.end
  }
  while (parts.at(-1)?.isScored === 0) parts.pop()
  return { parts }
}

/** Where a turn's completion lies in the whole text: after what generation would be given, up to where the turn's rendering ends. */
function completionSpan(
  whole: string,
  before: Rendered,
  after: Rendered,
): { start: number; end: number } | { reason: string } {
  if ('refusal' in before) return refused(before)
  if ('refusal' in after) return refused(after)
  const isKept = whole.startsWith(before.text) && whole.startsWith(after.text) && after.text.length > before.text.length
  if (!isKept)
    return {
      reason: 'the chat template changes earlier turns when later ones follow; give it as prompt and completion',
    }
  return { start: before.text.length, end: after.text.length }
}

function refused({ refusal }: { refusal: string }): { reason: string } {
  return { reason: `the chat template refuses these messages: ${refusal}` }
}

function templateOf({ template, folder }: Tokenizer): ChatTemplate {
  if (template) return template
  throw new DataError('has no chat template; add chat_template.jinja, or give prompts as strings', { file: folder })
}

function withEnd(tokenizer: Tokenizer, tokens: Int32Array): Int32Array {
  return Int32Array.from([...tokens, tokenizer.eosId])
}

function isAssistant({ role }: Message): boolean {
  return role === 'assistant'
}
