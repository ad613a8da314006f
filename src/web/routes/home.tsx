// Project home: the loop as it stands, and what waits for whom.
import { Link } from '@tanstack/react-router'
import { Loop } from '../loop.tsx'
import { Due } from '../parts.tsx'
import { useProject } from './project.tsx'
import { many } from './words.ts'

const SCREENS = {
  judge: '/p/$project/judge/$campaign',
  adjudicate: '/p/$project/adjudicate/$campaign',
  write: '/p/$project/write/$campaign',
  review: '/p/$project/review/$campaign',
  rate: '/p/$project/rate/$campaign',
  discuss: '/p/$project/discuss/$campaign',
} as const

export function HomeScreen() {
  const { name, slug, role, steps, waiting } = useProject()
  const mine = waiting.filter(({ isMine }) => isMine)
  const others = waiting.filter(({ isMine }) => !isMine)
  return (
    <main id="content" className="page">
      <h1>{name}</h1>
      <p className="lead">
        {mine.length > 0
          ? `${many(
              mine.reduce((sum, { count }) => sum + count, 0),
              'thing',
            )} waiting for you.`
          : 'Nothing waits for you.'}{' '}
        <span className="soft">You are {role} here.</span>
      </p>
      {mine.length > 0 && (
        <ul className="waits">
          {mine.map(({ what, count, campaign, screen, dueAt }) => (
            <li key={what}>
              <Link
                to={SCREENS[screen === undefined || screen === 'releases' ? 'judge' : screen]}
                params={{ project: slug, campaign: campaign ?? '' }}
                className="button primary"
              >
                {count.toLocaleString('en')} {what}
              </Link>{' '}
              {dueAt !== undefined && <Due at={dueAt} />}
            </li>
          ))}
        </ul>
      )}
      <Loop slug={slug} steps={steps} />
      {others.length > 0 && (
        <section aria-labelledby="waits">
          <h2 id="waits">What waits for whom</h2>
          <ul className="waits">
            {others.map(({ what, whose, count, campaign, screen, dueAt }) => (
              <li key={`${what} ${whose}`}>
                <b>{count.toLocaleString('en')}</b>{' '}
                {screen === 'releases' ? (
                  <Link to="/p/$project/releases" params={{ project: slug }}>
                    {what}
                  </Link>
                ) : campaign === null ? (
                  what
                ) : (
                  <Link to="/p/$project/campaigns/$campaign" params={{ project: slug, campaign }}>
                    {what}
                  </Link>
                )}{' '}
                <span className="soft">{whose}</span> {dueAt !== undefined && <Due at={dueAt} />}
              </li>
            ))}
          </ul>
        </section>
      )}
    </main>
  )
}
