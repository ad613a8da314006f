// The questions of a rating campaign, as a lead writes them.
import type { Question } from '#schema'
import { Field } from '../parts.tsx'

export type Draft = { text: string; type: Question['type']; options: string; required: boolean; isOfMessages: boolean }
export const FIRST: Draft = {
  text: '',
  type: '1-5',
  options: 'pass, fail, critical',
  required: true,
  isOfMessages: false,
}

const TYPES: Record<Question['type'], string> = {
  '1-5': '1 to 5',
  '1-7': '1 to 7',
  boolean: 'yes or no',
  category: 'one of several',
  text: 'in words',
}

/** As the API takes them; names are made of the words: `How kind is it?` is `how-kind-is-it`. */
export function questionsOf(drafts: readonly Draft[]): Question[] {
  const names = new Set<string>()
  return drafts.map(({ text, type, options, required, isOfMessages }, i): Question => {
    const words = text
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^[-0-9]+|-+$/g, '')
      .slice(0, 30)
    const base = words.replace(/-+$/, '') || `question-${i + 1}`
    const name = names.has(base) ? `${base}-${i + 1}` : base
    names.add(name)
    const head = { name, text: text.trim(), required, ...(isOfMessages && { each: 'message' as const }) }
    if (type === 'category')
      return {
        ...head,
        type,
        options: options
          .split(',')
          .map((option) => option.trim())
          .filter((option) => option !== ''),
      }
    return type === 'text' ? { ...head, type, least: required ? 1 : 0, most: 4000 } : { ...head, type }
  })
}

export function QuestionsField({ value, onChange }: { value: Draft[]; onChange: (value: Draft[]) => void }) {
  const change = (i: number, part: Partial<Draft>): void =>
    onChange(value.map((draft, j) => (j === i ? { ...draft, ...part } : draft)))
  return (
    <fieldset className="checks">
      <legend>Asked of each answer</legend>
      {value.map(({ text, type, options, required, isOfMessages }, i) => (
        <div key={`${i}`} className="asked-of">
          <Field label={`Question ${i + 1}`}>
            {(attributes) => (
              <input
                {...attributes}
                required
                maxLength={500}
                value={text}
                onChange={(event) => change(i, { text: event.target.value })}
              />
            )}
          </Field>
          <Field label={`Answered by, ${i + 1}`}>
            {(attributes) => (
              <select
                {...attributes}
                value={type}
                onChange={(event) => change(i, { type: event.target.value as Draft['type'] })}
              >
                {Object.entries(TYPES).map(([name, label]) => (
                  <option key={name} value={name}>
                    {label}
                  </option>
                ))}
              </select>
            )}
          </Field>
          {type === 'category' && (
            <Field label={`Which, ${i + 1}`} hint="Two to nine, with commas between.">
              {(attributes) => (
                <input
                  {...attributes}
                  required
                  value={options}
                  onChange={(event) => change(i, { options: event.target.value })}
                />
              )}
            </Field>
          )}
          <div className="row">
            <label className="check">
              <input
                type="checkbox"
                checked={required}
                onChange={(event) => change(i, { required: event.target.checked })}
              />{' '}
              Must be answered
            </label>
            <label className="check">
              <input
                type="checkbox"
                checked={isOfMessages}
                onChange={(event) => change(i, { isOfMessages: event.target.checked })}
              />{' '}
              Of each message of the assistant
            </label>
            {value.length > 1 && (
              <button type="button" className="quiet" onClick={() => onChange(value.filter((_, j) => j !== i))}>
                Remove question {i + 1}
              </button>
            )}
          </div>
        </div>
      ))}
      {value.length < 12 && (
        <button type="button" onClick={() => onChange([...value, FIRST])}>
          One question more
        </button>
      )}
    </fieldset>
  )
}
