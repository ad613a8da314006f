// The frame of a project: where one is, and the ways to its screens, by role.
import { Link, Outlet, useLocation, useParams } from '@tanstack/react-router'
import { createContext, useContext, useEffect, useRef } from 'react'
import type { AnswerOf } from '#server/contract'
import { useGet } from '../api.ts'
import { Loading, Problem } from '../parts.tsx'

type Project = AnswerOf<'GET /api/projects/{project}'>

const ProjectContext = createContext<Project | undefined>(undefined)

/** The project around this screen. */
export function useProject(): Project {
  return useContext(ProjectContext)!
}

const OBSERVERS = ['owner', 'lead', 'engineer', 'reviewer', 'viewer'] as const
const SCREENS = [
  { to: '/p/$project', label: 'Home', roles: undefined },
  { to: '/p/$project/objective', label: 'Objective', roles: undefined },
  { to: '/p/$project/guideline', label: 'Guideline', roles: undefined },
  { to: '/p/$project/datasets', label: 'Datasets', roles: OBSERVERS },
  { to: '/p/$project/samples', label: 'Samples', roles: OBSERVERS },
  { to: '/p/$project/campaigns', label: 'Campaigns', roles: OBSERVERS },
  { to: '/p/$project/runs', label: 'Runs', roles: OBSERVERS },
  { to: '/p/$project/evaluations', label: 'Evaluations', roles: OBSERVERS },
  { to: '/p/$project/releases', label: 'Releases', roles: OBSERVERS },
  { to: '/p/$project/lineage', label: 'Lineage', roles: OBSERVERS },
  { to: '/p/$project/people', label: 'People', roles: OBSERVERS },
  { to: '/p/$project/webhooks', label: 'Webhooks', roles: ['owner', 'lead', 'engineer'] },
  { to: '/p/$project/audit', label: 'Audit', roles: ['owner', 'lead'] },
] as const

export function ProjectFrame() {
  const { project: slug } = useParams({ from: '/signed-in/p/$project' })
  const project = useGet('GET /api/projects/{project}', { params: { project: slug } }, { refetchInterval: 10_000 })
  const screens = useRef<HTMLElement>(null)
  const { pathname } = useLocation()
  const isThere = project.data !== undefined
  // Where there is no room for all of them, the one that is open is in sight.
  useEffect(() => {
    const show = (): void => {
      const [frame, current] = [screens.current, screens.current?.querySelector('[aria-current]')]
      if (frame && current instanceof HTMLElement)
        frame.scrollLeft = current.offsetLeft - (frame.clientWidth - current.offsetWidth) / 2
    }
    if (isThere) show()
    window.addEventListener('resize', show)
    return () => window.removeEventListener('resize', show)
  }, [isThere, pathname])
  if (!project.data)
    return project.isError ? (
      <main id="content" className="page">
        <h1>This project cannot be opened</h1>
        <Problem error={project.error} />
      </main>
    ) : (
      <Loading />
    )
  const { name, role } = project.data
  return (
    <ProjectContext value={project.data}>
      <nav className="screens" aria-label={name} ref={screens}>
        <span className="project-name">{name}</span>
        {SCREENS.filter(({ roles }) => !roles || (roles as readonly string[]).includes(role)).map(({ to, label }) => (
          <Link key={to} to={to} params={{ project: slug }} activeOptions={{ exact: to === '/p/$project' }}>
            {label}
          </Link>
        ))}
      </nav>
      <Outlet />
    </ProjectContext>
  )
}
