// The same prompts' completions along the run: one step against another, with the words that differ marked.
import { useState } from 'react'
import { type DiffPart, wordDiff } from '#diff'
import type { Sample } from './use-live.ts'

export function SamplesSection({ samples }: { samples: readonly Sample[] }) {
  const steps = [...new Set(samples.map(({ step }) => step))].sort((a, b) => a - b)
  const [chosen, setChosen] = useState<{ before?: number; after?: number }>({})
  const before = steps.includes(chosen.before ?? -1) ? chosen.before! : steps[0]!
  const after = steps.includes(chosen.after ?? -1) ? chosen.after! : steps.at(-1)!
  const prompts = [...new Set(samples.map(({ prompt }) => prompt))]
  const at = (step: number, prompt: string) => samples.find((each) => each.step === step && each.prompt === prompt)
  const slider = (label: string, value: number, set: (step: number) => void) => (
    <label>
      {label} <b>{value}</b>
      <input
        type="range"
        min={0}
        max={steps.length - 1}
        value={steps.indexOf(value)}
        aria-valuetext={`step ${value}`}
        onChange={(event) => set(steps[Number(event.target.value)]!)}
      />
    </label>
  )
  return (
    <section aria-labelledby="samples">
      <h2 id="samples">The same prompts along the run</h2>
      <div className="row curve-settings">
        {slider('Step', before, (step) => setChosen({ before: step, after }))}
        {slider('against step', after, (step) => setChosen({ before, after: step }))}
      </div>
      <ul className="samples">
        {prompts.map((prompt) => {
          const [a, b] = [at(before, prompt), at(after, prompt)]
          const parts = a && b ? wordDiff(a.completion, b.completion) : undefined
          return (
            <li key={prompt}>
              <p className="sample-prompt">{prompt}</p>
              <div className="sample-pair">
                <Told label={`Step ${before}`} sample={a} parts={parts?.before} kind="del" />
                <Told label={`Step ${after}`} sample={b} parts={parts?.after} kind="ins" />
              </div>
            </li>
          )
        })}
      </ul>
    </section>
  )
}

function Told({
  label,
  sample,
  parts,
  kind,
}: {
  label: string
  sample: Sample | undefined
  parts: DiffPart[] | undefined
  kind: 'ins' | 'del'
}) {
  const Changed = kind
  return (
    <div>
      <p className="soft">
        {label}
        {sample && Object.entries(sample.metrics).map(([name, value]) => ` · ${name} ${value.toFixed(2)}`)}
      </p>
      <p className="sample-text">
        {parts
          ? // biome-ignore lint/suspicious/noArrayIndexKey: parts of one text, in its order
            parts.map(({ text, kind: how }, i) =>
              how !== 'same' ? <Changed key={i}>{text}</Changed> : <span key={i}>{text}</span>,
            )
          : (sample?.completion ?? 'none at this step')}
      </p>
    </div>
  )
}
