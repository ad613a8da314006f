// Which criteria of the objective people are asked about, beside the overall question.
import { useGet } from '../api.ts'
import { Problem } from '../parts.tsx'

export function CriteriaField({
  slug,
  value,
  onChange,
}: {
  slug: string
  value: readonly string[]
  onChange: (names: string[]) => void
}) {
  const objective = useGet('GET /api/projects/{project}/objective', { params: { project: slug } })
  if (objective.isError) return <Problem error={objective.error} />
  const criteria = objective.data?.criteria ?? []
  if (criteria.length === 0) return null
  return (
    <fieldset className="checks">
      <legend>Ask about these too</legend>
      <p className="hint">The same question for each, beside which is better all things considered. Each costs time.</p>
      {criteria.map(({ name, definition }) => (
        <label key={name} className="check">
          <input
            type="checkbox"
            aria-label={name}
            aria-describedby={`criterion-${name}`}
            checked={value.includes(name)}
            onChange={(event) =>
              onChange(event.target.checked ? [...value, name] : value.filter((other) => other !== name))
            }
          />
          <span>
            {name}
            <span className="soft block" id={`criterion-${name}`}>
              {definition}
            </span>
          </span>
        </label>
      ))}
    </fieldset>
  )
}
