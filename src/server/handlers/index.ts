// One handler an endpoint; the type says when one is missing.
import type { Handlers } from '../call.ts'
import { openApiDocument } from '../openapi.ts'
import { accountHandlers } from './account.ts'
import { adjudicationHandlers } from './adjudication.ts'
import { annotatingHandlers } from './annotating.ts'
import { aggregationHandlers } from './aggregation.ts'
import { answerHandlers } from './answers.ts'
import { assigningHandlers } from './assigning.ts'
import { calibrationHandlers } from './calibration.ts'
import { campaignHandlers } from './campaigns.ts'
import { dataHandlers } from './data.ts'
import { datasetHandlers } from './dataset.ts'
import { demonstrationHandlers } from './demonstrations.ts'
import { draftHandlers } from './drafts.ts'
import { goldHandlers } from './gold.ts'
import { completionHandlers } from './completions.ts'
import { evaluationHandlers } from './evaluations.ts'
import { fillHandlers } from './fills.ts'
import { objectiveHandlers } from './objective.ts'
import { personHandlers } from './person.ts'
import { lineageHandlers } from './lineage.ts'
import { projectHandlers } from './projects.ts'
import { webhookHandlers } from './webhooks.ts'
import { withdrawalHandlers } from './withdrawals.ts'
import { releaseHandlers } from './releases.ts'
import { suggestingHandlers } from './suggesting.ts'
import { runHandlers } from './runs.ts'

export const HANDLERS: Handlers = {
  ...accountHandlers,
  ...projectHandlers,
  ...dataHandlers,
  ...datasetHandlers,
  ...objectiveHandlers,
  ...draftHandlers,
  ...campaignHandlers,
  ...assigningHandlers,
  ...suggestingHandlers,
  ...annotatingHandlers,
  ...demonstrationHandlers,
  ...answerHandlers,
  ...aggregationHandlers,
  ...calibrationHandlers,
  ...adjudicationHandlers,
  ...goldHandlers,
  ...personHandlers,
  ...withdrawalHandlers,
  ...fillHandlers,
  ...evaluationHandlers,
  ...runHandlers,
  ...releaseHandlers,
  ...completionHandlers,
  ...lineageHandlers,
  ...webhookHandlers,
  'GET /api/openapi.json': async () => ({ type: 'application/json', body: JSON.stringify(openApiDocument()) }),
}
