// Addresses and their screens. Who is not signed in gets the sign-in page at any address, and comes back to it.
import { createRootRoute, createRoute, createRouter } from '@tanstack/react-router'
import { AnnotateScreen } from './annotate/screen.tsx'
import { AdjudicateScreen } from './routes/adjudicate.tsx'
import { AuditScreen } from './routes/audit.tsx'
import { CampaignScreen } from './routes/campaign.tsx'
import { CompareRunsScreen } from './routes/compare-runs.tsx'
import { CampaignsScreen } from './routes/campaigns.tsx'
import { DatasetScreen, datasetSearch } from './routes/dataset.tsx'
import { DatasetsScreen } from './routes/datasets.tsx'
import { GoldScreen } from './routes/gold.tsx'
import { DiscussionScreen } from './routes/discussion.tsx'
import { EvaluationScreen } from './routes/evaluation.tsx'
import { EvaluationsScreen } from './routes/evaluations.tsx'
import { GuidelineScreen } from './routes/guideline.tsx'
import { HomeScreen } from './routes/home.tsx'
import { JoinScreen } from './routes/join.tsx'
import { LineageScreen } from './routes/lineage.tsx'
import { MeScreen } from './routes/me.tsx'
import { NewPasswordScreen } from './routes/new-password.tsx'
import { ObjectiveScreen } from './routes/objective.tsx'
import { PersonScreen } from './routes/person.tsx'
import { PeopleScreen } from './routes/people.tsx'
import { ProjectFrame } from './routes/project.tsx'
import { ProjectsScreen } from './routes/projects.tsx'
import { ReferenceScreen } from './routes/reference.tsx'
import { ReleasesScreen } from './routes/releases.tsx'
import { RunScreen } from './routes/run.tsx'
import { RunsScreen } from './routes/runs.tsx'
import { SamplesScreen } from './routes/samples.tsx'
import { SetUpScreen } from './routes/set-up.tsx'
import { SubmissionScreen } from './routes/submission.tsx'
import { WebhooksScreen } from './routes/webhooks.tsx'
import { WithdrawalsScreen } from './routes/withdrawals.tsx'
import { Outside } from './parts.tsx'
import { SignedIn, Start } from './shell.tsx'
import { RateScreen } from './rate/screen.tsx'
import { ReviewScreen } from './write/review.tsx'
import { WriteScreen } from './write/screen.tsx'

const root = createRootRoute({
  component: Start,
  notFoundComponent: () => <Outside title="There is nothing at this address" />,
})
const setUp = createRoute({ getParentRoute: () => root, path: '/set-up', component: SetUpScreen })
const join = createRoute({ getParentRoute: () => root, path: '/join', component: JoinScreen })
const password = createRoute({ getParentRoute: () => root, path: '/new-password', component: NewPasswordScreen })
const signedIn = createRoute({ getParentRoute: () => root, id: 'signed-in', component: SignedIn })
const projects = createRoute({ getParentRoute: () => signedIn, path: '/', component: ProjectsScreen })
const me = createRoute({ getParentRoute: () => signedIn, path: '/me', component: MeScreen })
const reference = createRoute({ getParentRoute: () => signedIn, path: '/reference', component: ReferenceScreen })
const project = createRoute({ getParentRoute: () => signedIn, path: '/p/$project', component: ProjectFrame })
const home = createRoute({ getParentRoute: () => project, path: '/', component: HomeScreen })
const guideline = createRoute({ getParentRoute: () => project, path: '/guideline', component: GuidelineScreen })
const objective = createRoute({ getParentRoute: () => project, path: '/objective', component: ObjectiveScreen })
const datasets = createRoute({ getParentRoute: () => project, path: '/datasets', component: DatasetsScreen })
const dataset = createRoute({
  getParentRoute: () => project,
  path: '/datasets/$dataset',
  component: DatasetScreen,
  validateSearch: datasetSearch,
})
const samples = createRoute({ getParentRoute: () => project, path: '/samples', component: SamplesScreen })
const campaigns = createRoute({ getParentRoute: () => project, path: '/campaigns', component: CampaignsScreen })
const campaign = createRoute({ getParentRoute: () => project, path: '/campaigns/$campaign', component: CampaignScreen })
const gold = createRoute({ getParentRoute: () => project, path: '/campaigns/$campaign/gold', component: GoldScreen })
const person = createRoute({
  getParentRoute: () => project,
  path: '/campaigns/$campaign/people/$user',
  component: PersonScreen,
})
const judge = createRoute({ getParentRoute: () => project, path: '/judge/$campaign', component: AnnotateScreen })
const write = createRoute({ getParentRoute: () => project, path: '/write/$campaign', component: WriteScreen })
const rate = createRoute({ getParentRoute: () => project, path: '/rate/$campaign', component: RateScreen })
const discuss = createRoute({ getParentRoute: () => project, path: '/discuss/$campaign', component: DiscussionScreen })
const review = createRoute({ getParentRoute: () => project, path: '/review/$campaign', component: ReviewScreen })
const submission = createRoute({
  getParentRoute: () => project,
  path: '/submissions/$submission',
  component: SubmissionScreen,
})
const adjudicate = createRoute({
  getParentRoute: () => project,
  path: '/adjudicate/$campaign',
  component: AdjudicateScreen,
})
const adjudicateItem = createRoute({
  getParentRoute: () => project,
  path: '/adjudicate/$campaign/$item',
  component: AdjudicateScreen,
})
const runs = createRoute({
  getParentRoute: () => project,
  path: '/runs',
  component: RunsScreen,
  validateSearch: ({ again }: Record<string, unknown>): { again?: string } =>
    typeof again === 'string' ? { again } : {},
})
const compare = createRoute({
  getParentRoute: () => project,
  path: '/compare',
  component: CompareRunsScreen,
  validateSearch: ({ runs: named }: Record<string, unknown>): { runs?: string } =>
    typeof named === 'string' ? { runs: named } : {},
})
const run = createRoute({ getParentRoute: () => project, path: '/runs/$run', component: RunScreen })
const evaluations = createRoute({
  getParentRoute: () => project,
  path: '/evaluations',
  component: EvaluationsScreen,
  validateSearch: ({ models }: Record<string, unknown>): { models?: string } =>
    typeof models === 'string' ? { models } : {},
})
const evaluation = createRoute({
  getParentRoute: () => project,
  path: '/evaluations/$evaluation',
  component: EvaluationScreen,
})
const releases = createRoute({ getParentRoute: () => project, path: '/releases', component: ReleasesScreen })
const lineage = createRoute({
  getParentRoute: () => project,
  path: '/lineage',
  component: LineageScreen,
  validateSearch: ({ id }: Record<string, unknown>): { id?: string } => (typeof id === 'string' ? { id } : {}),
})
const people = createRoute({ getParentRoute: () => project, path: '/people', component: PeopleScreen })
const withdrawals = createRoute({
  getParentRoute: () => project,
  path: '/people/withdrawals',
  component: WithdrawalsScreen,
})
const webhooks = createRoute({ getParentRoute: () => project, path: '/webhooks', component: WebhooksScreen })
const audit = createRoute({ getParentRoute: () => project, path: '/audit', component: AuditScreen })

export const router = createRouter({
  routeTree: root.addChildren([
    setUp,
    join,
    password,
    signedIn.addChildren([
      projects,
      me,
      reference,
      project.addChildren([
        home,
        objective,
        guideline,
        datasets,
        dataset,
        samples,
        campaigns,
        campaign,
        gold,
        person,
        judge,
        write,
        rate,
        discuss,
        review,
        submission,
        adjudicate,
        adjudicateItem,
        runs,
        run,
        compare,
        evaluations,
        evaluation,
        releases,
        lineage,
        people,
        withdrawals,
        webhooks,
        audit,
      ]),
    ]),
  ]),
  defaultPreload: false,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
