// Withdrawing answers, and taking that back.
import { HttpError } from '#errors'
import { audit, listMatching, listWithdrawals, undoWithdrawal, withdraw } from '#store'
import type { Handlers } from '../call.ts'
import { againOfNode, unbegunIn } from '../again.ts'
import { staleIn } from '../stale.ts'
import { dependantsOf, heldShown, madeOf } from '../withdrawn.ts'

type Withdrawals = Pick<
  Handlers,
  | 'GET /api/projects/{project}/withdrawals'
  | 'GET /api/projects/{project}/withdrawals/effect'
  | 'POST /api/projects/{project}/withdrawals'
  | 'POST /api/projects/{project}/withdrawals/{withdrawal}/undo'
>

export const withdrawalHandlers: Withdrawals = {
  'GET /api/projects/{project}/withdrawals': async ({ service, project }) => {
    const stale = await staleIn(service, project)
    return {
      withdrawals: await listWithdrawals(service.store.query, project.id),
      dependants: [
        ...stale.holding.map((held) => ({ ...heldShown(project, held), again: null })),
        ...unbegunIn(stale).map(({ run, again }) => ({ kind: 'run', label: `runs/${run}`, rows: null, again })),
        ...madeOf(stale).map((node) => ({
          kind: node.kind,
          label: node.label,
          rows: null,
          again: againOfNode(stale, node),
        })),
      ],
    }
  },

  'GET /api/projects/{project}/withdrawals/effect': async ({ service, project, query: rule }) => {
    if (Object.values(rule).every((value) => value === undefined))
      throw new HttpError(422, 'expected a person, a time or a guideline')
    const found = await listMatching(service.store.query, project.id, rule)
    return {
      judgements: found.length,
      campaigns: tally(found, ({ campaign }) => campaign).map(([first, judgements]) => ({
        id: first.campaign,
        name: first.campaignName,
        judgements,
      })),
      people: tally(found, ({ user }) => user).map(([{ user, name }, judgements]) => ({ user, name, judgements })),
      dependants: await dependantsOf(
        service,
        project,
        found.map(({ id }) => id),
      ),
    }
  },

  'POST /api/projects/{project}/withdrawals': async ({ service, project, user, body }) =>
    service.store.transaction(async (query) => {
      const made = await withdraw(query, project.id, { ...body, by: user.id })
      if (!made) throw new HttpError(422, 'rule: no answer that counts is meant by it')
      const detail = { ...body.rule, judgements: made.judgements }
      await audit(query, {
        actor: user.id,
        project: project.id,
        action: 'judgements.withdraw',
        subject: made.id,
        detail,
      })
      return made
    }),

  'POST /api/projects/{project}/withdrawals/{withdrawal}/undo': async ({ service, project, user, params, body }) =>
    service.store.transaction(async (query) => {
      const made = await undoWithdrawal(query, project.id, { id: params.withdrawal, reason: body.reason, by: user.id })
      if (!made) throw new HttpError(404, 'there is no such withdrawal that stands')
      const detail = { undoes: params.withdrawal, judgements: made.judgements }
      await audit(query, {
        actor: user.id,
        project: project.id,
        action: 'judgements.restore',
        subject: made.id,
        detail,
      })
      return made
    }),
}

/** The first of each kind with how many there are, in order of appearance. */
function tally<T>(found: readonly T[], keyOf: (one: T) => string): [T, number][] {
  const counts = new Map<string, [T, number]>()
  for (const one of found) {
    const known = counts.get(keyOf(one))
    if (known) known[1]++
    else counts.set(keyOf(one), [one, 1])
  }
  return [...counts.values()]
}
