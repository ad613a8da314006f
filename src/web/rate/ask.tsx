// One question about a completion, with the control that its type takes.
import type { Question, Value } from '#schema'
import { Field } from '../parts.tsx'
import { Choices, optionsOf } from './choices.tsx'

export function Ask({
  question,
  value,
  isOff,
  onRate,
}: {
  question: Question
  value: Value | undefined
  isOff: boolean
  onRate: (value: Value) => void
}) {
  const legend = question.required ? question.text : `${question.text} (if you like)`
  if (question.type !== 'text')
    return (
      <Choices
        name={`rate-${question.name}`}
        legend={legend}
        options={optionsOf(question)}
        value={value}
        isOff={isOff}
        onPick={onRate}
      />
    )
  return (
    <Field label={legend} hint={`${question.least} to ${question.most} characters`}>
      {(attributes) => (
        <textarea
          {...attributes}
          rows={2}
          disabled={isOff}
          value={typeof value === 'string' ? value : ''}
          onChange={(event) => onRate(event.target.value)}
        />
      )}
    </Field>
  )
}
