// Campaigns: what is being judged or written, how far it is; and a new one from a dataset.
import { Link } from '@tanstack/react-router'
import { useGet } from '../api.ts'
import { Due, Empty, Loading, Problem } from '../parts.tsx'
import { KINDS } from './kinds.ts'
import { NewCampaign } from './new-campaign.tsx'
import { useProject } from './project.tsx'
import { many, peopleEach } from './words.ts'

export function CampaignsScreen() {
  const { slug, role } = useProject()
  const campaigns = useGet(
    'GET /api/projects/{project}/campaigns',
    { params: { project: slug } },
    { refetchInterval: 5000 },
  )
  return (
    <main id="content" className="page">
      <h1>Campaigns</h1>
      {(role === 'owner' || role === 'lead') && <NewCampaign slug={slug} />}
      {campaigns.isPending && <Loading />}
      {campaigns.isError && <Problem error={campaigns.error} />}
      {campaigns.data?.campaigns.length === 0 && (
        <Empty title="No campaign yet">
          <p>
            A campaign puts pairs of completions to people, who do not know where they come from; or prompts, which they
            answer.
          </p>
        </Empty>
      )}
      <ul className="cards">
        {campaigns.data?.campaigns.map(({ id, kind, name, state, items, wanted, judged, atWork, ...rest }) => (
          <li key={id}>
            <Link to="/p/$project/campaigns/$campaign" params={{ project: slug, campaign: id }} className="card">
              <strong>{name}</strong>
              <span className="soft">
                {many(items, KINDS[kind].item)}, {rest.isCalibration ? 'a calibration round' : peopleEach(rest)} ·{' '}
                {state}
                {atWork > 0 && ` · ${atWork} at work`}
                {rest.deadline !== null && state !== 'closed' && (
                  <>
                    {' '}
                    · <Due at={rest.deadline} />
                  </>
                )}
              </span>
              <progress max={wanted} value={judged} aria-label={`Judged in ${name}`} />
              <span>
                {judged.toLocaleString('en')} of {many(wanted, KINDS[kind].given)}
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </main>
  )
}
