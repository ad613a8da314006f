// The prompt, and the two completions side by side, or one under the other where there is no room; treated exactly alike.
import type { AnswerOf } from '#server/contract'
import type { Submit } from './answer.ts'

type Task = NonNullable<AnswerOf<Submit>['task']>

export function Pair({ prompt, left, right }: Pick<Task, 'prompt' | 'left' | 'right'>) {
  return (
    <>
      <PromptText prompt={prompt} />
      <div className="pair">
        <Side name="Left" text={left} />
        <Side name="Right" text={right} />
      </div>
    </>
  )
}

export function PromptText({ prompt }: Pick<Task, 'prompt'>) {
  return (
    <section className="prompt" aria-label="Prompt">
      {typeof prompt === 'string' ? (
        <p className="text">{prompt}</p>
      ) : (
        prompt.map(({ role, content }, i) => (
          <div key={`${i} ${role}`} className="turn">
            <span className="turn-role">{role}</span>
            <p className="text">{content}</p>
          </div>
        ))
      )}
    </section>
  )
}

function Side({ name, text }: { name: string; text: string }) {
  return (
    <section className="side" aria-label={name}>
      <h2>{name}</h2>
      <p className="text">{text}</p>
    </section>
  )
}
