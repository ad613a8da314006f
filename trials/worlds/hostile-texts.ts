// Puts texts into every field of the API that takes free text, each text by itself: names, guidelines, rows, answers, reasons,
// notes, rules, addresses; and into the files of a run, which the browser shows too. Answers where to look at them.
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import { join } from 'node:path'
import type { Person } from '../../src/server/harness.test-data.ts'
import { type ApiWorld, PASSWORD } from './api.ts'
import { plantWork } from './hostile-work.ts'

/** An address, who looks at it, and the button behind which more of it lies. */
export type Page = { path: string; as: 'owner' | 'annotator' | 'reviewer' | 'nobody' }
export type Planted = {
  /** Fields that took a text, with how many they took; the longest texts do not fit into names. */
  fields: Record<string, number>
  pages: Page[]
}
/** Writes a body whose texts go by the name of `field`; '' counts for none. Undefined: it was refused. */
export type Put = <T>(field: string, by: Person, key: string, body: unknown) => Promise<T | undefined>

const asFile = (rows: unknown[]) => new TextEncoder().encode(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))

export async function plantTexts(world: ApiWorld, texts: readonly string[]): Promise<Planted> {
  const { harness, people, look, known } = world
  const { owner, annotator, reviewer, lead, engineer } = people
  const fields: Record<string, number> = {}
  const at = (path: string) => `/api/projects/desk${path}`
  /** A text that a field refuses (too long, no address) was not stored; any other refusal is a mistake of this world. */
  async function put<T>(field: string, by: Person, key: string, body: unknown): Promise<T | undefined> {
    const { status, json, text } = await by.ask(key, body)
    if (status >= 400 && status !== 422) throw new Error(`${field}: ${status} ${text}`)
    if (status === 422) return undefined
    if (field !== '') fields[field] = (fields[field] ?? 0) + 1
    return json as T
  }

  const rows = texts.map((text, i) => ({
    item: `${text} item`,
    prompt: `${text} prompt`,
    a: `${text} first`,
    b: `${text} second`,
    stratum: text.slice(0, 60),
    ...(i % 3 === 0 && { gold: 'a', goldReason: `${text} why` }),
  }))
  await put('row of comparisons', owner, `POST ${at('/datasets/hostile?kind=comparisons')}`, asFile(rows))
  await put(
    'row of prompts',
    owner,
    `POST ${at('/datasets/hostile-asks?kind=prompts')}`,
    asFile(texts.map((text) => ({ prompt: text }))),
  )
  const shown = texts.map((text) => ({ prompt: text, completion: `${text} completion` }))
  await put('row of demonstrations', owner, `POST ${at('/datasets/hostile-shown?kind=demonstrations')}`, asFile(shown))
  for (const text of texts) await put('guideline', owner, `PUT ${at('/guideline')}`, { text: `# ${text}\n\n${text}` })
  for (const text of texts) {
    await put('project name', owner, 'POST /api/projects', { name: text })
    const made = await put<{ token: string }>('', owner, `POST ${at('/invitations')}`, { role: 'viewer' })
    const person = harness.stranger()
    const account = { name: text, email: person.email, password: PASSWORD }
    await put('person name', person, 'POST /api/links/join', { token: made!.token, account })
    await put('campaign name', owner, `POST ${at('/campaigns')}`, { name: text, dataset: 'pairs', overlap: 1 })
    const models = { candidate: 'models/tiny', opponent: 'base', prompts: 'asks', maxTokens: 4 }
    await put('evaluation name', owner, `POST ${at('/evaluations')}`, { name: text, ...models })
    await put('key name', owner, `POST ${at('/api-keys')}`, { name: text })
    const url = `https://hook.example/?${encodeURIComponent(text)}=${text}`
    await put('webhook name', owner, `POST ${at('/webhooks')}`, { name: text, url, events: ['run.done'] })
    const rule = { user: reviewer.id }
    const withdrawn = await put<{ id: string }>('withdrawal reason', owner, `POST ${at('/withdrawals')}`, {
      rule,
      reason: text,
    })
    if (withdrawn) await put('undo reason', owner, `POST ${at(`/withdrawals/${withdrawn.id}/undo`)}`, { reason: text })
  }

  const { id: campaign } = (await put<{ id: string }>('', owner, `POST ${at('/campaigns')}`, {
    name: 'Hostile',
    dataset: 'hostile',
    overlap: 2,
  }))!
  const judging = (path: string) => at(`/campaigns/${campaign}${path}`)
  type Work = { task: { id: string; left: string } | null }
  for (const [n, person] of [annotator, lead].entries()) {
    await put('', person, `PUT ${judging('/guideline-read')}`, undefined)
    let work = (await put<Work>('', person, `POST ${judging('/claim')}`, undefined))!
    for (let i = 0; work.task && i < texts.length; i++) {
      const text = texts[i]!
      const { id, left } = work.task
      await put('draft reason', person, `PUT ${judging(`/items/${id}/draft`)}`, { reason: text })
      const quote = left.slice(0, 2)
      const highlights = [{ side: 'left', start: 0, end: quote.length, quote, reason: text }]
      await put('highlight reason', person, `PUT ${judging(`/items/${id}/draft`)}`, { highlights })
      await put('flag note', person, `POST ${judging(`/items/${id}/flag`)}`, { note: text })
      const isSkipped = n === 0 && i % 9 === 8
      const choice = n === 0 ? 'left' : 'right'
      const answer = { key: randomUUID(), choice, strength: 2, reason: text, highlights, activeSeconds: 2 }
      const next = isSkipped
        ? await put<Work>('skip reason', person, `POST ${judging(`/items/${id}/skip`)}`, { reason: text })
        : await put<Work>('judgement reason', person, `POST ${judging(`/items/${id}/judgement`)}`, answer)
      work = next ?? { task: null }
    }
  }
  const items = await harness.store.query<{ id: string }>(
    'select id::text as id from items where campaign_id = $1 order by id',
    [campaign],
  )
  for (const [i, { id }] of items.entries()) {
    const text = texts[i % texts.length]!
    await put('gold note', owner, `PUT ${judging(`/items/${id}/gold`)}`, { better: i % 2 ? 'a' : null, note: text })
    await put('', reviewer, `POST ${judging(`/items/${id}/first-look`)}`, { choice: 'tie' })
    const word = { key: randomUUID(), before: null, outcome: i % 2 ? 'subjective' : 'excluded', reason: text }
    await put('adjudication reason', reviewer, `POST ${judging(`/items/${id}/adjudication`)}`, word)
  }

  await look()
  for (let from = 0; from < texts.length; from += 50) {
    const part = texts.slice(from, from + 50)
    const rules = part.map((text) => ({ name: text, statistic: text, bound: 'low', comparison: 'above', value: 0.5 }))
    const asked = { release: 'hostile', rules, evaluations: [{ hash: known.hash![0] }] }
    const made = await put<{ id: string }>('rule name', engineer, `POST ${at('/candidacies')}`, asked)
    if (!made) continue
    for (const text of part)
      await put('waiver reason', owner, `POST ${at(`/candidacies/${made.id}/waivers`)}`, {
        gate: text,
        reason: text,
        days: 1,
      })
    const signature = { signOff: 'refused', reason: part.join(' ').slice(0, 2000) }
    await put('signature reason', reviewer, `POST ${at(`/candidacies/${made.id}/signature`)}`, signature)
  }
  writeHostileRun(harness.workspace, texts)

  const evaluations = await harness.store.query<{ id: string }>(
    'select id from evaluations order by made_at desc limit 1',
  )
  const { token } = (await put<{ token: string }>('', owner, `POST ${at('/invitations')}`, { role: 'viewer' }))!
  const page = (path: string): Page => ({ path: `/p/desk/${path}`, as: 'owner' })
  const pages: Page[] = [
    ...['', 'guideline', 'samples', 'campaigns', 'runs', 'runs/hostile', 'evaluations', 'releases', 'lineage'].map(
      page,
    ),
    ...['', '/hostile', '/hostile-asks', '/hostile-shown'].map((name) => page(`datasets${name}`)),
    page(`evaluations/${evaluations[0]!.id}`),
    ...['lineage?id=runs/hostile', 'people', 'people/withdrawals', 'webhooks', 'audit'].map(page),
    ...['', '/gold', `/people/${annotator.id}`].map((path) => page(`campaigns/${campaign}${path}`)),
    { path: '/', as: 'owner' },
    { path: `/join#${token}`, as: 'nobody' },
    ...items.slice(0, 3).map(({ id }): Page => ({ path: `/p/desk/adjudicate/${campaign}/${id}`, as: 'reviewer' })),
  ]
  return { fields, pages: [...pages, ...(await plantWork(world, texts, put))] }
}

/** What a process says, an alarm, a reason: files of the workspace, not of the API, and shown by it all the same. */
function writeHostileRun(workspace: string, texts: readonly string[]): void {
  const folder = join(workspace, 'runs', 'hostile')
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(
    join(folder, 'config.json'),
    JSON.stringify({ recipe: 'sft', note: texts[0], config: { steps: 3, name: texts[1] } }),
  )
  const outcome = { reason: texts[0], step: 2 }
  fs.writeFileSync(
    join(folder, 'run.json'),
    JSON.stringify({ recipe: 'sft', status: 'stopped', simulated: false, inputs: {}, outputs: {}, outcome }),
  )
  const rows = texts.map((text, i) => ({ step: i, loss: 1, [text.slice(0, 30)]: 2 }))
  const alarms = texts.map((text, i) => ({
    kind: 'alarm',
    step: i,
    name: text,
    rule: text,
    value: 2,
    threshold: 1,
    action: 'note',
  }))
  fs.writeFileSync(
    join(folder, 'metrics.jsonl'),
    [...rows, ...alarms].map((row) => `${JSON.stringify(row)}\n`).join(''),
  )
  fs.writeFileSync(join(folder, 'output.txt'), texts.map((text) => `${text}\n`).join(''))
}
