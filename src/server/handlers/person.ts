// The page about one person in a campaign.
import { HttpError } from '#errors'
import { ANSWER_KINDS, PACE_EDGES, tallyOf } from '#feedback'
import { findMember } from '#store'
import { defined } from '../agreement.ts'
import type { Handlers } from '../call.ts'
import { pseudonymOf, reportOn } from '../campaign-report.ts'
import { campaignOf } from './campaigns.ts'

type Person = Pick<Handlers, 'GET /api/projects/{project}/campaigns/{campaign}/people/{user}'>

export const personHandlers: Person = {
  'GET /api/projects/{project}/campaigns/{campaign}/people/{user}': async ({
    service,
    project,
    user,
    role,
    params,
  }) => {
    const { query } = service.store
    const campaign = await campaignOf(query, project, params.campaign)
    const isSelf = user.id === params.user
    const isLead = role === 'owner' || role === 'lead'
    if (!isSelf && !isLead) throw new HttpError(403, 'this is for leads, and for that person')
    const member = await findMember(query, project.id, params.user)
    if (!member) throw new HttpError(404, 'there is no such member')
    const report = await reportOn(query, project, campaign)
    const annotator = pseudonymOf(project, params.user)
    const plain = report.annotators().get(annotator)
    const { people, tests, rate } = report.people()
    const found = people.find((person) => person.annotator === annotator)
    const isGoldShown = isLead || campaign.state === 'closed'
    const { pace, answers } = tallyOf(report.items(), annotator)
    return {
      name: member.name,
      isSelf,
      judged: plain?.judgements ?? 0,
      leftShare: defined(plain?.leftShare),
      lengthLean: defined(plain?.lengthLean),
      withOthers: defined(plain?.withOthers),
      skill: found?.skill ?? null,
      gold: (isGoldShown && report.gold().get(annotator)?.accuracy) || null,
      goldChart: (isGoldShown && found?.goldChart) || null,
      agreementChart: found?.agreementChart ?? null,
      findings: (found?.findings ?? [])
        .filter(({ test }) => isGoldShown || test !== 'gold')
        .map((finding) => ({ ...finding, ...tests.find(({ name }) => name === finding.test)! })),
      rate,
      isLeftOut: found?.isLeftOut ?? false,
      pace: { labels: PACE_EDGES.map(paceLabel), ...pace },
      answers: { labels: [...ANSWER_KINDS], ...answers },
    }
  },
}

function paceLabel(edge: number, i: number): string {
  const next = PACE_EDGES[i + 1]
  return next === undefined ? `${edge} s or more` : `${edge} to ${next} s`
}
