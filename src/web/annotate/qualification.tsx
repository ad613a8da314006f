// The round that stands before a campaign's first task: how far it is, and for who did not pass it which answers were not
// right and why, and the way to try again.
import type { AnswerOf } from '#server/contract'
import { type Submit, wordsOf } from './answer.ts'
import { Guideline } from './guideline.tsx'
import { Pair } from './pair.tsx'

type Qualification = NonNullable<AnswerOf<Submit>['qualification']>
type Failed = Extract<Qualification, { state: 'failed' }>

/** For the line over the task. */
export function standingOf(qualification: Qualification | null): string {
  if (qualification?.state === 'open') return ` · qualification: ${qualification.done} of ${qualification.of}`
  if (qualification?.state === 'passed') return ` · qualified, ${qualification.right} of ${qualification.of} right`
  return ''
}

export function NotPassed({
  qualification: { right, of, asked, mayRetry, wrong },
  guideline,
  onReread,
}: {
  qualification: Failed
  guideline: { number: number; text: string }
  onReread: () => Promise<void>
}) {
  return (
    <>
      <section aria-labelledby="not-passed">
        <h2 id="not-passed">The qualification was not passed</h2>
        <p>
          {right} of {of} right; asked for is {asked}.{' '}
          {mayRetry
            ? 'Look at what went otherwise, read the guideline again, and try once more on other pairs.'
            : 'No other try is open to you here; a lead can help.'}
        </p>
      </section>
      {wrong.map(({ better, why, choice, strength, ...pair }, i) => (
        <section key={`${i} ${pair.left}`} className="missed" aria-label={`Not as known, ${i + 1} of ${wrong.length}`}>
          <Pair {...pair} />
          <p>
            <b>{better === 'left' ? 'Left' : 'Right'} is better.</b> You said: {wordsOf(choice, strength)}.
          </p>
          {why !== '' && <p>{why}</p>}
        </section>
      ))}
      {mayRetry && (
        <section aria-label="Try again">
          <Guideline number={guideline.number} text={guideline.text} onRead={onReread} isAgain />
        </section>
      )}
    </>
  )
}
