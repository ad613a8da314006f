// The frame of a project: where one is, and the ways to its screens, by role.
import { Link, Outlet, useParams } from '@tanstack/react-router'
import { createContext, useContext } from 'react'
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
      <nav className="screens" aria-label={name}>
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
