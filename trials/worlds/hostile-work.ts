// Puts texts into what people write at work: demonstrations and their reviews, questions and ratings, remarks on a calibration
// round, and campaigns of which the browser is still to do the work.
import { randomUUID } from 'node:crypto'
import type { ApiWorld } from './api.ts'
import type { Page, Put } from './hostile-texts.ts'

type Task = { task: { id: string } | null }
type Made = { id: string }

export async function plantWork({ people, harness }: ApiWorld, texts: readonly string[], put: Put): Promise<Page[]> {
  const { owner, annotator, reviewer, lead } = people
  const root = '/api/projects/desk/campaigns'
  const open = async (body: object): Promise<string> =>
    (await put<Made>('', owner, `POST ${root}`, { overlap: 1, ...body }))!.id
  const read = (campaign: string, person: typeof owner) =>
    put('', person, `PUT ${root}/${campaign}/guideline-read`, undefined)

  const written = await open({ kind: 'demonstrations', name: 'Hostile writing', dataset: 'hostile-asks' })
  await read(written, annotator)
  const claim = (what: string, campaign: string) =>
    put<Task>('', annotator, `POST ${root}/${campaign}/${what}/claim`, undefined)
  for (const text of texts) {
    const { task } = (await claim('demonstrations', written))!
    if (!task) break
    const at = `${root}/${written}/items/${task.id}/demonstration`
    await put('demonstration draft', annotator, `PUT ${at}`, { text })
    await put('demonstration', annotator, `POST ${at}`, { key: randomUUID(), text, activeSeconds: 20 })
  }
  const submissions = await harness.store.query<Made>(
    'select submissions.id::text as id from submissions join items on items.id = item_id where campaign_id = $1 order by 1',
    [written],
  )
  for (const [i, { id }] of submissions.entries()) {
    // Some are left for the browser to review.
    if (i % 3 === 0) continue
    const text = texts[i % texts.length]!
    const word = i % 3 === 1 ? { outcome: 'fixed', text, reason: text } : { outcome: 'returned', reason: text }
    await put('review', reviewer, `POST ${root}/${written}/submissions/${id}/review`, word)
  }

  const questions = texts.slice(0, 12).map((text, i) => ({
    name: `q-${i}`,
    text,
    ...(i % 2 === 0 ? { type: 'text' } : { type: 'category', options: [text.slice(0, 58), 'neither'] }),
  }))
  const ask = { kind: 'ratings', dataset: 'hostile-shown', questions }
  const rated = await open({ ...ask, name: 'Hostile rating' })
  await read(rated, annotator)
  for (const text of texts.slice(0, -1)) {
    const { task } = (await claim('answers', rated))!
    if (!task) break
    const values = Object.fromEntries(questions.map((q) => [q.name, 'options' in q ? q.options![0]!.trim() : text]))
    const answer = { key: randomUUID(), values, reason: text, activeSeconds: 9 }
    await put('answer draft', annotator, `PUT ${root}/${rated}/items/${task.id}/answer`, { values, reason: text })
    await put('answer', annotator, `POST ${root}/${rated}/items/${task.id}/answer`, answer)
  }

  const round = await open({ name: 'Hostile round', dataset: 'hostile', isCalibration: true })
  for (const person of [annotator, lead]) {
    await read(round, person)
    for (let i = 0; ; i++) {
      const work = await put<Task>('', person, `POST ${root}/${round}/claim`, undefined)
      if (!work?.task) break
      const reason = texts[i % texts.length]!
      const answer = { key: randomUUID(), choice: 'left', strength: 1, reason, activeSeconds: 9 }
      await put('', person, `POST ${root}/${round}/items/${work.task.id}/judgement`, answer)
    }
  }
  for (const [what, text] of texts.slice(0, 20).entries()) {
    const verb = what % 2 === 0 ? 'pause' : 'resume'
    await put(`${verb} reason`, owner, `POST ${root}/${round}/people/${annotator.id}/${verb}`, { reason: text })
  }
  await put('', owner, `PUT ${root}/${round}/state`, { state: 'closed' })
  const [item] = await harness.store.query<Made>('select id::text as id from items where campaign_id = $1 limit 1', [
    round,
  ])
  for (const text of texts)
    await put('remark', annotator, `POST ${root}/${round}/items/${item!.id}/remarks`, { key: randomUUID(), text })

  const judged = await open({ name: 'Hostile pairs to judge', dataset: 'hostile' })
  await read(judged, annotator)
  const page = (path: string, as: Page['as'] = 'owner'): Page => ({ path: `/p/desk/${path}`, as })
  return [
    ...[written, rated, round].map((campaign) => page(`campaigns/${campaign}`)),
    page(`write/${written}`, 'annotator'),
    page(`review/${written}`, 'reviewer'),
    ...submissions.slice(0, 2).map(({ id }) => page(`submissions/${id}`)),
    page(`rate/${rated}`, 'annotator'),
    page(`discuss/${round}`, 'annotator'),
    page(`judge/${judged}`, 'annotator'),
  ]
}
