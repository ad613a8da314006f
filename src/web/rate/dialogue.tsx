// A dialogue whose messages are rated one by one: each message of the assistant with its questions beneath it, in the order in
// which it was said, the completion last.
import type { ReactNode } from 'react'
import { indexOfCompletion, type Prompt } from '#schema'
import { Shown } from '../annotate/pair.tsx'

export function Dialogue({
  prompt,
  completion,
  children,
}: {
  prompt: Prompt
  completion: string
  /** What is asked of the message at an index; nothing of those that are not rated. */
  children: (message: number) => ReactNode
}) {
  const turns = typeof prompt === 'string' ? [{ role: 'user', content: prompt }] : prompt
  const all = [...turns, { role: 'assistant', content: completion }]
  const last = indexOfCompletion(prompt)
  return (
    <ol className="dialogue" aria-label="Dialogue">
      {all.map(({ role, content }, i) => {
        const asked = role === 'assistant' ? children(i) : null
        return (
          <li
            key={`${i} ${role}`}
            className={asked === null ? 'prompt' : 'side'}
            aria-label={`Message ${i + 1}, ${role}`}
          >
            <div>
              <span className="turn-role">{role}</span>
              {i === last && <span className="soft small"> the last answer</span>}
            </div>
            <Shown text={content} />
            {asked}
          </li>
        )
      })}
    </ol>
  )
}
