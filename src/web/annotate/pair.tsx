// The prompt, and the two completions side by side, or one under the other where there is no room; treated exactly alike.
// How their texts are shown is each person's choice, the same for both.
import { useMemo, useState } from 'react'
import { type DiffPart, MOST_WORDS, wordDiff } from '#diff'
import type { Highlight } from '#schema'
import type { AnswerOf } from '#server/contract'
import { Markdown } from '../markdown/markdown.tsx'
import { useSettings } from '../settings.ts'
import type { Submit } from './answer.ts'
import { Marked } from './marked.tsx'
import { useScrollTogether } from './scroll-together.ts'

type Task = NonNullable<AnswerOf<Submit>['task']>
type Shown = Pick<Task, 'prompt' | 'left' | 'right'>
/** With who marked it, where that is known. */
export type Mark = Highlight & { by?: string }

export function Pair({ prompt, left, right, marks = [] }: Shown & { marks?: readonly Mark[] }) {
  const { view, scrollsTogether } = useSettings().settings
  const scrolling = useScrollTogether(scrollsTogether, [left, right, view])
  const diff = useMemo(() => (view === 'differences' ? wordDiff(left, right) : undefined), [left, right, view])
  const side = (name: 'left' | 'right', text: string, parts: DiffPart[] | undefined) => (
    <section className="side" aria-label={name === 'left' ? 'Left' : 'Right'}>
      <h2>{name === 'left' ? 'Left' : 'Right'}</h2>
      <div className="side-text" data-side={name} {...scrolling(name)}>
        {parts ? (
          <Differing parts={parts} />
        ) : view === 'source' ? (
          <Marked text={text} marks={marks.filter((mark) => mark.side === name)} />
        ) : (
          <Markdown text={text} />
        )}
      </div>
    </section>
  )
  return (
    <>
      <PromptText prompt={prompt} />
      {diff && <Compared parts={[...diff.before, ...diff.after]} />}
      <div className="pair">
        {side('left', left, diff?.before)}
        {side('right', right, diff?.after)}
      </div>
      {marks.length > 0 && <Marks marks={marks} />}
    </>
  )
}

function Compared({ parts }: { parts: readonly DiffPart[] }) {
  const isWhole = parts.every(({ kind }) => kind !== 'uncompared')
  if (isWhole) return null
  return (
    <p className="soft small" role="note">
      Not all of it is compared: only the first {MOST_WORDS.toLocaleString('en')} words of each are, and no long stretch
      in which the two have nothing in common. What is not compared is grey.
    </p>
  )
}

/** Both sides are marked alike: neither is the original of the other. */
function Differing({ parts }: { parts: readonly DiffPart[] }) {
  return (
    <p className="text differing">
      {parts.map(({ text, kind }, i) =>
        kind === 'only' ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: parts of one text, in its order
          <mark key={i}>{text}</mark>
        ) : (
          // biome-ignore lint/suspicious/noArrayIndexKey: parts of one text, in its order
          <span key={i} className={kind === 'uncompared' ? 'soft' : undefined}>
            {text}
          </span>
        ),
      )}
    </p>
  )
}

const MARKS_SHOWN = 50

function Marks({ marks }: { marks: readonly Mark[] }) {
  const [isAll, setAll] = useState(false)
  return (
    <ul className="marks" aria-label="Highlights">
      {(isAll ? marks : marks.slice(0, MARKS_SHOWN)).map(({ side, start, end, quote, reason, by }) => (
        <li key={`${by ?? ''} ${side} ${start} ${end} ${reason}`}>
          <span className="soft">{side === 'left' ? 'Left' : 'Right'}</span> <q>{quote}</q> {reason}
          {by !== undefined && <span className="soft"> {by}</span>}
        </li>
      ))}
      {!isAll && marks.length > MARKS_SHOWN && (
        <li>
          <button type="button" onClick={() => setAll(true)}>
            All {marks.length}
          </button>
        </li>
      )}
    </ul>
  )
}

export function PromptText({ prompt }: Pick<Task, 'prompt'>) {
  return (
    <section className="prompt" aria-label="Prompt">
      {typeof prompt === 'string' ? (
        <Shown text={prompt} />
      ) : (
        prompt.map(({ role, content }, i) => (
          <div key={`${i} ${role}`} className="turn">
            <span className="turn-role">{role}</span>
            <Shown text={content} />
          </div>
        ))
      )}
    </section>
  )
}

/** A text that stands alone: as it is meant, or as it is written. */
export function Shown({ text }: { text: string }) {
  const { view } = useSettings().settings
  return view === 'rendered' ? <Markdown text={text} /> : <p className="text">{text}</p>
}
