// The questions of one task: the overall one, and one for each criterion that the campaign asks about. Up and down move
// between them, a digit answers the one that is at hand, and what is missing is where the focus goes.
import { type RefObject, useRef, useState } from 'react'
import type { ChosenKeys } from '#schema'
import { isAt, keysOfPlaces, LINE, type Made, OFF_LINE, type Place } from './answer.ts'
import { type Command, nameOfKey } from './commands.ts'
import { Scale } from './scale.tsx'
import type { Work } from './work.ts'

type Criterion = Work['campaign']['criteria'][number]

export type Questions = {
  /** Digits and, where there are several questions, arrows. */
  commands: Command[]
  /** Moves to the first question without an answer; what to say of it. Undefined: all have one. */
  missing: () => string | undefined
  at: number
  move: (to: number) => void
  /** Takes a question to hand where the focus is already. */
  touch: (question: number) => void
  pick: (question: number, place: Place) => void
  list: RefObject<HTMLDivElement | null>
}

export function useQuestions(
  criteria: readonly Criterion[],
  made: Made,
  { setMade, keys }: { setMade: (change: (made: Made) => Made) => void; keys: ChosenKeys },
): Questions {
  const [at, setAt] = useState(0)
  const list = useRef<HTMLDivElement>(null)
  const move = (to: number): void => {
    const next = Math.max(0, Math.min(criteria.length, to))
    setAt(next)
    const question = list.current?.querySelectorAll('fieldset')[next]
    const input = question?.querySelector<HTMLInputElement>('input:checked') ?? question?.querySelector('input')
    input?.focus({ preventScroll: true })
    question?.scrollIntoView({ block: 'nearest' })
  }
  const pick = (question: number, { choice, strength }: Place): void => {
    setAt(question)
    const name = criteria[question - 1]?.name
    setMade((before) =>
      name === undefined
        ? { ...before, choice, strength }
        : { ...before, criteria: { ...before.criteria, [name]: { choice, strength } } },
    )
  }
  return {
    at,
    list,
    move,
    touch: setAt,
    pick,
    commands: [
      ...[...LINE, ...OFF_LINE].map((place) => ({
        action: place.action,
        key: place.key,
        label: place.label,
        run: () => pick(at, place),
      })),
      ...(criteria.length === 0
        ? []
        : [
            { action: 'next-question' as const, key: 'ArrowDown', label: 'Next question', run: () => move(at + 1) },
            { action: 'question-before' as const, key: 'ArrowUp', label: 'Question before', run: () => move(at - 1) },
          ]),
    ],
    missing() {
      const open = [undefined, ...criteria].findIndex((criterion) => answerTo(made, criterion).choice === undefined)
      if (open < 0) return undefined
      move(open)
      return open === 0
        ? `Choose first: ${keysOfPlaces(keys)}.`
        : `${criteria[open - 1]!.name} wants an answer: ${keysOfPlaces(keys)}.`
    },
  }
}

function answerTo(made: Made, criterion: Criterion | undefined): Pick<Made, 'choice' | 'strength'> {
  return criterion === undefined ? made : (made.criteria?.[criterion.name] ?? {})
}

export function QuestionList({
  questions: { at, list, pick, touch },
  criteria,
  made,
  isOff,
  keys,
}: {
  questions: Questions
  criteria: readonly Criterion[]
  made: Made
  isOff: boolean
  keys: ChosenKeys
}) {
  if (criteria.length === 0)
    return (
      <div ref={list}>
        <Scale made={made} onPick={(place) => pick(0, place)} isOff={isOff} chosen={keys} />
      </div>
    )
  const answered = [undefined, ...criteria].filter((criterion) => isAnswered(answerTo(made, criterion))).length
  return (
    <div className="questions-frame">
      <div className="questions" ref={list}>
        {[undefined, ...criteria].map((criterion, i) => (
          // Clicking anywhere in a question takes it to hand; the keyboard has the arrows.
          <div key={criterion?.name ?? ''} className="question" data-at={i === at} onFocus={() => touch(i)}>
            <Scale
              made={answerTo(made, criterion)}
              onPick={(place) => pick(i, place)}
              isOff={isOff}
              chosen={keys}
              name={`answer-${criterion?.name ?? 'overall'}`}
              question={criterion ? criterion.name : 'All things considered'}
              hint={criterion ? criterion.definition : 'Which is better?'}
            />
          </div>
        ))}
      </div>
      <p className="soft small" aria-live="polite">
        {answered} of {criteria.length + 1} answered · <kbd>{nameOfKey(keys['question-before'] ?? 'ArrowUp')}</kbd>{' '}
        <kbd>{nameOfKey(keys['next-question'] ?? 'ArrowDown')}</kbd> move between questions
      </p>
    </div>
  )
}

function isAnswered(answer: Pick<Made, 'choice' | 'strength'>): boolean {
  return [...LINE, ...OFF_LINE].some((place) => isAt(answer, place))
}
