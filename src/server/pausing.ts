// Pausing a person by the rule of a campaign's gold answers. It is looked at before each task, and so needs nobody to watch.
import { audit, type CampaignFacts, goldScore, pausePerson, type Project, type Store, type User } from '#store'

/** Whether this person, who is not paused, is from now on. */
export async function pausesNow(
  store: Store,
  { project, campaign, user }: { project: Project; campaign: CampaignFacts; user: User },
): Promise<boolean> {
  const rule = campaign.pauseRule
  if (!rule || campaign.state === 'closed') return false
  const score = await goldScore(store.query, campaign.id, user.id)
  if (score.answers < rule.items || score.right >= rule.below * score.answers) return false
  await store.transaction(async (query) => {
    if (!(await pausePerson(query, campaign.id, { user: user.id, by: null, ...score }))) return
    const detail = { user: user.id, ...score, rule }
    await audit(query, { actor: null, project: project.id, action: 'person.pause', subject: campaign.id, detail })
  })
  return true
}
