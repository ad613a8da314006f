// One criterion of the objective as fields: what it is, what is good and bad by it, what it weighs, and its targets as rows.
import { type ReactNode, useId } from 'react'
import type { Criterion, ObjectiveDraft, Target } from '#schema'
import { Field } from '../parts.tsx'

type Texts = ObjectiveDraft['criteria'][number]
/** `key`: in the form, whatever its place and name. */
type TargetDraft = Texts['targets'][number] & { key: number }
export type CriterionDraft = Omit<Texts, 'targets'> & { key: number; targets: TargetDraft[] }

export const NEW_CRITERION: Criterion = {
  name: '',
  definition: '',
  good: '',
  bad: '',
  borderline: '',
  scale: { low: 0, high: 1 },
  weight: 1,
  owner: '',
  source: 'business need',
  constraint: false,
  targets: [],
}
const NEW_TARGET = {
  statistic: 'mean',
  bound: 'low',
  comparison: 'above',
  value: '',
  level: '0.95',
  suite: '',
} as const

const SOURCES: Criterion['source'][] = ['business need', 'regulation', 'user promise']
const STATISTICS: Target['statistic'][] = ['mean', 'rate', 'change', 'win-rate']
const BOUNDS: Target['bound'][] = ['low', 'high']
const COMPARISONS: Target['comparison'][] = ['above', 'below']

let made = 0

/** Numbers are texts while they are written. */
export function textsOf({ scale, targets, ...rest }: Criterion): Texts {
  return {
    ...rest,
    weight: String(rest.weight),
    low: String(scale.low),
    high: String(scale.high),
    targets: targets.map((target) => ({ ...target, value: String(target.value), level: String(target.level) })),
  }
}

export function keyed(texts: Texts): CriterionDraft {
  return { ...texts, key: ++made, targets: texts.targets.map((target) => ({ ...target, key: ++made })) }
}

export function unkeyed(draft: CriterionDraft): Texts {
  return { ...withoutKey(draft), targets: draft.targets.map(withoutKey) }
}
function withoutKey<Keyed extends { key: number }>(draft: Keyed): Omit<Keyed, 'key'> {
  const { key: _, ...rest } = draft
  return rest
}

/** As the API takes it. */
export function criterionOf(draft: CriterionDraft): Criterion {
  const { key: _, low, high, weight, targets, ...rest } = draft
  return {
    ...rest,
    scale: { low: Number(low), high: Number(high) },
    weight: Number(weight),
    targets: targets.map(targetOf),
  }
}

function targetOf(draft: TargetDraft): Target {
  const { key: _, value, level, ...rest } = draft
  return { ...rest, value: Number(value), level: Number(level) }
}

export function CriterionFields({
  number,
  value,
  problemAt,
  onChange,
  onMove,
  onRemove,
}: {
  number: number
  value: CriterionDraft
  /** What is wrong, by a path within the criterion: `scale.high`. */
  problemAt: (field: string) => string | undefined
  onChange: (value: CriterionDraft) => void
  /** False: there is nowhere to move it. */
  onMove: { up: false | (() => void); down: false | (() => void) }
  onRemove: false | (() => void)
}) {
  const { key, name, constraint, targets } = value
  const id = useId()
  const called = name === '' ? `criterion ${number}` : name
  const set = (part: Partial<CriterionDraft>): void => onChange({ ...value, ...part })
  const setTarget = (changed: TargetDraft): void =>
    set({ targets: targets.map((target) => (target.key === changed.key ? changed : target)) })
  const words = (field: 'definition' | 'good' | 'bad' | 'borderline', label: string) => (
    <Field label={label} problem={problemAt(field)}>
      {(attributes) => (
        <textarea
          {...attributes}
          rows={2}
          required={field === 'definition'}
          value={value[field]}
          onChange={(event) => set({ [field]: event.target.value })}
        />
      )}
    </Field>
  )
  return (
    <fieldset className="panel criterion-fields">
      <legend>Criterion {number}</legend>
      <div className="fields">
        <Field label="Name" hint="Lower-case letters, digits, hyphens." problem={problemAt('name')}>
          {(attributes) => (
            <input
              {...attributes}
              data-focus={`name-${key}`}
              required
              value={name}
              onChange={(event) => set({ name: event.target.value })}
            />
          )}
        </Field>
        <Field label="Owner" hint="Who answers for it." problem={problemAt('owner')}>
          {(attributes) => (
            <input {...attributes} value={value.owner} onChange={(event) => set({ owner: event.target.value })} />
          )}
        </Field>
        <Choice label="Source" of={SOURCES} value={value.source} onChange={(source) => set({ source })} />
      </div>
      {words('definition', 'Definition')}
      <div className="fields">
        {words('good', 'Good example')}
        {words('bad', 'Bad example')}
        {words('borderline', 'Borderline example')}
      </div>
      <div className="fields short">
        <NumberField
          label="Weight"
          value={value.weight}
          least={0}
          problem={problemAt('weight')}
          onChange={(weight) => set({ weight })}
        />
        <NumberField
          label="Scale from"
          value={value.low}
          problem={problemAt('scale.low')}
          onChange={(low) => set({ low })}
        />
        <NumberField
          label="Scale to"
          value={value.high}
          problem={problemAt('scale.high')}
          onChange={(high) => set({ high })}
        />
      </div>
      <label className="check">
        <input
          type="checkbox"
          checked={constraint}
          aria-describedby={`${id}-hard`}
          onChange={(event) => set({ constraint: event.target.checked })}
        />
        <span>
          Hard constraint{' '}
          <span className="soft" id={`${id}-hard`}>
            may never be traded for another criterion
          </span>
        </span>
      </label>
      {targets.map((target, i) => (
        <TargetFields
          key={target.key}
          number={i + 1}
          of={called}
          value={target}
          problemAt={(field) => problemAt(`targets.${i}.${field}`)}
          onChange={setTarget}
          onRemove={() => set({ targets: targets.filter((other) => other.key !== target.key) })}
        />
      ))}
      <div className="row">
        <button type="button" onClick={() => set({ targets: [...targets, { ...NEW_TARGET, key: ++made }] })}>
          Add a target<span className="unseen"> to {called}</span>
        </button>
        <Act focus={`up-${key}`} act={onMove.up}>
          Move up<span className="unseen"> {called}</span>
        </Act>
        <Act focus={`down-${key}`} act={onMove.down}>
          Move down<span className="unseen"> {called}</span>
        </Act>
        <Act focus={`remove-${key}`} act={onRemove} isDanger>
          Remove<span className="unseen"> {called}</span>
        </Act>
      </div>
    </fieldset>
  )
}

function TargetFields({
  number,
  of,
  value,
  problemAt,
  onChange,
  onRemove,
}: {
  number: number
  /** The criterion. */
  of: string
  value: TargetDraft
  problemAt: (field: string) => string | undefined
  onChange: (value: TargetDraft) => void
  onRemove: () => void
}) {
  const set = (part: Partial<TargetDraft>): void => onChange({ ...value, ...part })
  return (
    <fieldset className="target">
      <legend>
        Target {number}
        <span className="unseen"> of {of}</span>
      </legend>
      <Field label="Suite" problem={problemAt('suite')}>
        {(attributes) => (
          <input
            {...attributes}
            required
            value={value.suite}
            onChange={(event) => set({ suite: event.target.value })}
          />
        )}
      </Field>
      <Choice label="Statistic" of={STATISTICS} value={value.statistic} onChange={(statistic) => set({ statistic })} />
      <Choice label="Interval’s end" of={BOUNDS} value={value.bound} onChange={(bound) => set({ bound })} />
      <Choice label="Is" of={COMPARISONS} value={value.comparison} onChange={(comparison) => set({ comparison })} />
      <NumberField
        label="Value"
        value={value.value}
        problem={problemAt('value')}
        onChange={(given) => set({ value: given })}
      />
      <NumberField
        label="Level"
        value={value.level}
        problem={problemAt('level')}
        onChange={(level) => set({ level })}
      />
      <button type="button" className="quiet danger" onClick={onRemove}>
        Remove
        <span className="unseen">
          {' '}
          target {number} of {of}
        </span>
      </button>
    </fieldset>
  )
}

function Choice<T extends string>({
  label,
  of,
  value,
  onChange,
}: {
  label: string
  of: readonly T[]
  value: T
  onChange: (value: T) => void
}) {
  return (
    <Field label={label}>
      {(attributes) => (
        <select {...attributes} value={value} onChange={(event) => onChange(event.target.value as T)}>
          {of.map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
      )}
    </Field>
  )
}

function NumberField({
  label,
  value,
  least,
  problem,
  onChange,
}: {
  label: string
  value: string
  least?: number
  problem: string | undefined
  onChange: (value: string) => void
}) {
  return (
    <Field label={label} problem={problem}>
      {(attributes) => (
        <input
          {...attributes}
          type="number"
          step="any"
          min={least}
          required
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  )
}

function Act({
  focus,
  act,
  isDanger = false,
  children,
}: {
  focus: string
  act: false | (() => void)
  isDanger?: boolean
  children: ReactNode
}) {
  return (
    <button
      type="button"
      className={isDanger ? 'quiet danger' : 'quiet'}
      data-focus={focus}
      disabled={act === false}
      onClick={() => act !== false && act()}
    >
      {children}
    </button>
  )
}
