// Did a change of the guideline help? Agreement and accuracy on gold under two versions, and the change with its interval.
import { useState } from 'react'
import type { AnswerOf } from '#server/contract'
import { useGet } from '../api.ts'
import { IntervalBar } from '../interval-bar.tsx'
import { Loading } from '../parts.tsx'
import { versionPicker } from './version-picker.tsx'
import { many } from './words.ts'

const KEY = 'GET /api/projects/{project}/guideline/change'
type Answer = AnswerOf<typeof KEY>

const ROWS = [
  ['percent', 'Percent agreement'],
  ['alpha', 'Krippendorff’s α'],
  ['gwetAC1', 'Gwet’s AC1'],
  ['goldAccuracy', 'Right on gold'],
] as const
const VERDICTS: Record<Answer['verdict'], string> = {
  helped: 'It helped: people agree more.',
  hurt: 'It hurt: people agree less.',
  'not shown': 'Neither is shown.',
}

/** `numbers`: of the versions there are, newest first. */
export function GuidelineChange({ slug, numbers }: { slug: string; numbers: readonly number[] }) {
  const [after, setAfter] = useState(numbers[0]!)
  const [before, setBefore] = useState(numbers[1]!)
  const change = useGet(KEY, { params: { project: slug }, query: { before, after } })
  const picker = versionPicker(numbers)
  return (
    <section aria-labelledby="change">
      <h2 id="change">Did the change help?</h2>
      <div className="row">
        {picker('Before', before, setBefore)}
        {picker('After', after, setAfter)}
      </div>
      {change.isPending && <Loading />}
      {change.isError && <p className="soft">{change.error.message}</p>}
      {change.data && <Changes {...change.data} />}
    </section>
  )
}

function Changes(answer: Answer) {
  const { items, verdict } = answer
  return (
    <>
      <p>
        <b>{VERDICTS[verdict]}</b>{' '}
        <span className="soft">
          {many(items.before, 'pair')} before, {items.after.toLocaleString('en')} after,{' '}
          {items.both.toLocaleString('en')} of them under both; bars are 95% intervals of the change.
        </span>
      </p>
      <div className="scrolls">
        <table className="bars">
          <thead>
            <tr>
              <th scope="col">Measure</th>
              <th scope="col">Before, after</th>
              <th scope="col">Change</th>
            </tr>
          </thead>
          <tbody>
            {ROWS.flatMap(([key, label]) => {
              const row = answer[key]
              if (!row) return []
              return [
                <tr key={key}>
                  <th scope="row">{label}</th>
                  <td className="figure">
                    {row.before.toFixed(2)}, {row.after.toFixed(2)}
                  </td>
                  <td>
                    <IntervalBar {...row.change} from={-1} to={1} mark={0} label={`Change of ${label}`} isNumbered />
                  </td>
                </tr>,
              ]
            })}
          </tbody>
        </table>
      </div>
    </>
  )
}
